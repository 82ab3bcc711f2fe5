-- manual: whatever the shape, no plan.

local manual = require "grainstore.policy.manual"
local T = require "grainstore.testing"

describe("manual", function()
  it("plans nothing", function()
    assert.is_nil(manual().pick(T.tree(("L0 a-z:10\n"):rep(19))))
    assert.equal("manual/1", manual({}).name)
  end)

  it("has no options", function()
    assert.error_matches(function() manual { runs = 3 } end,
      "policy 'manual' has no option 'runs'", nil, true)
  end)
end)
