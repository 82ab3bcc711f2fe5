-- Simulated machines: their making and their end, files, faults, crashes.

local grainstore = require "grainstore"
local T = require "grainstore.testing"

local function open(env, options)
  options = options or {}
  options.env = env
  options.memory_bytes = 1 << 20
  return assert(grainstore.open("db", options))
end

local function complaint(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

describe("an env", function()
  it("carries a store that touches no disk", function()
    local env = tmpenv()
    local store = open(env)
    assert(store:put("k", "v"))
    assert.is_true(store:close())
    assert.is_number(env:files()["/db/LOCK"])
    assert.is_nil(io.open("db/LOCK", "rb"))
    assert.equal("bytes", grainstore.info("db", { env = env }).kind)
    assert.truthy(grainstore.verify("db", { env = env }))
    assert.code("missing", grainstore.info, "other", { env = env })
    assert.is_true(grainstore.destroy("db", { env = env }))
    assert.same({}, env:files())
  end)

  it("begins in 2026, or when it is told", function()
    assert.equal("2026-01-01", os.date("!%Y-%m-%d",
      tmpenv().clock:now() // 1000))
    assert.equal(5, tmpenv { wall_ms = 5 }.clock:now())
  end)

  it("gives the same answers for the same seed", function()
    local function trace(seed)
      local env = tmpenv { seed = seed }
      env:tracing(true)
      local store <close> = open(env)
      store:put("k", "v", { sync = true })
      return env:trace()
    end
    assert.equal(trace(4), trace(4))
    assert.truthy(trace(4):find("/db/LOCK", 1, true) or #trace(4) > 0)
  end)

  it("does all work inside calls, whatever threads are asked for", function()
    local store <close> = open(tmpenv(), { threads = 3 })
    assert.equal(0, store:options().threads)
  end)

  it("refuses what it does not know", function()
    assert.truthy(complaint(T.env, { sed = 1 })
      :find("unknown option 'sed', did you mean 'seed'?", 1, true))
    assert.truthy(complaint(T.env, 5):find("table expected", 1, true))
    assert.truthy(complaint(T.env, { sector = 100 })
      :find("a power of two from 1 to 4096", 1, true))
    assert.truthy(complaint(grainstore.open, "db", { env = {} })
      :find("option 'env' takes a testing env", 1, true))
    assert.truthy(complaint(grainstore.info, "db", { env = io.stdout })
      :find("option 'env' takes a testing env", 1, true))
    assert.truthy(complaint(grainstore.destroy, "db", { evn = 1 })
      :find("did you mean 'env'?", 1, true))
  end)

  it("cannot be used after its end", function()
    local env = T.env()
    assert.is_true(env:close())
    assert.is_true(env:close())
    assert.equal("grainstore.env (closed)", tostring(env))
    for _, name in ipairs { "ops", "files", "heal", "pending", "drain" } do
      assert.truthy(complaint(env[name], env)
        :find("the env is closed", 1, true))
    end
    assert.truthy(complaint(grainstore.open, "db", { env = env })
      :find("the env is closed", 1, true))
    assert.truthy(complaint(env.clock.now, env.clock)
      :find("the clock's env is closed", 1, true))
  end)

  it("does not end under its stores", function()
    local env = T.env()
    local store = open(env)
    assert.truthy(complaint(env.close, env):find("1 open store", 1, true))
    assert.truthy(complaint(function()
      local _ <close> = env
    end):find("1 open store", 1, true))
    -- An error that is under way is not hidden.
    assert.equal("mine", complaint(function()
      local _ <close> = env
      error("mine", 0)
    end))
    store:close()
    assert.is_true(env:close())
  end)

  it("waits, when it is garbage, for its stores", function()
    local store = open(T.env())
    collectgarbage()
    collectgarbage()
    assert(store:put("k", "v"))
    assert.equal("v", store:get "k")
    assert.is_true(store:close())
  end)

  it("waits for its stores also when its finaliser comes first", function()
    for _, machine in ipairs { T.env(), T.clock(1000) } do
      local is_env = tostring(machine):find "env"
      local store = is_env and open(machine) or tmpstore { clock = machine }
      debug.getmetatable(machine).__gc(machine)
      assert(store:put("k", "v"))
      assert.equal("v", store:get "k")
      assert.is_true(store:close())
      assert.truthy(tostring(machine):find("(closed)", 1, true))
      debug.getmetatable(machine).__gc(machine)
    end
  end)

  it("gives all memory back in whatever order things are collected", function()
    for _ = 1, 6 do
      local env = T.env()
      local store = open(env)
      store:put("k", "v")
      assert.truthy(store:snapshot() and store:cursor() and env.clock)
    end
    collectgarbage()
    collectgarbage()
    local env = tmpenv()
    open(env):close()
    assert.equal(0, env:allocated())
    assert.is_true(env:allocs() > 0)
  end)

  it("counts operations and stops at one of them", function()
    local env = tmpenv()
    local store = open(env)
    local before = env:ops()
    env:stop_at(before)
    assert.code("io", store.put, store, "k", "v", { sync = true })
    env:stop_at(nil)
    store:close()
    assert.truthy(complaint(env.stop_at, env, 0)
      :find("an integer from 1 expected", 1, true))
    local after <close> = env:crash()
    local found <close> = open(after)
    assert.store(found).lacks "k"
  end)

  it("fails an allocation", function()
    local env = tmpenv()
    env:fail_alloc(1)
    assert.truthy(complaint(open, env):find("not enough memory", 1, true))
    env:fail_alloc(0)
    open(env):close()
  end)
end)

describe("files of an env", function()
  it("are read, written, flipped and removed behind the store's back",
    function()
      local env = tmpenv()
      assert.is_true(env:write("/a", "\0\1\2"))
      assert.equal("\0\1\2", env:read "/a")
      assert.is_true(env:flip("/a", 9))
      assert.equal("\0\3\2", env:read "/a")
      assert.same({ ["/a"] = 3 }, env:files())
      assert.is_true(env:used() >= 3)
      assert.is_true(env:remove "a")
      assert.same({}, env:files())
      assert.code("missing", env.read, env, "/a")
      assert.code("missing", env.remove, env, "/a")
      assert.equal(0, env:pending())
    end)

  it("occupy no more than the capacity", function()
    local env = tmpenv()
    env:capacity(1)
    assert.code("full", grainstore.open, "db", { env = env })
    env:capacity(nil)
    open(env):close()
  end)

  it("are open no more than so many at a time", function()
    local env = tmpenv()
    local store <close> = open(env)
    env:open_files(1)
    local ok, _, code = store:put("k", "v")
    assert.is_nil(ok)
    assert.equal("limit", code)
    env:open_files(nil)
  end)
end)

describe("a fault", function()
  it("strikes the nth time, so many times", function()
    local env = tmpenv()
    local store = open(env)
    assert(store:put("a", "1", { sync = true }))
    env:fail { op = "sync", path = "*.wal", nth = 3 }
    assert(store:put("a", "2", { sync = true }))
    assert(store:put("a", "3", { sync = true }))
    local message, detail = assert.code("io", store.put, store, "b", "2",
      { sync = true })
    assert.truthy(message:find(".wal", 1, true))
    assert.equal(5, detail.errno)
    store:close()
  end)

  it("has a name or a number", function()
    local env = tmpenv()
    env:fail { op = "make_dir", errno = "EROFS" }
    assert.code("readonly", grainstore.open, "db", { env = env })
    env:fail { op = "make_dir", errno = 28 }
    assert.code("full", grainstore.open, "db", { env = env })
  end)

  it("stays for ever until it is healed", function()
    for _, times in ipairs { 0, math.huge } do
      local env = tmpenv()
      env:fail { op = "any", times = times }
      assert.code("io", grainstore.open, "db", { env = env })
      assert.code("io", grainstore.open, "db", { env = env })
      env:heal()
      open(env):close()
    end
  end)

  it("turns a bit of what is read and leaves the medium", function()
    local env = tmpenv()
    local store <close> = open(env)
    store:put("k", "v")
    env:fail { flip = 200, path = "*.sst" } -- the next read, writes aside
    store:flush()
    assert.code("corrupt", store.get, store, "k")
    env:heal()
    assert.truthy(grainstore.verify("db", { env = env:crash() }))
  end)

  it("refuses what makes no sense", function()
    local env = tmpenv()
    local function refused(fault, text)
      assert.truthy(complaint(env.fail, env, fault):find(text, 1, true), text)
    end
    refused({ op = "snyc" }, "option 'op' takes \"open\", \"read\"")
    refused({ opp = "sync" }, "unknown option 'opp', did you mean 'op'?")
    refused({ errno = "EWHAT" }, 'a name such as "EIO"')
    refused({ flip = 1, short = 2 }, "give one of")
    refused({ nth = 0 }, "counts from 1")
    refused({ op = "sync", model = "S9" }, '"clean"')
    refused({ path = 7 }, "takes a pattern")
  end)
end)

describe("a crash", function()
  local env, store

  before_each(function()
    env = tmpenv()
    store = open(env, { durability = "os" })
    store:put("a", "1", { sync = true })
    store:put("b", "2")
    store:put("c", "3")
  end)

  after_each(function()
    store:close()
  end)

  it("keeps what was synced, or all", function()
    assert.recovers(env, { a = "1" })
    assert.recovers(env, { a = "1" }, { keep = "M0" })
    assert.recovers(env, { a = "1", b = "2", c = "3" }, { keep = "all" })
    assert.recovers(env, { a = "1" }, { keep = "prefix", choice = 0 })
    assert.recovers(env, { a = "1", b = "2", c = "3" },
      { keep = "prefix", choice = env:pending() })
  end)

  it("leaves its machine as it was", function()
    local files, ops = env:files(), env:ops()
    env:crash { keep = "torn", choice = 9 }:close()
    env:copy():close()
    assert.same(files, env:files())
    assert.equal(ops, env:ops())
  end)

  it("has as many states as it has choices", function()
    assert.equal(1, env:choices "synced")
    assert.equal(env:pending() + 1, env:choices "M2")
    assert.equal(math.maxinteger, env:choices "random")
    local seen, most = 0, 0
    for state, why, chosen in env:states { keep = "prefix" } do
      local found <close> = open(state)
      assert.equal("1", found:get "a", why)
      assert.is_nil(found:get "b" == nil and found:get "c" or nil, why)
      assert.equal(("{ keep = \"prefix\", choice = %d }"):format(seen), why)
      assert.equal(seen, chosen.choice)
      seen, most = seen + 1, math.max(most, found:count())
    end
    assert.equal(env:choices "prefix", seen)
    assert.equal(3, most)
  end)

  it("takes some states evenly where there are too many", function()
    local choices = {}
    for _, _, chosen in env:states { keep = { "prefix", "random" }, limit = 2 }
    do
      choices[#choices + 1] = chosen.keep .. chosen.choice
    end
    assert.same({ "prefix0", "prefix" .. env:pending(), "random0", "random1" },
      choices)
    for _, _, chosen in env:states { keep = "prefix", limit = 1 } do
      choices = { chosen.choice }
    end
    assert.same({ 0 }, choices)
  end)

  it("has no state for parts that are not there", function()
    local quiet = tmpenv()
    local function count(keep)
      local states = 0
      for _ in quiet:states { keep = keep, limit = 5 } do
        states = states + 1
      end
      return states
    end
    assert.equal(0, count "missing")
    assert.equal(0, count "alone")
    assert.equal(1, count "prefix")
    assert.equal(1, count "subset")
    local states = 0
    for state in env:states { keep = "subset", limit = 3 } do
      local found <close> = open(state)
      assert.equal("1", found:get "a")
      states = states + 1
    end
    assert.equal(3, states)
  end)

  it("closes each state that a loop over states gave", function()
    local kept
    assert.equal("mine", complaint(function()
      for state in env:states() do
        kept = state
        error("mine", 0)
      end
    end))
    assert.equal("grainstore.env (closed)", tostring(kept))
    assert.truthy(complaint(function()
      for state in env:states() do
        kept = open(state)
      end
    end):find("1 open store", 1, true))
    kept:close()
  end)

  it("says in words what it keeps", function()
    local text = env:explain { keep = "synced" }
    assert.truthy(text:find("lost /db/", 1, true))
    assert.is_nil(text:find("kept", 1, true))
    assert.truthy(env:explain { keep = "all" }:find("kept /db/", 1, true))
  end)

  it("refuses what it does not know", function()
    assert.truthy(complaint(env.crash, env, { keep = "some" })
      :find('a crash keeps "synced", "all"', 1, true))
    assert.truthy(complaint(env.crash, env, { kep = "all" })
      :find("did you mean 'keep'?", 1, true))
    assert.truthy(complaint(env.crash, env, { keep = "all", model = "M1" })
      :find("two names of one option", 1, true))
    assert.truthy(complaint(env.states, env, { limits = 3 })
      :find("unknown option 'limits'", 1, true))
    assert.truthy(complaint(env.states, env, { limit = 0 })
      :find("an integer from 1", 1, true))
  end)

  it("blames the line that asks for states", function()
    local function blames(expected, f)
      local ok, message = pcall(f)
      assert.is_false(ok)
      local text = ("spec/testing/env_spec.lua:%d: bad argument %s"):format(
        debug.getinfo(f, "S").linedefined + 1, expected)
      assert.equal(text, message:sub(1, #text))
    end
    local fresh = tmpenv()
    blames("#1 to 'states' (a crash keeps \"synced\", ", function()
      fresh:states { keep = "randm" }
    end)
    blames("#1 to 'states' (a crash keeps \"synced\", ", function()
      fresh:states { keep = { "prefix", 5 } }
    end)
    blames("#1 to 'states' (unknown option 'limt', ", function()
      fresh:states { limt = 5 }
    end)
    blames("#1 to 'states' (table expected, got number)", function()
      fresh:states(5)
    end)
  end)
end)
