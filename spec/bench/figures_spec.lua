-- What the Lua benchmark makes of its samples.

local figures = require "ctest.bench.lua.figures"

describe("figures", function()
  it("take the middle, whatever the order", function()
    assert.equal(3, figures.median { 5, 1, 3 })
    assert.equal(2.5, figures.median { 4, 1, 2, 3 })
    assert.equal(7, figures.median { 7 })
  end)

  it("leave the samples as they were", function()
    local list = { 3, 1, 2 }
    figures.median(list)
    assert.same({ 3, 1, 2 }, list)
  end)

  it("compare what was measured one after the other", function()
    -- The third turn was slow on both sides; middles alone would mix turns.
    assert.equal(10, figures.difference({ 110, 130, 900 }, { 100, 120, 500 }))
    assert.equal(2, figures.ratio({ 20, 400, 6 }, { 10, 200, 2 }))
    assert.has_error(function() figures.ratio({ 1 }, { 1, 2 }) end)
    assert.has_error(function() figures.difference({}, {}) end)
  end)

  it("show the digits that count", function()
    assert.equal("0.05", figures.text(0.05))
    assert.equal("12.3", figures.text(12.34))
    assert.equal("-123", figures.text(-123.4))
    assert.equal("–", figures.text(nil))
  end)

  it("become a table", function()
    assert.equal("| a | b |\n|---|---|\n| 1 | 2 |",
      figures.markdown { { "a", "b" }, { "1", "2" } })
  end)

  it("become comma-separated values", function()
    assert.equal('a,"b, c"\n"say ""x""",2\n',
      figures.csv { { "a", "b, c" }, { 'say "x"', "2" } })
  end)
end)
