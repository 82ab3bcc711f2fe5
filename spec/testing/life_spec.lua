-- life: a store and the oracle beside it.

local Life = require "grainstore.testing.life"
local T = require "grainstore.testing"
local script = require "grainstore.testing.script"
local tmp = require "grainstore.testing.tmp"

describe("a life", function()
  local life

  local function new(options, kind)
    life = Life.new { env = T.env(), kind = kind, options = options }
    assert(life:open())
  end

  after_each(function()
    life:close()
    life.env:close()
  end)

  local function perform(...)
    for _, op in ipairs { ... } do
      local ok, message = life:perform(op)
      assert(ok, message)
    end
  end

  -- The store changes behind the oracle's back.
  local function raises(op, text)
    local ok, message = pcall(life.perform, life, op)
    assert.is_false(ok)
    assert.truthy(tostring(message):find(text, 1, true), message)
  end

  -- The same store, but one of its methods fails.
  local function failing(whole, method)
    return setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        if name == method then
          return nil, "cannot read", "io"
        end
        return whole[name](whole, ...)
      end
    end })
  end

  it("knows each commit and when it was", function()
    new { durability = "os" }
    perform({ "put", "a", 1 }, { "take", "b" }, { "delete", "a" })
    local oracle = life.oracle
    assert.equal(2, oracle.count)
    assert.is_true(oracle.line[1].acked <= oracle.line[2].issued)
    assert.is_true(oracle.line[2].acked <= life:ops())
  end)

  it("notices a wrong answer in every operation that gives one", function()
    new()
    perform({ "put", "a", 1 }, { "put", "b", 2 }, { "snapshot", 1 })
    life.store:put("a", "other")
    raises({ "get", "a" }, "get \"a\"")
    raises({ "scan" }, "scan")
    raises({ "take", "a" }, "take \"a\"")
    life.store:put("a", "other")
    raises({ "put_if", "a", true, 3 }, "put_if")
    raises({ "check" }, "\"a\" is \"other\"")
    life.store:delete "b"
    raises({ "count" }, "count")
    raises({ "expire", "b", 5 }, "expire")
    raises({ "persist", "b" }, "persist")
  end)

  it("notices a snapshot that changed", function()
    new()
    perform({ "put", "a", 1 }, { "snapshot", 1 }, { "put", "a", 2 },
      { "check" })
    life.snapshots[1].values[1] = "other"
    raises({ "check" }, "snapshot 1")
  end)

  it("tells a read that fails from a wrong answer", function()
    new()
    perform({ "put", "a", 1 })
    local whole = life.store
    for _, method in ipairs { "contains", "ttl" } do
      life.store = failing(whole, method)
      local ok, failure = pcall(life.perform, life, { "check" })
      assert.is_false(ok)
      assert.equal(method .. " failed: cannot read (io)", tostring(failure))
      assert.equal("io", failure.code)
    end
  end)

  it("notices what a reopening lost", function()
    new()
    perform({ "put", "a", 1 })
    life.oracle:issue(life:ops(), { "b", { value = "2" } })
    life.oracle:ack(life:ops(), 2)
    raises({ "reopen" }, "the store is in state 1 (allowed: 2 to 2)")
  end)

  it("goes on after crashes, with what was left", function()
    new { durability = "os" }
    perform({ "put", "a", 1 }, { "sync" }, { "put", "b", 2 })
    life:crash { keep = "synced" }
    perform({ "reopen" }, { "check" })
    assert.equal(1, life.oracle.count)
    perform({ "put", "c", 3 })
    life:crash { keep = "all" }
    perform({ "reopen" }, { "check" })
    assert.equal(2, life.oracle.count)
  end)

  it("returns what fails in the world, and keeps it in mind", function()
    new { durability = "os" }
    perform({ "put", "a", 1 })
    life.env:fail { op = "write", errno = "EIO", times = 0 }
    local ok, _, code = life:perform { "put", "b", 2 }
    assert.is_nil(ok)
    assert.equal("io", code)
    assert.equal(1, #life.oracle.failed)
    life.env:heal()
    life:perform { "reopen" }
    perform({ "check" })
  end)

  it("moves time with the machine", function()
    new()
    perform({ "put", "a", 1, ttl_ms = 50 }, { "get", "a" }, { "advance", 50 },
      { "get", "a" }, { "check" })
    assert.is_nil(life.store:get "a")
  end)

  it("runs on a real directory too", function()
    new()
    finally(tmp.clean)
    for _, kind in ipairs { "bytes", "u32" } do
      local ops = script.random(8, { steps = 500, kind = kind })
      assert.has_no.errors(function()
        script.play(ops, { path = tmp.path(), kind = kind })
      end)
    end
  end)
end)
