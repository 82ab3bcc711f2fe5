-- Being told of ended jobs, and barring the store meanwhile.

local T = require "grainstore.testing"
local grainstore = require "grainstore"

local function open()
  return assert(grainstore.open("/w", {
    env = T.env { seed = 1 }, threads = 0, policy = "manual",
  }))
end

local function flush(store)
  store:put("key", "value")
  assert(store:flush())
end

describe("a store that is watched", function()
  it("tells of ended jobs at safe points", function()
    local store <close> = open()
    local told = {}
    store:_watch(function(s) told[#told + 1] = s:_noted() end)
    store:put("a", "b")
    assert.same({}, told)
    flush(store)
    assert.same({ 1 }, told)
    store:put("a", "b")
    assert.same({ 1 }, told)
    flush(store)
    assert.same({ 1, 2 }, told)
    store:_watch(nil)
    flush(store)
    assert.same({ 1, 2 }, told)
  end)

  it("tells once, and not from within", function()
    local store <close> = open()
    local told = 0
    store:_watch(function(s)
      told = told + 1
      if told < 2 then flush(s) end
    end)
    flush(store)
    assert.equal(1, told)
    store:put("c", "d")
    store:put("c", "d")
    assert.equal(2, told)
  end)

  it("tells again where it is asked to", function()
    local store <close> = open()
    local told = 0
    store:_watch(function()
      told = told + 1
      return told < 3
    end)
    flush(store)
    for _ = 1, 5 do store:put("a", "b") end
    assert.equal(3, told)
  end)

  it("goes on when whoever watches fails", function()
    local store <close> = open()
    store:_watch(function() error "no" end)
    flush(store)
    assert.equal("value", store:get "key")
    assert.has_error(function() store:_watch(1) end)
  end)

  it("cannot be closed by whoever watches", function()
    local store <close> = open()
    local said
    store:_watch(function(s) said = select(2, pcall(s.close, s)) end)
    store:put("key", "value")
    store:flush()
    assert.truthy(tostring(said):find("cannot close its store", 1, true))
    assert.is_true(store:is_open())
  end)
end)

describe("a store that is barred", function()
  it("cannot be used, and can be again", function()
    local store <close> = open()
    local a, b = store:_bar(function(x) return x, 2 end, 1)
    assert.same({ 1, 2 }, { a, b })
    local ok, message = pcall(store._bar, store, function()
      store:put("a", "b")
    end)
    assert.is_false(ok)
    assert.truthy(tostring(message):find("cannot use the store", 1, true))
    assert.truthy(store:put("a", "b"))
    assert.has_error(function() store:_bar() end)
  end)
end)

describe("the journal in memory", function()
  it("is what memory holds of it", function()
    local store <close> = open()
    flush(store)
    flush(store)
    local events = assert(store:_journal { in_memory = true })
    assert.equal("flush", events[#events].kind)
    assert.same(store:_journal(), events)
    assert.same({}, store:_journal {
      in_memory = true, since = events[#events].number,
    })
    assert.has_error(function()
      grainstore.journal("/w", { in_memory = true })
    end)
  end)
end)
