-- leveled: shape in, plans out.

local leveled = require "grainstore.policy.leveled"
local T = require "grainstore.testing"

describe("leveled", function()
  local options = { fanout = 10, l0_runs = 2, base_bytes = 100 }

  -- All plans as text, most wanted first.
  local function decide(text, with)
    local plans = leveled(with or options).pick(T.tree(text))
    local texts = {}
    for i, plan in ipairs(plans) do
      texts[i] = T.plan_text(plan)
    end
    return texts
  end

  it("has nothing to do with little", function()
    assert.same({}, decide "")
    assert.same({}, decide "L0 a-z:50")
    assert.same({}, decide [[
      L0 a-z:50
      L1 a-z:100
      L2 a-z:1000
    ]])
  end)

  it("makes level 1 of the runs of level 0", function()
    assert.same({ "merge 1 2 above 102 as L1" }, decide [[
      L0 a-m:50
      L0 k-z:50
    ]])
  end)

  it("makes level 1 above a deeper one", function()
    assert.same({ "merge 1 2 above 102 as L1" }, decide [[
      L0 a-m:50
      L0 k-z:50
      L2 a-z:500
    ]])
  end)

  it("takes along what level 0 overlaps in level 1, and no more", function()
    assert.same({ "merge 1 2 4 5 into 103 as L1" }, decide [[
      L0 f-h:50
      L0 g-m:50
      L1 a-c:20 d-f:20 k-n:20 p-z:20
    ]])
  end)

  it("leaves level 0 alone while a merge has it", function()
    assert.same({}, decide [[
      L0 a-m:50
      L0 a-m:50*
      L0 k-z:50*
    ]])
  end)

  it("leaves level 0 alone while a merge has what it meets", function()
    assert.same({}, decide [[
      L0 f-h:20
      L0 g-m:20
      L1 a-c:10 d-f:10* k-n:10
    ]])
    assert.same({ "merge 1 2 4 5 into 103 as L1" }, decide [[
      L0 f-h:20
      L0 g-m:20
      L1 a-c:10* d-f:10 k-n:10
    ]])
  end)

  it("wants no table twice", function()
    assert.same({ "merge 1 3 into 102 as L2" }, decide [[
      L1 a-f:80 g-h:80*
      L2 b-z:1100
      L3 a-z:2000
    ]])
  end)

  it("moves one table down where nothing lies below it", function()
    assert.same({ "move 1 at the bottom as L2" }, decide "L1 a-m:80 n-z:80")
    assert.same({ "move 2 into 102 as L2" }, decide [[
      L1 a-m:80 n-z:80
      L2 a-k:500
    ]])
    assert.same({ "move 1 above 102 as L2" }, decide [[
      L1 a-m:80 n-z:80
      L3 a-z:10000
    ]])
  end)

  it("leaves a level that is being made to the job that makes it", function()
    assert.same({}, decide "L1 a-f:80* g-m:80 n-z:80")
    assert.same({ "move 2 into 102 as L2" }, decide [[
      L1 a-f:80* g-m:80 n-z:80
      L2 n-z:10
    ]])
  end)

  it("makes one run of a level that another policy left in two", function()
    assert.same({ "move 2 into 102 as L1" }, decide [[
      L1 a-f:10 n-z:10
      L1 a-f:10 g-m:10
    ]])
    assert.same({ "merge 1 2 into 102 as L1" }, decide [[
      L1 a-f:10
      L1 a-f:10 g-m:10
    ]])
  end)

  it("chooses the table that drags least along", function()
    assert.same({ "merge 2 5 into 102 as L2" }, decide [[
      L1 a-f:80 g-m:80 n-z:80
      L2 a-e:400 f-k:100 n-p:300
    ]])
  end)

  it("passes over tables that are busy, above and below", function()
    assert.same({ "merge 3 6 into 102 as L2" }, decide [[
      L1 a-f:80* g-m:80 n-z:80
      L2 a-e:400 g-k:10* n-p:300
    ]])
    assert.same({}, decide [[
      L1 a-z:200*
      L2 a-z:10
    ]])
  end)

  it("allows each level its multiple of the one above", function()
    assert.same({}, decide [[
      L1 a-z:100
      L2 a-z:1000
      L3 a-z:10000
    ]])
    assert.same({ "move 3 at the bottom as L4" }, decide [[
      L1 a-z:100
      L2 a-z:1000
      L3 a-z:10001
    ]])
  end)

  it("serves level 0 first", function()
    assert.same({
      "merge 1 2 3 into 103 as L1", "move 4 at the bottom as L2",
    }, decide [[
      L0 a-b:10
      L0 a-b:10
      L1 a-c:101 d-e:101
    ]])
  end)

  it("has defaults, a name and reasons", function()
    local policy = leveled()
    local tree = T.tree(("L0 a-z:10\n"):rep(4))
    assert.equal("leveled/1", policy.name)
    assert.equal("level 0 has 4 runs", policy.pick(tree)[1].why)
    assert.same({}, policy.pick(T.tree(("L0 a-z:10\n"):rep(3))))
    assert.same({}, policy.pick(T.tree("L1 a-z:" .. (64 << 20))))
    assert.equal(1, #policy.pick(T.tree("L1 a-z:" .. (64 << 20) + 1)))
  end)
end)
