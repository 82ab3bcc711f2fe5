-- Runs in the lab: reports, and what they say of policies that are understood.

local lab = require "grainstore.lab"
local policies = require "grainstore.policy"

local MIB = 1 << 20

local function run(options)
  options.workload = options.workload
    or lab.uniform { keys = 20000, writes = 200000 }
  options.memtable_bytes = options.memtable_bytes or MIB
  options.table_bytes = options.table_bytes or MIB
  return lab.run(options)
end

describe("a run in the lab", function()
  it("gives a report with a history", function()
    local report = run { policy = "tiered", samples = 50 }
    assert.equal("tiered/1", report.policy)
    assert.equal("uniform", report.workload)
    assert.equal(1, report.seed)
    assert.equal(20000, report.parameters.keys)
    assert.equal(50, #report.history)
    for i, sample in ipairs(report.history) do
      assert.near(200000 * i / 50, sample.writes, 1)
      assert.is_true(sample.disk_bytes >= 0 and sample.tables >= sample.runs)
    end
    local last = report.history[50]
    assert.near(200000 * 116, last.user_bytes, 1)
    assert.equal(last.write_amp, report.amp.write)
    assert.is_true(report.amp.write > 1 and report.amp.read >= 1)
    assert.is_true(report.decisions > 10)
    assert.is_true(report.policy_s <= report.took_s)
    assert.is_string(report:text())
  end)

  it("is the same for the same seed", function()
    local function figures(seed)
      local report = run { policy = "leveled", seed = seed }
      report.took_s, report.policy_s = 0, 0
      return report
    end
    assert.same(figures(1), figures(1))
    assert.is_false(figures(1).amp.write == figures(2).amp.write)
  end)

  it("packs blocks where the policy's layout says so", function()
    -- Of each flush but the first, which comes before the policy is asked.
    local function flush_bytes(compression, ratio)
      local report = run {
        policy = {
          pick = function() end,
          layout = function() return { compression = compression } end,
        },
        workload = lab.uniform { keys = 1e6, writes = 1e5 }, ratio = ratio,
        samples = 10,
      }
      local first, last = report.history[3], report.history[10]
      return (last.flushed_bytes - first.flushed_bytes)
        / (last.runs - first.runs)
    end
    local plain = flush_bytes(nil, 0.5)
    assert.near(1, flush_bytes("none", 0.5) / plain, 0.001)
    assert.near(1, flush_bytes("lz4", 1) / plain, 0.001)
    assert.near(1, flush_bytes("lz4", 0.9) / plain, 0.001)
    assert.near(0.53, flush_bytes("lz4", 0.5) / plain, 0.03)
    assert.near(0.29, flush_bytes("zstd", 0.25) / plain, 0.03)
  end)

  it("takes every shipped policy", function()
    for _, name in ipairs(policies.names) do
      local report = run { policy = name, lossy = true, samples = 5 }
      assert.equal(name .. "/1", report.policy)
      assert.is_true(report.history[5].flushed_bytes > 0)
    end
  end)

  it("takes no policy that loses where nothing may be lost", function()
    local ok, message = pcall(run, { policy = "fifo" })
    assert.is_false(ok)
    assert.is_truthy(message:find("lossy = true", 1, true))
  end)

  it("says what was wrong with a policy, and that it was set aside", function()
    local report = run { policy = { pick = function() error "boom" end } }
    assert.is_true(report.policy_aside)
    assert.is_truthy(report.policy_error:find("boom", 1, true))
    assert.is_truthy(tostring(report):find("was set aside", 1, true))
    assert.is_nil(tostring(run { policy = "tiered" }):find("aside", 1, true))
  end)

  it("takes every workload", function()
    for _, name in ipairs { "uniform", "zipf", "delete_heavy", "sequential",
      "queue" } do
      local report = run {
        policy = "tiered", workload = lab[name] { keys = 5000, writes = 50000 },
      }
      assert.equal(name, report.workload)
      assert.is_true(report.history[#report.history].disk_bytes > 0)
    end
    local report = run {
      policy = policies.expire_first(policies.time_window {
        window_ms = 5000,
      }),
      workload = lab.time_series {
        writes = 100000, rate = 1000, ttl_ms = 20000,
      },
    }
    assert.is_true(report.jobs.drops > 0)
    assert.is_true(report.amp.space < 3)
  end)

  it("weighs writing against reading and space as theory does", function()
    local workload = lab.uniform { keys = 200000, writes = 2000000 }
    local found = {}
    for _, name in ipairs { "leveled", "tiered", "lazy_leveled" } do
      found[name] = run {
        policy = policies[name](name == "leveled" and {
          base_bytes = 4 * MIB,
        } or nil), workload = workload, instant = true,
      }.amp
    end
    local leveled, tiered = found.leveled, found.tiered
    assert.is_true(tiered.write < found.lazy_leveled.write)
    assert.is_true(tiered.write < leveled.write)
    assert.is_true(leveled.read < tiered.read)
    assert.is_true(leveled.space < tiered.space)
    assert.is_true(found.lazy_leveled.space < tiered.space)
  end)

  it("stalls a writer that is too fast for the device", function()
    local report = run {
      policy = "leveled", workload = lab.uniform {
        keys = 200000, writes = 400000, rate = 1e6,
      }, write_bytes_per_s = 20 * MIB, read_bytes_per_s = 20 * MIB,
    }
    local stalls = report.stalls
    assert.is_true(stalls.count > 0)
    assert.is_true(stalls.longest_s > 0)
    assert.is_true(stalls.longest_s <= stalls.total_s)
    local sum = 0
    for _, seconds in pairs(stalls.by_reason) do sum = sum + seconds end
    assert.near(stalls.total_s, sum, 1e-9)
  end)

  it("is bounded where a policy does nothing, and where one fails", function()
    for _, pick in ipairs {
      function() end, function() error "no" end, function() return 7 end,
      function() return { op = "merge", inputs = { 1, 1 }, bottom = true } end,
    } do
      local report = run { policy = { name = "odd", pick = pick } }
      assert.is_true(report.history[#report.history].runs <= 32)
    end
  end)

  it("counts what was wrong with a policy's answers", function()
    local calls = 0
    local report = run { policy = { pick = function()
      calls = calls + 1
      error "no"
    end } }
    assert.equal(3, calls)
    assert.equal(3, report.policy_errors)
    assert.equal(0, run { policy = "tiered" }.policy_errors)
  end)

  it("ends a policy that loops for ever, as a store does", function()
    local report = run {
      policy = { pick = function() while true do end end },
      workload = lab.uniform { keys = 5000, writes = 50000 },
    }
    assert.equal(3, report.policy_errors)
  end)

  it("holds a petabyte", function()
    local report = lab.run {
      policy = "tiered", workload = lab.uniform {
        keys = 1e13, writes = 1e13, rate = 1e6,
      }, memtable_bytes = 1 << 37, table_bytes = 1 << 40, samples = 20,
    }
    local last = report.history[20]
    assert.is_true(last.disk_bytes > 5e14)
    assert.is_true(last.tables < 10000)
  end)

  it("refuses what it does not know", function()
    assert.has_error(function() lab.run(1) end)
    assert.has_error(function() run { policy = "best" } end)
    assert.has_error(function() lab.run { policy = "tiered" } end)
    assert.has_error(function() run { policy = "tiered", speed = 1 } end)
    assert.has_error(function() run { policy = "tiered", seed = "x" } end)
    assert.has_error(function() run { policy = "tiered", instant = 1 } end)
    assert.has_error(function() lab.uniform { key = 1 } end)
    assert.has_error(function() lab.uniform { keys = -1 } end)
    assert.has_error(function() lab.time_series { keys = 1 } end)
  end)

  it("blames its caller for numbers that no store has", function()
    local function says(expected, options, of_workload)
      options.workload, options.policy = lab.zipf(of_workload), "tiered"
      for _, f in ipairs {
        function() lab.run(options) end,
        function() lab.compare { options } end,
      } do
        local ok, message = pcall(f)
        assert.is_false(ok)
        local place = ("spec/lab/lab_spec.lua:%d: "):format(
          debug.getinfo(f, "S").linedefined)
        assert.equal(place .. expected, message)
      end
    end
    local keys_and_writes =
      "the lab: a workload has 1 to 1e15 keys and 1 to 1e16 writes"
    says(keys_and_writes, {}, { writes = 0 })
    says(keys_and_writes, {}, { keys = 0 })
    says("the lab: keys have 1 to 65535 bytes, values 0 to 2^30", {},
      { key_bytes = 0 })
    says("the lab: skew is 0 to 4, delete_share 0 to 1, rate not negative", {},
      { delete_share = 2 })
    says("the lab: ratio is above 0 and at most 1", { ratio = 5 })
    says("the lab: option 'workers' is too large", { workers = 1e10 })
  end)

  it("prints no number but the one it takes", function()
    local function says(expected, options)
      options.workload, options.policy = lab.zipf {}, "tiered"
      local f = function() lab.run(options) end
      local ok, message = pcall(f)
      assert.is_false(ok)
      assert.equal(("spec/lab/lab_spec.lua:%d: option %s"):format(
        debug.getinfo(f, "S").linedefined, expected), message)
    end
    for _, name in ipairs { "workers", "samples" } do
      says(("'%s' of the lab takes an integer from 1, got 0"):format(name),
        { [name] = 0 })
      says(("'%s' of the lab takes an integer from 1, got 1.5"):format(name),
        { [name] = 1.5 })
    end
    for _, name in ipairs {
      "memtable_bytes", "table_bytes", "block_bytes", "max_stall_ms",
    } do
      says(("'%s' of the lab takes a number from 1, got 0"):format(name),
        { [name] = 0 })
    end
    says("'ratio' of the lab takes a number above 0, got 0", { ratio = 0 })
    says("'seed' of the lab takes an integer from 0, got 1.5", { seed = 1.5 })
    assert.equal(2, run { policy = "tiered", workers = 2.0 }.parameters.workers)
  end)

  it("says at the caller's place what it wanted", function()
    for _, case in ipairs {
      { "lab.compare takes an array of reports or of options, got a nil",
        lab.compare },
      { "lab.compare takes an array of reports or of options, got a string",
        lab.compare, "x" },
      { "lab.compare takes at least one report", lab.compare, {} },
      { "lab.compare: element 1 is a number, neither a report nor a table of "
        .. "options", lab.compare, { 7 } },
      { "option 'workload' takes a workload, as lab.uniform { … } makes one",
        lab.compare, { {} } },
      { "option 'workload': 'keys' is a number from 0, got nil; lab.uniform "
        .. "{ … } makes a whole one", lab.run,
        { workload = { kind = "random" } } },
      { "option 'workload': 'ttl_ms' is a number from 0, got \"1h\"; "
        .. "lab.uniform { … } makes a whole one", lab.run,
        { workload = { kind = "random", keys = 1, writes = 1, key_bytes = 1,
          value_bytes = 1, ttl_ms = "1h", delete_share = 0, rate = 0 } } },
      { "option 'workload': 'kind' is \"randm\"; it is queue, random or "
        .. "sequence", lab.run, { workload = { kind = "randm" } } },
      { "option 'workload': 'writes' is a number from 0, got nil; lab.uniform "
        .. "{ … } makes a whole one", lab.compare,
        { { workload = { kind = "queue", keys = 10 } } } },
      { "the lab has no option 'nope'; there are ", lab.compare,
        { { workload = lab.zipf {}, nope = 1 } } },
      { "option 'policy': there is no policy \"nope\"; shipped are ",
        lab.compare, { { workload = lab.zipf {}, policy = "nope" } } },
      { "the lab has no option 'nope'; there are ", lab.run,
        { workload = lab.zipf {}, nope = 1 } },
      { "option 'instant' of the lab takes a boolean, got 1", lab.run,
        { workload = lab.zipf {}, instant = 1 } },
      { "option 'policy': there is no policy \"nope\"; shipped are ", lab.run,
        { workload = lab.zipf {}, policy = "nope" } },
      { "policy 'fifo/1' drops what is live: give lossy = true", lab.run,
        { workload = lab.zipf {}, policy = "fifo" } },
      { "lab.run takes a table of options, got a number", lab.run, 1 },
      { "workload 'zipf' has no option 'a'; there are ", lab.zipf, { a = 1 } },
      { "option 'events' of lab.recorded: element 2 is no event of a journal",
        lab.recorded, { events = { { kind = "open", number = 1, time_ms = 1,
          tree = {} }, { kind = "flush", number = 2, time_ms = 2,
          tree = {} } } } },
      { "workload 'zipf' takes a table of options, got a string", lab.zipf,
        "x" },
      { "workload 'time_series' takes a table of options, got a number",
        lab.time_series, 4 },
      { "lab.recorded takes a table of options, got a string", lab.recorded,
        "x" },
    } do
      local ok, message = pcall(function() case[2](case[3]) end)
      assert.is_false(ok)
      local said = message:match "lab_spec%.lua:%d+: (.*)$"
      assert.is_truthy(said, message)
      local is_begin = case[1]:find " are $"
      assert.equal(case[1], is_begin and said:sub(1, #case[1]) or said)
    end
  end)
end)

describe("several runs", function()
  it("are compared, made or yet to be made", function()
    local one = run { policy = "tiered", samples = 10 }
    local both = lab.compare { one, {
      policy = "leveled", workload = lab.uniform {
        keys = 20000, writes = 200000,
      }, memtable_bytes = MIB, samples = 10,
    } }
    local text = both:text()
    assert.truthy(text:find("tiered/1", 1, true))
    assert.truthy(text:find("leveled/1", 1, true))
  end)
end)
