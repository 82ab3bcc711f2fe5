-- A store's journal replayed in the lab: under the policy that wrote it, and
-- under others, the lab's figure is what the engine measures. `make lab-agree
-- ARGS="dir 2 recorded"` does the same with gigabytes.

local T = require "grainstore.testing"
local agree = require "spec.lab.agree"
local grainstore = require "grainstore"
local lab = require "grainstore.lab"
local measure = require "grainstore.lab.measure"

local WRITES = 6000
local MEMTABLE = 256 << 10
local BOUND = 0.10
local SOURCES = { "leveled", "lazy_leveled", "tiered" }

local function maker(name)
  for _, policy in ipairs(agree.policies()) do
    if policy[1] == name then return policy[2] end
  end
end

local function engine(workload, name)
  return measure {
    path = "/recorded", env = T.env { seed = 1 },
    policy = maker(name)(WRITES, MEMTABLE), workload = workload[2](WRITES),
    memtable_bytes = MEMTABLE, table_bytes = MEMTABLE,
  }
end

local function replay(workload, name)
  return agree.foretell {
    policy = maker(name)(WRITES, MEMTABLE), workload = workload,
    table_bytes = MEMTABLE, seeds = 3,
  }
end

describe("a recorded workload", function()
  for _, workload in ipairs(agree.workloads) do
    it("foretells what any policy does: " .. workload[1], function()
      local measured, off = {}, {}
      for _, name in ipairs(SOURCES) do
        measured[name] = engine(workload, name)
      end
      for _, source in ipairs(SOURCES) do
        local record = assert(lab.recorded {
          events = measured[source].journal,
        })
        for _, name in ipairs(SOURCES) do
          local found = replay(record, name)
          local true_one = measured[name].write_amp
          if math.abs(found / true_one - 1) > BOUND then
            off[#off + 1] = ("%s from %s: the engine's is %.3f, the lab's %.3f")
              :format(name, source, true_one, found)
          end
        end
      end
      assert(#off == 0, table.concat(off, "\n"))
    end)
  end

  it("says so where no event names what its flush wrote", function()
    local env = T.env()
    local store <close> = assert(grainstore.open("long", {
      env = env, threads = 0, memtable_bytes = 1 << 20,
    }))
    local key = ("k"):rep(30000)
    for round = 1, 3 do
      store:put(key, "one") store:put(key, "two")
      assert(store:flush())
      assert.same({}, store:journal()[round].outputs or {})
    end
    local record, message, code = lab.recorded { events = store:journal() }
    assert.is_nil(record)
    assert.equal("missing", code)
    assert.is_string(message)
  end)

  it("begins with the tree that a late record finds", function()
    for _, at in ipairs { 1, 3, 5 } do
      local workload = agree.workloads[at]
      for _, name in ipairs(SOURCES) do
        local all = engine(workload, name).journal
        local late = table.move(all, #all // 3, #all, 1, {})
        local user, written = 0, 0
        for i = 2, #late do
          user = user + (late[i].kind == "flush" and late[i].read_bytes or 0)
          written = written + (late[i].written_bytes or 0)
        end
        local record = assert(lab.recorded { events = late })
        assert.is_true(record.missing_events > 0 and #record.tree > 0)
        local found = replay(record, name)
        assert(math.abs(found * user / written - 1) <= BOUND,
          ("%s, %s: the engine's is %.3f, the lab's %.3f"):format(workload[1],
            name, written / user, found))
      end
    end
  end)

  it("has the flushes of the record, at their times", function()
    local measured = engine(agree.workloads[5], "tiered")
    local w = assert(lab.recorded { events = measured.journal })
    assert.equal("recorded", w.name)
    assert.equal(measured.flushes, w.flushes)
    assert.equal(measured.flushes, #w.record)
    assert.near(4000, w.value_bytes, 1)
    assert.near(16, w.key_bytes, 1)
    assert.near(WRITES // 4, w.ttl_ms, 150)
    assert.equal(0, w.missing_events)
    local report = lab.run {
      policy = "tiered", workload = w, table_bytes = MEMTABLE, instant = true,
    }
    assert.equal(measured.flushes, report.jobs.flushes)
    assert.equal(#w.record, #report.history)
    assert.near(measured.user_bytes,
      report.history[#report.history].user_bytes, 0.02 * measured.user_bytes)
    assert.near(6, report.history[#report.history].time_s, 0.2)
    assert.equal(w.fit_off, report.parameters.fit_off)
    assert.is_nil(report.parameters.record)
    assert.truthy(report:text():find("fit_points", 1, true))
  end)

  it("is read from a directory", function()
    local env = T.env { seed = 1 }
    local store = assert(grainstore.open("/s", { env = env, threads = 0 }))
    for i = 1, 500 do store:put(("%05d"):format(i * 7919 % 50000), "value") end
    assert(store:close())
    local w = assert(lab.recorded { journal = "/s", env = env })
    assert.equal(1, w.flushes)
    assert.equal(500, w.writes)
    local report = lab.run { policy = "leveled", workload = w, instant = true }
    assert.equal(1, report.jobs.flushes)
  end)

  it("says what is not there", function()
    local env = T.env { seed = 1 }
    assert.equal("missing", select(3, lab.recorded {
      journal = "/none", env = env,
    }))
    local made, message, code = lab.recorded { events = {} }
    assert.is_nil(made)
    assert.equal("missing", code)
    assert.truthy(message:find("no flush", 1, true))
  end)

  it("takes a journal or events, and no machine of one's own", function()
    assert.has_error(function() lab.recorded() end)
    assert.has_error(function() lab.recorded {} end)
    assert.has_error(function() lab.recorded { events = 1 } end)
    assert.has_error(function() lab.recorded { journal = "x", events = {} } end)
    assert.has_error(function() lab.recorded { events = {}, keys = 3 } end,
      "lab.recorded has no option 'keys'; there are env, events, journal")
    local w = lab.uniform { writes = 1 }
    w.record = {}
    local ok, message = pcall(lab.run, { workload = w, memtable_bytes = 9999 })
    assert.is_false(ok)
    assert.truthy(message:find("is the record's", 1, true))
  end)
end)
