--- Names and other texts of unknown origin: made safe for a terminal, for XML
-- and HTML, and cut to a width. A character counts as one column.
-- @module grainstore.lab.report.words

local M = {}

local UNKNOWN = utf8.char(0xFFFD)

-- What XML 1.0 allows in no way.
local function is_forbidden(code)
  return code < 0x20 and code ~= 9 and code ~= 10 and code ~= 13
    or code >= 0x7F and code <= 0x9F or code >= 0xFFFE and code <= 0xFFFF
end

--- Valid UTF-8 of the characters that XML allows; what was not is U+FFFD.
function M.clean(text)
  text = tostring(text)
  if not text:find "[^\32-\126]" then return text end
  local parts, at = {}, 1
  while at <= #text do
    local length, bad = utf8.len(text, at)
    parts[#parts + 1] = text:sub(at, length and #text or bad - 1)
    if length then break end
    parts[#parts + 1] = UNKNOWN
    at = bad + 1
  end
  return (table.concat(parts):gsub(utf8.charpattern, function(char)
    return is_forbidden(utf8.codepoint(char)) and UNKNOWN or nil
  end))
end

local entities = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;",
}

--- Text for an element or a quoted attribute of XML or HTML.
function M.xml(text)
  return (M.clean(text):gsub("[&<>\"']", entities))
end

--- One line of at most so many characters; "…" stands where some were left out,
-- nearer to the end, since names often differ there.
function M.fit(text, width)
  text = M.clean(text):gsub("%s", " ")
  if utf8.len(text) <= width then return text end
  local tail = (width - 1) // 3
  return text:sub(1, utf8.offset(text, width - tail) - 1) .. "…"
    .. (tail > 0 and text:sub(utf8.offset(text, -tail)) or "")
end

--- Clean text filled with spaces to a width, on the left or on the right.
function M.pad(text, width, is_left)
  local space = (" "):rep(width - utf8.len(text))
  return is_left and text .. space or space .. text
end

--- Lines of words with a separator between them.
-- @tparam table words array
-- @tparam string separator
-- @tparam number width
-- @treturn table array of lines
function M.wrap(words, separator, width)
  local lines = {}
  for _, word in ipairs(words) do
    local line = lines[#lines]
    local longer = line and line .. separator .. word
    if longer and utf8.len(longer) <= width then
      lines[#lines] = longer
    else
      lines[#lines + 1] = word
    end
  end
  return lines
end

return M
