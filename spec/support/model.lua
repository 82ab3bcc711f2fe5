--- A store as a plain Lua table: the same operations, no files, no merging.
-- Keys come from a fixed, sorted universe, so order needs no tree.

local Model = {}
Model.__index = Model

--- @tparam {key,...} universe sorted
-- @tparam integer now_ms
function Model.new(universe, now_ms)
  local model = { universe = universe, now_ms = now_ms, live = {} }
  return setmetatable(model, Model)
end

--- What the model holds now, as a model of its own that stands still.
function Model:copy()
  local copy = Model.new(self.universe, self.now_ms)
  for key, entry in pairs(self.live) do
    copy.live[key] = entry
  end
  return copy
end

--- @tparam[opt] integer expires_at_ms
function Model:put(key, value, expires_at_ms)
  self.live[key] = { value = value, expires_at_ms = expires_at_ms }
end

function Model:delete(key)
  self.live[key] = nil
end

--- The entry of a key, or nil where it is absent or expired.
function Model:entry(key)
  local entry = self.live[key]
  if entry and entry.expires_at_ms and entry.expires_at_ms <= self.now_ms then
    return nil
  end
  return entry
end

function Model:get(key)
  local entry = self:entry(key)
  return entry and entry.value
end

function Model:ttl(key)
  local entry = self:entry(key)
  if not entry then
    return nil
  end
  local at_ms = entry.expires_at_ms
  return at_ms and at_ms - self.now_ms or math.huge
end

--- All live entries of a range as an array of pairs.
-- @tparam[opt] table range from, to, reverse, limit
function Model:scan(range)
  range = range or {}
  local found = {}
  local first, last, step = 1, #self.universe, 1
  if range.reverse then
    first, last, step = last, first, -1
  end
  for i = first, last, step do
    local key = self.universe[i]
    local is_inside = (not range.from or key >= range.from)
      and (not range.to or key < range.to)
    local value
    if is_inside then
      value = self:get(key)
    end
    if value ~= nil and #found < (range.limit or math.huge) then
      found[#found + 1] = { key, value }
    end
  end
  return found
end

return Model
