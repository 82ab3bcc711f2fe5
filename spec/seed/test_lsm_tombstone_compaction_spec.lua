-- How values and tombstones merge. Each case builds its runs by flushing, under
-- a policy that leaves them alone, and merges them by plan.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

local options = { policy = T.manual, threads = 0 }

describe("tombstone compaction", function()
  local store, path

  before_each(function()
    path = tmp.path()
    store = assert(grainstore.open_u32(path, options))
  end)

  after_each(function()
    store:close()
  end)

  -- One run from each list of writes, the first list at the bottom: {7, 99}
  -- puts, {7} deletes.
  local function build(...)
    for _, writes in ipairs { ... } do
      for _, write in ipairs(writes) do
        if write[2] then
          assert(store:put(write[1], write[2]))
        else
          assert(store:delete(write[1]))
        end
      end
      assert(store:flush())
    end
  end

  describe("has three rules:", function()
    it("an older value and a newer tombstone become a tombstone", function()
      build({ { 7, 1 } }, { { 7, 99 } }, { { 7 } })
      T.merge(store, 1, 2)
      assert.equal("1:1 1:0", T.runs(store))
      assert.is_nil(store:get(7))
      assert.is_true(store:verify())
    end)

    it("an older tombstone and a newer value become the value", function()
      build({ { 7, 1 } }, { { 7 } }, { { 7, 99 } })
      T.merge(store, 1, 2)
      assert.equal("1:0 1:0", T.runs(store))
      assert.equal(99, store:get(7))
    end)

    it("a tombstone alone stays until nothing older can remain", function()
      build({ { 7, 99 } }, { { 7 } })
      T.merge(store, 1, 1)
      assert.equal("1:1 1:0", T.runs(store))
      assert.is_nil(store:get(7))
      T.merge(store, 1, 2)
      assert.equal("", T.runs(store))
      assert.is_nil(store:get(7))
      assert.equal(0, store:stats().tables.tombstones)
    end)
  end)

  it("keeps a tombstone whose key only an untouched run can hold", function()
    build({ { 1, 1 }, { 9, 9 } }, { { 5, 5 } }, { { 5 } })
    -- The oldest run has no 5, but its bounds do not say so.
    T.merge(store, 1, 2)
    assert.equal("1:1 2:0", T.runs(store))
  end)

  it("drops a tombstone outside the bounds of all older runs", function()
    build({ { 1, 1 }, { 4, 4 } }, { { 5, 5 } }, { { 5 } })
    T.merge(store, 1, 2)
    assert.equal("2:0", T.runs(store))
    assert.equal(1, store:stats().dropped.tombstones)
  end)

  it("writes no tombstone for a key that never was", function()
    build({ { 5 }, { 6, 6 } })
    assert.equal("1:0", T.runs(store))
    assert.is_nil(store:get(5))
  end)

  it("keeps what an open snapshot still sees", function()
    build({ { 7, 99 } })
    local snapshot <close> = store:snapshot()
    build({ { 7 } })
    assert(store:compact())
    assert.equal("2:1", T.runs(store))
    assert.equal(99, snapshot:get(7))
    assert.is_nil(store:get(7))
    snapshot:close()
    assert(store:compact())
    assert.equal("", T.runs(store))
  end)

  it("loses no key besides the deleted one", function()
    local writes, deletes = {}, {}
    for i = 0, 999 do
      writes[#writes + 1] = { i, i * 3 }
      if i % 3 == 0 then
        deletes[#deletes + 1] = { i }
      end
    end
    build(writes, deletes)
    assert(store:compact())
    assert.equal("666:0", T.runs(store))
    for i = 0, 999 do
      assert.equal(i % 3 ~= 0 and i * 3 or nil, store:get(i))
    end
  end)

  it("merges the same under reads, and after closing", function()
    build({ { 1, 1 }, { 2, 2 }, { 3, 3 } }, { { 2 } }, { { 3, 33 } })
    local before = T.pairs_of(store)
    assert(store:compact())
    assert.same(before, T.pairs_of(store))
    assert(store:close())
    store = assert(grainstore.open_u32(path, options))
    assert.same({ { 1, 1 }, { 3, 33 } }, T.pairs_of(store))
    assert.equal("2:0", T.runs(store))
  end)

  describe("reads", function()
    it("stop at a tombstone, wherever it lies", function()
      build({ { 7, 99 } })
      assert(store:delete(7)) -- in memory over a table
      assert.is_nil(store:get(7))
      assert.same({}, T.pairs_of(store))
      assert(store:flush()) -- in a table over a table
      assert.is_nil(store:get(7))
      assert.is_false(store:contains(7))
      assert.same({}, T.pairs_of(store))
      assert.equal(0, store:count())
    end)

    it("see a value that was put over a tombstone", function()
      build({ { 7, 99 } }, { { 7 } }, { { 7, 100 } })
      assert.equal(100, store:get(7))
      assert.same({ { 7, 100 } }, T.pairs_of(store))
    end)
  end)

  describe("on the disk", function()
    -- kind, flags, size of the key, size of the value, key
    local function log_record(key)
      return string.pack("<I1 I1 I2 I4 I4", 2, 0, 4, 0, key)
    end

    -- kind, size of the value, size of the key, sequence less the block's, key
    local function table_row(key)
      return string.pack("<I1 I1 I2 I4 >I4", 2, 0, 4, 0, key)
    end

    local function holds(ending, bytes)
      for _, file in ipairs(tmp.files(path, ending)) do
        if tmp.read(file):find(bytes, 1, true) then
          return true
        end
      end
      return false
    end

    it("a tombstone is a record of kind 2 without a value, in the log",
      function()
        assert(store:put(7, 99))
        assert.is_false(holds(".wal", log_record(7)))
        assert(store:delete(7))
        assert.is_true(holds(".wal", log_record(7)))
      end)

    it("and in a table", function()
      build({ { 7, 99 } })
      assert.is_false(holds(".sst", table_row(7)))
      build({ { 7 } })
      assert.is_true(holds(".sst", table_row(7)))
      assert.equal(1, store:stats().tables.tombstones)
    end)
  end)
end)
