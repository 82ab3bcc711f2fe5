-- Axes: round ticks in a unit that fits, and where values lie.

local ticks = require "grainstore.lab.report.ticks"

local function labels(axis)
  local said = {}
  for i, tick in ipairs(axis.ticks) do said[i] = tick[2] end
  return table.concat(said, " | ")
end

describe("axes", function()
  it("have ticks at 1, 2 or 5 times a power of ten of a unit", function()
    assert.equal("0 | 2 | 4 | 6 | 8", labels(ticks.linear("factor", 0, 7.3, 5)))
    assert.equal("0 | 0.5 | 1.0 | 1.5",
      labels(ticks.linear("factor", 0, 1.2, 4)))
    assert.equal("0 | 200 GiB | 400 GiB | 600 GiB | 800 GiB | 1000 GiB",
      labels(ticks.linear("bytes", 0, 900 * 2^30, 5)))
    assert.equal("0 | 0.5 PiB | 1.0 PiB",
      labels(ticks.linear("bytes", 0, 2^50, 3)))
    assert.equal("0 | 20 min | 40 min | 60 min",
      labels(ticks.linear("time", 0, 45 * 60, 4)))
    assert.equal("0 | 5 G | 10 G | 15 G | 20 G",
      labels(ticks.linear("count", 0, 2e10, 5, true)))
  end)

  it("count whole things", function()
    assert.equal("0 | 1 | 2", labels(ticks.linear("count", 0, 2, 5)))
    assert.equal("0 | 1 B | 2 B | 3 B", labels(ticks.linear("bytes", 0, 3, 5)))
  end)

  it("end at a tick, or right where they are told", function()
    local open = ticks.linear("factor", 0, 7.3, 5)
    assert.equal(8.0, open.last)
    assert.equal(0.5, open.place(4))
    local tight = ticks.linear("count", 0, 7, 3, true)
    assert.equal("0 | 5", labels(tight))
    assert.equal(1, tight.place(7))
  end)

  it("may begin elsewhere", function()
    local axis = ticks.linear("factor", 1, 1.25, 5)
    assert.equal("1.00 | 1.05 | 1.10 | 1.15 | 1.20 | 1.25", labels(axis))
    assert.equal(0, axis.place(1))
    assert.equal("-1.0 | -0.5 | 0 | 0.5 | 1.0",
      labels(ticks.linear("factor", -0.7, 0.8, 5)))
  end)

  it("have some length where there is one value", function()
    assert.equal("0 | 200 B | 400 B | 600 B | 800 B | 1000 B",
      labels(ticks.linear("bytes", 0, 1000, 5)))
    assert.equal("0 | 1", labels(ticks.linear("count", 0, 0, 5)))
    assert.equal("0 | 0.5 s | 1.0 s", labels(ticks.linear("time", 0, 0, 2)))
  end)

  it("place nothing outside", function()
    for _, axis in ipairs {
      ticks.linear("factor", 0, 10, 5), ticks.log(1, 1000),
    } do
      assert.equal(0, axis.place(-5))
      assert.equal(0, axis.place(0))
      assert.equal(1, axis.place(1e9))
    end
  end)

  it("go by decades when logarithmic", function()
    assert.equal("1 | 2 | 5 | 10 | 20 | 50 | 100", labels(ticks.log(1.2, 60)))
    assert.equal("1 | 10 | 100 | 1 k | 10 k", labels(ticks.log(1, 3000)))
    assert.equal("0.1 | 0.2 | 0.5 | 1 | 2 | 5 | 10", labels(ticks.log(0.3, 9)))
    local wide = ticks.log(1e-3, 1e12)
    assert.is_true(#wide.ticks <= 7)
    local axis = ticks.log(1, 100)
    assert.near(0.5, axis.place(10), 1e-12)
  end)
end)
