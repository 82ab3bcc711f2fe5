-- Counters by name: the names are an interface.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

describe("stats", function()
  local store

  before_each(function()
    store = assert(grainstore.open(tmp.path(), {
      policy = T.manual, threads = 0, durability = "sync",
    }))
  end)

  after_each(function()
    store:close()
  end)

  it("have these names and no others", function()
    local names = {
      ops = "batches commits deletes gets hits puts scans",
      bytes = "flush merge_read merge_written user wal",
      amp = "tables write",
      jobs = "drops failed flushes merges moves refused",
      dropped = "covered expired tombstones",
      memory = "cache cache_capacity indexes memtables",
      wal = "bytes sync_waits syncs",
      tables = "bytes count entries levels runs tombstones",
      cache = "evictions loads",
      stalls = "by_reason count last_reason max_ms total_ms",
      views = "snapshots",
      recovery = "batches bits degraded_tables foreign_files resumes "
        .. "salvaged torn_bytes",
      clock = "warnings",
      disk = "ballast",
      journal = "events lost",
      policy = "aside decisions errors mode name time_us",
    }
    local found = {}
    for group, fields in pairs(store:stats()) do
      local list = {}
      for name in pairs(fields) do
        list[#list + 1] = name
      end
      table.sort(list)
      found[group] = table.concat(list, " ")
    end
    assert.same(names, found)
  end)

  it("count operations", function()
    store:put("a", "1")
    store:put("b", "22")
    store:delete "a"
    store:get "a"
    store:get "b"
    store:cursor():first()
    assert(store:batch():put("c", "3"):commit())
    local stats = store:stats()
    assert.same({
      puts = 3, deletes = 1, gets = 2, hits = 1, scans = 1, batches = 1,
      commits = 4,
    }, stats.ops)
    assert.equal(8, stats.bytes.user)
    assert.equal(4, stats.wal.sync_waits)
    assert.is_true(stats.wal.syncs >= 4)
    assert.is_true(stats.bytes.wal > stats.bytes.user)
    assert.is_true(stats.memory.memtables > 0)
  end)

  it("count work", function()
    for round = 1, 2 do
      for i = 1, 10 do
        store:put("k" .. i, "v" .. round)
      end
      assert(store:flush())
    end
    store:delete "k1"
    assert(store:compact())
    assert.is_nil(store:plan { op = "merge", inputs = { 999 }, bottom = true })
    local stats = store:stats()
    assert.same({
      flushes = 3, merges = 1, moves = 0, drops = 0, refused = 1, failed = 0,
    }, stats.jobs)
    assert.same({ covered = 11, tombstones = 1, expired = 0 }, stats.dropped)
    assert.same({ 1, 1, 9, 0 }, { stats.tables.count, stats.tables.runs,
      stats.tables.entries, stats.tables.tombstones })
    assert.is_true(stats.amp.write > 1)
  end)

  it("count what reads load", function()
    for i = 1, 1000 do
      store:put(("k%04d"):format(i), ("v"):rep(30))
    end
    assert(store:flush())
    local before = store:stats()
    for _ in store:scan() do end
    store:get "k0500"
    local stats = store:stats()
    assert.is_true(stats.cache.loads >= before.cache.loads)
    assert.is_true(stats.memory.indexes > 0)
    assert.is_true(stats.memory.cache_capacity > 0)
  end)
end)
