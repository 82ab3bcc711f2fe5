-- Levels as rows that stay the same over a run.

local levels = require "grainstore.lab.report.levels"

local function sample(...)
  local made = { levels = {} }
  for i, label in ipairs { ... } do
    made.levels[i] = {
      level = label, runs = 1, tables = 2, bytes = 10 * (label + 1),
    }
  end
  return made
end

describe("levels", function()
  it("are the labels that ever occur, the top first", function()
    local rows = levels.rows {
      { history = { sample(0), sample(0, 6) } }, { history = { sample(2) } },
    }
    assert.same({
      { name = "L0", from = 0, to = 0 }, { name = "L2", from = 2, to = 2 },
      { name = "L6", from = 6, to = 6 },
    }, rows)
    assert.same({}, levels.rows { { history = {} } })
    assert.same({}, levels.rows { { history = { {} } } })
  end)

  it("share the last row when there are too many", function()
    local eight = levels.rows {
      { history = { sample(0, 1, 2, 3, 4, 5, 6, 7) } },
    }
    assert.equal(8, #eight)
    assert.equal("L7", eight[8].name)
    local all = sample(0, 1, 2, 3, 4, 5, 6, 7, 8, 40)
    local rows = levels.rows { { history = { all } } }
    assert.equal(8, #rows)
    assert.equal("L7+", rows[8].name)
    assert.same({ 3, 6, 80 + 90 + 410 }, { levels.sum(all, rows[8]) })
  end)

  it("add up runs, tables and bytes of a sample", function()
    local row = { from = 2, to = 2 }
    assert.same({ 1, 2, 30 }, { levels.sum(sample(0, 2), row) })
    assert.same({ 0, 0, 0 }, { levels.sum(sample(0), row) })
    assert.same({ 0, 0, 0 }, { levels.sum({}, row) })
    assert.same({ 0, 0, 0 }, { levels.sum(nil, row) })
  end)
end)
