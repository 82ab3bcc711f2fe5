-- What the helper gives to specs: stores that go away, assertions that say what
-- is wrong, and a list of what a test left open.

local grainstore = require "grainstore"
local process = require "spec.support.process"
local tmp = require "grainstore.testing.tmp"

-- What an assertion says when it fails.
local function words(f, ...)
  local ok, failure = pcall(f, ...)
  assert.is_false(ok)
  return tostring(failure)
end

local function says(text, f, ...)
  local found = words(f, ...)
  assert.truthy(found:find(text, 1, true), found)
end

describe("a store of the helper", function()
  local path

  it("is there for a test", function()
    local store
    store, path = tmpstore { memtable_bytes = 65536 }
    assert.equal(65536, store:options().memtable_bytes)
    assert(store:put("k", "v"))
    assert.is_true(tmp.exists(path))
  end)

  it("and gone after it", function()
    assert.is_string(path)
    assert.is_false(tmp.exists(path))
  end)

  it("is of the kind one asks for", function()
    local store = tmpstore { kind = "u32" }
    assert(store:put(1, 2))
    assert.store(store).has(1, 2)
  end)
end)

describe("a misuse of the helper", function()
  -- What f says, which is one line and the next after this call.
  local function blames(expected, f)
    local ok, message = pcall(f)
    assert.is_false(ok)
    local text = ("spec/testing/busted_spec.lua:%d: bad argument %s"):format(
      debug.getinfo(f, "S").linedefined + 1, expected)
    assert.equal(text, message:sub(1, #text))
  end

  it("is blamed on the line that makes a store or a machine", function()
    blames("#1 to 'tmpstore' (unknown option 'durabilty', did you mean "
      .. "'durability'?)", function()
      tmpstore { durabilty = "os" }
    end)
    blames("#1 to 'tmpstore' (option 'kind' takes \"bytes\" or \"u32\")",
      function()
        tmpstore { kind = "u64" }
      end)
    blames("#1 to 'tmpstore' (option 'path' takes a string, got number)",
      function()
        tmpstore { path = 5 }
      end)
    blames("#1 to 'tmpstore' (table expected, got number)", function()
      tmpstore(5)
    end)
    blames("#1 to 'tmpenv' (unknown option 'sed', did you mean 'seed'?)",
      function()
        tmpenv { sed = 1 }
      end)
  end)

  it("is blamed on the line of the assertion", function()
    blames("#1 to 'store' (a store or a snapshot expected, got number)",
      function()
        assert.store(5).has("a", "b")
      end)
    blames("#1 to 'has' (key must be a string, got number", function()
      assert.store(tmpstore()).has(5)
    end)
    blames("#1 to 'lacks' (key must be a string, got nil", function()
      assert.store(tmpstore()).lacks()
    end)
    blames("#1 to 'same' (table expected, got nil)", function()
      assert.store(tmpstore()).same()
    end)
    blames("#1 to 'recovers' (an env expected, got nil)", function()
      assert.recovers()
    end)
    blames("#2 to 'recovers' (table expected, got nil)", function()
      assert.recovers(tmpenv())
    end)
    blames("#3 to 'recovers' (table expected, got number)", function()
      assert.recovers(tmpenv(), {}, 5)
    end)
    local env = tmpenv()
    assert(grainstore.open("db", { env = env })):close()
    blames("#3 to 'recovers' (unknown option 'durabilty', did you mean "
      .. "'durability'?)", function()
      assert.recovers(env, {}, { durabilty = "os" })
    end)
    blames("#3 to 'recovers' (a crash keeps \"synced\", ", function()
      assert.recovers(env, {}, { keep = "randm" })
    end)
  end)
end)

describe("an assertion about a store", function()
  it("passes in silence", function()
    local store = tmpstore()
    store:put("a", "1")
    store:put("\0\255", "")
    assert.store(store).has("a", "1").has("a").has("\0\255", "").lacks("b")
      .same { a = "1", ["\0\255"] = "" }
    local snapshot <close> = store:snapshot()
    assert.store(snapshot).has("a", "1").lacks "b"
  end)

  it("says in any bytes what is wrong", function()
    local store = tmpstore()
    store:put("a\n\0\255", "1")
    store:put("long", ("x"):rep(100))
    local about = assert.store(store)
    says([["b\x01" is missing]], about.has, "b\1", "2")
    says([["a\n\x00\xFF" = "1" should be "2"]], about.has, "a\n\0\255", "2")
    says([["a\n\x00\xFF" = "1" should not be there]], about.lacks,
      "a\n\0\255")
    says([["long" = "]] .. ("x"):rep(48) .. [["... (100 bytes) should be "x"]],
      about.has, "long", "x")
    local difference = words(about.same, { ["a\n\0\255"] = "3", c = "4" })
    assert.truthy(difference:find([[
  "a\n\x00\xFF" = "1" should be "3"
  "c" = "4" is missing
  "long" = ]], 1, true), difference)
  end)

  it("shows the first of many differences", function()
    local store = tmpstore { kind = "u32" }
    for i = 1, 40 do store:put(i, i) end
    says("  12 = 12 should not be there\n  and 28 more",
      assert.store(store).same, {})
  end)
end)

describe("the assertion of a code", function()
  it("gives message and detail of the failure", function()
    local message, detail = assert.code("missing", grainstore.open, tmp.path(),
      { create = false })
    assert.truthy(message:find("there is no store here", 1, true))
    assert.is_table(detail)
  end)

  it("takes what a loop raises", function()
    local failure = setmetatable({ code = "io", message = "m" }, {})
    assert.equal("m", (assert.code("io", error, failure)))
  end)

  it("says what came instead", function()
    says('failed with "missing", should be "locked": ', assert.code, "locked",
      grainstore.open, tmp.path(), { create = false })
    says('returned 1, "a\\x00", should fail with "locked"', assert.code,
      "locked", function() return 1, "a\0" end)
    says('returned nothing, should fail', assert.code, "locked", function() end)
    says('raised 5, should fail', assert.code, "locked", error, 5)
  end)
end)

describe("the assertion of a recovery", function()
  it("opens what a loss of power left", function()
    local env = tmpenv()
    local store <close> = assert(grainstore.open("deep", { env = env }))
    store:put("a", "1", { sync = true })
    store:put("b", "2")
    assert.recovers(env, { a = "1" })
    assert.recovers(env, { a = "1", b = "2" }, { keep = "all" })
    says('"b" = "2" is missing', assert.recovers, env, { a = "1", b = "2" })
    says("the env holds 0 stores", assert.recovers, tmpenv(), {})
    assert.recovers(env, { a = "1" }, { path = "deep", readonly = true })
    says("open after the crash failed", assert.recovers, env, {},
      { path = "elsewhere" })
  end)
end)

describe("the check for leaks", function()
  -- Runs a spec of its own under the helper; returns what busted printed.
  local function run(body)
    local file = tmp.path() .. "_spec.lua"
    tmp.write(file, 'local grainstore = require "grainstore"\n' .. body)
    local script = ([[
      arg = { [0] = "busted", "--ignore-lua", "--output=plainTerminal",
        "--helper=grainstore.busted", %q }
      require "busted.runner" { standalone = false }
    ]]):format(file)
    return (process.run(script):gsub("\27%[[%d;]*m", "")), file
  end

  it("names the lines that opened what was left", function()
    local said, file = run([[
      local held
      it("is careless", function()
        held = assert(grainstore.open("]] .. tmp.path() .. [["))
        held:put("k", "v")
        local loop = held:scan()
        assert.is_function(loop)
      end)
      it("is careless with a part", function()
        held = tmpstore()
        held = { held:snapshot(), held:cursor(), held:batch() }
      end)
      it("is careful", function()
        local store <close> = assert(grainstore.open("]] .. tmp.path() .. [["))
        assert(store:put("k", "v"))
      end)
      it("leaves garbage", function()
        assert(grainstore.open("]] .. tmp.path() .. [[")):put("k", "v")
        tmpstore():snapshot()
      end)
    ]])
    local function has(text)
      assert.truthy(said:find(text, 1, true), said)
    end
    has("4 successes / 0 failures / 2 errors")
    has "is careless: left open:"
    has("store opened at " .. file .. ":4")
    has "is careless with a part: left open:"
    for _, kind in ipairs { "snapshot", "cursor", "batch" } do
      has(kind .. " opened at " .. file .. ":11 of grainstore.store")
    end
    assert.is_nil(said:find("is careful: left", 1, true))
    assert.is_nil(said:find("leaves garbage: left", 1, true))
  end)

  it("spares what a setup holds for all tests", function()
    local said = run([[
      describe("together", function()
        local store
        setup(function() store = tmpstore() end)
        it("a", function() assert(store:put("k", "v")) end)
        it("b", function() assert.store(store).has("k", "v") end)
      end)
    ]])
    assert.truthy(said:find("2 successes / 0 failures / 0 errors", 1, true),
      said)
  end)
end)

describe("a store that tracks its handles", function()
  local handles = require "grainstore.handles"

  it("is asked for by an option", function()
    handles.track(false)
    finally(function() handles.track(true) end)
    local before = #handles.open()
    local quiet = tmpstore()
    local quiet_cursor <close> = quiet:cursor()
    assert.equal(before, #handles.open())
    local store = tmpstore { track_leaks = true }
    local cursor <close> = store:cursor()
    local found = handles.open()
    assert.equal(before + 2, #found)
    for _, handle in ipairs(found) do
      assert.truthy(handle.where:find("busted_spec.lua:%d+$"), handle.where)
    end
    cursor:close()
    quiet_cursor:close()
    assert.is_true(store:is_open())
    store:close()
    assert.is_false(store:is_open())
    assert.equal(before, #handles.open())
  end)

  it("tells places in directories that are called like the library",
    function()
      local file = tmp.dir() .. "/grainstore"
      assert(os.execute("mkdir " .. file))
      tmp.write(file .. "/app.lua", [[
        local store = require "grainstore".open(...)
        return store
      ]])
      local store <close> = loadfile(file .. "/app.lua")(tmp.path())
      local where
      for _, handle in ipairs(handles.open()) do
        where = handle.store == store and handle.where or where
      end
      assert.truthy(where:find("grainstore/app.lua:1", 1, true), where)
    end)

  it("is not asked for where tracking is on and the option is false",
    function()
      local before = #handles.open()
      tmpstore { track_leaks = false }
      assert.equal(before, #handles.open())
    end)
end)

describe("another Lua", function()
  it("is told which one is needed", function()
    local environment = setmetatable({ _VERSION = "Lua 5.1" }, { __index = _G })
    local load_it = assert(loadfile(package.searchpath("grainstore.busted",
      package.path), "t", environment))
    local ok, message = pcall(load_it)
    assert.is_false(ok)
    assert.equal("grainstore.busted needs Lua 5.4 and was loaded by Lua 5.1; "
      .. "run busted --lua=lua5.4", message)
  end)
end)
