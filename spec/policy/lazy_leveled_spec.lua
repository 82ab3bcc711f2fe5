-- lazy_leveled: shape in, plans out.

local lazy_leveled = require "grainstore.policy.lazy_leveled"
local T = require "grainstore.testing"

describe("lazy_leveled", function()
  local function pick(text, options)
    options = options or { fanout = 10, width = 3 }
    return lazy_leveled(options).pick(T.tree(text))
  end

  local function decide(text, options)
    return T.plan_text(pick(text, options))
  end

  -- A bottom of more than a few tables.
  local BOTTOM = "L2 a-c:100 d-f:100 g-i:100 j-l:100 m-o:100 p-r:100"

  it("waits while there is little above the bottom", function()
    assert.equal("nothing", decide "")
    assert.equal("nothing", decide "L0 a-z:10")
    assert.equal("nothing", decide("L0 a-z:10\nL0 a-z:10\n" .. BOTTOM))
  end)

  it("merges tiers above the bottom", function()
    assert.equal("merge 1 2 3 into 103 as L0",
      decide(("L0 a-z:10\n"):rep(3) .. BOTTOM))
  end)

  it("merges a small bottom whole", function()
    assert.equal("merge 1 2 into 102 as L2", decide "L0 a-z:10\nL0 a-z:10")
    assert.equal("merge 1 2 3 4 5 into 104 as L2", decide [[
      L0 a-z:10
      L0 a-z:10
      L0 a-z:10
      L2 a-m:50 n-z:50
    ]])
    assert.equal("nothing", decide "L0 a-z:50\nL2 a-m:50 n-z:50")
  end)

  it("cuts what goes down where tables of the bottom begin", function()
    local plans = pick(("L0 a-z:30\n"):rep(3) .. BOTTOM)
    assert.equal("merge 1 2 3 into 103 as L1", T.plan_text(plans))
    assert.same({ "d", "g", "j", "m", "p" }, plans.cuts)
  end)

  it("leaves fragments of the bottom together", function()
    local plans = pick(("L0 a-z:30\n"):rep(3)
      .. "L2 a-c:100 d-f:10 g-i:30 j-l:100 m-o:60 p-r:100")
    assert.same({ "d", "m", "p" }, plans.cuts)
  end)

  it("takes one table of the stage down at a time", function()
    assert.equal("merge 2 5 into 102 as L2",
      decide("L1 a-b:10 d-e:20 g-h:5\n"
        .. "L2 a-c:100 d-f:100 g-i:100 j-z:100", { fanout = 20 }))
    assert.equal("move 2 into 102 as L2",
      decide("L1 a-b:40 d-e:20\nL2 a-c:100 f-z:300"))
  end)

  it("leaves the stage where it is while there is little of it", function()
    assert.equal("nothing", decide("L1 a-b:10 d-e:20\n" .. BOTTOM))
  end)

  it("merges tiers beside, and passes over busy tables", function()
    assert.equal("merge 5 7 into 105 as L2\nmerge 1 2 3 into 103 as L0",
      decide(("L0 a-z:10\n"):rep(3) .. "L1 a-b:40* d-e:40\n"
        .. "L2 a-c:100* d-f:100 g-z:400"))
    assert.equal("merge 2 4 into 102 as L2", decide("L1 a-b:40 d-e:40\n"
      .. "L2 a-c:10* d-f:100 g-z:200"))
    assert.equal("nothing", decide(("L0 a-z:30\n"):rep(3)
      .. "L2 a-c:100* d-f:100 g-i:100 j-l:100 m-z:200"))
  end)

  it("has defaults, a name and reasons", function()
    local policy = lazy_leveled()
    assert.equal("lazy_leveled/1", policy.name)
    local plans = policy.pick(T.tree "L0 a-z:10\nL0 a-z:10")
    assert.equal("the bottom is small", plans.why)
    assert.error_matches(function() lazy_leveled { fanuot = 3 } end,
      "no option 'fanuot', did you mean 'fanout'?", nil, true)
  end)
end)
