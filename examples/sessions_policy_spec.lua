-- A policy of one's own: what it answers to trees written as text, what random
-- trees say of it, and what it saves on the workload that it was made for.

local T = require "grainstore.testing"
local grainstore = require "grainstore"
local lab = require "grainstore.lab"
local sessions = require "examples.sessions_policy"

local function plans_for(text, facts, options)
  return T.plan_text((T.pick(sessions(options), T.tree(text, facts))))
end

describe("the policy for sessions", function()
  it("drops the oldest run when all its sessions are over", function()
    local text = [[
      L0#2 a-z:100(10e 10x@50..200 #7)
      L0#1 a-z:100(10e 10x@10..100 #5)
    ]]
    assert.equal("nothing", plans_for(text, { now_ms = 99 }))
    assert.equal("drop 5", plans_for(text, { now_ms = 100 }))
    assert.equal("nothing", plans_for(text, {
      now_ms = 100, oldest_view = { seq = 1, age_ms = 1 },
    }))
  end)

  it("merges the four smallest neighbours when there are too many runs",
    function()
      local text = [[
        L0#6 a-z:100(10e #6)
        L0#5 a-z:30(10e #5)
        L0#4 a-z:40(10e #4)
        L0#3 a-z:10(10e #3)
        L0#2 a-z:20(10e #2)
        L0#1 a-z:100(10e #1)
      ]]
      assert.equal("nothing", plans_for(text, nil, { most = 6 }))
      assert.equal("merge 2 3 4 5 into 2", plans_for(text, nil, { most = 5 }))
    end)

  it("is never refused, and comes to rest", function()
    local found = T.check_policy(sessions(), { trees = 200, real = 50 })
    assert.equal(200, found.trees)
    assert.is_true(found.steps > 0)
  end)

  local TTL_MS, STEP_MS, SESSIONS = 30000, 5, 20000

  -- A session begins every few milliseconds, is written again now and then, and
  -- ends TTL_MS after that. What is on the disk then, and what was written.
  local function run(policy)
    local env = T.env { seed = 1 }
    local store <close> = assert(grainstore.open("sessions", {
      env = env, policy = policy, memtable_bytes = 32768,
      default_ttl_ms = TTL_MS, memory_bytes = 4 << 20,
    }))
    for i = 1, SESSIONS do
      store:put(("s%08d"):format(i * 7919 % 100003), ("v"):rep(100))
      env.clock:advance(STEP_MS)
      if i % 500 == 0 then
        store:put(("s%08d"):format((i - 300) * 7919 % 100003), ("w"):rep(100))
      end
      store:step()
    end
    assert(store:flush())
    while store:step() do end
    local stats = store:stats()
    return {
      live = store:count(), amp = stats.amp.tables, runs = stats.tables.runs,
      table_bytes = stats.tables.bytes, drops = stats.jobs.drops,
    }
  end

  it("writes less than half of what the default does, in as little space",
    function()
      local own, default = run(sessions()), run(nil)
      local told = ("write amplification %.2f against %.2f, %d bytes "
        .. "against %d, %d runs"):format(own.amp, default.amp, own.table_bytes,
        default.table_bytes, own.runs)
      assert.equal(default.live, own.live)
      assert.is_true(own.drops > 0)
      assert.is_true(own.runs <= 17, told)
      assert.is_true(own.amp < default.amp / 2, told)
      assert.is_true(own.table_bytes < 1.25 * default.table_bytes, told)
    end)

  -- The same question at a million sessions, without a disk.
  it("writes less than half of what the default does in the lab", function()
    local workload = lab.uniform {
      keys = 1e9, writes = 1e6, ttl_ms = 180e3, rate = 5000,
    }
    local function amplification(policy)
      return lab.run {
        policy = policy, workload = workload, memtable_bytes = 1 << 20,
        table_bytes = 1 << 20,
      }.amp
    end
    local own, default = amplification(sessions()), amplification "leveled"
    assert.is_true(own.write < default.write / 2,
      ("%.2f against %.2f"):format(own.write, default.write))
    assert.is_true(own.space < 1.1 * default.space,
      ("%.2f against %.2f"):format(own.space, default.space))
  end)
end)
