-- expire_first: shape in, plans out.

local expire_first = require "grainstore.policy.expire_first"
local T = require "grainstore.testing"

describe("expire_first", function()
  local function decide(text, facts)
    facts = facts or {}
    facts.now_ms = 100
    local policy = expire_first { pick = function(tree)
      local ids = {}
      for _, t in ipairs(tree.runs[1].tables) do ids[#ids + 1] = t.id end
      return { op = "merge", inputs = ids, into = tree.runs[1].id }
    end }
    return T.plan_text(policy.pick(T.tree(text, facts)))
  end

  it("is like the policy it decides for in all else", function()
    local inner = { name = "inner/1", pick = function()
      return { wake_in_ms = 5 }
    end }
    function inner.flush() return true end
    function inner.layout() return { table_bytes = 4096 } end
    function inner.throttle() return 7 end
    local outer = expire_first(inner)
    assert.equal("expire_first inner/1", outer.name)
    for _, name in ipairs { "flush", "layout", "throttle" } do
      assert.equal(inner[name], outer[name])
    end
    local tree = T.tree("L1 a-c:9(4e 4x@50..100)", { now_ms = 100 })
    local plans = outer.pick(tree)
    assert.equal("drop", plans[1].op)
    assert.equal(5, plans.wake_in_ms)
  end)

  it("drops tables whose entries have all expired", function()
    assert.equal("drop 2\nmerge 1 into 101",
      decide "L0 a-b:9(4e)\nL1 a-c:9(4e 4x@50..100) d-z:9(4e)")
  end)

  it("keeps what lives, in part or a while", function()
    for _, facts in ipairs { "4e 3x@50..60", "4e 4x@50..101", "4e", "4e 4t" } do
      assert.equal("merge 1 into 101",
        decide(("L0 a-b:9(4e)\nL1 a-c:9(%s)"):format(facts)))
    end
    assert.equal("merge 1 into 101",
      decide "L0 a-b:9(4e)\nL1 a-c:9(4e 4x@50..60)*")
  end)

  it("keeps what hides older entries that stay", function()
    assert.equal("merge 1 into 101",
      decide "L0 a-c:9(4e 4x@50..60)\nL1 b-d:9(4e)")
    assert.equal("drop 1",
      decide "L0 a-c:9(4e 4x@50..60)\nL1 d-f:9(4e)")
  end)

  it("drops older ones with it that are as dead", function()
    assert.equal("drop 2 3\nmerge 1 into 101", decide [[
      L0 a-c:9(4e)
      L0 a-c:9(4e 4x@50..60)
      L1 b-d:9(4e 4x@50..60)
    ]])
    assert.equal("drop 4\nmerge 1 into 101", decide [[
      L0 a-c:9(4e)
      L0 a-c:9(4e 4x@50..60)
      L1 a-b:9(4e) c-d:9(4e 4x@50..60)
    ]])
  end)

  it("keeps what an open view may read", function()
    local text = "L0 a-b:9(4e)\nL1 a-c:9(4e 4x@50..60)"
    assert.equal("merge 1 into 101",
      decide(text, { oldest_view = { seq = 1, age_ms = 41 } }))
    assert.equal("drop 2\nmerge 1 into 101",
      decide(text, { oldest_view = { seq = 1, age_ms = 40 } }))
  end)

  it("passes on only plans that leave the dropped tables alone", function()
    assert.equal("drop 1", decide "L0 a-c:9(4e 4x@50..60)")
  end)

  it("lets the policy decide alone after a refusal", function()
    local refused = { { plan = { op = "drop" }, code = "not_dead" } }
    assert.equal("merge 1 into 101",
      decide("L0 a-c:9(4e 4x@50..60)", { refused = refused }))
  end)

  it("takes any policy, and hands its flush on", function()
    local function flush() return false end
    local mine = { name = "mine", pick = print, flush = flush }
    assert.equal(flush, expire_first(mine).flush)
    assert.equal("expire_first mine", expire_first(mine).name)
    assert.equal("expire_first tiered/1", expire_first("tiered").name)
    assert.error_matches(function() expire_first "tired" end,
      'there is no policy "tired"', nil, true)
  end)
end)
