-- Flushing, syncing, compacting, verifying, stepping, and options of an open
-- store.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

describe("work", function()
  local store, path

  local function open(options)
    path = tmp.path()
    store = assert(grainstore.open(path, options or {
      policy = T.manual, threads = 0,
    }))
  end

  before_each(function()
    open()
  end)

  after_each(function()
    store:close()
  end)

  describe("flush", function()
    it("moves memory into one run", function()
      store:put("a", "1")
      assert.is_true(store:flush())
      assert.equal("1:0", T.runs(store))
      assert.equal(0, store:tree().memtable.entries)
      assert.equal(1, #tmp.files(path, ".sst"))
      assert.is_true(store:flush())
      assert.equal("1:0", T.runs(store))
    end)
  end)

  describe("sync", function()
    it("puts everything on the device", function()
      store:close()
      open { durability = "os" }
      store:put("a", "1")
      assert.is_true(store:sync())
      assert.equal(store:seq(), store:durable_seq())
    end)
  end)

  describe("without a log", function()
    before_each(function()
      store:close()
      open { durability = "memory" }
    end)

    it("a write that wants the device is refused, and nothing written",
      function()
        local sync = { sync = true }
        local batch = store:batch():put("a", "1")
        for _, write in ipairs {
          function() return store:put("a", "1", sync) end,
          function() return store:delete("a", sync) end,
          function() return store:put_if("a", nil, "1", sync) end,
          function() return store:take("a", sync) end,
          function() return batch:commit { sync = true, meta = "n" } end,
        } do
          local done, message, code, detail = write()
          assert.is_nil(done)
          assert.equal("unsupported", code)
          assert.truthy(message:find("nothing was written", 1, true))
          assert.truthy(detail.hint:find("store:flush()", 1, true))
        end
        assert.equal(0, store:seq())
        assert.is_nil(store:meta())
        assert.equal(1, batch:commit())
        assert.equal("1", store:get "a")
      end)

    for _, name in ipairs { "flush", "sync" } do
      it("a note that came alone is kept by " .. name, function()
        local env = require("grainstore.testing.env").env { seed = 1 }
        local options = { env = env, durability = "memory" }
        local kept <close> = assert(grainstore.open("/db", options))
        kept:batch():commit { meta = "first" }
        assert.is_true(kept[name](kept))
        kept:batch():commit { meta = "lost" }
        options.env = env:crash { keep = "synced" }
        local after <close> = assert(grainstore.open("/db", options))
        assert.equal("first", after:meta())
        after:batch():commit { meta = "second" }
        assert.is_true(after[name](after))
        options.env = options.env:crash { keep = "synced" }
        local last <close> = assert(grainstore.open("/db", options))
        assert.equal("second", last:meta())
      end)
    end
  end)

  describe("resume", function()
    local env

    before_each(function()
      store:close()
      env = require("grainstore.testing.env").env { seed = 1 }
      store = assert(grainstore.open("/db", {
        env = env, durability = "sync", policy = tmp.manual,
      }))
    end)

    local function break_log()
      assert(store:put("a", "1"))
      env:fail { op = "sync", path = "*.wal", nth = 1, times = 1,
        errno = "EIO" }
      return store:put("doubt", "?")
    end

    it("takes writes again and gives up what nobody knew of", function()
      local ok, _, code, detail = break_log()
      assert.is_nil(ok)
      assert.equal("io", code)
      assert.is_true(detail.doubtful)
      ok, _, code, detail = store:put("refused", "?")
      assert.is_nil(ok)
      assert.equal("io", code)
      assert.is_nil(detail.doubtful)
      assert.is_true(store:resume())
      assert.is_nil(store:get "doubt")
      assert.equal("1", store:get "a")
      assert(store:put("b", "2"))
      assert.equal(1, store:stats().recovery.resumes)
      assert(store:close())
      store = assert(grainstore.open("/db", { env = env,
        durability = "sync", policy = tmp.manual }))
      assert.is_nil(store:get "doubt")
      assert.is_nil(store:get "refused")
      assert.equal("2", store:get "b")
    end)

    it("has nothing to do where nothing failed", function()
      assert.is_true(store:resume())
      assert.equal(0, store:stats().recovery.resumes)
    end)

    it("can be tried again", function()
      break_log()
      env:fail { op = "write", path = "*.sst", nth = 1, times = 1,
        errno = "EIO" }
      local ok, _, code = store:resume()
      assert.is_nil(ok)
      assert.equal("io", code)
      assert.equal("1", store:get "a")
      assert.is_true(store:resume())
      assert(store:put("b", "2"))
    end)
  end)

  describe("trust_clock", function()
    it("lets what expired by a clock that jumped be dropped", function()
      local env = require("grainstore.testing.env").env { seed = 1 }
      local machine = { env = env, policy = tmp.manual }
      local held <close> = assert(grainstore.open("/db", machine))
      assert(held:put("a", "1", { ttl_ms = 1000 }))
      env.clock:set(env.clock:now() + 100 * 365 * 24 * 3600 * 1000)
      assert.is_nil(held:get "a")
      assert(held:compact())
      assert.equal(0, held:stats().dropped.expired)
      assert.equal(1, held:stats().clock.warnings)
      assert.is_true(held:trust_clock())
      assert(held:compact())
      assert.equal(1, held:stats().dropped.expired)
    end)
  end)

  describe("compact", function()
    local function three_runs()
      for run = 1, 3 do
        for key in ("abcdef"):gmatch "." do
          store:put(key, tostring(run))
        end
        assert(store:flush())
      end
    end

    it("merges everything into one run", function()
      three_runs()
      assert.is_true(store:compact())
      assert.equal("6:0", T.runs(store))
      assert.equal("3", store:get "a")
      assert.equal(12, store:stats().dropped.covered)
    end)

    it("flushes what is in memory first", function()
      store:put("a", "1")
      assert.is_true(store:compact())
      assert.equal("1:0", T.runs(store))
    end)

    it("keeps to a range where tables let it", function()
      store:put("a", "1")
      store:put("b", "1")
      assert(store:flush())
      store:put("x", "1")
      assert(store:flush())
      store:put("x", "2")
      assert(store:flush())
      assert.is_true(store:compact { from = "w" })
      assert.equal("1:0 2:0", T.runs(store))
      assert.is_true(store:compact { prefix = "nothing" })
      assert.equal("1:0 2:0", T.runs(store))
    end)

    it("of nothing is nothing", function()
      assert.is_true(store:compact())
      assert.equal("", T.runs(store))
    end)
  end)

  describe("verify", function()
    it("reads every byte", function()
      for i = 1, 1000 do
        store:put("k" .. i, ("v"):rep(50))
      end
      assert(store:flush())
      assert.is_true(store:verify())
      local file = tmp.files(path, ".sst")[1]
      tmp.flip(file, #tmp.read(file) // 2)
      local ok, message, code, detail = store:verify()
      assert.is_nil(ok)
      assert.equal("corrupt", code)
      assert.equal(file, detail.path)
      assert.is_truthy(message:find(file:match "[^/]*$", 1, true))
    end)
  end)

  describe("step", function()
    local asked

    local function with_policy(threads)
      store:close()
      asked = 0
      open {
        threads = threads, memtable_bytes = 8192, memory_bytes = 1 << 20,
        policy = { pick = function(tree)
          asked = asked + 1
          return grainstore.policy.bounded_l0 { runs = 2 }.pick(tree)
        end },
      }
      for i = 1, 1500 do
        store:put(("k%04d"):format(i), ("v"):rep(20))
      end
    end

    it("does all that is due, and says when nothing is", function()
      with_policy(0)
      while store:step() do end
      assert.is_true(#store:tree().runs <= 3)
      assert.is_true(asked > 0)
      assert.is_false(store:step())
    end)

    it("stops when its budget is used up", function()
      with_policy(0)
      local steps = 0
      while store:step(0) do
        steps = steps + 1
      end
      assert.is_true(steps > 1)
      assert.is_true(#store:tree().runs <= 3)
      assert.is_false(store:step(1e300))
    end)

    it("asks the policy also where workers do the work", function()
      with_policy(1)
      repeat
        store:step()
      until #store:tree().runs <= 3 and store:tree().running == 0
      assert.is_true(asked > 0)
      assert.equal(1500, store:count())
    end)
  end)

  describe("options", function()
    it("tell what is in force, derived values too", function()
      store:close()
      open { memory_bytes = 16 << 20, durability = "os", on_stall = "fail" }
      local options = store:options()
      assert.equal("none", options.compression)
      assert.equal(16 << 20, options.memory_bytes)
      assert.equal(2 << 20, options.memtable_bytes)
      assert.equal(8 << 20, options.max_wal_bytes)
      assert.equal("os", options.durability)
      assert.equal("fail", options.on_stall)
      assert.is_false(options.readonly)
      assert.equal(1, options.threads)
      assert.equal(4096, options.block_bytes)
      assert.equal(0, options.default_ttl_ms)
    end)

    it("are told as they were given, the rarer ones too", function()
      store:close()
      store = assert(grainstore.open(path, {
        create = false, readonly = true, degraded = true, salvage = "prefix",
        seed = 77, track_leaks = true, lossy = true, compression = "lz4",
      }))
      local options = store:options()
      assert.equal("lz4", options.compression)
      assert.is_false(options.create)
      assert.is_false(options.must_create)
      assert.is_true(options.readonly)
      assert.is_true(options.degraded)
      assert.is_true(options.track_leaks)
      assert.is_true(options.lossy)
      assert.equal("prefix", options.salvage)
      assert.equal(77, options.seed)
    end)

    it("are all told and all in README, but for objects", function()
      local told, named = store:options(), {}
      local readme = assert(io.open("README.md")):read "a"
      local listed = readme:match "\nOptions of `open`:(.-)\n\n"
      for name in listed:gmatch "`([%l_]+)`" do
        named[name] = true
      end
      local accepted = {}
      for _, name in ipairs(require "grainstore.core".open_options) do
        accepted[name] = true
        local is_object = name == "policy" or name == "env" or name == "clock"
        assert.equal(not is_object, told[name] ~= nil, name)
        assert.is_true(named[name], name .. " is not in README")
      end
      for name in pairs(told) do
        assert.is_true(accepted[name], name)
      end
    end)

    it("can be set while the store is open", function()
      for name, value in pairs {
        memtable_bytes = 8192, wal_batch_ms = 50, max_stall_ms = 5,
        default_ttl_ms = 77, max_wal_bytes = 1 << 20, table_bytes = 65536,
        disk_reserve_bytes = 4096, memory_bytes = 4 << 20,
      } do
        assert.is_true(store:set(name, value))
        assert.equal(value, store:options()[name])
      end
      assert.is_true(store:set("default_ttl_ms", 0))
    end)

    it("that are fixed, unknown or out of bounds raise", function()
      for _, case in ipairs {
        { "option 'threads' cannot change while the store is open",
          "threads", 2 },
        { "option 'durability' cannot change while the store is open",
          "durability", "sync" },
        { "bad argument #1 to 'set' (unknown option '5')", 5, 1 },
        { "option 'env' cannot change while the store is open", "env", {} },
        { "bad argument #1 to 'set' (unknown option 'colour')", "colour", 2 },
        { "bad argument #1 to 'set' (unknown option 'polcy', did you mean "
          .. "'policy'?)", "polcy", "leveled" },
        { "option 'wal_batch_ms' takes 1 to 60000, got 0", "wal_batch_ms", 0 },
        { "bad argument #2 to 'set' (option 'wal_batch_ms' takes an integer "
          .. "from 0, got string)", "wal_batch_ms", "soon" },
        { "bad argument #2 to 'set' (option 'wal_batch_ms' takes an integer "
          .. "from 0, got -1)", "wal_batch_ms", -1 },
        { "bad argument #2 to 'set' (option 'wal_batch_ms' takes an integer "
          .. "from 0, got 2.5)", "wal_batch_ms", 2.5 },
        { "bad argument #1 to 'set' (string expected, got nil)", nil, 1 },
      } do
        local ok, message = pcall(function() store:set(case[2], case[3]) end)
        assert.is_false(ok)
        assert.equal(case[1], message:match "work_spec%.lua:%d+: (.*)$")
      end
    end)

    it("of a closed store raise at the caller's place", function()
      store:close()
      local ok, message = pcall(function() store:set("wal_batch_ms", 5) end)
      assert.is_false(ok)
      assert.is_truthy(message:find("work_spec.lua", 1, true))
      assert.is_truthy(message:find("calling 'set' on bad self (the store is "
        .. "closed)", 1, true))
    end)

    it("give the next memtable its size", function()
      assert(store:set("memtable_bytes", 4096))
      store:put("k", "v")
      assert(store:flush())
      for i = 1, 500 do
        store:put(("k%04d"):format(i), ("v"):rep(50))
      end
      while store:step() do end
      assert.is_true(store:stats().jobs.flushes > 3)
    end)
  end)

  describe("a full house", function()
    it("stalls are counted, and writers get through", function()
      store:close()
      open {
        threads = 1, memtable_bytes = 4096, memory_bytes = 1 << 20,
        max_stall_ms = 60000,
      }
      for i = 1, 2000 do
        assert(store:put(("k%05d"):format(i), ("v"):rep(100)))
      end
      assert.equal(2000, store:count())
      local stalls = store:stats().stalls
      assert.is_true(stalls.count > 0)
      assert.is_true(stalls.max_ms <= stalls.total_ms)
      assert.is_string(stalls.last_reason)
    end)

    it("or are told at once that it is busy", function()
      store:close()
      open {
        threads = 1, memtable_bytes = 4096, memory_bytes = 1 << 20,
        on_stall = "fail",
      }
      local message, code, detail
      repeat
        local seq
        seq, message, code, detail = store:put("k", ("v"):rep(1000))
      until not seq
      assert.equal("busy", code)
      assert.is_truthy(message:find("waited for", 1, true))
      assert.is_string(detail.hint)
    end)

    it("without space on the disk takes deletes only", function()
      store:put("k", "v")
      assert(store:set("disk_reserve_bytes", 1 << 50))
      local seq, message, code
      for _ = 1, 10 do
        seq, message, code = store:put("k", ("v"):rep(1 << 20))
        if not seq then break end
      end
      assert.equal("full", code)
      assert.is_truthy(message:find("free", 1, true))
      assert(store:delete "k")
      assert(store:set("disk_reserve_bytes", 1))
      assert(store:put("k", "again"))
    end)
  end)
end)
