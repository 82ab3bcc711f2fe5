--- A store as a plain Lua table: versions that expire and a note, no files, no
-- merging.
--
-- Changes come as flat arrays: a key, then its entry `{value=, expires_at_ms=}`
-- or false for a deletion.
-- @module grainstore.testing.model

local Model = {}
Model.__index = Model

function Model.new()
  return setmetatable({ entries = {}, order = {}, known = {} }, Model)
end

--- Every key that was ever written, sorted.
-- @treturn {key,...}
function Model:universe()
  if self.is_unsorted then
    table.sort(self.order)
    self.is_unsorted = false
  end
  return self.order
end

--- @tparam table changes
-- @tparam[opt] string note
function Model:apply(changes, note)
  local entries, known = self.entries, self.known
  for i = 1, #changes, 2 do
    local key = changes[i]
    entries[key] = changes[i + 1] or nil
    if not known[key] then
      known[key] = true
      self.order[#self.order + 1] = key
      self.is_unsorted = true
    end
  end
  self.note = note or self.note
end

--- The entry of a key, or nil where it is absent or expired.
function Model:entry(key, now_ms)
  local entry = self.entries[key]
  local at_ms = entry and entry.expires_at_ms
  if at_ms and at_ms <= now_ms then
    return nil
  end
  return entry
end

function Model:get(key, now_ms)
  local entry = self:entry(key, now_ms)
  return entry and entry.value
end

--- Milliseconds left, math.huge, or nil where the key is absent.
function Model:ttl(key, now_ms)
  local entry = self:entry(key, now_ms)
  if not entry then
    return nil
  end
  local at_ms = entry.expires_at_ms
  return at_ms and at_ms - now_ms or math.huge
end

--- All live keys in order, and their values.
-- @tparam integer now_ms
-- @tparam[opt] table range from, to
-- @treturn {key,...}
-- @treturn {value,...}
function Model:live(now_ms, range)
  local from, to = range and range.from, range and range.to
  local keys, values, count = {}, {}, 0
  for _, key in ipairs(self:universe()) do
    local entry = self:entry(key, now_ms)
    if entry and (not from or key >= from) and (not to or key < to) then
      count = count + 1
      keys[count], values[count] = key, entry.value
    end
  end
  return keys, values
end

return Model
