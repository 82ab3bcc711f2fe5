-- Cursors and loops: both directions, seeking, filling, and letting go.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

local NOW = T.FUTURE_MS

describe("walking a store", function()
  local store, clock

  -- b, d, f in a table; c and e over it in memory; d deleted again.
  before_each(function()
    clock = T.clock(NOW - 1000)
    store = assert(grainstore.open(tmp.path(), {
      clock = clock,
      policy = T.manual, threads = 0,
    }))
    for key in ("bdf"):gmatch "." do
      store:put(key, key:upper())
    end
    assert(store:flush())
    store:put("c", "C")
    store:put("e", "E")
    store:delete "d"
  end)

  after_each(function()
    store:close()
  end)

  local function keys_of(options, from)
    local keys = {}
    for key in (from or store):scan(options) do
      keys[#keys + 1] = key
    end
    return table.concat(keys)
  end

  describe("by a loop", function()
    it("goes through all in order, with values", function()
      assert.same({ { "b", "B" }, { "c", "C" }, { "e", "E" }, { "f", "F" } },
        T.pairs_of(store))
    end)

    it("keeps to its options", function()
      assert.equal("bcef", keys_of())
      assert.equal("fecb", keys_of { reverse = true })
      assert.equal("cef", keys_of { from = "c" })
      assert.equal("cef", keys_of { from = "bb" })
      assert.equal("bc", keys_of { to = "e" })
      assert.equal("ce", keys_of { from = "c", to = "f" })
      assert.equal("ec", keys_of { from = "c", to = "f", reverse = true })
      assert.equal("bc", keys_of { limit = 2 })
      assert.equal("fe", keys_of { limit = 2, reverse = true })
      assert.equal("", keys_of { limit = 0 })
      assert.equal("", keys_of { from = "f", to = "b" })
      assert.equal("e", keys_of { prefix = "e" })
      assert.equal("bcef", keys_of { prefix = "" })
      assert.equal("", keys_of { prefix = "d" })
    end)

    it("gives keys alone when asked", function()
      for key, value in store:scan { keys_only = true } do
        assert.equal(1, #key)
        assert.is_nil(value)
      end
    end)

    it("has no upper end for a prefix of the highest bytes", function()
      store:put("\255", "1")
      store:put("\255\255x", "2")
      assert.equal("\255\255\255x", keys_of { prefix = "\255" })
      assert.equal("\255\255x", keys_of { prefix = "\255\255" })
    end)

    it("sees what was there when it began", function()
      local seen = {}
      for key in store:scan() do
        seen[#seen + 1] = key
        store:put(key .. "+", "new")
        store:delete "f"
        assert(store:flush())
      end
      assert.equal("bcef", table.concat(seen))
      assert.equal("bb+cc+ee+f+", keys_of())
    end)

    it("has the time when it began", function()
      store:put("g", "G", { expires_at_ms = NOW })
      local seen = 0
      for _ in store:scan() do
        seen = seen + 1
        clock:set(NOW)
      end
      assert.equal(5, seen)
      assert.equal("bcef", keys_of())
    end)

    it("ends for good: the iterator does not begin again", function()
      local iterate, state, first = store:scan()
      assert.is_nil(first)
      while iterate(state) do end
      assert.error_matches(function() iterate(state) end, "closed")
    end)

    it("lets go of its view when left early", function()
      local iterate, cursor, first, closing = store:scan()
      assert.equal(cursor, closing)
      for key in iterate, cursor, first, closing do
        assert.equal("grainstore.cursor", tostring(cursor))
        if key == "c" then
          break
        end
      end
      assert.equal("grainstore.cursor (closed)", tostring(cursor))
    end)

    it("lets go when the body raises", function()
      local cursor
      local scan = store.scan
      local ok = pcall(function()
        local iterate, state, first, closing = scan(store)
        cursor = closing
        for _ in iterate, state, first, closing do
          error "enough"
        end
      end)
      assert.is_false(ok)
      assert.equal("grainstore.cursor (closed)", tostring(cursor))
    end)

    it("raises when its store is closed under it", function()
      assert.error_matches(function()
        for _ in store:scan() do
          store:close()
        end
      end, "the loop's store or cursor was closed")
    end)

    it("may be inside another, and in a coroutine", function()
      local walk = coroutine.wrap(function()
        for key in store:scan() do
          coroutine.yield(key)
        end
      end)
      local seen = {}
      for key in store:scan { reverse = true } do
        seen[#seen + 1] = key .. walk()
      end
      assert.same({ "fb", "ec", "ce", "bf" }, seen)
    end)
  end)

  describe("by a cursor", function()
    local cursor

    before_each(function()
      cursor = store:cursor()
    end)

    it("begins at either end", function()
      assert.same({ "b", "B" }, { cursor:next() })
      cursor = store:cursor()
      assert.same({ "f", "F" }, { cursor:prev() })
      assert.same({ "b", "B" }, { cursor:first() })
      assert.same({ "f", "F" }, { cursor:last() })
    end)

    it("turns around anywhere", function()
      assert.equal("b", (cursor:first()))
      assert.equal("c", (cursor:next()))
      assert.equal("e", (cursor:next()))
      assert.equal("c", (cursor:prev()))
      assert.equal("e", (cursor:next()))
      assert.equal("f", (cursor:next()))
      assert.is_nil(cursor:next())
    end)

    it("stands nowhere beyond the ends, and can be put back", function()
      cursor:last()
      assert.equal(1, select("#", cursor:next()))
      assert.is_nil(cursor:next())
      assert.is_nil(cursor:prev())
      assert.equal("f", (cursor:last()))
      cursor:first()
      assert.is_nil(cursor:prev())
      assert.equal("c", (cursor:seek "c"))
    end)

    it("seeks the first at or after a key", function()
      assert.same({ "c", "C" }, { cursor:seek "c" })
      assert.same({ "e", "E" }, { cursor:seek "d" })
      assert.same({ "b", "B" }, { cursor:seek "" })
      assert.is_nil(cursor:seek "g")
      assert.equal("f", (cursor:seek "f"))
      assert.equal("e", (cursor:prev()))
    end)

    it("stays inside its range", function()
      cursor = store:cursor { from = "c", to = "f" }
      assert.equal("c", (cursor:first()))
      assert.equal("e", (cursor:last()))
      assert.equal("c", (cursor:seek "a"))
      assert.is_nil(cursor:seek "f")
      cursor:first()
      assert.is_nil(cursor:prev())
    end)

    it("fills arrays, part by part", function()
      local keys, values = {}, {}
      assert.equal(3, cursor:fill(keys, values, 3))
      assert.same({ "b", "c", "e" }, keys)
      assert.same({ "B", "C", "E" }, values)
      assert.equal(1, cursor:fill(keys, values, 3))
      assert.equal("f", keys[1])
      assert.equal(0, cursor:fill(keys, values, 3))
      cursor:seek "b"
      assert.equal(2, cursor:fill(keys, nil, 2))
      assert.same({ "c", "e" }, { keys[1], keys[2] })
      assert.equal(0, cursor:fill(keys, values, 0))
    end)

    it("fills from a range of a u32 store", function()
      local u32 <close> = assert(grainstore.open_u32(tmp.path()))
      for i = 1, 300 do
        u32:put(i, i * 2)
      end
      local keys, values = {}, {}
      local c <close> = u32:cursor { from = 250 }
      assert.equal(51, c:fill(keys, values, 100))
      assert.equal(250, keys[1])
      assert.equal(600, values[51])
    end)

    it("sees its moment only", function()
      store:put("a", "A")
      assert.equal("b", (cursor:first()))
      assert.equal("a", (store:cursor():first()))
    end)

    -- Calls until one was disturbed: a finaliser moves the cursor in between.
    local function while_moved(call)
      local mover = {}
      mover.__gc = function()
        cursor:next()
        setmetatable({}, mover)
      end
      local pause = collectgarbage("setpause", 1)
      setmetatable({}, mover)
      local message
      for _ = 1, 10000 do
        local went, why = pcall(call)
        if not went then
          message = why
          break
        end
      end
      mover.__gc = nil
      collectgarbage("setpause", pause)
      return message
    end

    it("never gives a key with the value of another", function()
      local long = ("."):rep(12000)
      for i = 1, 200 do
        store:put(("k%03d"):format(i) .. long, ("%03d"):format(i))
      end
      cursor = store:cursor()
      local message = while_moved(function()
        local key, value = cursor:next()
        if not key then
          key, value = cursor:seek "k"
        end
        if key and #key > 1 then
          assert(key:sub(2, 4) == value, "key and value differ")
        end
      end)
      assert.matches("a finaliser moved the cursor", message)
      message = while_moved(function()
        local keys, values = {}, {}
        cursor:seek "k"
        for i = 1, cursor:fill(keys, values, 20) do
          assert(keys[i]:sub(2, 4) == values[i], "key and value differ")
        end
      end)
      assert.matches("a finaliser moved the cursor", message)
    end)

    it("closes once and for all", function()
      cursor:close()
      cursor:close()
      assert.error_matches(function() cursor:next() end,
        "calling 'next' on bad self %(the cursor is closed")
      do
        local scoped <close> = store:cursor()
        cursor = scoped
      end
      assert.error_matches(function() cursor:first() end, "is closed")
      assert.equal("grainstore.cursor (closed)", tostring(cursor))
    end)
  end)
end)
