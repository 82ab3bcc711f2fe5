-- tombstones_first: shape in, plans out.

local tombstones_first = require "grainstore.policy.tombstones_first"
local T = require "grainstore.testing"

describe("tombstones_first", function()
  local quiet = { name = "quiet", pick = function() return nil end }

  -- Times of tables by id: { oldest tombstone, created }.
  local function decide(text, times, now_ms, inner)
    local tree = T.tree(text, { now_ms = now_ms })
    for _, run in ipairs(tree.runs) do
      for _, t in ipairs(run.tables) do
        local its = times[t.id] or {}
        t.oldest_tombstone_ms, t.created_ms = its[1], its[2] or its[1] or 0
      end
    end
    local policy = tombstones_first(inner or quiet, { max_age_ms = 100 })
    return T.plan_text(policy.pick(tree))
  end

  it("waits while tombstones are young", function()
    local text = "L0 a-b:9(4e 1t)\nL1 a-z:9(4e)"
    assert.equal("nothing", decide(text, { { 50 } }, 149))
    assert.equal("merge 1 2 into 102", decide(text, { { 50 } }, 150))
  end)

  it("takes along what lies beneath, and what lies beneath that", function()
    assert.equal("merge 1 2 5 into 103", decide([[
      L0 c-d:9(4e 1t)
      L1 b-e:9(4e) x-z:9(4e)
      L2 a-a:9(4e) e-f:9(4e) g-z:9(4e)
    ]], { { 50 } }, 150))
  end)

  it("rewrites in place what has nothing beneath it", function()
    assert.equal("merge 2 into 101",
      decide("L1 a-b:9(4e) c-d:9(4e 2t)\nL2 m-z:9(4e)", { nil, { 10 } }, 150))
  end)

  it("counts from the first expiry too", function()
    local text = "L0 a-b:9(4e 2x@60..900)\nL1 a-z:9(4e)"
    assert.equal("nothing", decide(text, {}, 159))
    assert.equal("merge 1 2 into 102", decide(text, {}, 160))
  end)

  it("begins with what is due longest", function()
    assert.equal("merge 2 into 101",
      decide("L1 a-b:9(4e 1t) c-d:9(4e 1t)", { { 20 }, { 10 } }, 150))
  end)

  it("passes over what is busy", function()
    assert.equal("merge 1 into 101", decide(
      "L1 a-b:9(4e 1t) c-d:9(4e 1t)\nL2 c-z:9(4e)*", { { 20 }, { 10 } }, 150))
  end)

  it("tries again only later what a merge has left there", function()
    local text = "L1 a-b:9(4e 1t)"
    assert.equal("merge 1 into 101", decide(text, { { 10, 109 } }, 150))
    assert.equal("nothing", decide(text, { { 10, 110 } }, 150))
    assert.equal("merge 1 into 101", decide(text, { { 10, 110 } }, 210))
  end)

  it("passes on plans that leave its tables alone", function()
    local inner = { pick = function()
      return { { op = "merge", inputs = { 2 }, into = 101 },
        { op = "merge", inputs = { 1 }, into = 101 } }
    end }
    assert.equal("merge 1 into 101\nmerge 2 into 101", decide(
      "L1 a-b:9(4e 1t) c-d:9(4e)", { { 10 } }, 150, inner))
    assert.equal("merge 2 into 101\nmerge 1 into 101",
      decide("L1 a-b:9(4e) c-d:9(4e)", {}, 150, inner))
  end)

  it("takes any policy, and options that are checked", function()
    assert.equal("tombstones_first leveled/1", tombstones_first().name)
    assert.error_matches(
      function() tombstones_first("tiered", { max_age = 5 }) end,
      "no option 'max_age'", nil, true)
  end)
end)
