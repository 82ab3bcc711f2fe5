-- The u32 store as a node of a cluster uses it: numbers under numbers, through
-- the module's functions, in a process that may be killed, from several
-- handles.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local process = require "spec.support.process"
local tmp = require "grainstore.testing.tmp"

describe("the u32 store", function()
  local path

  before_each(function()
    path = tmp.path()
  end)

  it("puts, gets, deletes, gets nil and closes", function()
    local store = assert(grainstore.open_u32(path, 42))
    assert(grainstore.put_u32(store, 7, 99))
    assert.equal(99, grainstore.get_u32(store, 7))
    assert(grainstore.delete_u32(store, 7))
    assert.is_nil(grainstore.get_u32(store, 7))
    assert.is_true(grainstore.close_u32(store))
  end)

  it("has nothing there after that and another open", function()
    for _ = 1, 2 do
      local store = assert(grainstore.open_u32(path, 42))
      assert.is_nil(grainstore.get_u32(store, 7))
      assert(grainstore.put_u32(store, 7, 99))
      assert(grainstore.delete_u32(store, 7))
      assert(grainstore.close_u32(store))
    end
  end)

  it("keeps the deletion when killed before the close", function()
    local said = process.run([[
      local store = assert(grainstore.open_u32(..., 42))
      assert(grainstore.put_u32(store, 7, 99))
      assert(grainstore.put_u32(store, 8, 100))
      print(grainstore.get_u32(store, 7))
      assert(grainstore.delete_u32(store, 7))
      print(grainstore.get_u32(store, 7))
      die()
      grainstore.close_u32(store)
      print "closed"
    ]], path)
    assert.equal("99\nnil\n", said)
    local store <close> = assert(grainstore.open_u32(path, 42))
    assert.is_nil(grainstore.get_u32(store, 7))
    assert.equal(100, grainstore.get_u32(store, 8))
    assert.same({ { 8, 100 } }, T.pairs_of(store))
  end)

  it("keeps the value when killed before the delete", function()
    process.run([[
      local store = assert(grainstore.open_u32(..., 42))
      assert(grainstore.put_u32(store, 7, 99))
      die()
    ]], path)
    local store <close> = assert(grainstore.open_u32(path, 42))
    assert.equal(99, grainstore.get_u32(store, 7))
  end)

  it("keeps both across a table and a kill", function()
    process.run([[
      local store = assert(grainstore.open_u32(..., 42))
      assert(grainstore.put_u32(store, 7, 99))
      assert(store:flush())
      assert(grainstore.delete_u32(store, 7))
      die()
    ]], path)
    local store <close> = assert(grainstore.open_u32(path, 42))
    assert.is_nil(grainstore.get_u32(store, 7))
    assert.equal(0, store:count())
  end)

  describe("holds numbers:", function()
    local store

    before_each(function()
      store = assert(grainstore.open_u32(path, 42))
    end)

    after_each(function()
      store:close()
    end)

    -- Numeric, byte and text order of these all differ.
    local numbers = { 256, 1, 4294967295, 65536, 0, 255, 16777216, 10, 9 }
    local sorted = { 0, 1, 9, 10, 255, 256, 65536, 16777216, 4294967295 }

    local function keys_of(options)
      local keys = {}
      for key in store:scan(options) do
        keys[#keys + 1] = key
      end
      return keys
    end

    it("scans are in the order of numbers, from memory", function()
      for i, number in ipairs(numbers) do
        store:put(number, i)
      end
      assert.same(sorted, keys_of())
    end)

    it("and from tables, and from both", function()
      for i, number in ipairs(numbers) do
        store:put(number, i)
        if i % 3 == 0 then
          assert(store:flush())
        end
      end
      assert.same(sorted, keys_of())
      assert(store:compact())
      assert.same(sorted, keys_of())
      local reversed = keys_of { reverse = true }
      for i, number in ipairs(sorted) do
        assert.equal(number, reversed[#sorted + 1 - i])
      end
      assert.same({ 9, 10, 255 }, keys_of { from = 9, to = 256 })
    end)

    it("every value comes back, the largest too", function()
      for _, number in ipairs(sorted) do
        store:put(1, number)
        assert.equal(number, store:get(1))
        assert.equal("integer", math.type(store:get(1)))
      end
    end)

    it("integral floats are numbers as well", function()
      store:put(7.0, 99.0)
      assert.equal(99, store:get(7))
    end)

    it("keys lie in the log with their lowest byte first", function()
      store:put(0x01020304, 0x0A0B0C0D)
      local log = tmp.read(tmp.files(path, ".wal")[1])
      assert.is_truthy(log:find("\4\3\2\1\13\12\11\10", 1, true))
      assert.is_nil(log:find("\1\2\3\4", 1, true))
    end)

    it("and in tables with their highest byte first", function()
      store:put(0x01020304, 0x0A0B0C0D)
      assert(store:flush())
      local bytes = tmp.read(tmp.files(path, ".sst")[1])
      assert.is_truthy(bytes:find("\1\2\3\4\13\12\11\10", 1, true))
    end)
  end)

  describe("has more than one writer:", function()
    it("handles of one process share one engine", function()
      local a <close> = assert(grainstore.open_u32(path, 42))
      local b <close> = assert(grainstore.open_u32(path, 42))
      for i = 0, 99 do
        assert.equal(2 * i + 1, a:put(i, i))
        assert.equal(2 * i + 2, b:put(i + 1000, i))
      end
      assert.equal(200, a:count())
      assert.equal(200, b:count())
      assert(a:delete(0))
      assert.is_nil(b:get(0))
      assert(a:close())
      assert.equal(99, b:get(99))
      assert(b:put(5, 6))
      assert(b:close())
      local again <close> = assert(grainstore.open_u32(path))
      assert.equal(6, again:get(5))
      assert.equal(199, again:count())
    end)

    it("the same directory by another name is the same engine", function()
      local a <close> = assert(grainstore.open_u32(path, 42))
      local b <close> = assert(grainstore.open_u32(path .. "/../"
        .. path:match "[^/]*$" .. "/", 42))
      a:put(1, 2)
      assert.equal(2, b:get(1))
    end)

    it("coroutines write in turn", function()
      local store <close> = assert(grainstore.open_u32(path, 42))
      local writers = {}
      for w = 0, 3 do
        writers[w] = coroutine.wrap(function()
          for i = 0, 49 do
            assert(store:put(w * 100 + i, i))
            coroutine.yield()
          end
        end)
      end
      for _ = 1, 50 do
        for w = 0, 3 do
          writers[w]()
        end
      end
      assert.equal(200, store:count())
      assert.equal(50, store:count { from = 100, to = 200 })
    end)

    it("another process is told who has it", function()
      local store <close> = assert(grainstore.open_u32(path, 42))
      local said = process.run([[
        print(select(3, grainstore.open_u32(..., 42)))
        print((select(2, grainstore.open_u32(..., 42))))
      ]], path)
      local own = assert(io.open "/proc/self/stat"):read "n"
      local code, message = said:match "^(%w+)[^\n]*\n(.*)"
      assert.equal("locked", code)
      assert.is_truthy(message:find(math.tointeger(own), 1, true))
      assert.is_truthy(message:find(path, 1, true))
      assert(store:put(1, 1))
    end)

    it("another process has its turn after the close", function()
      local store = assert(grainstore.open_u32(path, 42))
      assert(store:put(7, 99))
      assert(store:close())
      assert.equal("99\n", process.run([[
        local store <close> = assert(grainstore.open_u32(..., 42))
        print(store:get(7))
      ]], path))
    end)
  end)
end)
