--- Keys and values as text that any terminal bears and Lua reads back.
-- @module grainstore.testing.show

local M = {}

local LONGEST = 48

local function escape(byte)
  return ("\\x%02X"):format(byte:byte())
end

local named = {
  ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\",
  ['"'] = '\\"',
}

local function quote(text)
  return '"' .. text:gsub('[%c"\\\x7F-\xFF]', function(byte)
    return named[byte] or escape(byte)
  end) .. '"'
end

--- One value. Long strings are cut, and their length is told.
-- @param value
-- @treturn string
function M.value(value)
  if type(value) ~= "string" then
    return tostring(value)
  elseif #value <= LONGEST then
    return quote(value)
  end
  return ("%s... (%d bytes)"):format(quote(value:sub(1, LONGEST)), #value)
end

-- Numbers before strings, each in their order.
local function before(a, b)
  if type(a) ~= type(b) then
    return type(a) == "number"
  end
  return a < b
end

--- The keys of a table in order.
-- @tparam table entries
-- @treturn {key,...}
function M.keys(entries)
  local keys = {}
  for key in pairs(entries) do
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  return keys
end

local MOST = 12

--- How two tables of entries differ, a line for each key, or nil where they do
-- not.
-- @tparam table expected
-- @tparam table found
-- @treturn string
function M.difference(expected, found)
  local all, lines, more = {}, {}, 0
  for key in pairs(expected) do all[key] = true end
  for key in pairs(found) do all[key] = true end
  for _, key in ipairs(M.keys(all)) do
    local want, have = expected[key], found[key]
    if want ~= have then
      more = more + 1
      if more <= MOST then
        lines[more] = want == nil
            and ("  %s = %s should not be there"):format(M.value(key),
              M.value(have))
          or have == nil
            and ("  %s = %s is missing"):format(M.value(key), M.value(want))
          or ("  %s = %s should be %s"):format(M.value(key), M.value(have),
            M.value(want))
      end
    end
  end
  if more > MOST then
    lines[MOST + 1] = ("  and %d more"):format(more - MOST)
  end
  return lines[1] and table.concat(lines, "\n")
end

return M
