-- Counters as a value: differences, derived figures, and how they print.

local grainstore = require "grainstore"
local stats = require "grainstore.stats"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

describe("stats", function()
  local function worked(store, count)
    for i = 1, count do
      store:put("k" .. i, ("v"):rep(20))
    end
    assert(store:flush())
    return store:stats()
  end

  it("subtract an earlier look: counters, not states", function()
    local store <close> = assert(grainstore.open(tmp.path(), {
      policy = T.manual, threads = 0, durability = "sync",
    }))
    local before = worked(store, 10)
    local after = worked(store, 15)
    local delta = after:delta(before)
    assert.equal(15, delta.ops.puts)
    assert.equal(1, delta.jobs.flushes)
    assert.equal(15, delta.wal.sync_waits)
    assert.equal(after.wal.syncs - before.wal.syncs, delta.wal.syncs)
    assert.equal(after.bytes.wal - before.bytes.wal, delta.bytes.wal)
    assert.equal(after.cache.loads - before.cache.loads, delta.cache.loads)
    assert.equal(0, delta.stalls.count)
    for _, reason in ipairs { "flush", "runs", "throttle" } do
      assert.same({ count = 0, total_ms = 0, max_ms = 0 },
        delta.stalls.by_reason[reason])
    end
    assert.equal(2, delta.tables.count)
    assert.equal(25, delta.tables.entries)
    assert.equal(after.memory.indexes, delta.memory.indexes)
    assert.equal(0, delta:delta(delta).ops.puts)
  end)

  it("derive amplification, of the difference too", function()
    local function counters(user, wal, flush, merged)
      return stats.new {
        bytes = {
          user = user, wal = wal, flush = flush, merge_written = merged,
          merge_read = 0,
        },
      }
    end
    assert.same({ write = 0, tables = 0 }, counters(0, 0, 0, 0).amp)
    local before = counters(100, 150, 50, 0)
    assert.same({ write = 2.0, tables = 0.5 }, before.amp)
    assert.same({ write = 6.0, tables = 4.0 },
      counters(200, 350, 150, 300):delta(before).amp)
  end)

  it("print a line per group, in the same order", function()
    local store <close> = assert(grainstore.open(tmp.path()))
    worked(store, 3)
    local lines = {}
    for line in tostring(store:stats()):gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    local order = {
      "ops", "bytes", "amp", "jobs", "dropped", "memory", "cache", "tables",
      "wal", "stalls", "views", "recovery", "policy",
    }
    assert.equal(#order, #lines)
    for i, group in ipairs(order) do
      assert.equal(group, lines[i]:match "^(%w+) ")
    end
    assert.is_truthy(lines[1]:find("puts 3", 1, true))
    assert.is_truthy(lines[3]:find "write %d+%.%d%d")
    assert.is_truthy(lines[10]:find("by_reason -, count 0", 1, true))
    local waited = store:stats()
    waited.stalls.by_reason.throttle.count = 3
    waited.stalls.by_reason.runs.count = 2
    assert.is_truthy(tostring(waited)
      :find("by_reason runs 2 throttle 3,", 1, true))
  end)

  it("tell what tables of each level store of what was given", function()
    local sizes = {}
    for _, compression in ipairs { "none", "zstd" } do
      local store <close> = assert(grainstore.open(tmp.path(), {
        compression = compression, policy = "manual",
      }))
      assert.same({}, store:stats().tables.levels)
      for i = 1, 300 do
        store:put(("key%03d"):format(i), ("words "):rep(20))
      end
      store:flush()
      local tables = store:stats().tables
      assert.same({ { level = 0, bytes = tables.bytes, data = 300 * 126 } },
        tables.levels)
      local text = ("levels 0 %d of %d,"):format(tables.bytes, 300 * 126)
      assert.is_truthy(tostring(store:stats()):find(text, 1, true))
      sizes[compression] = tables.bytes
    end
    assert.is_true(sizes.zstd * 3 < sizes.none)
  end)

  it("of two looks are two tables", function()
    local store <close> = assert(grainstore.open(tmp.path()))
    local before = store:stats()
    store:put("a", "1")
    assert.equal(0, before.ops.puts)
    assert.equal(1, store:stats().ops.puts)
  end)
end)
