--- A workload on a store with bytes: the figures that the lab foretells.
--
-- The store has no workers and no log, and does its work between writes, so
-- that the same seed always makes the same tree.
-- @module grainstore.lab.measure

local core = require "grainstore.core"
local writes = require "grainstore.lab.writes"

local START_MS = 1700000000000
local EVERY = 64 -- writes between two looks at what is to be done

-- Time for so many writes at the workload's rate, in whole milliseconds; what
-- is left over counts later.
local function pacer(rate, advance)
  local owed = 0
  return function(count)
    if rate <= 0 then return end
    owed = owed + count * 1000 / rate
    local ms = owed // 1 | 0
    if ms > 0 then
      advance(ms)
      owed = owed - ms
    end
  end
end

local function work(store)
  local more
  repeat
    local message
    more, message = store:step()
    if more == nil then error(message, 0) end
  until not more
end

local function write_all(store, w, seed, pace)
  local next_write, value = writes(w, seed), ("v"):rep(w.value_bytes)
  local left = w.writes
  while left > 0 do
    local count = math.min(EVERY, left)
    for _ = 1, count do
      local key, deletes = next_write()
      if deletes then
        assert(store:delete(key))
      else
        assert(store:put(key, value))
      end
    end
    left = left - count
    pace(count)
    work(store)
  end
end

-- journal: the events of the run, for `lab.recorded`.
local function figures(store)
  local stats, tree = store:stats(), store:tree()
  return {
    write_amp = tree.amp.write, runs = stats.tables.runs,
    tables = stats.tables.count, disk_bytes = stats.tables.bytes,
    entries = stats.tables.entries, tombstones = stats.tables.tombstones,
    flushed_bytes = stats.bytes.flush, merged_bytes = stats.bytes.merge_written,
    user_bytes = stats.bytes.user, flushes = stats.jobs.flushes,
    merges = stats.jobs.merges, moves = stats.jobs.moves,
    drops = stats.jobs.drops, refused = stats.jobs.refused, tree = tree,
    journal = assert(store:journal()),
  }
end

--- @tparam table options path (a directory that is made, and destroyed at the
-- end); policy, workload, seed, memtable_bytes, table_bytes, block_bytes as in
-- `lab.run`; lossy; env, a simulated machine (else the real one)
-- @treturn table figures
return function(options)
  local grainstore = require "grainstore"
  local clock = options.env and options.env.clock or core.clock(START_MS)
  local w = options.workload
  local memtable = options.memtable_bytes
  local store <close> = assert(grainstore.open(options.path, {
    env = options.env, clock = not options.env and clock or nil,
    must_create = true, durability = "memory", threads = 0,
    policy = options.policy, seed = options.seed or 1,
    memtable_bytes = memtable, memory_bytes = math.max(6 * memtable, 4 << 20),
    table_bytes = options.table_bytes, block_bytes = options.block_bytes,
    default_ttl_ms = w.ttl_ms > 0 and w.ttl_ms or nil,
    disk_reserve_bytes = 1 << 20, lossy = options.lossy,
    journal_bytes = 64 << 20, -- the whole run
  }))
  write_all(store, w, options.seed or 1, pacer(w.rate, function(ms)
    clock:advance(ms)
  end))
  local found = figures(store)
  store:close()
  grainstore.destroy(options.path, { env = options.env })
  return found
end
