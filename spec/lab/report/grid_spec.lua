-- Columns and curves of text.

local grid = require "grainstore.lab.report.grid"

describe("a grid", function()
  it("aligns names to the left and numbers to the right", function()
    assert.same({ "name   bytes", "ü      1 KiB", "other      7" },
      grid.lines({ { "name", "bytes" }, { "ü", "1 KiB" }, { "other", "7" } },
        { true }))
    assert.same({ "a 1" }, grid.lines({ { "a", "1" } }, { true }, " "))
  end)

  it("cuts names so that lines keep to a width", function()
    local lines = grid.named({
      { "", "x" }, { ("name"):rep(20), ("1"):rep(30) },
    }, 60, { true })
    assert.equal(60, utf8.len(lines[2]))
    assert.matches("^namename.*…", lines[2])
    assert.equal("name  1", grid.named({ { "name", "1" } }, 60, { true })[1])
  end)

  it("draws a curve from nothing to the largest", function()
    assert.equal("▁▂▄▆█", grid.spark({ 0, 1, 2, 3, 4 }, 10))
    assert.equal("▃█", grid.spark({ 1, 2, 3, 6 }, 2))
    assert.equal("▁▁", grid.spark({ 0, 0 }, 10))
    assert.equal("", grid.spark({}, 10))
  end)

  it("leaves blank what is no figure", function()
    assert.equal("█ █", grid.spark({ 1, 0 / 0, 1, n = 3 }, 10))
    assert.equal(" █", grid.spark({ nil, 5, n = 2 }, 10))
  end)
end)
