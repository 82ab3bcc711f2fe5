-- bounded_l0: shape in, plan out.

local bounded_l0 = require "grainstore.policy.bounded_l0"
local T = require "grainstore.testing"

describe("bounded_l0", function()
  local function decide(options, text, facts)
    return T.plan_text(bounded_l0(options).pick(T.tree(text, facts)))
  end

  it("waits while there are few runs", function()
    assert.equal("nothing", decide({ runs = 2 }, ""))
    assert.equal("nothing", decide({ runs = 2 }, [[
      L0 a-z:10
      L0 a-z:10
    ]]))
  end)

  it("merges all runs into the oldest when there is one more", function()
    assert.equal("merge 1 2 3 4 into 103 as L1", decide({ runs = 2 }, [[
      L0 a-z:10
      L0 a-m:5 n-z:5
      L1 a-z:1000
    ]]))
  end)

  it("begins nothing while a merge is running", function()
    assert.equal("nothing", decide({ runs = 1 }, [[
      L0 a-z:10
      L0 a-z:10*
      L1 a-z:10*
    ]], { running = 1 }))
  end)

  it("allows four runs unless told otherwise", function()
    local four = ("L0 a-z:10\n"):rep(4)
    assert.equal("nothing", decide(nil, four))
    assert.equal("merge 1 2 3 4 5 into 105 as L1", decide(nil,
      four .. "L0 a-z:10"))
    assert.equal("merge 1 2 3 4 5 into 105 as L1", decide({},
      four .. "L0 a-z:10"))
  end)

  it("says why, and has a name", function()
    local policy = bounded_l0 { runs = 1 }
    local plan = policy.pick(T.tree "L0 a-b:1\nL0 a-b:1")
    assert.equal("2 runs, bound 1", plan.why)
    assert.equal("bounded_l0/1", policy.name)
  end)
end)
