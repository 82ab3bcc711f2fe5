--- Everything that can be read of a store, against arrays of what should be
-- there. All functions return nil where it is the same, else what is not; where
-- a read fails they raise an object with code and message.
-- @module grainstore.testing.compare

local compare = {}

local FAR = 1 << 30

--- A key or a value in few characters.
-- @treturn string
function compare.show(value)
  if type(value) ~= "string" then
    return tostring(value)
  end
  if #value <= 32 then
    return ("%q"):format(value)
  end
  return ("%q... (%d bytes)"):format(value:sub(1, 24), #value)
end

local show = compare.show

local Failure = { __name = "grainstore.testing.failure" }

function Failure.__tostring(failure)
  return ("%s failed: %s (%s)"):format(failure.what, failure.message,
    failure.code)
end

-- What a read returned; raises where it failed.
local function succeed(what, value, message, code)
  if value == nil and message ~= nil then
    error(setmetatable({ what = what, message = message, code = code },
      Failure), 0)
  end
  return value
end

compare.succeed = succeed

--- Two lists of keys and values of which the second was read.
-- @tparam string what how it was read
function compare.lists(what, keys, values, found_keys, found_values, count)
  for i = 1, math.max(#keys, count) do
    local key, found = keys[i], found_keys[i]
    if i > count then
      return ("%s: %s is missing"):format(what, show(key))
    elseif key ~= found then
      if key == nil or found < key then
        return ("%s: %s should not be there"):format(what, show(found))
      end
      return ("%s: %s is missing"):format(what, show(key))
    elseif values[i] ~= found_values[i] then
      return ("%s: %s is %s, should be %s"):format(what, show(key),
        show(found_values[i]), show(values[i]))
    end
  end
end

--- Reads all keys and values in order into two arrays.
-- @param reader store or snapshot
-- @treturn integer how many
function compare.read(reader, keys, values)
  local cursor <close> = succeed("cursor", reader:cursor())
  return succeed("scan", cursor:fill(keys, values, FAR))
end

local REVERSE = { reverse = true }

--- The same entries from the last to the first.
function compare.backward(reader, keys, values)
  local at = #keys
  for key, value in reader:scan(REVERSE) do
    if key ~= keys[at] or value ~= values[at] then
      return ("scan backward: %s is %s, should be %s = %s"):format(show(key),
        show(value), show(keys[at]), show(values[at]))
    end
    at = at - 1
  end
  if at ~= 0 then
    return ("scan backward: %s is missing"):format(show(keys[at]))
  end
end

local found = {}

--- Single reads of the keys of a sorted universe.
function compare.points(reader, keys, values, universe)
  local values_found = succeed("get_many", reader:get_many(universe, found))
  local at = 1
  for i, key in ipairs(universe) do
    while keys[at] and keys[at] < key do
      at = at + 1
    end
    local value = keys[at] == key and values[at]
    if values_found[i] ~= value then
      return ("get %s: %s, should be %s"):format(show(key),
        show(values_found[i]), show(value))
    end
  end
end

--- The number of all entries, and of a part of them.
function compare.counts(reader, keys)
  local total = succeed("count", reader:count())
  if total ~= #keys then
    return ("count: %s, should be %d"):format(total, #keys)
  end
  local middle = keys[#keys // 2 + 1]
  local part = middle and succeed("count", reader:count { from = middle })
  if middle and part ~= #keys - #keys // 2 then
    return ("count from %s: %s, should be %d"):format(show(middle), part,
      #keys - #keys // 2)
  end
end

--- The keys that begin as the middle one does.
function compare.prefix(reader, keys, values)
  local middle = keys[#keys // 2 + 1]
  if type(middle) ~= "string" or middle == "" then
    return nil
  end
  local prefix, at = middle:sub(1, 1 + #middle // 2), 1
  while keys[at] < prefix do
    at = at + 1
  end
  for key, value in reader:scan { prefix = prefix } do
    if key ~= keys[at] or value ~= values[at] then
      return ("prefix %s: %s = %s"):format(show(prefix), show(key),
        show(value))
    end
    at = at + 1
  end
  if keys[at] and keys[at]:sub(1, #prefix) == prefix then
    return ("prefix %s: %s is missing"):format(show(prefix), show(keys[at]))
  end
end

--- All of the above but the first scan.
function compare.rest(reader, keys, values, universe)
  return compare.backward(reader, keys, values)
    or compare.points(reader, keys, values, universe)
    or compare.counts(reader, keys)
    or compare.prefix(reader, keys, values)
end

local keys_found, values_found = {}, {}

--- All of the above.
-- @param reader store or snapshot
-- @tparam {key,...} keys sorted
-- @tparam {value,...} values
-- @tparam {key,...} universe sorted; keys that are there or not
function compare.all(reader, keys, values, universe)
  local count = compare.read(reader, keys_found, values_found)
  return compare.lists("scan", keys, values, keys_found, values_found, count)
    or compare.rest(reader, keys, values, universe)
end

return compare
