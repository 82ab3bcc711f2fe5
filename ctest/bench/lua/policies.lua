--- What each shipped policy writes, keeps and costs to read, on the same three
-- workloads of the lab, written to a store with one worker and a memtable that
-- is small beside them. Every entry is read at the end and compared with what
-- was written.

local core = require "grainstore.core"
local figures = require "figures"
local grainstore = require "grainstore"
local lab = require "grainstore.lab"
local policy = require "grainstore.policy"
local writes = require "grainstore.lab.writes"

local M = {}

local VALUE_BYTES <const> = 100
local KEY_BYTES <const> = 16
local START_MS <const> = 1700000000000
local RATE <const> = 100000 -- writes a second, by the clock of the store
local EVERY <const> = 64    -- writes between two moves of that clock
local READS <const> = 100000
local FINE <const> = 50     -- classes of latencies for each power of e

local WORKLOADS = {
  { "uniform", function(n)
    return lab.uniform { keys = n // 2, writes = n }
  end },
  { "zipf", function(n) return lab.zipf { keys = n // 2, writes = n } end },
  { "time series with TTL", function(n)
    return lab.time_series {
      writes = n, rate = RATE, ttl_ms = n * 1000 // RATE // 4,
    }
  end },
}

-- ---- latencies -------------------------------------------------------------

local function new_meter()
  local counts, total = {}, 0
  local meter = {}
  function meter.note(ns)
    local class = math.log(math.max(ns, 1)) * FINE // 1 | 0
    counts[class] = (counts[class] or 0) + 1
    total = total + 1
  end
  function meter.quantile(share)
    local classes, seen = {}, 0
    for class in pairs(counts) do classes[#classes + 1] = class end
    table.sort(classes)
    for _, class in ipairs(classes) do
      seen = seen + counts[class]
      if seen >= share * total then return math.exp((class + 1) / FINE) end
    end
  end
  return meter
end

-- ---- writing ---------------------------------------------------------------

local function value_of(version)
  return ("%016d"):format(version) .. ("policy"):rep(14)
end

-- Until nothing is under way and the policy wants nothing more.
local function settle(store)
  assert(store:flush())
  repeat
    store:step(10)
  until store:tree().running == 0 and not store:step(0)
end

-- Writes all of it; what stands under each key, and until when.
local function write_all(store, w, clock, meter, now)
  local next_write, held, until_ms = writes(w, 1), {}, {}
  for version = 1, w.writes do
    local key, value = next_write(), value_of(version)
    local before = now()
    assert(store:put(key, value))
    meter.note(now() - before)
    held[key] = version
    until_ms[key] = w.ttl_ms > 0 and clock:now() + w.ttl_ms or nil
    if version % EVERY == 0 and w.rate > 0 then
      clock:advance(EVERY * 1000 // RATE)
    end
  end
  for key, ms in pairs(until_ms) do
    if ms <= clock:now() then held[key] = nil end
  end
  return held
end

-- ---- reading ---------------------------------------------------------------

local function get_ns(store, held, now)
  local keys = {}
  for key in pairs(held) do
    keys[#keys + 1] = key
    if #keys == READS then break end
  end
  local start = now()
  for _, key in ipairs(keys) do
    if store:get(key) ~= value_of(held[key]) then
      error "get gives another value than was written"
    end
  end
  return (now() - start) / #keys
end

local function scan_ns(store, held, now)
  local count, expected = 0, 0
  local start = now()
  for key, value in store:scan() do
    count = count + 1
    if value ~= value_of(held[key]) then
      error "scan gives another entry than was written"
    end
  end
  local ns = (now() - start) / count
  for _ in pairs(held) do expected = expected + 1 end
  assert(count == expected, "scan gives more or fewer than were written")
  return ns, count
end

-- ---- tables ----------------------------------------------------------------

local HEADS = {
  "policy", "write amplification", "read amplification", "space amplification",
  "runs", "put p99.9 us", "longest stall ms", "get ns", "scan ns",
  "decisions", "time in the policy %",
}

local function open(options, path, name, w, clock)
  grainstore.destroy(path)
  return assert(grainstore.open(path, {
    durability = "batch", policy = name, lossy = policy[name]().loses,
    clock = clock, default_ttl_ms = w.ttl_ms > 0 and w.ttl_ms or nil,
    memory_bytes = options.memory_bytes,
    memtable_bytes = options.memtable_bytes, max_stall_ms = 600000,
  }))
end

local function measure(options, name, w, now)
  local path = options.dir .. "/policies"
  local clock, meter = core.clock(START_MS), new_meter()
  local store <close> = open(options, path, name, w, clock)
  local start = now()
  local held = write_all(store, w, clock, meter, now)
  settle(store)
  local ns = now() - start
  local stats, tree = store:stats(), store:tree()
  local get, scan, live = get_ns(store, held, now), scan_ns(store, held, now)
  return { name, figures.text(tree.amp.write), figures.text(tree.amp.read),
    figures.text(stats.tables.bytes / (live * (KEY_BYTES + VALUE_BYTES))),
    tostring(stats.tables.runs), figures.text(meter.quantile(0.999) / 1000),
    figures.text(stats.stalls.max_ms), figures.text(get), figures.text(scan),
    tostring(stats.policy.decisions),
    ("%.3f"):format(stats.policy.time_us * 1000 / ns * 100) }
end

--- A table for each workload, a row in it for each policy.
-- @tparam table options entries (twice as many are written), memtable_bytes,
-- memory_bytes, dir; policies (nil: all)
-- @tparam function now nanoseconds of the clock on the wall
-- @treturn {{title=,rows=},...} rows of cells, heads first
function M.run(options, now)
  local made = {}
  for _, workload in ipairs(WORKLOADS) do
    local w = workload[2](2 * options.entries)
    w.key_bytes, w.value_bytes = KEY_BYTES, VALUE_BYTES
    local rows = { HEADS }
    for _, name in ipairs(options.policies or policy.names) do
      rows[#rows + 1] = measure(options, name, w, now)
    end
    made[#made + 1] = { title = workload[1], rows = rows }
  end
  grainstore.destroy(options.dir .. "/policies")
  return made
end

return M
