--- A row of writes that anyone can repeat: write number i is the same in every
-- process. A writer that is killed and the spec that looks at what it left
-- agree on it without a word.

local workload = {}

local KEYS = 400

-- A number from i that looks random.
local function scramble(i)
  local x = i * 0x9E3779B97F4A7C15
  x = (x ~ (x >> 29)) * 0xBF58476D1CE4E5B9
  return (x ~ (x >> 32)) & 0x7FFFFFFF
end

local function change(i)
  local x = scramble(i)
  local key = ("key%03d"):format(x % KEYS)
  if x // KEYS % 4 == 0 then
    return { key }
  end
  return { key, ("%d "):format(i):rep(1 + x // KEYS % 40) }
end

--- What write number i does: one change, or several that belong together.
-- @tparam integer i from 1
-- @treturn {{key, value|nil},...}
function workload.changes(i)
  local changes = { change(i * 16) }
  if scramble(i) % 8 == 0 then
    for k = 1, 9 do
      changes[k + 1] = change(i * 16 + k)
    end
  end
  return changes
end

--- Does write number i on a store.
-- @return what the store returns
function workload.write(store, i)
  local changes = workload.changes(i)
  if #changes > 1 then
    local batch <close> = store:batch()
    for _, c in ipairs(changes) do
      if c[2] then
        batch:put(c[1], c[2])
      else
        batch:delete(c[1])
      end
    end
    return batch:commit()
  end
  local key, value = changes[1][1], changes[1][2]
  if value then
    return store:put(key, value)
  end
  return store:delete(key)
end

--- Does write number i on a plain table.
function workload.apply(model, i)
  for _, c in ipairs(workload.changes(i)) do
    model[c[1]] = c[2]
  end
end

return workload
