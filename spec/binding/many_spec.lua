-- One call for many keys: get_many, count, approx.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

describe("many keys", function()
  local store

  before_each(function()
    store = assert(grainstore.open(tmp.path(), {
      policy = T.manual, threads = 0,
    }))
  end)

  after_each(function()
    store:close()
  end)

  describe("get_many", function()
    it("answers in the order asked, false for what is absent", function()
      store:put("a", "1")
      store:put("b", "")
      store:put("c", "3")
      assert(store:flush())
      store:delete "c"
      assert.same({ "", false, "1", false, "1" },
        store:get_many { "b", "x", "a", "c", "a" })
      assert.same({}, store:get_many {})
    end)

    it("fills a table that is given, and returns it", function()
      store:put("a", "1")
      local out = {}
      assert.equal(out, store:get_many({ "a", "b" }, out))
      assert.same({ "1", false }, out)
      out = { "old", "old", "old" }
      store:get_many({ "b", "a" }, out)
      assert.same({ false, "1", "old" }, out)
    end)

    it("takes thousands", function()
      local keys = {}
      for i = 1, 5000 do
        keys[i] = "k" .. i
        if i % 2 == 0 then
          store:put(keys[i], "v" .. i)
        end
      end
      local values = store:get_many(keys)
      for i = 1, 5000 do
        assert.equal(i % 2 == 0 and "v" .. i, values[i])
      end
    end)

    it("of a u32 store answers numbers", function()
      local u32 <close> = assert(grainstore.open_u32(tmp.path()))
      u32:put(7, 99)
      u32:put(0, 0)
      assert.same({ 99, false, 0 }, u32:get_many { 7, 8, 0 })
    end)

    it("of a snapshot answers as of then", function()
      store:put("a", "1")
      local snapshot <close> = store:snapshot()
      store:put("a", "2")
      store:put("b", "2")
      assert.same({ "1", false }, snapshot:get_many { "a", "b" })
      local out = {}
      assert.equal(out, snapshot:get_many({ "a" }, out))
      assert.same({ "1" }, out)
    end)
  end)

  describe("count", function()
    it("counts what is live, in ranges", function()
      for i = 0, 9 do
        store:put("k" .. i, "v")
      end
      assert(store:flush())
      store:delete "k5"
      store:put("k6", "again")
      assert.equal(9, store:count())
      assert.equal(3, store:count { from = "k3", to = "k7" })
      assert.equal(2, store:count { from = "k8" })
      assert.equal(3, store:count { to = "k3" })
      assert.equal(0, store:count { from = "k7", to = "k3" })
      assert.equal(0, store:count { from = "k3", to = "k3" })
    end)

    it("counts at a snapshot", function()
      store:put("a", "1")
      local snapshot <close> = store:snapshot()
      store:put("b", "1")
      assert.equal(1, store:count { snapshot = snapshot })
      assert.equal(1, snapshot:count())
      assert.equal(2, store:count())
    end)
  end)

  describe("memory of get_many", function()
    local keys, others = {}, { "x1", "x2" }

    -- A finaliser that asks the store too, while a call makes strings.
    local function with_asking_finaliser(call)
      local asked = 0
      local ask
      ask = { __gc = function()
        asked = asked + 1
        assert(store:get_many(others)[2] == "second")
        setmetatable({}, ask)
      end }
      setmetatable({}, ask)
      local pause = collectgarbage("setpause", 1)
      local before = asked
      local result = call()
      local during = asked - before
      ask.__gc = nil
      collectgarbage("setpause", pause)
      return result, during
    end

    before_each(function()
      for i = 1, 2000 do
        keys[i] = "k" .. i
        store:put(keys[i], ("v"):rep(500) .. i)
      end
      store:put("x1", "first")
      store:put("x2", "second")
    end)

    it("is not shared with a finaliser that asks in the middle", function()
      local values, during = with_asking_finaliser(function()
        return store:get_many(keys)
      end)
      assert.is_true(during > 0)
      for i = 1, 2000 do
        assert.equal(("v"):rep(500) .. i, values[i])
      end
    end)

    it("may go with the store in the middle of a call", function()
      local closer = { __gc = function() store:close() end }
      local pause = collectgarbage("setpause", 1)
      setmetatable({}, closer)
      assert.error_matches(function()
        for _ = 1, 1000 do
          store:get_many(keys)
        end
      end, "closed")
      collectgarbage("setpause", pause)
    end)

    it("holds no more than is used again", function()
      local env = require("grainstore.testing.env").env { seed = 1 }
      local other <close> = assert(grainstore.open("/db", {
        env = env, policy = T.manual, threads = 0,
      }))
      assert(other:put("k", ("v"):rep(1 << 20)))
      other:get_many { "k" }
      local before = env:allocated()
      for _ = 1, 3 do
        other:get_many { "k", "k", "k" }
        assert.equal(before, env:allocated())
      end
    end)
  end)

  describe("scratch of a call that fails", function()
    it("is gone before the machine is", function()
      local env = require("grainstore.testing.env").env { seed = 1 }
      local other = assert(grainstore.open("/db", {
        env = env, policy = T.manual, memory_bytes = 1 << 20,
      }))
      assert(other:put("on disk", "1"))
      assert(other:flush())
      assert(other:put("in memory", ("v"):rep(1000)))
      env:fail { op = "read", nth = 1, times = 0 }
      collectgarbage "stop"
      assert.code("io", other.get_many, other, { "in memory", "on disk" })
      env:heal()
      assert(other:close())
      assert.equal(0, env:allocated())
      collectgarbage "restart"
      env:close()
      collectgarbage()
    end)
  end)

  describe("approx", function()
    it("tells entries and bytes of tables that meet the range", function()
      assert.same({ entries = 0, bytes = 0 }, store:approx())
      for i = 0, 99 do
        store:put(("k%02d"):format(i), ("v"):rep(100))
      end
      assert(store:flush())
      local all = store:approx()
      assert.equal(100, all.entries)
      assert.is_true(all.bytes > 10000)
      assert.same({ entries = 0, bytes = 0 }, store:approx { from = "x" })
      assert.is_true(store:approx { prefix = "k0" }.entries > 0)
    end)
  end)
end)

describe("get_many", function()
  it("believes no length that a list only claims", function()
    local store <close> = assert(require "grainstore".open(
      require "grainstore.testing.tmp".path()))
    store:get_many { "a", "b" }
    local list = {}
    for i = 0, 61 do list[1 << i] = "a" end
    while #list < 1 << 59 do list[#list + 1] = "a" end
    local ok, message = pcall(store.get_many, store, list)
    assert.is_false(ok)
    assert.is_truthy(message:find("too long a list", 1, true))
  end)
end)
