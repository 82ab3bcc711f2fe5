-- tiered: shape in, plan out.

local tiered = require "grainstore.policy.tiered"
local T = require "grainstore.testing"

describe("tiered", function()
  local function decide(text, options)
    return T.plan_text(tiered(options or { width = 3 }).pick(T.tree(text)))
  end

  it("waits while no tier is full", function()
    assert.equal("nothing", decide "")
    assert.equal("nothing", decide [[
      L0 a-z:10
      L0 a-z:12
      L1 a-z:40
      L1 a-z:50
      L2 a-z:200
    ]])
  end)

  it("merges the runs of the newest full tier", function()
    assert.equal("merge 1 2 3 4 into 103 as L1", decide [[
      L0 a-z:10
      L0 a-m:5 n-z:5
      L0 a-z:12
      L1 a-z:40
    ]])
    assert.equal("merge 3 4 5 into 105 as L2", decide [[
      L0 a-z:10
      L0 a-z:10
      L1 a-z:40
      L1 a-z:50
      L1 a-z:30
      L2 a-z:200
    ]])
  end)

  it("counts a smaller older run among the tier above it", function()
    assert.equal("merge 1 2 3 into 103 as L1", decide [[
      L0 a-z:10
      L0 a-z:1
      L0 a-z:10
    ]])
    assert.equal("merge 1 2 3 4 into 104 as L1", decide [[
      L0 a-z:10
      L0 a-z:1
      L0 a-z:1
      L0 a-z:20
    ]])
  end)

  it("stops at runs that are busy", function()
    assert.equal("nothing", decide [[
      L0 a-z:10
      L0 a-z:10
      L0 a-z:10*
      L0 a-z:10
    ]])
    assert.equal("merge 1 2 3 into 103 as L1", decide [[
      L0 a-z:10
      L0 a-z:10
      L0 a-z:10
      L1 a-z:10*
      L1 a-z:10*
    ]])
  end)

  it("makes larger tables of very many", function()
    local many = {}
    for i = 1, 300 do many[i] = ("%d-%d:1000"):format(2 * i, 2 * i + 1) end
    local text = ("L0 %s\n"):format(table.concat(many, " "))
    local plan = tiered { width = 2 }.pick(T.tree(text:rep(2)))
    assert.equal(600 * 1000 // 256, plan.table_bytes)
    assert.is_nil(tiered { width = 2 }.pick(T.tree(("L0 1-2:9\n"):rep(2)))
      .table_bytes)
  end)

  it("never counts levels beyond the last", function()
    assert.equal("merge 1 2 3 into 103 as L63", decide(("L63 a-z:9\n"):rep(3)))
  end)

  it("has defaults, a name and reasons", function()
    local policy = tiered()
    assert.equal("tiered/1", policy.name)
    assert.is_nil(policy.pick(T.tree(("L0 a-z:10\n"):rep(3))))
    assert.equal("4 runs of similar size",
      policy.pick(T.tree(("L0 a-z:10\n"):rep(4))).why)
    assert.error_matches(function() tiered { with = 3 } end,
      "no option 'with', did you mean 'width'?", nil, true)
    assert.error_matches(function() tiered { width = 1 } end,
      "option 'width' of policy 'tiered' is at least 2, got 1", nil, true)
  end)
end)
