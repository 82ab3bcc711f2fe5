-- Writes of tables, place by place.

local rulers = require "grainstore.lab.ruler"
local spread = require "grainstore.lab.spread"

local function key_of(x) return (">I8"):pack(x * 2.0 ^ 62 // 1 | 0) end

local ruler = rulers.new()
ruler:learn {
  { min_key = key_of(0), max_key = key_of(1), entries = 10000 },
}

local function lay(run, lo, hi, writes)
  local t = {
    id = 1, min_key = key_of(lo), max_key = key_of(hi), entries = 1000,
  }
  return spread.lay(t, run, ruler, function() return writes end, 1)
end

describe("writes of tables", function()
  it("are summed over runs, and once in each", function()
    local at = spread.together {
      lay(1, 0, 0.5, 100), lay(1, 0.5, 1, 200), lay(2, 0.25, 0.75, 1000),
    }
    assert.equal(100, at(0.1))
    assert.equal(1100, at(0.3))
    assert.equal(1200, at(0.6))
    assert.equal(200, at(0.9))
    for place = 0.49, 0.51, 0.0001 do
      local writes = at(place)
      assert(writes == 1100 or writes == 1200, writes)
    end
  end)

  it("are none in a hole", function()
    local at = spread.together { lay(1, 0, 0.3, 100), lay(1, 0.6, 1, 200) }
    assert.equal(100, at(0.25))
    assert.equal(0, at(0.45))
    assert.equal(200, at(0.65))
    assert.equal(0, spread.together {}(0.5))
  end)

  it("are kept as they differ", function()
    local at = spread.together { lay(1, 0, 0.5, 100), lay(1, 0.5, 1, 300) }
    local mean, uneven = spread.mean_everywhere(at)
    assert.equal(200, mean)
    assert.near(0.5, uneven, 1e-9)
    local laid = spread.lay({
      id = 2, min_key = key_of(0.25), max_key = key_of(0.75), entries = 1000,
    }, 3, ruler, at, 1)
    assert.equal(200, (spread.mean(laid)))
    assert.equal(100, spread.together { laid }(0.3))
    assert.equal(300, spread.together { laid }(0.7))
    local _, even = spread.mean(lay(1, 0, 1, 5))
    assert.equal(0, even)
  end)

  it("are kept at fewer places of many tables", function()
    local function at(place) return place end
    local t = { id = 2, min_key = key_of(0), max_key = key_of(1), entries = 9 }
    assert.equal(16, #spread.lay(t, 3, ruler, at, 1))
    assert.equal(16, #spread.lay(t, 3, ruler, at, 16))
    assert.equal(4, #spread.lay(t, 3, ruler, at, 64))
    assert.equal(2, #spread.lay(t, 3, ruler, at, 9999))
  end)

  it("are found again by a ruler that has learnt", function()
    local other = rulers.new()
    local whole = { min_key = key_of(0), max_key = key_of(0.5), entries = 100 }
    other:learn { whole }
    local laid = spread.lay({
      id = 2, min_key = key_of(0), max_key = key_of(0.5), entries = 100,
    }, 3, other, function() return 1 end, 1)
    assert.near(1, laid.hi - laid.lo, 1e-9)
    spread.measure(laid, ruler)
    assert.near(0.5, laid.hi - laid.lo, 0.01)
  end)
end)
