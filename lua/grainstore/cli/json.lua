--- Values as JSON: one line, names sorted. A table with a first element, or
-- without any, is an array.
-- @module grainstore.cli.json

local M = {}

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t",
}

local function quote(text)
  return '"' .. text:gsub('[%c"\\\127]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local encode

local function array(t)
  local parts = {}
  for i, value in ipairs(t) do
    parts[i] = encode(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function object(t)
  local names, parts = {}, {}
  for name in pairs(t) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = quote(name) .. ":" .. encode(t[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function number(value)
  if math.type(value) == "integer" then
    return tostring(value)
  end
  local is_finite = value == value and value ~= math.huge
    and value ~= -math.huge
  return is_finite and ("%.14g"):format(value) or "null"
end

function encode(value)
  local kind = type(value)
  if kind == "table" then
    return (value[1] ~= nil or next(value) == nil) and array(value)
      or object(value)
  end
  return kind == "string" and quote(value) or kind == "number" and number(value)
    or tostring(value)
end

--- @tparam table|string|number|boolean value strings are UTF-8
-- @treturn string
M.encode = function(value) return encode(value) end

return M
