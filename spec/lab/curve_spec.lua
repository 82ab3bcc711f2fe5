-- Distinct keys of so many writes: flushes and merges that are made up from a
-- known number of keys are counted as they are.

local curves = require "grainstore.lab.curve"

local KEYS = 10000

local function distinct(writes)
  return KEYS * (1 - math.exp(-writes / KEYS))
end

local function key_of(x) return (">I8"):pack(x * 2.0 ^ 62 // 1 | 0) end

local next_id = 0

-- So many tables over lo to hi of the keys with what so many writes make.
local function tables(writes, count, lo, hi)
  local made, width = {}, (hi - lo) / count
  for i = 1, count do
    next_id = next_id + 1
    made[i] = {
      id = next_id, entries = distinct(writes) * width // 1, tombstones = 0,
      max_seq = writes, min_key = key_of(lo + (i - 1) * width + 1e-6),
      max_key = key_of(lo + i * width - 1e-6),
    }
  end
  return made
end

local function ids(list)
  local found = {}
  for i, t in ipairs(list) do found[i] = t.id end
  return found
end

local function merge(inputs, outputs, more)
  local event = {
    inputs = ids(inputs), outputs = outputs,
    dropped = { expired = 0 }, tree = { { id = 1, entries = 9000 } },
  }
  for name, value in pairs(more or {}) do event[name] = value end
  return event
end

local function flush(curve, writes)
  local outputs = tables(writes, 1, 0, 1)
  curve:flush({ outputs = outputs, tree = { { id = outputs[1].id } } }, writes,
    distinct(writes))
  return outputs
end

local function join(...)
  local all = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all) end
  return all
end

local function check(curve, at, writes)
  local point = curve:points()[at]
  assert.near(writes, point.writes, writes * 0.02)
  assert.near(distinct(writes), point.distinct, distinct(writes) * 0.02)
end

describe("a curve", function()
  it("counts flushes and merges of whole runs and of parts", function()
    local curve = curves.new()
    local a, b = flush(curve, 1000), flush(curve, 1000)
    local ab = tables(2000, 10, 0, 1)
    curve:merge(merge(join(a, b), ab), 1, false)
    local c = tables(1000, 4, 0, 1)
    curve:flush({ outputs = c, tree = { { id = 77 } } }, 1000, distinct(1000))
    curve:merge(merge({ c[1], ab[1], ab[2], ab[3] },
      join(tables(3000, 5, 0, 0.25), tables(2000, 1, 0.25, 0.3))), 1, false)
    check(curve, 1, 1000)
    check(curve, 2, 2000)
    check(curve, 3, 3000)
    assert.near(3000, curve.reach, 60)
    assert.is_nil(curve.tables[a[1].id])
  end)

  it("counts values, and of all writes the share that is one", function()
    local curve = curves.new()
    local a, b = flush(curve, 1000), flush(curve, 1000)
    local outputs = tables(2000, 2, 0, 1)
    for _, t in ipairs(outputs) do t.entries = t.entries * 0.75 end
    curve:merge(merge(join(a, b), outputs), 0.75, false)
    check(curve, 2, 2000)
  end)

  it("learns nothing where something expired", function()
    local curve = curves.new()
    local a, b = flush(curve, 1000), flush(curve, 1000)
    local outputs = tables(2000, 2, 0, 1)
    curve:merge(merge(join(a, b), outputs, { dropped = { expired = 1 } }), 1,
      true)
    local c = flush(curve, 1000)
    curve:merge(merge(join(c, outputs), tables(3000, 2, 0, 1)), 1, true)
    curve:drop { inputs = ids(outputs) }
    assert.equal(1, #curve:points())
  end)

  it("knows what is alive where all that is older has expired", function()
    local curve = curves.new()
    local c = flush(curve, 1000)
    curve.alive = 4000
    local outputs = tables(4000, 4, 0, 1)
    curve:merge(merge(join(c, tables(9000, 4, 0, 1)), outputs, {
      into = 1, dropped = { expired = 77 },
    }), 1, true)
    check(curve, 2, 4000)
    assert.equal(4000, curve.tables[outputs[1].id][1])
  end)

  it("takes the oldest run for all writes where tables are unknown", function()
    local curve = curves.new()
    local outputs = tables(20000, 10, 0, 1)
    local all = 0
    for _, t in ipairs(outputs) do all = all + t.entries end
    curve:merge(merge(tables(1, 1, 0, 1), outputs, {
      into = 7, tree = { { id = 9, entries = 5 }, { id = 7, entries = all } },
    }), 1, false)
    check(curve, 1, 20000)
  end)

  it("knows what the oldest run has where it knows all of a store", function()
    local curve = curves.new()
    local a, b = flush(curve, 1000), flush(curve, 1000)
    local low = tables(2000, 2, 0, 1)
    curve:merge(merge(join(a, b), low, { bottom = true }), 1, false)
    local c = flush(curve, 1000)
    curve.tables[low[1].id][1] = 7 -- as a place that was handed on wrongly
    local outputs = tables(3000, 2, 0, 1)
    curve:merge(merge(join(c, low), outputs, { into = 1 }), 1, false)
    assert.equal(3000, curve.tables[outputs[1].id][1])
    assert.is_true(curve.is_whole)
    curve:drop { inputs = {} }
    assert.is_false(curve.is_whole)
  end)

  it("follows tables that are moved", function()
    local curve = curves.new()
    local a = flush(curve, 1000)
    curve:move { inputs = ids(a), into = 42, tree = {} }
    assert.equal(42, curve.tables[a[1].id].run)
    curve:move { inputs = ids(a), above = 5,
      tree = { { id = 9 }, { id = 5 } } }
    assert.equal(9, curve.tables[a[1].id].run)
  end)

  it("keeps no more points than are fitted", function()
    local curve = curves.new()
    for i = 0, 200 do
      curve:flush({ outputs = {}, tree = {} }, 1.3 ^ i, 1)
    end
    assert.equal(128, #curve:points())
  end)
end)
