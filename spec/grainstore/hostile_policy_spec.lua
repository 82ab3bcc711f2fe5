-- Policies that do nothing, raise, loop, take all memory or answer anything at
-- all, in every one of their functions: the store stays right and bounded, and
-- says what happened.

local Random = require "grainstore.testing.random"
local grainstore = require "grainstore"
local T = require "grainstore.testing"

local FUNCTIONS = { "pick", "flush", "layout", "throttle" }

-- Writes much, deletes some, and compares with a plain table at the end.
local function live(policy, writes)
  local env <close> = T.env { seed = 1 }
  local store <close> = assert(grainstore.open("/db", {
    env = env, policy = policy, memtable_bytes = 4096, table_bytes = 8192,
    block_bytes = 512, memory_bytes = 1 << 20, max_wal_bytes = 65536,
    disk_reserve_bytes = 0, threads = 0,
  }))
  local expected, most_runs = {}, 0
  for i = 1, writes or 1200 do
    local key = ("k%03d"):format(i * 7919 % 500)
    if i % 7 == 0 then
      assert(store:delete(key))
      expected[key] = nil
    else
      expected[key] = ("v%d"):format(i):rep(25)
      assert(store:put(key, expected[key]))
    end
    if i % 10 == 0 then
      store:step()
      most_runs = math.max(most_runs, store:stats().tables.runs)
    end
  end
  assert(store:flush())
  while store:step() do end
  local found = {}
  for key, value in pairs(store) do found[key] = value end
  assert.same(expected, found)
  assert(store:verify())
  local stats = store:stats()
  assert.is_true(most_runs <= 33, most_runs .. " runs")
  assert.is_true(stats.wal.bytes <= 4 * 65536)
  assert.is_true(env:used() < 4 << 20)
  return stats, store:tree()
end

local function all_alike(f)
  local policy = { name = "hostile" }
  for _, name in ipairs(FUNCTIONS) do policy[name] = f end
  return policy
end

-- One that does well but for one function.
local function only(name, f)
  local policy = grainstore.policy.tiered { width = 3 }
  policy[name] = f
  return policy
end

local hostile = {
  ["raises"] = { function() error "no idea" end, "no idea" },
  ["loops for ever"] = {
    function() while true do end end, "too many instructions",
  },
  ["loops in pcall"] = {
    function() while true do pcall(function() while true do end end) end end,
    "too many instructions",
  },
  ["takes all memory"] = {
    function()
      local kept = {}
      while true do kept[#kept + 1] = ("x"):rep(100000) .. #kept end
    end,
    "too many bytes of memory",
  },
  ["answers nonsense"] = { function() return "nonsense" end, "returned" },
}

describe("a policy", function()
  it("that does nothing leaves the floor to the engine", function()
    local stats, tree = live { name = "lazy", pick = function() end }
    assert.is_true(stats.jobs.merges > 0)
    assert.is_nil(tree.policy_error)
    assert.is_false(tree.policy_aside)
    assert.is_true(stats.policy.decisions > 20)
  end)

  for name, it_does in pairs(hostile) do
    it("that " .. name .. " in all it does is set aside", function()
      local stats, tree = live(all_alike(it_does[1]))
      assert.is_true(tree.policy_aside)
      assert.is_truthy(tree.policy_error:find(it_does[2], 1, true))
      assert.equal(3, stats.policy.errors)
      assert.is_true(stats.jobs.merges > 0)
      assert.is_true(#tree.runs <= 5)
    end)

    for _, f in ipairs(FUNCTIONS) do
      it(("that %s in %s is set aside"):format(name, f), function()
        local _, tree = live(only(f, it_does[1]), 300)
        assert.is_true(tree.policy_aside)
        assert.equal(f, tree.policy_error:match "^%l+")
        assert.is_truthy(tree.policy_error:find(it_does[2], 1, true))
      end)
    end
  end

  it("that seals at every question makes no more runs than others", function()
    live(only("flush", function() return true end))
    live { pick = function() end, flush = function() return true end }
  end)

  it("that asks for the slowest of writers gets work instead of waiting",
    function()
      local stats = live(only("throttle", function() return 1e-300 end))
      assert.equal(0, stats.stalls.count)
    end)

  -- Any value at all, often one that is nearly right.
  local function anything(random, tree, depth)
    depth = depth or 0
    local kinds = {
      function() return nil end,
      function() return random:one_in(2) end,
      function() return random:int(-5, 1 << 20) end,
      function() return ({ 0 / 0, math.huge, -math.huge, 1e300, 0.5 })[
        random:int(1, 5)] end,
      function() return ("x"):rep(random:int(0, 100)) end,
      function() return print end,
      function() return coroutine.create(print) end,
      function() return setmetatable({}, {
        __index = function() error "trap" end, __len = function() return 9 end,
      }) end,
      function() error(random:one_in(2) and "raised" or {}) end,
      function()
        local t = {}
        if depth < 3 then
          for i = 1, random:int(0, 4) do
            t[i] = anything(random, tree, depth + 1)
          end
          for _ = 1, random:int(0, 3) do
            local name = ({ "op", "inputs", "into", "above", "bottom", "level",
              "cuts", "wake_in_ms", "table_bytes", "block_bytes" })[
              random:int(1, 10)]
            t[name] = anything(random, tree, depth + 1)
          end
        end
        return t
      end,
      function()
        if not tree or #tree.runs == 0 then return {} end
        local first = random:int(1, #tree.runs)
        local last = random:int(first, #tree.runs)
        return {
          op = ({ "merge", "move", "drop" })[random:int(1, 3)],
          inputs = tree:ids(first, last), level = random:int(0, 9),
          into = random:one_in(2) and tree.runs[last].id or nil,
          bottom = random:one_in(3), table_bytes = random:int(0, 20000),
        }
      end,
    }
    return kinds[random:int(1, #kinds)]()
  end

  it("that answers anything at all loses nothing", function()
    for seed = 1, 8 do
      local random = Random.new(seed)
      local tree
      local policy = {
        pick = function(t)
          tree = t
          return anything(random, tree)
        end,
        flush = function() return anything(random) end,
        layout = function() return anything(random) end,
        throttle = function() return anything(random, tree) end,
      }
      live(policy, 500)
    end
  end)
end)
