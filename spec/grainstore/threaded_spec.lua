-- Policies in a state of their own, on a thread of the store's.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

-- A module of that text on the path, for as long as the spec runs.
local count = 0
local function module(text)
  count = count + 1
  local name, dir = "threaded_policy_" .. count, tmp.dir()
  local file = assert(io.open(dir .. "/" .. name .. ".lua", "w"))
  assert(file:write(text))
  file:close()
  package.path = package.path .. ";" .. dir .. "/?.lua"
  return name
end

local IDLE = "return { name = 'idle', pick = function() end }"

describe("a threaded policy", function()
  local path_before, env, store

  before_each(function()
    path_before = package.path
  end)

  after_each(function()
    if store then store:close() end
    if env then env:close() end
    store, env = nil, nil
    package.path = path_before
  end)

  -- On a simulated machine: with tasks nothing happens but when it is drained.
  local function open(policy, options)
    options = options or {}
    env = T.env { seed = 1, tasks = options.threads ~= 0 }
    options.env, options.policy = env, policy
    options.memtable_bytes = options.memtable_bytes or 65536
    store = assert(grainstore.open("/db", options))
    return store
  end

  local function rest()
    if store:options().threads > 0 then
      env:drain()
    else
      while store:step() do end
    end
  end

  local function change(times)
    for _ = 1, times or 1 do
      assert(store:put("k", "v"))
      assert(store:flush())
      rest()
    end
  end

  for _, threads in ipairs { 0, 1, 3 } do
    it("merges as the same policy would inline, with threads = " .. threads,
      function()
        open({ module = "grainstore.policy.bounded_l0", args = { runs = 2 } },
          { threads = threads })
        for i = 1, 12 do
          for j = 1, 20 do assert(store:put("k" .. j, "v" .. i)) end
          assert(store:flush())
          rest()
          assert.is_true(#store:tree().runs <= 3)
        end
        local stats = store:stats()
        assert.is_true(stats.jobs.merges >= 4)
        assert.equal("threaded", stats.policy.mode)
        assert.equal("bounded_l0/1", stats.policy.name)
        assert.is_true(stats.policy.decisions >= 8)
        assert.equal(0, stats.policy.errors)
        assert.is_false(stats.policy.aside)
        assert.is_nil(store:tree().policy_error)
        assert.equal("v12", store:get "k20")
        assert(store:verify())
      end)
  end

  it("works on the real machine while others write", function()
    store = assert(grainstore.open(tmp.path(), {
      memtable_bytes = 16384, threads = 2,
      policy = { module = "grainstore.policy.tiered", args = { width = 3 } },
    }))
    for i = 1, 5000 do
      assert(store:put("k" .. i % 700, ("v"):rep(60) .. i))
    end
    assert(store:flush())
    for i = 4301, 5000 do
      assert.equal(("v"):rep(60) .. i, store:get("k" .. i % 700))
    end
    assert.is_true(store:stats().policy.decisions > 0)
    assert.equal(0, store:stats().policy.errors)
    assert(store:verify())
  end)

  it("may be a table that a module returns, and require others", function()
    module "return { word = 'helper' }"
    local helper = "threaded_policy_" .. count
    open { module = module(("local h = require %q\n"
      .. "return { name = h.word, pick = function() end }"):format(helper)) }
    assert.equal("helper", store:stats().policy.name)
  end)

  it("gets args that are plain data, copied", function()
    local name = module [[return function(args)
      local parts = {}
      local function walk(value, key)
        if type(value) == "table" then
          for k, v in pairs(value) do walk(v, key .. "." .. tostring(k)) end
        else
          parts[#parts + 1] = key .. "=" .. tostring(value)
        end
      end
      walk(args, "")
      table.sort(parts)
      return { name = table.concat(parts, " "), pick = function() end }
    end]]
    open { module = name, args = {
      a = 1, b = 2.5, c = "x y", d = true, e = { { deep = -3 } }, [1] = "one",
    } }
    local said = store:stats().policy.name
    for _, word in ipairs { "1", "2.5", "true", "-3", "one" } do
      assert.is_truthy(said:find(word, 1, true), said)
    end
    assert(store:set("policy", { module = module [[return function(args)
      return { name = type(args), pick = function() end }
    end]] }))
    assert.equal("nil", store:stats().policy.name)
  end)

  it("cannot be opened with what it cannot use", function()
    local makes = module "return function(a) return a and a.policy or a end"
    local cycle = {}
    cycle.self = cycle
    local deep = {}
    for _ = 1, 200 do deep = { deep } end
    for text, policy in pairs {
      ["module 'no.such.module' not found"] = { module = "no.such.module" },
      ["args contain a cycle"] = { module = makes, args = cycle },
      ["args are nested too deeply"] = { module = makes, args = deep },
      ["args are plain data, and a function is none"] =
        { module = makes, args = { print } },
      ["args are plain data, and a userdata is none"] =
        { module = makes, args = { io.stdout } },
      ["args are plain data; a table in them has a metatable"] =
        { module = makes, args = setmetatable({}, {}) },
      ["makes no policy but a nil"] = { module = makes },
      ["makes no policy but a number"] = { module = module "return 7" },
      ["a policy has a function 'pick'"] = { module = module "return {}" },
      ["'throttle' is a function"] = {
        module = module "return { pick = print or load, throttle = 5 }",
      },
      ["returns no function that could take args"] =
        { module = module(IDLE), args = {} },
      ["no width"] = { module = module "error('no width', 0)" },
      ["syntax error near"] = { module = module "retrun 5" },
      ["too many instructions"] = { module = module "while true do end" },
      ["too many bytes of memory"] = {
        module = module
          "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
      },
      ["has no option 'widht'"] =
        { module = "grainstore.policy.tiered", args = { widht = 1 } },
    } do
      local path = tmp.path()
      local none, message, code, detail =
        grainstore.open(path, { policy = policy })
      assert.is_nil(none)
      assert.equal("policy", code)
      assert.is_truthy(message:find(text, 1, true), message)
      assert.equal(policy.module, detail.module)
      assert.is_nil((grainstore.info(path)), "a failed open makes nothing")
    end
    for text, policy in pairs {
      ["'module' is the name of a module, got a number"] = { module = 7 },
      ["unknown field 'arg' beside 'module'; 'args' can be"] =
        { module = "x", arg = {} },
    } do
      local ok, message = pcall(function()
        grainstore.open(tmp.path(), { policy = policy })
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find(text, 1, true), message)
      assert.is_truthy(message:find "^[^\n]*threaded_spec%.lua:%d+: ", message)
    end
  end)

  it("has only libraries that compute", function()
    open { module = module [[
      local there = {}
      for _, name in ipairs {
        "io", "os", "debug", "dofile", "loadfile", "collectgarbage", "print",
        "package",
      } do
        if _G[name] ~= nil then there[#there + 1] = name end
      end
      for _, name in ipairs { "io", "os", "debug", "package",
        "grainstore.core" } do
        if pcall(require, name) then there[#there + 1] = name end
      end
      if pcall(setmetatable, {}, { __gc = function() end }) then
        there[#there + 1] = "finalisers"
      end
      if load(string.dump(function() end)) then
        there[#there + 1] = "compiled chunks"
      end
      if load("return 6 * x", "c", "b", { x = 7 })() ~= 42 then
        there[#there + 1] = "no load"
      end
      local mt = { __index = function() return 1 end }
      if setmetatable({}, mt).x ~= 1 or getmetatable(setmetatable({}, mt)) ~= mt
        then there[#there + 1] = "no metatables" end
      return { name = table.concat(there, " ") .. ".", pick = function() end }
    ]] }
    assert.equal(".", store:stats().policy.name)
  end)

  it("takes turns with inline ones while jobs run", function()
    local asked = 0
    local inline = { name = "inline", pick = function() asked = asked + 1 end }
    open(inline, { threads = 2 }) -- one stays with a merge
    change(2)
    local before = asked
    assert.is_true(before > 0)
    env:hold "merge.begin"
    assert(store:set("policy", {
      module = "grainstore.policy.bounded_l0", args = { runs = 1 },
    }))
    change(2)
    assert.equal(before, asked)
    assert.equal("threaded", store:stats().policy.mode)
    assert(store:set("policy", inline))
    assert.equal("inline", store:stats().policy.mode)
    env:release "merge.begin"
    change(2)
    assert.is_true(asked > before)
    assert.equal("inline", store:stats().policy.name)
    local none, _, code = store:set("policy", { module = "no.such" })
    assert.same({ nil, "policy" }, { none, code })
    assert.equal("inline", store:stats().policy.name)
    assert.equal("v", store:get "k")
  end)

  it("is the store's, not a handle's", function()
    open { module = "grainstore.policy.bounded_l0", args = { runs = 2 } }
    local second = assert(grainstore.open("/db", { env = env }))
    store:close()
    store = second
    change(8)
    assert.is_true(#store:tree().runs <= 3)
    assert.equal("bounded_l0/1", store:stats().policy.name)
  end)

  it("wakes by itself", function()
    open { module = module [[
      local wakes = 0
      return { name = "waker", pick = function(tree)
        if tree.reason == "timer" then error "woken" end
        return { wake_in_ms = 1000 }
      end }
    ]] }
    rest()
    env.clock:advance(999)
    rest()
    assert.is_nil(store:tree().policy_error)
    env.clock:advance(1)
    rest()
    assert.is_truthy(store:tree().policy_error:find("woken", 1, true))
  end)

  it("throttles, lays out and asks for flushes", function()
    open({ module = module [[
      return {
        name = "all", pick = function() end,
        flush = function(mem) return mem.bytes > 30000 or 20000 end,
        layout = function(level) return { table_bytes = 4096 } end,
        throttle = function() return 1000000 end,
      }
    ]] }, { memtable_bytes = 1 << 20, durability = "os" })
    rest()
    for i = 1, 600 do
      store:put("k" .. i, ("v"):rep(100))
      rest()
    end
    local stats = store:stats()
    assert.is_true(stats.jobs.flushes >= 1)
    assert.is_true(stats.tables.count > 2 * stats.tables.runs)
    assert.is_true(stats.stalls.by_reason.throttle.count > 0)
    assert.is_nil(store:tree().policy_error)
  end)

  describe("that is hostile is set aside, and the store says so:", function()
    for name, text in pairs {
      ["it raises"] = "error 'no idea'",
      ["it loops"] = "while true do end",
      ["it loops in pcall"] = "while true do pcall(load, 'while 1 do end') end",
      ["it takes all memory"] =
        "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
      ["it keeps all memory"] =
        "kept = kept or {} for i = 1, 60000 do "
        .. "kept[#kept + 1] = { 1, 2, 3, 4, 5, 6 } end",
      ["it answers nonsense"] = "return { 5 }",
      ["it turns the driver against the store"] =
        "function ipairs() while true do end end "
        .. "math.type, string.format = ipairs, ipairs",
      ["it looks for what the collector calls"] =
        "tree.shape.__index.__gc = error",
      ["it yields"] = "coroutine.yield()",
      ["it breaks the tree"] =
        "tree.shape:close() local _ = tree.runs[1].tables[1].id",
    } do
      it(name, function()
        open { module = module("return { name = 'bad', pick = function(tree) "
          .. text .. " end }") }
        change(9)
        local policy = store:stats().policy
        assert.is_true(policy.aside, store:tree().policy_error)
        assert.equal("bad", policy.name)
        assert.is_true(policy.errors >= 3)
        assert.is_string(store:tree().policy_error)
        assert.is_true(store:tree().policy_aside)
        assert.is_true(#store:tree().runs <= 5)
        assert.equal("v", store:get "k")
        assert(store:set("policy", "bounded_l0"))
        assert.is_false(store:stats().policy.aside)
      end)
    end
  end)

  it("ends with its store, also in the middle of a loop", function()
    for _ = 1, 5 do
      local s = assert(grainstore.open(tmp.path(), {
        policy = { module = module
          "return { pick = function() while true do end end }" },
      }))
      s:put("k", "v")
      s:close()
    end
    local s = assert(grainstore.open(tmp.path(), {
      policy = { module = module(IDLE) },
    }))
    assert(s:put("k", "v"))
    s = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
  end)
end)
