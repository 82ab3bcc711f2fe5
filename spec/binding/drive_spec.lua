-- What the driver is made from, used by hand.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

describe("the functions of the driver", function()
  local store

  before_each(function()
    store = assert(grainstore.open(tmp.path(), {
      threads = 0, policy = T.manual,
    }))
  end)

  after_each(function()
    store:close()
  end)

  it("run a function at safe points while a decision is wanted", function()
    local runs = 0
    assert.is_true(store:_drive(function(s)
      assert.equal(store, s)
      runs = runs + 1
      s:_shape().shape:close()
    end, "mine"))
    store:put("k", "v")
    store:put("k", "v")
    assert.equal(1, runs)
    store:_decide()
    assert.equal(1, runs)
    assert(store:flush())
    store:_decide()
    assert.equal(2, runs)
    assert.equal("mine", store:_policy().name)
  end)

  it("count decisions and what was wrong with them", function()
    store:_drive(function() end, "mine")
    store:_decided()
    store:_decided("nonsense")
    local policy = store:_policy()
    assert.same({ 2, 1, "nonsense", false }, {
      policy.decisions, policy.errors, policy.error, policy.aside,
    })
    store:_decided("nonsense", true)
    assert.is_true(store:_policy().aside)
    for _ = 1, 12 do
      store:put("k", "v")
      assert(store:flush())
    end
    while store:step() do end
    assert.is_true(store:stats().tables.runs <= 5)
  end)

  it("show a tree to who looks without taking the question away", function()
    local runs = 0
    store:_drive(function(s)
      runs = runs + 1
      s:_shape().shape:close()
    end, "mine")
    store:_shape(true).shape:close()
    store:_decide()
    assert.equal(1, runs)
  end)

  it("refuse arguments that make no sense", function()
    for _, f in ipairs {
      function() store:_drive("x", "y") end,
      function() store:_drive(print) end,
      function() store:_ask(5) end,
      function() store:_throttle(-1) end,
      function() store:_throttle "much" end,
      function() store:_layout(64, 8192, 512) end,
      function() store:_layout(0, 1, 512) end,
      function() store:_layout(0, 8192, 1 << 40) end,
      function() store:_layout(1 << 40, 8192, 512) end,
      function() store:_layout(0, 8192, 512, "snappy") end,
      function() store:_flush_ask(1.5) end,
      function() store:_wake(-5) end,
      function() store:_start({}, "x") end,
    } do
      assert.is_false((pcall(f)))
    end
    assert(store:put("k", "v"))
    store:close()
    for _, name in ipairs {
      "_drive", "_ask", "_decide", "_decided", "_policy", "_throttle",
      "_layout", "_flush_ask", "_wake", "_start",
    } do
      assert.error_matches(function() store[name](store) end, "closed")
    end
  end)
end)
