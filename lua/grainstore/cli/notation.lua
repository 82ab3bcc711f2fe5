--- Keys and values as words of a command line and back.
--
-- Words stand for themselves; `0x00ff` is bytes, `u32:7` a number. In a store
-- of numbers `7` is one too. What could be mistaken for another, or cannot be
-- printed, is shown as bytes: so a word that was shown can be given back.
-- @module grainstore.cli.notation

local M = {}

local MAX = 0xFFFFFFFF

local function from_hex(digits)
  if #digits % 2 == 1 or digits:find "%X" then
    return nil
  end
  return (digits:gsub("%x%x", function(byte)
    return string.char(tonumber(byte, 16))
  end))
end

local function from_number(digits)
  local number = digits:find "^%d+$" and math.tointeger(tonumber(digits))
  return number and number <= MAX and number or nil
end

--- Reads a word.
-- @tparam string word
-- @tparam string kind of the store: "bytes" or "u32"
-- @treturn string|integer
-- @return nil, message
function M.parse(word, kind)
  local digits = word:match "^u32:(.*)$"
  local hex = word:match "^0x(.*)$"
  local found
  if digits or kind == "u32" then
    found = from_number(digits or word)
  else
    found = hex and from_hex(hex)
    if not hex then found = word end
  end
  if not found then
    return nil, ("%q is no %s"):format(word, (digits or kind == "u32")
      and "number from 0 to 4294967295" or "row of bytes in hexadecimal")
  end
  if type(found) == "number" and kind ~= "u32" then
    return nil, ("%q is a number, and the store holds bytes"):format(word)
  end
  return found
end

--- Shows a key or a value as a word.
-- @tparam string|integer value
-- @treturn string
function M.show(value)
  if type(value) == "number" then
    return tostring(value)
  end
  local is_plain = utf8.len(value) and not value:find "%c"
    and not value:find "^0x" and not value:find "^u32:"
  if is_plain then
    return value
  end
  return "0x" .. value:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
end

return M
