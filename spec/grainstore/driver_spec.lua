-- The driver: asks the policy when the tree has changed, submits what it says,
-- and does without it when it fails.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

describe("the driver", function()
  local function open(policy, options)
    options = options or {}
    options.policy = policy
    options.threads = options.threads or 0
    return assert(grainstore.open(tmp.path(), options))
  end

  -- Changes the tree so that the policy is asked.
  local function change(store, count)
    for _ = 1, count or 1 do
      assert(store:put("k", "v"))
      assert(store:flush())
    end
  end

  it("asks when the tree has changed, and not otherwise", function()
    local asked = 0
    local store <close> = open { pick = function() asked = asked + 1 end }
    change(store)
    local before = asked
    assert.is_true(before > 0)
    for i = 1, 100 do
      store:put("k" .. i, "v")
      store:get "k"
    end
    assert.equal(before, asked)
    change(store)
    assert.is_true(asked > before)
  end)

  it("shows the policy a tree with its methods", function()
    local seen
    local store <close> = open { pick = function(tree)
      seen = {
        runs = #tree:level(0), run_bytes = tree.runs[1].bytes,
        table_bytes = tree.runs[1].tables[1].bytes, text = tostring(tree),
        refused = tree.refused, tree = tree,
      }
    end }
    change(store, 2)
    assert.equal(2, seen.runs)
    assert.equal(seen.run_bytes, seen.table_bytes)
    assert.is_truthy(seen.text:find "^L0#?%d* %w+%-%w+:%d+")
    assert.same({}, seen.refused)
    local run = seen.tree.runs[2]
    assert.is_table(run.tables[1]) -- it was made when the tree was printed
    local ok, message = pcall(function() return #run.tables end)
    assert.is_false(ok)
    assert.is_truthy(message:find "decision that is over")
  end)

  it("submits one plan, or an array of them", function()
    for _, as_list in ipairs { false, true } do
      local store <close> = open { pick = function(tree)
        if #tree.runs < 3 or tree.running > 0 then
          return nil
        end
        local inputs = {}
        for i, run in ipairs(tree.runs) do
          inputs[i] = run.tables[1].id
        end
        local plan = { op = "merge", inputs = inputs, into = tree.runs[3].id }
        return as_list and { plan } or plan
      end }
      change(store, 3)
      while store:step() do end
      assert.equal("1:0", T.runs(store))
    end
  end)

  it("shows refused plans to the policy and to the tree", function()
    local seen
    local plan = { op = "merge", inputs = { 777 }, bottom = true }
    local store <close> = open { pick = function(tree)
      seen = tree.refused
      return plan
    end }
    change(store, 2)
    for _, refused in ipairs { seen, store:tree().refused } do
      assert.equal(1, #refused)
      assert.equal("unknown_table", refused[1].code)
      assert.equal(plan, refused[1].plan)
      assert.same({ 777 }, refused[1].tables)
      assert.is_string(refused[1].message)
    end
    assert.is_nil(store:tree().policy_error)
  end)

  it("takes no more than sixteen plans at once", function()
    local store <close> = open { pick = function()
      local plans = {}
      for i = 1, 100 do
        plans[i] = { op = "drop", inputs = { i + 1000 } }
      end
      return plans
    end }
    change(store)
    assert.equal(16, #store:tree().refused)
  end)

  it("asks whether to flush, and does", function()
    local given
    local store <close> = open {
      pick = function() end,
      flush = function(mem)
        given = mem
        return mem.entries > 0
      end,
    }
    change(store)
    store:put("a", "1")
    assert.equal(1, store:tree().memtable.entries)
    store:set("policy", { pick = function() end, flush = function(mem)
      given = mem
      return mem.entries > 0
    end })
    store:put("b", "1")
    change(store)
    for _, name in ipairs {
      "bytes", "entries", "tombstones", "age_ms", "budget_bytes", "wal_bytes",
    } do
      assert.equal("integer", math.type(given[name]))
    end
  end)

  describe("sets aside a policy that three times in a row", function()
    local function set_aside(policy)
      local asked = 0
      local pick = policy.pick
      policy.pick = function(tree)
        asked = asked + 1
        return pick(tree)
      end
      local store <close> = open(policy)
      change(store, 2)
      assert.is_not_nil(store:tree().policy_error)
      assert.is_false(store:tree().policy_aside)
      change(store, 3)
      local before = asked
      assert.is_true(before >= 3)
      assert.is_true(store:tree().policy_aside)
      local said = store:tree().policy_error
      change(store, 20)
      while store:step() do end
      assert.equal(before, asked)
      assert.is_true(#store:tree().runs <= 9)
      assert.is_true(store:stats().jobs.merges > 0)
      assert.equal("v", store:get "k")
      return said
    end

    it("raises", function()
      assert.is_truthy(set_aside({ pick = function()
        error "no idea"
      end }):find("no idea", 1, true))
    end)

    it("raises in flush", function()
      assert.is_truthy(set_aside({
        pick = function() end, flush = function() error "no wish" end,
      }):find("no wish", 1, true))
    end)

    it("answers nonsense", function()
      assert.is_truthy(set_aside({ pick = function() return "merge it" end })
        :find("array of plans, got a string", 1, true))
    end)

    it("answers an array of nonsense", function()
      assert.is_truthy(set_aside({ pick = function() return { 5 } end })
        :find("a plan is a table, got a number", 1, true))
    end)

    it("yields", function()
      assert.is_truthy(set_aside({ pick = function()
        coroutine.yield()
      end }):find("yield", 1, true))
    end)
  end)

  it("forgives a policy that comes to its senses", function()
    local asked = 0
    local store <close> = open { pick = function()
      asked = asked + 1
      if asked % 3 ~= 0 then
        error "not now"
      end
    end }
    change(store, 20)
    assert.is_false(store:tree().policy_aside)
    assert.is_true(asked >= 20)
  end)

  it("takes another policy while the store is open", function()
    local store <close> = open { pick = function() error "never" end }
    change(store, 5)
    assert.is_string(store:tree().policy_error)
    assert.is_true(store:set("policy", grainstore.policy.bounded_l0 {
      runs = 2,
    }))
    assert.is_nil(store:tree().policy_error)
    change(store)
    while store:step() do end
    assert.is_true(#store:tree().runs <= 2)
    assert.is_true(store:set("policy", "leveled"))
    local ok, message = pcall(function() store:set("policy", "lazy") end)
    assert.is_false(ok)
    assert.is_truthy(message:find "driver_spec%.lua:%d+: option 'policy'")
    assert.error_matches(function() store:set("policy", { pick = 1 }) end,
      "a policy has a function 'pick'")
  end)

  it("is at work once at a time, whatever the policy calls", function()
    local depth, deepest = 0, 0
    local store
    store = open { pick = function()
      depth = depth + 1
      deepest = math.max(deepest, depth)
      store:put("from the policy", "v")
      store:flush()
      depth = depth - 1
    end }
    change(store, 3)
    assert.equal(1, deepest)
    assert.equal("v", store:get "from the policy")
    store:close()
  end)
end)
