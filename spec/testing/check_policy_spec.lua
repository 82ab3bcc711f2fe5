-- What check_policy finds in policies that are wrong, each in its own way.

local P = require "grainstore.policy"
local T = require "grainstore.testing"

local function ids_of(run)
  local ids = {}
  for i, t in ipairs(run.tables) do ids[i] = t.id end
  return ids
end

local function found(pick, options)
  local ok, problem = pcall(T.check_policy, { name = "wrong", pick = pick },
    options or { trees = 200 })
  assert.is_false(ok)
  return problem
end

describe("check_policy", function()
  it("finds plans that would be refused", function()
    local problem = found(function(tree)
      local run = tree.runs[1]
      return run and tree.runs[2]
        and { op = "merge", inputs = ids_of(run), into = tree.runs[2].id }
    end)
    assert.equal("table", type(problem))
    assert.truthy(problem.message:find("refused as path_blocked", 1, true))
    assert.truthy(tostring(problem):find("policy wrong: refused as", 1, true))
    assert.truthy(tostring(problem):find("L0", 1, true))
    -- what it says to run again is that very tree
    local again = found(function(tree)
      local run = tree.runs[1]
      return run and tree.runs[2]
        and { op = "merge", inputs = ids_of(run), into = tree.runs[2].id }
    end, { seed = problem.seed, tree = problem.number })
    assert.equal(problem.message, again.message)
    assert.equal(problem.tree, again.tree)
  end)

  it("finds plans on tables that a job has", function()
    local problem = found(function(tree)
      if #tree.runs < 3 then return nil end
      local last = tree.runs[#tree.runs]
      local ids = {}
      for _, run in ipairs(tree.runs) do
        for _, t in ipairs(run.tables) do ids[#ids + 1] = t.id end
      end
      return { op = "merge", inputs = ids, into = last.id }
    end)
    assert.truthy(problem.message:find("refused as busy_table", 1, true))
  end)

  it("finds plans that lead nowhere", function()
    local problem = found(function(tree)
      local run = tree.runs[1]
      return run and tree.running == 0
        and { op = "move", inputs = ids_of(run), above = run.id }
        or nil
    end)
    assert.truthy(problem.message:find("livelock: it was at this tree before",
      1, true))
  end)

  it("finds a policy that never rests", function()
    -- The level of the newest run goes up and down; each time it turns, the
    -- next run goes up one: no tree comes twice for a long while.
    local count = 20 * 64
    local problem = found(function(tree)
      if #tree.runs ~= 2 or tree.running > 0 then return nil end
      count = count + 1
      local turn, step = count // 64, count % 64
      local level = step == 0 and turn or turn % 2 == 0 and step or 63 - step
      local run = tree.runs[step == 0 and 2 or 1]
      return {
        op = "move", inputs = ids_of(run), above = run.id, level = level % 64,
      }
    end, { trees = 200, runs = 34 })
    assert.truthy(problem.message:find("it still wants more", 1, true))
  end)

  it("finds runs that pile up", function()
    local problem = found(function() return nil end)
    assert.truthy(problem.message:find(
      "starvation: it is content with 21 runs, the bound is 20", 1, true))
    assert.truthy(T.check_policy("manual", { trees = 20, runs = 34 }).most_runs
      > 20)
  end)

  it("is not taken in by a policy that changes the tree", function()
    local problem = found(function(tree)
      for i = #tree.runs, 1, -1 do tree.runs[i] = nil end
    end)
    assert.truthy(problem.message:find("starvation", 1, true))
    problem = found(function(tree)
      local run = tree.runs[1]
      if not (run and tree.runs[2]) then return nil end
      local below = tree.runs[2]
      local plan = { op = "merge", inputs = ids_of(run), into = below.id }
      below.tables = {}
      return plan
    end)
    assert.truthy(problem.message:find("refused as path_blocked", 1, true))
  end)

  it("says what the policy raises, and on which tree", function()
    local function pick(tree) error("mine " .. #tree.runs, 0) end
    local problem = found(pick, { trees = 1, seed = 5 })
    assert.truthy(problem.message:find("^pick raised mine %d+$"))
    assert.truthy(tostring(problem):find("{ seed = 5, tree = 1 }", 1, true))
    assert.equal(problem.message,
      found(pick, { seed = problem.seed, tree = problem.number }).message)
    problem = found(function(tree) return #tree.nothing end, { trees = 1 })
    assert.truthy(problem.message:find("check_policy_spec.lua:%d+: attempt"))
    problem = found(function() error {} end, { trees = 1 })
    assert.truthy(problem.message:find("pick raised table", 1, true))
  end)

  it("says what the policy returns that is no plan", function()
    local function says(text, answer)
      local problem = found(function() return answer end, { trees = 1 })
      assert.equal("pick returned " .. text, problem.message)
      assert.truthy(tostring(problem):find("{ seed = 1, tree = 1 }", 1, true))
    end
    says("5; it returns nil, a plan, or an array of plans", 5)
    says("a plan without inputs", { op = "merge" })
    says("a plan whose inputs are 5, not an array of table ids",
      { op = "merge", inputs = 5 })
    says('a plan whose op is "mrge", not "merge", "move" or "drop"',
      { op = "mrge", inputs = { 1 }, bottom = true })
    says('"merge" where a plan should be: a plan is a table', { "merge" })
  end)

  it("asks the engine too", function()
    local done = T.check_policy("leveled", { trees = 20, real = 2 })
    assert.equal(20, done.trees)
    assert.truthy(done.plans > 100 and done.steps > 50 and done.written > 0)
  end)

  it("is the same for the same seed", function()
    local first = T.check_policy(P.tiered(), { trees = 30, seed = 9 })
    assert.same(first, T.check_policy(P.tiered(), { trees = 30, seed = 9 }))
    assert.not_same(first, T.check_policy(P.tiered(), { trees = 30, seed = 8 }))
  end)

  it("knows its options", function()
    local function says(options, text)
      assert.error_matches(function() T.check_policy("tiered", options) end,
        text, nil, true)
    end
    says({ tree_s = 1 }, "unknown option 'tree_s'")
    says({ trees = "x" }, "option 'trees' takes a number from 0, got x")
    says(5, "bad argument #2 to 'check_policy' (table expected, got number)")
  end)

  it("blames the line that gives it no policy", function()
    local function says(expected, policy)
      local here = debug.getinfo(1, "l").currentline + 2
      local ok, message = pcall(function()
        T.check_policy(policy, { trees = 1 })
      end)
      assert.is_false(ok)
      assert.equal(("spec/testing/check_policy_spec.lua:%d: %s"):format(here,
        expected), message)
    end
    says("bad argument #1 to 'check_policy' (a policy expected, got nil)")
    says("option 'policy' takes a name or a table of functions, got a number",
      5)
  end)
end)
