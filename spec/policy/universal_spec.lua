-- universal: shape in, plan out.

local universal = require "grainstore.policy.universal"
local T = require "grainstore.testing"

describe("universal", function()
  local function decide(text, options)
    options = options or { runs = 4, max_space = 1 }
    return T.plan_text(universal(options).pick(T.tree(text)))
  end

  it("waits while there are few runs", function()
    assert.equal("nothing", decide "")
    assert.equal("nothing", decide(("L0 a-z:10\n"):rep(3)))
  end)

  it("merges everything when the younger runs take too much space", function()
    assert.equal("merge 1 2 3 4 into 104 as L1", decide [[
      L0 a-z:10
      L0 a-z:20
      L0 a-z:40
      L1 a-z:69
    ]])
  end)

  it("merges runs not larger than the newer ones together", function()
    assert.equal("merge 1 2 3 into 103 as L0", decide [[
      L0 a-z:10
      L0 a-z:10
      L0 a-z:20
      L1 a-z:90
    ]])
    assert.equal("merge 2 3 into 103 as L0", decide [[
      L0 a-z:10
      L0 a-z:20
      L0 a-z:20
      L1 a-z:90
    ]])
  end)

  it("merges the newest when there are too many", function()
    assert.equal("merge 1 2 into 102 as L0", decide [[
      L0 a-z:1
      L0 a-z:10
      L0 a-z:20
      L1 a-z:90
    ]])
    assert.equal("merge 1 2 3 into 103 as L0", decide [[
      L0 a-z:1
      L0 a-z:10
      L0 a-z:20
      L0 a-z:90
      L1 a-z:900
    ]])
  end)

  it("leaves alone what is busy, and all that is older", function()
    assert.equal("nothing", decide [[
      L0 a-z:10
      L0 a-z:10*
      L0 a-z:20*
      L1 a-z:20
    ]])
    assert.equal("merge 1 2 into 102 as L0", decide [[
      L0 a-z:10
      L0 a-z:10
      L0 a-z:20*
      L1 a-z:20*
    ]])
  end)

  it("has defaults, a name and reasons", function()
    local policy = universal()
    assert.equal("universal/1", policy.name)
    assert.is_nil(policy.pick(T.tree(("L0 a-z:10\n"):rep(7))))
    assert.equal("the younger runs take too much space",
      policy.pick(T.tree(("L0 a-z:10\n"):rep(8))).why)
    assert.error_matches(function() universal { max_spaces = 3 } end,
      "no option 'max_spaces', did you mean 'max_space'?", nil, true)
  end)
end)
