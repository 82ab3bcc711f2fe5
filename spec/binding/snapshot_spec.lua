-- A snapshot is one moment for as long as it is held.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

local NOW = T.FUTURE_MS

describe("a snapshot", function()
  local store, clock

  before_each(function()
    clock = T.clock(NOW - 1000)
    store = assert(grainstore.open(tmp.path(), {
      clock = clock,
      policy = T.manual, threads = 0,
    }))
  end)

  after_each(function()
    store:close()
  end)

  it("sees nothing of what comes later", function()
    store:put("a", "1")
    store:put("b", "1")
    local snapshot <close> = store:snapshot()
    store:put("a", "2")
    store:delete "b"
    store:put("c", "2")
    for _, work in ipairs { "nothing", "flush", "compact" } do
      if work ~= "nothing" then
        assert(store[work](store))
      end
      assert.equal("1", snapshot:get "a")
      assert.equal("1", snapshot:get "b")
      assert.is_nil(snapshot:get "c")
      assert.is_false(snapshot:contains "c")
      assert.equal(2, snapshot:count())
      assert.same({ { "a", "1" }, { "b", "1" } }, T.pairs_of(snapshot))
      assert.same({ { "b", "1" }, { "a", "1" } },
        T.pairs_of(snapshot, { reverse = true }))
      assert.same({ { "a", "2" }, { "c", "2" } }, T.pairs_of(store))
    end
  end)

  it("walks with cursors of its own", function()
    store:put("a", "1")
    local snapshot <close> = store:snapshot()
    store:put("b", "2")
    local cursor <close> = snapshot:cursor { from = "a" }
    assert.equal("a", (cursor:first()))
    assert.is_nil(cursor:next())
    local other <close> = store:cursor { snapshot = snapshot }
    assert.equal("a", (other:last()))
    assert.equal("a", store:scan { snapshot = snapshot, limit = 1 }
      (select(2, store:scan { snapshot = snapshot })))
  end)

  it("knows its sequence number and its age", function()
    store:put("a", "1")
    clock:set(NOW)
    local snapshot <close> = store:snapshot()
    assert.equal(1, snapshot.seq)
    assert.equal(0, snapshot.age_ms)
    store:put("a", "2")
    clock:set(NOW + 250)
    assert.equal(1, snapshot.seq)
    assert.equal(250, snapshot.age_ms)
    assert.is_nil(snapshot.anything)
    assert.equal("grainstore.snapshot (seq 1)", tostring(snapshot))
  end)

  it("is known to the tree and to the counters", function()
    assert.is_nil(store:tree().oldest_view)
    store:put("a", "1")
    local snapshot = store:snapshot()
    assert.equal(1, store:tree().oldest_view.seq)
    assert.equal(1, store:stats().views.snapshots)
    snapshot:close()
    assert.is_nil(store:tree().oldest_view)
    assert.equal(0, store:stats().views.snapshots)
  end)

  it("holds many versions of one key", function()
    local snapshots = {}
    for i = 1, 20 do
      store:put("k", "v" .. i)
      snapshots[i] = store:snapshot()
      if i % 5 == 0 then
        assert(store:flush())
      end
    end
    assert(store:compact())
    for i = 1, 20 do
      assert.equal("v" .. i, snapshots[i]:get "k")
    end
    assert.equal(20, store:stats().tables.entries)
    for i = 1, 20, 2 do
      snapshots[i]:close()
    end
    assert(store:compact())
    assert.equal(10, store:stats().tables.entries)
    for i = 2, 20, 2 do
      assert.equal("v" .. i, snapshots[i]:get "k")
    end
  end)

  it("refuses work when closed, and closes twice", function()
    local snapshot = store:snapshot()
    snapshot:close()
    snapshot:close()
    assert.error_matches(function() snapshot:get "a" end,
      "calling 'get' on bad self %(the snapshot is closed")
    assert.error_matches(function() return snapshot.seq end, "is closed")
    assert.error_matches(function() return snapshot.age_ms end, "is closed")
    assert.error_matches(function() snapshot:scan() end, "is closed")
    assert.equal("grainstore.snapshot (closed)", tostring(snapshot))
  end)

  it("may be closed under a cursor that was made from it", function()
    store:put("a", "1")
    local snapshot = store:snapshot()
    local cursor <close> = snapshot:cursor()
    snapshot:close()
    store:delete "a"
    assert(store:compact())
    assert.equal("a", (cursor:first()))
  end)
end)
