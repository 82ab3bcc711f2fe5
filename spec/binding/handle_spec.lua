-- Handles: open or closed and nothing between, in whatever order they go.

local grainstore = require "grainstore"
local tmp = require "grainstore.testing.tmp"

describe("a handle", function()
  it("closes once, and says true each time", function()
    local store = assert(grainstore.open(tmp.path()))
    assert.is_true(store:close())
    assert.is_true(store:close())
  end)

  it("is closed at the end of its scope", function()
    local path = tmp.path()
    local outer
    do
      local store <close> = assert(grainstore.open(path))
      store:put("a", "1")
      outer = store
    end
    assert.equal("grainstore.store (closed)", tostring(outer))
    local again <close> = assert(grainstore.open(path, { durability = "os" }))
    assert.equal("1", again:get "a")
  end)

  it("is closed when its scope ends by an error", function()
    local outer
    pcall(function()
      local store <close> = assert(grainstore.open(tmp.path()))
      outer = store
      error "out"
    end)
    assert.equal("grainstore.store (closed)", tostring(outer))
  end)

  it("refuses every call when closed", function()
    local store = assert(grainstore.open(tmp.path()))
    store:close()
    for _, name in ipairs {
      "put", "get", "delete", "contains", "take", "put_if", "ttl", "expire",
      "persist", "meta", "get_many", "count", "approx", "cursor", "scan",
      "snapshot", "batch", "flush", "sync", "compact", "attach", "verify",
      "step", "seq", "durable_seq", "options", "plan", "tree", "stats", "set",
    } do
      local ok, message = pcall(function()
        return store[name](store, "a", "b")
      end)
      assert.is_false(ok, name)
      assert.is_truthy(tostring(message):find("the store is closed", 1, true),
        name .. ": " .. tostring(message))
    end
    assert.has_error(function() store:set("policy", "leveled") end)
    assert.has_error(function() pairs(store)() end)
  end)

  it("of a store closes its children with it", function()
    local store = assert(grainstore.open(tmp.path()))
    store:put("a", "1")
    local children = {
      cursor = store:cursor(), snapshot = store:snapshot(),
      batch = store:batch(),
    }
    children.cursor:first()
    store:close()
    for name, child in pairs(children) do
      assert.equal(("grainstore.%s (closed)"):format(name), tostring(child))
      child:close()
    end
    assert.error_matches(function() children.cursor:next() end, "is closed")
    assert.error_matches(function() children.snapshot:get "a" end, "is closed")
    assert.error_matches(function() children.batch:clear() end, "is closed")
  end)

  it("that nobody holds is collected, in any order", function()
    local path = tmp.path()
    for round = 1, 20 do
      local store = assert(grainstore.open(path))
      local child = ({ "cursor", "snapshot", "batch" })[round % 3 + 1]
      local held = {}
      for i = 1, 5 do
        held[i] = store[child](store)
      end
      store:put("k" .. round, "v")
      if round % 2 == 0 then
        store = nil -- luacheck: ignore
        collectgarbage()
        assert.is_nil(tostring(held[1]):find "closed")
      else
        held = nil -- luacheck: ignore
        collectgarbage()
        assert.equal("v", store:get("k" .. round))
      end
      store, held = nil, nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
    end
    local store <close> = assert(grainstore.open(path, { durability = "os" }))
    assert.equal(20, store:count())
  end)

  it("of a child keeps the store open", function()
    local path = tmp.path()
    local snapshot
    do
      local store = assert(grainstore.open(path))
      store:put("a", "1")
      snapshot = store:snapshot()
    end
    collectgarbage()
    collectgarbage()
    assert.equal("1", snapshot:get "a")
    snapshot = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_true(grainstore.destroy(path))
  end)

  it("hides its metatable", function()
    local store <close> = assert(grainstore.open(tmp.path()))
    assert.equal("grainstore.store", getmetatable(store))
    assert.equal("grainstore.cursor", getmetatable(store:cursor()))
    assert.equal("grainstore.snapshot", getmetatable(store:snapshot()))
    assert.equal("grainstore.batch", getmetatable(store:batch()))
    assert.has_error(function() setmetatable(store, {}) end)
  end)

  it("cannot be closed by its own policy", function()
    local store, said
    store = assert(grainstore.open(tmp.path(), {
      threads = 0,
      policy = { pick = function()
        said = said or select(2, pcall(store.close, store))
      end },
    }))
    store:put("a", "1")
    assert(store:flush())
    assert.is_true(store:step() ~= nil)
    assert.is_truthy(said:find("a policy cannot close its store", 1, true))
    assert.equal("1", store:get "a")
    assert.is_true(store:close())
  end)

  it("works in a coroutine, and is closed when that is", function()
    local path = tmp.path()
    local outer
    local thread = coroutine.create(function()
      local store <close> = assert(grainstore.open(path))
      outer = store
      store:put("a", "1")
      for key in store:scan() do
        coroutine.yield(key)
      end
    end)
    assert.same({ true, "a" }, { coroutine.resume(thread) })
    assert.equal("1", outer:get "a")
    assert.is_true(coroutine.close(thread))
    assert.equal("grainstore.store (closed)", tostring(outer))
  end)

  it("is told from anything else", function()
    local store <close> = assert(grainstore.open(tmp.path()))
    local made = {
      store = store, cursor = store:cursor(), snapshot = store:snapshot(),
      batch = store:batch(),
    }
    local calls = {
      store = store.get, cursor = made.cursor.next,
      snapshot = made.snapshot.get, batch = made.batch.put,
    }
    for wanted, call in pairs(calls) do
      for kind, other in pairs {
        store = made.store, cursor = made.cursor, snapshot = made.snapshot,
        batch = made.batch, file = io.stdout, table = {}, string = "store",
        number = 1, env = require("grainstore.testing.env").env { seed = 1 },
      } do
        local _, message = pcall(call, other, "a", "b")
        assert.equal(kind ~= wanted, tostring(message):find(
          ("grainstore.%s expected"):format(wanted), 1, true) ~= nil,
          ("%s given to %s: %s"):format(kind, wanted, message))
      end
    end
  end)

  it("does not answer to what is no method", function()
    local store <close> = assert(grainstore.open(tmp.path()))
    assert.is_nil(store.gett)
    assert.has_error(function() store.anything = 1 end)
    assert.has_error(function() return #store end)
  end)
end)
