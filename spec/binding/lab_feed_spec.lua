-- A virtual store that is told of a real one.

local core = require "grainstore.core"
local tree = require "grainstore.tree"

local function new(options)
  local all = {
    keys = 10000, writes = 100000, key_bytes = 16, value_bytes = 100,
    memtable_bytes = 150000, table_bytes = 60000, workers = 1, seed = 1,
    start_ms = 1000,
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return core.lab(all)
end

describe("a virtual store that is fed", function()
  it("flushes what it is given, and takes other keys", function()
    local v <close> = assert(new { is_fed = true, classes = {
      { keys = 100, rate = 0.005 }, { keys = 1000, rate = 0.0005 },
    } })
    assert.is_true(v:feed { writes = 500, to_ms = 3000, gone = 0.5 })
    assert.equal("decide", v:advance(500))
    assert.near(2, v:look().time_s, 1e-6)
    assert.near(500 * 16 + 250 * 100, v:look().user_bytes, 1)
    assert.is_true(v:mix { { keys = 10, rate = 0.1 } })
    assert.is_true(v:feed { writes = 500 })
    assert.equal("decide", v:advance(1000))
    local shape = tree.new(v:_shape())
    assert.near(10, shape.runs[1].entries, 1)
    tree.close(shape)
    assert.equal("reached", v:advance(1000))
  end)

  it("refuses what is no batch and no mix", function()
    local v <close> = assert(new { is_fed = true })
    assert.has_error(function() v:feed {} end)
    assert.has_error(function() v:feed { writes = 5, gone = 2 } end)
    assert.has_error(function() v:mix {} end)
    assert.has_error(function() v:mix { { keys = 1, rate = 2 } } end)
    assert.has_error(function() v:mix { 1 } end)
    assert.has_error(function() v:feed(1) end)
    local other <close> = assert(new())
    assert.has_error(function() other:feed { writes = 5 } end)
  end)

  it("begins with tables, and takes other sizes", function()
    local v <close> = assert(new { is_fed = true })
    assert.is_true(v:plant(0, {
      { run = 0, level = 2, lo = 0, hi = 0.5, kept = 1, entries = 3000,
        bytes = 360000, max_seq = 9000, min_seq = 1, created_ms = 5 },
      { run = 0, level = 2, lo = 0.5, hi = 1, kept = 1, entries = 3000,
        bytes = 360000, max_seq = 9000, tombstones = 10 },
    }))
    local shape = tree.new(v:_shape())
    assert.equal(1, #shape.runs)
    assert.equal(2, shape.runs[1].level)
    assert.equal(6000, shape.runs[1].entries)
    assert.equal(9000, shape.runs[1].tables[1].max_seq)
    assert.equal(10, shape.runs[1].tables[2].tombstones)
    assert.equal(1, shape.amp.read)
    tree.close(shape)
    assert.has_error(function() v:speed(-1) end)
    v:speed(0)
    assert.is_true(v:sizes { key_bytes = 16, value_bytes = 1000, ttl_ms = 0 })
    assert.is_true(v:feed { writes = 100, to_ms = 2000 })
    v:advance(100)
    assert.near(101600, v:look().flushed_data, 1)
  end)

  it("refuses tables that no tree has", function()
    local v <close> = assert(new { is_fed = true })
    assert.has_error(function() v:plant(0, { 1 }) end)
    assert.has_error(function() v:plant(0, { {} }) end)
    assert.has_error(function() v:plant(0) end)
    assert.has_error(function() v:sizes { key_bytes = 0 } end)
    assert.is_true(v:plant(0, {}))
  end)
end)
