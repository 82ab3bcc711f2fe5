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
      store:put("k", "v") -- it is asked when it comes
      change(store)
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
        :find('pick returned "merge it"; it returns nil, a plan', 1, true))
    end)

    it("answers an array of nonsense", function()
      assert.is_truthy(set_aside({ pick = function() return { 5 } end })
        :find("pick returned 5 where a plan should be", 1, true))
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

  it("lets no policy use the store that it decides for", function()
    local store, said = nil, {}
    store = open { pick = function()
      local cursor = store.cursor
      for _, f in ipairs {
        function() store:put("from the policy", "v") end,
        function() store:get "k" end,
        function() store:flush() end,
        function() store:tree() end,
        function() store:set("policy", "leveled") end,
        function() store:close() end,
        function() cursor(store) end,
        function() store:scan() end,
        function() pairs(store)() end,
      } do
        said[#said + 1] = select(2, pcall(f))
      end
    end }
    change(store, 3)
    assert.is_true(#said >= 9)
    for _, message in ipairs(said) do
      assert.is_truthy(message:find("a policy cannot", 1, true), message)
    end
    assert.is_nil(store:get "from the policy")
    assert.is_nil(store:tree().policy_error)
    store:close()
  end)

  it("goes on when a policy takes the tree it is shown to pieces", function()
    local store <close> = open {
      pick = function(tree)
        tree.shape:close()
        for name in pairs(tree) do tree[name] = nil end
        setmetatable(tree, { __index = function() error "gone" end })
      end,
      layout = function() end,
      throttle = function(tree) return #tree.runs end,
    }
    change(store, 3)
    assert.is_truthy(store:tree().policy_error:find "^throttle: .*gone")
    change(store, 12)
    assert.is_true(store:tree().policy_aside)
    while store:step() do end
    assert.is_true(#store:tree().runs <= 4)
  end)

  it("calls a policy with the collector at rest and leaves it as it was",
    function()
      local is_running, collected
      local store <close> = open { pick = function()
        is_running = collectgarbage "isrunning"
        local inside
        setmetatable({}, { __gc = function() inside = true end })
        for i = 1, 10000 do local _ = { i } end
        collected = inside
      end }
      change(store)
      assert.is_false(is_running)
      assert.is_nil(collected)
      assert.is_true(collectgarbage "isrunning")
      collectgarbage "stop"
      change(store)
      local was_running = collectgarbage "isrunning"
      collectgarbage "restart"
      assert.is_false(was_running)
    end)

  describe("asks layout", function()
    it("once for each level, and makes tables as it says", function()
      local asked = {}
      local policy = {
        pick = function(tree)
          if #tree.runs < 2 or tree.running > 0 then return nil end
          return {
            op = "merge", inputs = tree:ids(1, #tree.runs), level = 3,
            into = tree.runs[#tree.runs].id,
          }
        end,
        layout = function(level)
          asked[#asked + 1] = level
          return { table_bytes = level == 0 and 1 << 20 or 4096 }
        end,
      }
      local store <close> = open(policy)
      for i = 1, 400 do store:put("k" .. i, ("v"):rep(100)) end
      assert(store:flush())
      assert.equal(1, #store:tree().runs[1].tables)
      for i = 1, 400 do store:put("k" .. i, ("v"):rep(100)) end
      assert(store:flush())
      while store:step() do end
      assert.is_true(#store:tree().runs[1].tables > 5)
      change(store, 5)
      assert.same({ 0, 3 }, asked)
      store:set("policy", policy)
      assert.same({ 0, 3, 0, 3 }, asked)
    end)

    it("also for what blocks are packed by", function()
      local policy = {
        pick = function() end,
        layout = function() return { compression = "lz4" } end,
      }
      local sizes = {}
      for i, given in ipairs { { pick = policy.pick }, policy } do
        local store <close> = open(given)
        for n = 1, 400 do store:put("k" .. n, ("words "):rep(20)) end
        assert(store:flush())
        sizes[i] = store:stats().tables.bytes
        assert.equal(400, store:count())
        assert(store:verify())
      end
      assert.is_true(sizes[2] < sizes[1] / 2)
    end)

    it("again where it gave no answer", function()
      local asked = 0
      local store <close> = open { pick = function() end, layout = function()
        asked = asked + 1
        if asked == 1 then return { compression = "snappy" } end
      end }
      change(store)
      assert.equal(2, asked)
      change(store, 5)
      assert.equal(2, asked)
    end)
  end)

  describe("throttles writers", function()
    it("as the policy says, until it says otherwise", function()
      local env <close> = T.env { tasks = true }
      local rate = 100000
      local store <close> = assert(grainstore.open("/db", {
        env = env,
        policy = { pick = function() end, throttle = function()
          return rate
        end },
      }))
      store:put("k", "v")
      local began = env.clock:now()
      for _ = 1, 10 do store:put("k", ("v"):rep(10000)) end
      assert.is_true(env.clock:now() - began >= 890)
      assert.is_true(env.clock:now() - began <= 1010)
      local stalls = store:stats().stalls
      assert.equal("throttle", stalls.last_reason)
      assert.is_true(stalls.by_reason.throttle.count >= 9)
      assert.equal(0, stalls.by_reason.runs.count)
      rate = nil
      assert(store:flush())
      began = env.clock:now()
      for _ = 1, 10 do store:put("k", ("v"):rep(10000)) end
      assert.equal(began, env.clock:now())
    end)
  end)

  it("asks flush again when memory has grown by what it answered", function()
    local seen = {}
    local store <close> = open { pick = function() end, flush = function(mem)
      seen[#seen + 1] = mem.bytes
      return mem.bytes > 40000 or 20000
    end }
    for i = 1, 1000 do
      store:put("k" .. i, ("v"):rep(100))
      store:step()
    end
    assert.is_true(#seen >= 6)
    assert.is_true(seen[1] < 1000)
    assert.is_true(seen[2] > seen[1] + 20000 and seen[2] < 22000)
    assert.is_true(seen[3] > seen[2] + 20000 and seen[3] < 44000)
    while store:step() do end
    assert.is_true(store:stats().jobs.flushes >= 2)
  end)

  it("wakes when it was asked to", function()
    local env <close> = T.env {}
    local reasons, asks = {}, true
    local store <close> = assert(grainstore.open("/db", {
      env = env, policy = { pick = function(tree)
        reasons[#reasons + 1] = tree.reason
        return asks and { wake_in_ms = 1000 } or nil
      end },
    }))
    store:put("k", "v")
    assert.same({ "manual" }, reasons)
    store:step()
    env.clock:advance(999)
    store:step()
    assert.same({ "manual" }, reasons)
    env.clock:advance(1)
    store:step()
    assert.same({ "manual", "timer" }, reasons)
    asks = false
    env.clock:advance(1000)
    store:step()
    assert.same({ "manual", "timer", "timer" }, reasons)
    env.clock:advance(100000)
    store:step()
    assert.equal(3, #reasons)
  end)

  it("drops data that lives only where the store was opened for it", function()
    local path, drops = tmp.path(), nil
    local policy = { pick = function(tree)
      drops = tree.refused
      if #tree.runs < 3 then return nil end
      return { op = "drop", inputs = tree:ids(#tree.runs, #tree.runs),
        why = "too old" }
    end }
    local function life(options)
      options.policy, options.threads = policy, 0
      local store <close> = assert(grainstore.open(path, options))
      for i = 1, 5 do
        store:put("k" .. i, "v")
        assert(store:flush())
      end
      while store:step() do end
      return store:get "k1", store:get "k5", #store:tree().runs
    end
    local first, last, runs = life {}
    assert.same({ "v", "v", 5 }, { first, last, runs })
    assert.equal("not_dead", drops[1].code)
    assert.is_truthy(drops[1].message:find("loss by policy", 1, true))
    first, last, runs = life { lossy = true }
    assert.equal("v", last)
    assert.is_true(runs <= 3)
    assert.equal(nil, first)
  end)

  it("has one policy for all handles of a store", function()
    local path = tmp.path()
    local asked = { 0, 0 }
    local function policy(i)
      return { name = "number " .. i, pick = function()
        asked[i] = asked[i] + 1
      end }
    end
    local one <close> = assert(grainstore.open(path, {
      policy = policy(1), threads = 0,
    }))
    change(one)
    local before = asked[1]
    assert.is_true(before > 0)
    local two <close> = assert(grainstore.open(path, {
      policy = policy(2), threads = 0,
    }))
    change(one, 3)
    assert.equal(before, asked[1])
    change(two, 3)
    assert.is_true(asked[2] > 0)
    assert.equal("number 2", one:stats().policy.name)
    local three <close> = assert(grainstore.open(path, { threads = 0 }))
    change(three)
    assert.equal("number 2", three:stats().policy.name)
    assert.is_nil(three:tree().policy_error)
  end)

  it("leaves the plans to the engine when its handle is closed", function()
    local path = tmp.path()
    local one = assert(grainstore.open(path, {
      policy = T.manual, threads = 0,
    }))
    local two <close> = assert(grainstore.open(path, { threads = 0 }))
    change(two, 12)
    while two:step() do end
    assert.equal(12, #two:tree().runs)
    one:close()
    change(two)
    while two:step() do end
    assert.is_true(#two:tree().runs <= 5)
  end)

  it("tells of its policy in stats", function()
    local store <close> = open {
      name = "mine/1", pick = function() error "sometimes" end,
    }
    local before = store:stats()
    change(store)
    local policy = store:stats().policy
    assert.equal("mine/1", policy.name)
    assert.equal("inline", policy.mode)
    assert.is_true(policy.decisions >= 1)
    assert.equal(policy.decisions, policy.errors)
    assert.equal("integer", math.type(policy.time_us))
    assert.is_false(policy.aside)
    local delta = store:stats():delta(before).policy
    assert.equal(policy.decisions - before.policy.decisions, delta.decisions)
    store:set("policy", "tiered")
    assert.equal("tiered/1", store:stats().policy.name)
    assert.equal(0, store:stats().policy.errors)
  end)
end)
