--- JSON for a page: the same value always gives the same bytes, and no text in
-- it can end the element that holds it.
--
-- Tables with a first element are arrays, empty ones too; others are objects
-- whose keys are sorted. Numbers that are none (infinite, not a number) are
-- null. Text that is not UTF-8 is mended as `words.clean` does.
-- @module grainstore.lab.report.json

local words = require "grainstore.lab.report.words"
local units = require "grainstore.lab.report.units"

local M = {}

local encode

local short = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t",
}

local function escape(char)
  return short[char] or ("\\u%04x"):format(utf8.codepoint(char))
end

-- "<", ">" and "&" mean something to HTML, the two separators to JavaScript.
local function text(value)
  value = words.clean(value):gsub('[%c"\\<>&\x7F]', escape)
  return '"' .. value:gsub("\u{2028}", escape):gsub("\u{2029}", escape) .. '"'
end

local function number(value)
  if not units.is_figure(value) then return "null" end
  local whole = math.tointeger(value)
  if whole then return ("%d"):format(whole) end
  for digits = 6, 17 do
    local written = ("%%.%dg"):format(digits):format(value)
    if tonumber(written) == value then
      return (written:gsub("[^%d%-+e]", "."))
    end
  end
end

local function array(value)
  local parts = {}
  for i, element in ipairs(value) do parts[i] = encode(element) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function object(value)
  local parts, by_name, names = {}, {}, {}
  for key, element in pairs(value) do
    local name = tostring(key)
    names[#names + 1], by_name[name] = name, element
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = text(name) .. ":" .. encode(by_name[name])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- A value as JSON; raises for functions and the like.
-- @param value
-- @treturn string
function encode(value)
  local kind = type(value)
  if kind == "table" then
    local is_array = value[1] ~= nil or next(value) == nil
    return is_array and array(value) or object(value)
  elseif kind == "string" then
    return text(value)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" or kind == "nil" then
    return tostring(value):gsub("nil", "null")
  end
  error(("a %s has no JSON"):format(kind), 2)
end

M.encode = encode

return M
