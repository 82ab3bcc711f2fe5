-- The tree that a record begins with: what an event tells of runs, as tables.

local seedling = require "grainstore.lab.seedling"

local tree = {
  { id = 9, level = 0, tables = 1, bytes = 1000, entries = 10 },
  { id = 4, level = 2, tables = 4, bytes = 40000, entries = 400 },
}

local function like(facts)
  local w = {
    kind = "random", delete_share = 0, ttl_ms = 0, expiring_share = 0,
  }
  for name, value in pairs(facts) do w[name] = value end
  return w
end

describe("a seedling", function()
  it("has random keys all over in every run", function()
    local tables, all = seedling.new(tree, like {}, 5000, 777)
    assert.equal(410, all)
    assert.equal(5, #tables)
    assert.same({ 0, 0, 1 }, { tables[1].run, tables[1].lo, tables[1].hi })
    for i = 2, 5 do
      assert.same({ 1, 2, 100, 10000, 777 }, {
        tables[i].run, tables[i].level, tables[i].entries, tables[i].bytes,
        tables[i].max_seq,
      })
      assert.equal((i - 2) / 4, tables[i].lo)
      assert.equal((i - 1) / 4, tables[i].hi)
    end
  end)

  it("has keys in order behind each other, the oldest first", function()
    local tables = seedling.new(tree, like { kind = "sequence" }, 5000, 777)
    assert.near(400 / 410, tables[1].lo, 1e-9)
    assert.equal(1, tables[1].hi)
    assert.near(0, tables[2].lo, 1e-9)
    assert.near(400 / 410, tables[5].hi, 1e-9)
  end)

  it("has deletes above the oldest run, and none in it", function()
    local tables = seedling.new(tree, like { delete_share = 0.25 }, 5000, 777)
    assert.same({ 2, 1 }, { tables[1].tombstones, tables[1].kept })
    assert.same({ 0, 0.75 }, { tables[5].tombstones, tables[5].kept })
  end)

  it("lets older runs expire sooner", function()
    local tables = seedling.new(tree, like {
      ttl_ms = 1000, expiring_share = 0.5,
    }, 5000, 777)
    assert.same({ 5, 5500, 6000 }, {
      tables[1].expiring, tables[1].min_expiry_ms, tables[1].max_expiry_ms,
    })
    assert.same({ 50, 5000, 5500 }, {
      tables[5].expiring, tables[5].min_expiry_ms, tables[5].max_expiry_ms,
    })
  end)
end)
