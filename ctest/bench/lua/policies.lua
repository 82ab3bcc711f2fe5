--- What each shipped policy writes, keeps and costs to read: every entry is put
-- once and replaced once, in random order, with a memtable that is small beside
-- them. Every value read is compared with what was written.

local figures = require "figures"
local grainstore = require "grainstore"
local policy = require "grainstore.policy"

local M = {}

local ENTRY_BYTES <const> = 16 + 100

local function value_of(number, version)
  return ("%016d"):format(number * 7 + version) .. ("policy"):rep(14)
end

-- Until nothing is under way and the policy wants nothing more.
local function settle(store)
  assert(store:flush())
  repeat
    store:step(10)
  until store:tree().running == 0 and not store:step(0)
end

local function put_all(store, keys, order, version)
  for i = 1, #order do
    local number = order[i]
    assert(store:put(keys[number], value_of(number, version)))
  end
end

local function get_ns(store, keys, order, now)
  local count = math.min(#order, 100000)
  local start = now()
  for i = 1, count do
    local number = order[i]
    if store:get(keys[number]) ~= value_of(number, 2) then
      error "get gives another value than was written"
    end
  end
  return (now() - start) / count
end

local function scan_ns(store, keys, now)
  local count = 0
  local start = now()
  for key, value in store:scan() do
    count = count + 1
    if key ~= keys[count] or #value ~= 100 then
      error "scan gives another entry than was written"
    end
  end
  local ns = (now() - start) / count
  assert(count == #keys, "scan gives more or fewer than were written")
  return ns
end

local function measure(options, name, data, now)
  local path = options.dir .. "/policies"
  grainstore.destroy(path)
  local store <close> = assert(grainstore.open(path, {
    durability = "batch", policy = name, memory_bytes = options.memory_bytes,
    memtable_bytes = options.memtable_bytes, max_stall_ms = 600000,
  }))
  local start = now()
  put_all(store, data.keys, data.order, 1)
  put_all(store, data.keys, data.order, 2)
  local put_ns = (now() - start) / (2 * #data.keys)
  settle(store)
  local stats = store:stats()
  return { name, figures.text(stats.amp.write), figures.text(stats.amp.tables),
    figures.text(stats.tables.bytes / (#data.keys * ENTRY_BYTES)),
    tostring(stats.tables.runs), figures.text(put_ns),
    figures.text(get_ns(store, data.keys, data.order, now)),
    figures.text(scan_ns(store, data.keys, now)),
    figures.text(stats.stalls.max_ms) }
end

--- One row for each policy.
-- @tparam table options entries, memtable_bytes, memory_bytes, seed, dir
-- @tparam function now nanoseconds of the clock on the wall
-- @return rows of cells, heads first
function M.run(options, now)
  local data = { keys = {}, order = {} }
  math.randomseed(options.seed)
  for i = 1, options.entries do
    data.keys[i] = ("%016d"):format(i)
    local j = math.random(i)
    data.order[i] = data.order[j]
    data.order[j] = i
  end
  local rows = { { "policy", "written / user bytes", "to tables / user bytes",
    "table bytes / live bytes", "runs", "put ns", "get ns", "scan ns",
    "longest stall ms" } }
  for _, name in ipairs(policy.names) do
    rows[#rows + 1] = measure(options, name, data, now)
  end
  grainstore.destroy(options.dir .. "/policies")
  return rows
end

return M
