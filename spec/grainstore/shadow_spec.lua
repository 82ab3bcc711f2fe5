-- Shadows: that nothing of them ever reaches the store, and how they end.

local T = require "grainstore.testing"
local agree = require "spec.lab.agree"
local grainstore = require "grainstore"
local policies = require "grainstore.policy"
local shadowed = require "spec.support.shadowed"

local WRITES, MEMTABLE = shadowed.WRITES, shadowed.MEMTABLE
local open, writer = shadowed.open, shadowed.writer

describe("a shadow's policy", function()
  -- A store of some flushes beside a shadow.
  local function report_of(policy)
    local store <close> = open { policy = "leveled" }
    local shadow <close> = assert(store:shadow(policy))
    writer(store, nil, agree.workloads[1][2](WRITES))(1500)
    local stats = store:stats()
    assert.equal(0, stats.policy.errors)
    assert.equal(0, stats.jobs.refused)
    assert.equal("leveled/1", stats.policy.name)
    for _, event in ipairs(store:journal()) do
      assert(event.kind ~= "refused" and event.kind ~= "policy_error")
    end
    return shadow:report(), store
  end

  it("that raises only shows in the report", function()
    local report = report_of { pick = function() error "never" end }
    assert.truthy(report.policy_error:find("never", 1, true))
    assert.is_true(report.policy_aside)
    assert.equal(3, report.shadow.policy_errors)
    assert.truthy(tostring(report):find("set aside", 1, true))
  end)

  it("that loops is ended within its budget", function()
    local report = report_of { pick = function() while true do end end }
    assert.truthy(report.policy_error:find("instructions", 1, true))
    assert.is_true(report.policy_aside)
  end)

  it("that is refused is told so", function()
    local report = report_of { pick = function(tree)
      return { op = "merge", inputs = { tree.runs[1].tables[1].id, 999999 },
        bottom = true }
    end }
    assert.is_true(report.shadow.refused > 0)
    assert.truthy(tostring(report):find("plans were refused", 1, true))
  end)

  it("that does nothing leaves it to the engine's own merges", function()
    local report = report_of { pick = function() return nil end }
    assert.equal(1, report.shadow.merges)
    assert.equal(0, report.shadow.refused)
    assert.is_nil(report.problem)
  end)

  it("cannot use the store that it looks at", function()
    local store <close> = open()
    local said
    local shadow <close> = assert(store:shadow { pick = function()
      said = select(2, pcall(store.put, store, "a", "b"))
    end })
    writer(store, nil, agree.workloads[1][2](WRITES))(500)
    assert.truthy(tostring(said):find("cannot use the store", 1, true))
    assert.is_true(shadow:report().flushes > 3)
    assert.is_nil(store:get "a")
  end)

  it("cannot close the store that it looks at", function()
    local store <close> = open()
    local said
    local shadow <close> = assert(store:shadow { pick = function()
      said = select(2, pcall(store.close, store))
    end })
    writer(store, nil, agree.workloads[1][2](WRITES))(500)
    shadow:report()
    assert.truthy(tostring(said):find("cannot close its store", 1, true))
    assert.is_true(store:is_open())
  end)

  it("cannot use the shadow that asks it", function()
    local store <close> = open()
    local shadow, said = nil, {}
    shadow = assert(store:shadow { pick = function()
      said[1] = select(2, pcall(shadow.close, shadow))
      said[2] = select(2, pcall(shadow.report, shadow))
    end })
    writer(store, nil, agree.workloads[1][2](WRITES))(500)
    for i = 1, 2 do
      assert.truthy(said[i]:find("cannot use the shadow", 1, true))
    end
    assert.is_nil(shadow:report().policy_error)
    shadow:close()
  end)

  it("may be a name, a table, or a module", function()
    local store <close> = open()
    for _, policy in ipairs {
      "tiered", policies.expire_first "tiered",
      { module = "grainstore.policy.tiered", args = { width = 8 } },
    } do
      local shadow <close> = assert(store:shadow(policy))
      assert.truthy(tostring(shadow):find("tiered", 1, true))
    end
  end)

  it("is refused where it is none", function()
    local store <close> = open()
    for _, wrong in ipairs { 7, true, "nothing", {}, { pick = 1 },
      { module = 3 }, { module = "x", more = 1 } } do
      assert.has_error(function() store:shadow(wrong) end)
    end
    assert.has_error(function() store:shadow() end)
    local made, message, code = store:shadow { module = "no.such.module" }
    assert.is_nil(made)
    assert.truthy(message:find("no.such.module", 1, true))
    assert.equal("policy", code)
    assert.equal("policy", select(3, store:shadow "fifo"))
    store:close()
    assert.has_error(function() store:shadow "tiered" end)
  end)

  it("may lose where the store's may", function()
    local store <close> = open { lossy = true }
    local shadow <close> = assert(store:shadow(policies.fifo {
      max_bytes = 1 << 20,
    }))
    writer(store, nil, agree.workloads[1][2](WRITES))(1500)
    assert.is_true(shadow:report().shadow.drops > 0)
  end)
end)

describe("shadows", function()
  it("are many at once, and outlive a change of the policy", function()
    local store <close> = open { policy = "tiered" }
    local a <close> = assert(store:shadow "tiered")
    local write = writer(store, nil, agree.workloads[1][2](WRITES))
    write(1000)
    local b <close> = assert(store:shadow "leveled")
    assert(store:set("policy", "leveled"))
    write(1000)
    local first, second = a:report(), b:report()
    assert.is_true(first.flushes > second.flushes and second.flushes > 10)
    assert.equal("leveled/1", first.store_policy)
    assert.equal("tiered/1", first.policy)
    assert.is_true(first.shadow.runs > second.shadow.runs)
    a:close()
    write(500)
    assert.is_true(b:report().flushes > second.flushes)
  end)

  it("wait for flushes, and say so", function()
    local store <close> = open()
    local shadow <close> = assert(store:shadow "tiered")
    local report = shadow:report()
    assert.is_nil(report.shadow)
    assert.equal(0, report.flushes)
    assert.truthy(tostring(report):find("waits for more flushes", 1, true))
    store:put("a", "b")
    store:flush()
    assert.equal(1, shadow:report().flushes)
    for i = 1, 3 do
      store:put("c" .. i, "b")
      store:flush()
    end
    assert.equal(4, shadow:report().shadow.runs
      + shadow:report().shadow.merges * 3)
  end)

  it("end in any order", function()
    local steps = {
      a = function(s) s.a:close() end, b = function(s) s.b:close() end,
      store = function(s) assert(s.store:close()) end,
    }
    for _, order in ipairs {
      { "a", "b", "store" }, { "a", "store", "b" }, { "b", "a", "store" },
      { "b", "store", "a" }, { "store", "a", "b" }, { "store", "b", "a" },
    } do
      local s = { store = open() }
      s.a = assert(s.store:shadow "tiered")
      s.b = assert(s.store:shadow "manual")
      writer(s.store, nil, agree.workloads[1][2](WRITES))(300)
      for _, name in ipairs(order) do
        steps[name](s)
        if s.store:is_open() then s.store:put("x", "y") end
      end
      for _, shadow in ipairs { s.a, s.b } do
        shadow:close()
        assert.equal("grainstore.shadow (closed)", tostring(shadow))
        assert.has_error(function() shadow:report() end,
          "bad argument #1 to 'report' (the shadow is closed)")
      end
    end
  end)

  it("end with the store", function()
    local store = open()
    local shadow = assert(store:shadow "tiered")
    assert(store:close())
    assert.has_error(function() shadow:report() end)
    assert.has_error(function() shadow.report(1) end)
    assert.has_error(function() shadow.close(1) end)
  end)

  it("say which events they missed", function()
    local env = T.env { seed = 1 }
    local store <close> = open { env = env, journal_bytes = 0 }
    local shadow <close> = assert(store:shadow "tiered")
    local other <close> = assert(grainstore.open("/s", {
      env = env, durability = "memory",
    }))
    for i = 1, 400 do
      other:put("key" .. i, "value")
      assert(other:flush())
    end
    local report = shadow:report()
    assert.is_true(report.missing_events > 0)
    assert.is_true(report.flushes + report.missing_events >= 400)
    assert.truthy(tostring(report):find("events were lost", 1, true))
  end)

  it("follow stores with a thread, and threaded policies", function()
    for _, policy in ipairs {
      "leveled", { module = "grainstore.policy.leveled" },
    } do
      local path = os.tmpname()
      os.remove(path)
      local store = assert(grainstore.open(path, {
        threads = 1, policy = policy, memtable_bytes = MEMTABLE,
        memory_bytes = 4 << 20, durability = "memory",
        disk_reserve_bytes = 1 << 20,
      }))
      local shadow <close> = assert(store:shadow "tiered")
      local value = ("v"):rep(1000)
      for i = 1, 3000 do
        store:put(("%08d"):format(i * 7919 % 100000), value)
      end
      assert(store:flush())
      local report = shadow:report()
      assert.is_true(report.flushes >= 8)
      assert.is_true(report.shadow.runs > 0)
      assert.equal(0, report.missing_events)
      assert(store:close())
      grainstore.destroy(path)
    end
  end)

  it("are none of a store that is only read", function()
    local env = T.env { seed = 1 }
    local store = open { env = env }
    store:put("a", "b")
    assert(store:close())
    local reader <close> = assert(grainstore.open("/s", {
      env = env, readonly = true,
    }))
    assert.equal("readonly", select(3, reader:shadow "tiered"))
  end)

  it("are collected where nobody keeps them", function()
    local store <close> = open()
    local kept = setmetatable({}, { __mode = "k" })
    kept[assert(store:shadow "tiered")] = true
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(kept))
    store:put("a", "b")
    assert(store:flush())
    local shadow <close> = assert(store:shadow "tiered")
    store:put("a", "b")
    assert(store:flush())
    assert.equal(1, shadow:report().flushes)
  end)

  it("are collected with their store", function()
    local kept = setmetatable({}, { __mode = "k" })
    do
      local store = open()
      kept[assert(store:shadow "tiered")] = true
      kept[store] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(kept))
  end)
end)
