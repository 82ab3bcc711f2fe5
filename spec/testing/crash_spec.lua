-- crash: every_crash and what it says.

local Oracle = require "grainstore.testing.oracle"
local T = require "grainstore.testing"
local explore = require "grainstore.testing.explore"
local grainstore = require "grainstore"
local script = require "grainstore.testing.script"

describe("every crash", function()
  it("of a script leaves what was promised", function()
    for _, name in ipairs { "sync_mix", "without_log", "u32", "sessions" } do
      local workload = T.workloads[name]
      local counts = T.every_crash {
        script = workload.ops, kind = workload.kind, open = workload.options,
        limit = 150,
      }
      assert(counts.states > 100, counts.states)
      assert.equal(0, counts.nested)
    end
  end)

  it("within recovery leaves what the recovery found", function()
    local counts = T.every_crash {
      script = T.workloads.deletes.ops, open = { durability = "os" },
      limit = 60, nested = 3,
    }
    assert(counts.nested >= 60, counts.nested)
  end)

  it("gives the same counts again", function()
    local function run()
      return T.every_crash {
        script = T.workloads.mixed.ops, limit = 100, nested = 1, seed = 4,
      }
    end
    assert.same(run(), run())
  end)

  it("is taken at every operation where there is no limit to speak of",
    function()
      local counts = T.every_crash {
        script = { { "put", "a", 1 }, { "flush" } }, limit = 100000,
        keep = { "all", "synced", "prefix" },
      }
      assert(counts.points > 20, counts.points)
      assert(counts.states > 3 * counts.points, counts.states)
    end)

  -- All writes are said to be on the device when they return.
  local function believe_too_much()
    local new = Oracle.new
    Oracle.new = function(options)
      local oracle = new(options)
      oracle.durability = "sync"
      return oracle
    end
    finally(function() Oracle.new = new end)
  end

  local function fails(given)
    local ok, found = pcall(T.every_crash, given)
    assert.is_false(ok)
    return found
  end

  it("that takes a promise back is found and made small", function()
    believe_too_much()
    local found = fails {
      script = T.workloads.overwrite.ops, open = { durability = "os" },
      limit = 300,
    }
    assert.equal(1, #found.ops)
    assert.truthy(tostring(found):find("(allowed: 1 to 1)", 1, true))
    assert.truthy(tostring(found):find("lost /store/", 1, true))
  end)

  it("is printed as a call that shows it again", function()
    believe_too_much()
    local found = fails {
      script = script.random(3, { steps = 40, weights = script.WRITES }),
      open = { durability = "os" }, limit = 300,
    }
    local call = tostring(found):match "to see it again:\n\n(.*)$"
    local ok, again = pcall(assert(load(call, "call", "t", { T = T })))
    assert.is_false(ok)
    assert.equal(found.message, again.message)
  end)

  -- Some states are read to their last byte, or crashed once more, in turns.
  it("is shown again where only a look in turns saw it", function()
    local methods = require "grainstore.core".store_methods
    local verify = methods.verify
    methods.verify = function() return nil, "broken", "corrupt" end
    finally(function() methods.verify = verify end)
    local found = fails { script = T.workloads.mixed.ops, limit = 100 }
    assert.equal("verify: broken", found.message)
    local again = fails { script = found.ops, at = found.trail }
    assert.equal("verify: broken", again.message)
  end)

  it("inside a recovery meets the same recovery each time", function()
    local ways = {}
    local plan = {
      machine = function() return T.env() end, nested = 1, limit = 4,
      subject = {
        live = function(env)
          for i = 1, 3 do
            local store <close> = assert(grainstore.open("/db", { env = env }))
            assert(store:put("k" .. i, "v"))
          end
        end,
        look = function(env, _, _, how)
          ways[#ways + 1] = how
          assert(grainstore.open("/db", { env = env })):close()
        end,
      },
    }
    assert(explore.explore(plan).nested > 0)
    assert.equal("same", ways[1])
  end)

  it("can be looked at alone, inside a recovery too", function()
    local trail
    local plan = {
      machine = function() return T.env() end,
      subject = {
        live = function(env)
          env:write("/f", "text")
          return env:ops()
        end,
        look = function() end,
      },
    }
    assert.same({ states = 1, points = 1, nested = 0 },
      explore.explore(plan))
    trail = { { ops = 24, keep = "all", choice = 0 } }
    local counts = T.every_crash {
      script = { { "put", "a", 1 } }, at = trail,
    }
    assert.equal(1, counts.states)
    trail[2] = { ops = 14, keep = "synced", choice = 0 }
    counts = T.every_crash { script = { { "put", "a", 1 } }, at = trail }
    assert.equal(1, counts.nested)
  end)

  describe("of an application", function()
    local function run(store, acked, ops)
      for _, key in ipairs(ops or { "a", "b", "c" }) do
        store:put(key, "1")
        acked(key)
      end
    end

    local function check(store, acked)
      for key in pairs(acked) do
        assert(store:get(key), key .. " is lost")
      end
    end

    it("leaves what it said was promised", function()
      assert(T.every_crash({ run = run, check = check }).states > 100)
    end)

    it("may take what was only in the system", function()
      local counts = T.every_crash {
        run = run, check = check, open = { durability = "os" },
      }
      assert(counts.states > 100)
    end)

    local function run_early(store, acked, ops)
      for _, key in ipairs(ops) do
        acked(key)
        store:put(key, "1")
      end
    end

    it("is held to it whatever a store that syncs says of itself", function()
      local methods = require "grainstore.core".store_methods
      local durable_seq = methods.durable_seq
      methods.durable_seq = function() return -1 end
      finally(function() methods.durable_seq = durable_seq end)
      local found = fails {
        keep = { "synced" },
        run = function(store, acked)
          store:put("a", "1")
          acked "a"
          run_early(store, acked, { "b" })
        end,
        check = check,
      }
      assert.truthy(tostring(found):find("b is lost", 1, true))
    end)

    it("that promises too early is told so", function()
      local found = fails {
        ops = { "a", "b", "c", "d" },
        run = run_early, check = check,
      }
      assert.same({ "a" }, found.ops)
      assert.truthy(tostring(found):find("a is lost", 1, true))
      assert.truthy(tostring(found):find('ops = {\n    "a",\n  }', 1, true))
    end)

    it("that fails without any crash says what it said", function()
      local ok, message = pcall(T.every_crash, {
        run = function() error("no idea", 0) end, check = check,
      })
      assert.is_false(ok)
      assert.equal("no idea", message)
    end)

    it("is described in words that are known", function()
      local function refuses(text, given)
        local message = fails(given)
        assert.truthy(tostring(message):find(text, 1, true), message)
      end
      refuses("unknown option 'runs'", { runs = run })
      refuses("it takes run and check", { run = run })
      refuses("'limit' takes a number", {
        run = run, check = check, limit = "all",
      })
    end)

    it("is blamed for options that no store takes", function()
      local function blames(expected, given)
        local here = debug.getinfo(1, "l").currentline + 2
        local ok, message = pcall(function()
          T.every_crash(given)
        end)
        assert.is_false(ok)
        assert.equal(("spec/testing/crash_spec.lua:%d: bad argument #1 to "
          .. "'every_crash' (%s)"):format(here, expected), message)
      end
      local unknown = "unknown option 'durabilty', did you mean 'durability'?"
      blames(unknown, {
        run = run, check = check, open = { durabilty = "os" },
      })
      blames(unknown, {
        script = { { "put", "a", 1 } }, open = { durabilty = "os" },
      })
      blames(unknown, {
        script = { { "put", "a", 1 } }, open = { durabilty = "os" },
        at = { { ops = 1, keep = "all", choice = 0 } },
      })
      blames("option 'kind' takes \"bytes\", \"u32\" or \"any\"", {
        run = run, check = check, open = { kind = "u64" },
      })
      blames("option 'kind' takes \"bytes\", \"u32\" or \"any\"", {
        script = { { "put", "a", 1 } }, kind = "u64",
      })
    end)
  end)
end)
