-- Reads XML, and HTML whose elements are closed, strictly: what is not well
-- formed raises. An element is { name =, attributes = {}, children and texts }.

local M = {}

local entities = { amp = "&", lt = "<", gt = ">", quot = '"' }
local VOID = { meta = true, input = true }
local RAW = { script = true, style = true }

local Reader = {}
Reader.__index = Reader

function Reader:complain(what)
  local _, lines = self.text:sub(1, self.at):gsub("\n", "")
  error(("line %d: %s near %q"):format(lines + 1, what,
    self.text:sub(self.at, self.at + 30)), 0)
end

function Reader:take(pattern)
  local first, last, found = self.text:find("^" .. pattern, self.at)
  if not first then return nil end
  self.at = last + 1
  return found or self.text:sub(first, last)
end

function Reader:need(pattern, what)
  return self:take(pattern) or self:complain(what .. " expected")
end

-- Text without markup, with its entities resolved.
function Reader:plain(text)
  return (text:gsub("&([^;]*);?", function(name)
    local number = name:match "^#(%d+)$"
    return number and utf8.char(math.tointeger(number)) or entities[name]
      or self:complain("the unknown entity &" .. name)
  end))
end

function Reader:attributes()
  local found = {}
  while self:take "%s+%f[%a_]" do
    local name = self:need("[%a_][%w_:-]*", "a name")
    if found[name] then self:complain("twice " .. name) end
    if self.is_html and not self.text:find("^=", self.at) then
      found[name] = ""
    else
      self:need("=", "=")
      found[name] = self:plain(self:need('"([^<"]*)"', "a quoted value"))
    end
  end
  self:take "%s+"
  return found
end

function Reader:content(element)
  if self.is_html and RAW[element.name] then
    element[1] = self:need("(.-)%f[<]%f[<]</" .. element.name .. ">",
      "the end of " .. element.name)
    return
  end
  while true do
    local text = self:take "[^<]+"
    if text then
      element[#element + 1] = self:plain(text)
    elseif self:take "</" then
      self:need(element.name:gsub("%-", "%%-") .. "%s*>",
        "the end of " .. element.name)
      return
    else
      element[#element + 1] = self:element()
    end
  end
end

function Reader:element()
  self:need("<", "an element")
  local element = { name = self:need("[%a_][%w_:-]*", "a name") }
  element.attributes = self:attributes()
  if self:take "/>" then return element end
  self:need(">", "the end of a tag")
  if not (self.is_html and VOID[element.name]) then
    self:content(element)
  end
  return element
end

--- The root element of a document.
-- @tparam string text
-- @tparam ?boolean is_html
-- @treturn table
function M.parse(text, is_html)
  assert(utf8.len(text), "not UTF-8")
  assert(not text:find "[%z\1-\8\11\12\14-\31]", "a control character")
  local reader = setmetatable({ text = text, at = 1, is_html = is_html },
    Reader)
  reader:need(is_html and "<!DOCTYPE html>%s*" or "<%?xml [^>]*%?>%s*",
    "the document's type")
  local root = reader:element()
  reader:take "%s+"
  if reader.at <= #text then reader:complain "something after the end" end
  return root
end

--- All elements below one, itself too, in order, that a function wants.
-- @tparam table element
-- @tparam function is_wanted
-- @treturn table array
function M.all(element, is_wanted)
  local found = {}
  local function walk(one)
    if is_wanted(one) then found[#found + 1] = one end
    for _, child in ipairs(one) do
      if type(child) == "table" then walk(child) end
    end
  end
  walk(element)
  return found
end

--- Elements of a name, perhaps of a class.
function M.named(element, name, class)
  return M.all(element, function(one)
    local classes = " " .. (one.attributes.class or "") .. " "
    return one.name == name
      and (not class or classes:find(" " .. class .. " ", 1, true) ~= nil)
  end)
end

--- All text in an element.
function M.text(element)
  local parts = {}
  for i, child in ipairs(element) do
    parts[i] = type(child) == "table" and M.text(child) or child
  end
  return table.concat(parts)
end

--- All texts of elements of a name, perhaps of a class, as an array.
function M.texts(element, name, class)
  local found = M.named(element, name, class)
  for i, one in ipairs(found) do found[i] = M.text(one) end
  return found
end

return M
