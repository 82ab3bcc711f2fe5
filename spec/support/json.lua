-- Reads JSON, strictly. null becomes `null`, a value of its own.

local M = { null = setmetatable({}, { __name = "null" }) }

local escapes = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", n = "\n", r = "\r", t = "\t",
}
local words = { ["true"] = true, ["false"] = false, null = M.null }

local value

local function need(text, at, pattern)
  local first, last, found = text:find("^%s*" .. pattern .. "%s*", at)
  if not first then
    error(("%s expected at %q"):format(pattern, text:sub(at, at + 20)), 0)
  end
  return last + 1, found
end

local function unescape(body)
  assert(not body:find "%c", "a control character in a string")
  body = body:gsub("\\(.)(%x?%x?%x?%x?)", function(kind, rest)
    if kind == "u" then
      assert(#rest == 4, "four digits after \\u")
      return utf8.char(tonumber(rest, 16))
    end
    return assert(escapes[kind], "an unknown escape") .. rest
  end)
  return body
end

local function string_at(text, at)
  local last = at + 1
  while text:sub(last, last) ~= '"' do
    assert(last <= #text, "a string without end")
    last = last + (text:sub(last, last) == "\\" and 2 or 1)
  end
  return unescape(text:sub(at + 1, last - 1)), last + 1
end

-- Elements with commas between them up to a closing bracket.
local function list(text, at, closing, read)
  at = need(text, at, ".")
  if text:find("^%s*%" .. closing, at) then
    return (need(text, at, "%" .. closing))
  end
  while true do
    at = read(at)
    local behind, found = need(text, at, "([,%" .. closing .. "])")
    if found == closing then return behind end
    at = behind
  end
end

local function array(text, at)
  local made = {}
  at = list(text, at, "]", function(from)
    local element, behind = value(text, from)
    made[#made + 1] = element
    return behind
  end)
  return made, at
end

local function object(text, at)
  local made = {}
  at = list(text, at, "}", function(from)
    from = need(text, from, "%f[\"]")
    local key, colon = string_at(text, from)
    assert(made[key] == nil, "a key twice")
    local element, behind = value(text, (need(text, colon, ":")))
    made[key] = element
    return behind
  end)
  return made, at
end

function value(text, at)
  at = text:match("^%s*()", at)
  local first = text:sub(at, at)
  if first == "[" then return array(text, at) end
  if first == "{" then return object(text, at) end
  if first == '"' then return string_at(text, at) end
  local word = text:match("^%a+", at)
  if word then
    assert(words[word] ~= nil, "an unknown word")
    return words[word], at + #word
  end
  local behind, number = need(text, at, "(%-?%d+%.?%d*[eE]?[-+]?%d*)")
  return assert(tonumber(number), "a number"), behind
end

--- What a text says.
-- @tparam string text
-- @return value
function M.parse(text)
  local found, at = value(text, 1)
  assert(not text:find("%S", at), "something after the end")
  return found
end

return M
