--- Values of scripts: text made from a number, so that a script stays short
-- and a value says which operation wrote it.
-- @module grainstore.testing.values

local Random = require "grainstore.testing.random"

local values = {}

local FILLING = "the quick brown fox jumps over the lazy dog. "
local LONGEST = 600

local KEPT = 4096

local made, made_count = {}, 0

-- Most values are short, some are empty but for their number, few are long.
local function size_of(number)
  local dice = Random.mix(number, 11)
  return dice % 4 == 0 and dice // 4 % LONGEST or dice // 4 % 60
end

local function text(number, bytes)
  local head = ("%d "):format(number)
  local size = math.max(#head, bytes or size_of(number))
  return (head .. FILLING:rep(size // #FILLING + 1)):sub(1, size)
end

--- The value that a number stands for; a string stands for itself.
-- @tparam string kind "bytes" or "u32"
-- @tparam integer|string number
-- @tparam[opt] integer bytes its length; absent: it follows from the number
-- @treturn string|integer
function values.of(kind, number, bytes)
  if kind == "u32" then
    return number & 0xFFFFFFFF
  elseif type(number) ~= "number" then
    return number
  elseif bytes then
    return text(number, bytes)
  end
  local value = made[number]
  if not value then
    value = text(number)
    if made_count == KEPT then
      made, made_count = {}, 0
    end
    made[number] = value
    made_count = made_count + 1
  end
  return value
end

return values
