-- States of their own: made, given, and never given.

local core = require "grainstore.core"
local grainstore = require "grainstore"
local tmp = require "grainstore.testing.tmp"

describe("a private state", function()
  local function make()
    return core.private("grainstore.policy.tiered", { width = 3 }, package.path)
  end

  it("tells its policy's name, and goes when nobody takes it", function()
    local private, name = make()
    assert.equal("userdata", type(private))
    assert.equal("tiered/1", name)
    private = nil -- luacheck: ignore
    collectgarbage()
  end)

  it("is given to one store, once", function()
    local one <close> = assert(grainstore.open(tmp.path(), { threads = 0 }))
    local two <close> = assert(grainstore.open(tmp.path(), { threads = 0 }))
    local private, name = make()
    assert.is_true(one:_start(private, name))
    assert.error_matches(function() two:_start(private, name) end,
      "it was given to a store")
    assert.equal("inline", two:stats().policy.mode)
    assert.equal("threaded", one:stats().policy.mode)
    assert(one:put("k", "v"))
    assert(one:flush())
    while one:step() do end
    assert.is_true(one:stats().policy.decisions > 0)
  end)

  it("says what was wrong, and wants a module and a path", function()
    local none, message = core.private("no.such", nil, "./?.lua")
    assert.is_nil(none)
    assert.is_truthy(message:find("no.such", 1, true)
      or message:find("grainstore.driver", 1, true))
    assert.is_false((pcall(core.private)))
    assert.is_false((pcall(core.private, "x", nil)))
  end)
end)
