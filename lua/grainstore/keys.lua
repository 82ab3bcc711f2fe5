--- Ordered key codecs: strings whose byte order is the order of the values.
--
--     local keys = require "grainstore.keys"
--     store:put(keys.tuple { "user", keys.u64(17), "name" }, "Ada")
--     for k, v in store:scan(keys.range(keys.tuple { "user" })) do … end
-- @module grainstore.keys

local M = {}

local function wrong(name, expected, got, level)
  error(("bad argument #1 to '%s' (%s expected, got %s)")
    :format(name, expected, got), level + 1)
end

local function check_type(value, expected, name)
  if type(value) ~= expected then
    wrong(name, expected, type(value), 3)
  end
end

-- A number is shown, anything else is named by its type.
local function shown(value)
  return type(value) == "number" and tostring(value) or type(value)
end

local function check_integer(value, low, high, name)
  local n = math.type(value) and math.tointeger(value)
  if not n or n < low or n > high then
    wrong(name, name, shown(value), 3)
  end
  return n
end

--- Four bytes; 0 … 4294967295.
function M.u32(n)
  return string.pack(">I4", check_integer(n, 0, 0xFFFFFFFF, "u32"))
end

--- Eight bytes; integers from 0.
function M.u64(n)
  return string.pack(">I8", check_integer(n, 0, math.maxinteger, "u64"))
end

--- Eight bytes; any integer.
function M.i64(n)
  n = check_integer(n, math.mininteger, math.maxinteger, "i64")
  return string.pack(">i8", n ~ math.mininteger)
end

--- Eight bytes; any number but NaN. -0.0 and 0.0 are one key.
function M.f64(x)
  if type(x) ~= "number" or x ~= x then
    wrong("f64", "number", shown(x), 2)
  end
  local bits = string.unpack(">i8", string.pack(">d", x + 0.0))
  if x == 0 then bits = 0 end
  if bits < 0 then
    bits = ~bits
  else
    bits = bits ~ math.mininteger
  end
  return string.pack(">i8", bits)
end

--- The number of an encoded u32, u64, i64, f64.
function M.to_u32(s) return (string.unpack(">I4", s)) end
function M.to_u64(s) return (string.unpack(">I8", s)) end
function M.to_i64(s) return string.unpack(">i8", s) ~ math.mininteger end

function M.to_f64(s)
  local bits = string.unpack(">i8", s)
  if bits < 0 then
    bits = bits ~ math.mininteger
  else
    bits = ~bits
  end
  return (string.unpack(">d", string.pack(">i8", bits)))
end

--- A string that may stand before others: zero bytes are doubled up and the end
-- is marked, so no encoded string is a prefix of another.
function M.str(s)
  check_type(s, "string", "str")
  return (s:gsub("\0", "\0\255")) .. "\0\1"
end

-- One byte before each part says what it is; their order is the order of kinds.
local TAG_INTEGER, TAG_FLOAT, TAG_STRING = "\16", "\17", "\32"

local function encode(part, i)
  if math.type(part) == "integer" then
    return TAG_INTEGER .. M.i64(part)
  elseif type(part) == "number" and part == part then
    return TAG_FLOAT .. M.f64(part)
  elseif type(part) == "string" then
    return TAG_STRING .. M.str(part)
  end
  error(("bad argument #1 to 'tuple' (part %d is a %s; strings and numbers "
    .. "are possible)"):format(i, part ~= part and "NaN" or type(part)), 3)
end

--- Strings and numbers in a row; a shorter tuple is a prefix of a longer one
-- that begins the same. Integers stand before floats, both before strings.
-- @tparam table parts
-- @treturn string
function M.tuple(parts)
  check_type(parts, "table", "tuple")
  local out = {}
  for i = 1, #parts do out[i] = encode(parts[i], i) end
  return table.concat(out)
end

local function decode_string(s, at)
  local stop = at
  while true do
    local zero = s:find("\0", stop, true)
    if not zero then error("no tuple: a string has no end", 3) end
    local mark = s:byte(zero + 1)
    if mark == 1 then
      return (s:sub(at, zero - 1):gsub("\0\255", "\0")), zero + 2
    elseif mark ~= 255 then
      error("no tuple: a string has a bad byte", 3)
    end
    stop = zero + 2
  end
end

--- The parts of a tuple.
-- @tparam string s
-- @treturn table
function M.untuple(s)
  check_type(s, "string", "untuple")
  local parts, at = {}, 1
  while at <= #s do
    local tag = s:sub(at, at)
    if tag == TAG_INTEGER and #s >= at + 8 then
      parts[#parts + 1] = M.to_i64(s:sub(at + 1, at + 8))
      at = at + 9
    elseif tag == TAG_FLOAT and #s >= at + 8 then
      parts[#parts + 1] = M.to_f64(s:sub(at + 1, at + 8))
      at = at + 9
    elseif tag == TAG_STRING then
      parts[#parts + 1], at = decode_string(s, at + 1)
    else
      error(("no tuple: byte %d"):format(at), 2)
    end
  end
  return parts
end

--- The least string above all strings with the prefix; nil where there is none.
-- @tparam string prefix
-- @treturn string|nil
function M.successor(prefix)
  check_type(prefix, "string", "successor")
  local head = prefix:gsub("\255+$", "")
  if head == "" then return nil end
  return head:sub(1, -2) .. string.char(head:byte(-1) + 1)
end

--- from and to of all keys with the prefix, for scan, count and compact.
-- @tparam string prefix
-- @treturn table
function M.range(prefix)
  check_type(prefix, "string", "range")
  return { from = prefix, to = M.successor(prefix) }
end

return M
