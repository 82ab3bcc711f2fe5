-- The module: its names, pairs, and the methods that are Lua's part.

local grainstore = require "grainstore"
local tmp = require "grainstore.testing.tmp"

describe("the module", function()
  it("has a version and a format", function()
    assert.is_truthy(grainstore._VERSION:find "^%d+%.%d+%.%d+$")
    assert.equal(1, grainstore.FORMAT)
  end)

  it("loads its parts when they are used", function()
    assert.equal(require "grainstore.keys", grainstore.keys)
    assert.equal(require "grainstore.policy", grainstore.policy)
    assert.is_nil(grainstore.nothing)
  end)

  it("has the functions of old, which are the methods", function()
    local store <close> = assert(grainstore.open_u32(tmp.path(), 42))
    assert.equal(store.put, grainstore.put_u32)
    assert.equal(store.get, grainstore.get_u32)
    assert.equal(store.delete, grainstore.delete_u32)
    assert.equal(store.close, grainstore.close_u32)
  end)

  it("stores five lines' worth without configuration", function()
    local path = tmp.path()
    do
      local store <close> = assert(grainstore.open(path))
      store:put("greeting", "hello")
    end
    local store <close> = assert(grainstore.open(path))
    assert.equal("hello", store:get "greeting")
  end)

  describe("pairs", function()
    local store

    before_each(function()
      store = assert(grainstore.open(tmp.path()))
    end)

    after_each(function()
      store:close()
    end)

    local function fill(count)
      for i = 1, count do
        store:put(("k%04d"):format(i), "v" .. i)
      end
    end

    it("goes through everything in order, over many pages", function()
      for _, count in ipairs { 0, 1, 63, 64, 65, 66, 128, 129, 500 } do
        fill(count)
        local i = 0
        for key, value in pairs(store) do
          i = i + 1
          assert.equal(("k%04d"):format(i), key)
          assert.equal("v" .. i, value)
        end
        assert.equal(count, i)
      end
    end)

    it("may write while it goes, also what it has not seen", function()
      fill(300)
      local seen = 0
      for key in pairs(store) do
        seen = seen + 1
        store:delete(key)
        store:put("a" .. key, "behind")
        if seen == 10 then
          store:delete "k0200"
          store:put("z", "ahead")
        end
      end
      assert.equal(300, seen) -- one of 300 deleted, one added
      assert.equal(301 - 1, store:count { prefix = "ak" } + 1)
      assert.equal(0, store:count { prefix = "k" })
    end)

    it("starts with the empty key, and works with numbers", function()
      store:put("", "first")
      store:put("a", "second")
      local keys = {}
      for key in pairs(store) do
        keys[#keys + 1] = key
      end
      assert.same({ "", "a" }, keys)
      local u32 <close> = assert(grainstore.open_u32(tmp.path()))
      for i = 0, 199 do
        u32:put(i, i)
      end
      local sum = 0
      for key, value in pairs(u32) do
        assert.equal(key, value)
        sum = sum + key
      end
      assert.equal(199 * 100, sum)
    end)

    it("holds nothing between pages", function()
      fill(100)
      local iterate = pairs(store)
      assert.equal("k0001", (iterate()))
      assert.is_true(store:close())
    end)

    it("raises when the store is closed under it", function()
      fill(100)
      assert.error_matches(function()
        for _ in pairs(store) do
          store:close()
        end
      end, "the store is closed")
    end)
  end)
end)
