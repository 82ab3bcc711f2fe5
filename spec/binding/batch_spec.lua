-- Writes that happen together.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

local NOW = T.FUTURE_MS

describe("a batch", function()
  local store, batch

  before_each(function()
    store = assert(grainstore.open(tmp.path()))
    batch = store:batch()
  end)

  after_each(function()
    store:close()
  end)

  it("does nothing before it is committed", function()
    batch:put("a", "1"):put("b", "2"):delete "c"
    assert.is_nil(store:get "a")
    assert.equal(0, store:seq())
    assert.same({ 1, 3 }, { batch:commit() })
    assert.equal("1", store:get "a")
    assert.equal("2", store:get "b")
    assert.equal(3, store:seq())
  end)

  it("does its writes in order", function()
    batch:put("a", "1"):delete("a"):put("a", "2"):put("b", "1"):delete "b"
    assert(batch:commit())
    assert.equal("2", store:get "a")
    assert.is_nil(store:get "b")
  end)

  it("counts what it holds, and may be used again", function()
    assert.equal(0, batch:count())
    assert.equal(0, batch:bytes())
    batch:put("key", "value"):delete "other"
    assert.equal(2, batch:count())
    assert.equal(13, batch:bytes())
    assert.equal("grainstore.batch (2 entries)", tostring(batch))
    assert(batch:commit())
    assert.equal(0, batch:count())
    assert.equal(0, batch:bytes())
    batch:put("key", "again")
    assert.same({ 3, 3 }, { batch:commit() })
    assert.equal("again", store:get "key")
  end)

  it("can be cleared", function()
    assert.equal(batch, batch:put("a", "1"):clear())
    assert.equal(0, batch:count())
    assert.same({ 0, 0 }, { batch:commit() })
    assert.is_nil(store:get "a")
  end)

  it("owns its bytes", function()
    for i = 1, 300 do
      batch:put("k" .. i, ("v" .. i):rep(20))
      collectgarbage "step"
    end
    collectgarbage()
    assert(batch:commit())
    for i = 1, 300 do
      assert.equal(("v" .. i):rep(20), store:get("k" .. i))
    end
  end)

  it("may be larger than the memory for entries", function()
    local small <close> = assert(grainstore.open(tmp.path(), {
      memory_bytes = 1 << 20, memtable_bytes = 8192,
    }))
    local large <close> = small:batch()
    for i = 1, 2000 do
      large:put(("k%05d"):format(i), ("v"):rep(100))
    end
    assert(large:commit())
    assert.equal(2000, small:count())
  end)

  it("carries its time", function()
    batch:put("a", "1", { ttl_ms = 100 })
    batch:put("b", "1", { expires_at_ms = NOW + 50 })
    batch:put("c", "1")
    assert(batch:commit { now_ms = NOW })
    assert.equal(100, store:ttl "a")
    assert.equal(50, store:ttl "b")
    assert.equal(math.huge, store:ttl "c")
    batch:put("d", "1", { ttl_ms = 10 })
    assert(batch:commit { now_ms = NOW + 60 })
    assert.equal(40, store:ttl "a")
    assert.is_nil(store:ttl "b")
    assert.equal(10, store:ttl "d")
  end)

  it("does not turn the clock back", function()
    T.advance(store, NOW)
    batch:put("a", "1", { ttl_ms = 100 })
    assert(batch:commit { now_ms = NOW - 60 })
    assert.equal(40, store:ttl "a")
  end)

  it("keeps a note", function()
    batch:put("a", "1")
    assert(batch:commit { meta = "offset 17" })
    assert.equal("offset 17", store:meta())
    assert.same({ 0, 0 }, { batch:commit { meta = "alone" } })
    assert.equal("alone", store:meta())
    assert(batch:commit { meta = "" })
    assert.equal("", store:meta())
  end)

  it("keeps the note across a close", function()
    local path = tmp.path()
    local one = assert(grainstore.open(path))
    assert(one:batch():put("a", "1"):commit { meta = "offset 17" })
    assert(one:close())
    local again <close> = assert(grainstore.open(path))
    assert.equal("offset 17", again:meta())
  end)

  it("may ask for the device", function()
    local _, last = batch:put("a", "1"):commit { sync = true }
    assert.equal(last, store:durable_seq())
  end)

  it("with an entry that is too large is not committed in part", function()
    batch:put("a", "1")
    local ok, message, code = batch:put(("k"):rep(65536), "2")
    assert.is_nil(ok)
    assert.equal("toolarge", code)
    assert.is_truthy(message:find("65536", 1, true))
    assert.equal("toolarge", select(3, batch:put("b", "2")))
    assert.equal("toolarge", select(3, batch:delete "a"))
    assert.equal("toolarge", select(3, batch:commit()))
    assert.equal(0, store:count())
    batch:clear():put("c", "3")
    assert(batch:commit())
    assert.same({ { "c", "3" } }, T.pairs_of(store))
  end)

  it("checks arguments and options", function()
    assert.error_matches(function() batch:put("a", 1) end,
      "bad argument #2 to 'put' %(value must be a string")
    assert.error_matches(function() batch:put("a", "1", { sync = true }) end,
      "unknown option 'sync'")
    assert.error_matches(function() batch:commit { meta = 5 } end,
      "option 'meta' takes a string")
    assert.error_matches(function() batch:commit { now = 5 } end,
      "unknown option 'now'")
    assert.error_matches(function() batch:commit { now_ms = -5 } end,
      "option 'now_ms' takes an integer from 0")
    assert.error_matches(function()
      batch:put("a", "1", { ttl_ms = 1, expires_at_ms = 1 })
    end, "not both")
    assert.equal(0, batch:count())
  end)

  it("is closed with its scope, its store or by hand", function()
    do
      local scoped <close> = batch
      scoped:put("a", "1")
    end
    assert.equal("grainstore.batch (closed)", tostring(batch))
    assert.error_matches(function() batch:put("a", "1") end,
      "calling 'put' on bad self %(the batch is closed")
    batch:close()
    local other = store:batch()
    store:close()
    assert.error_matches(function() other:commit() end, "is closed")
  end)
end)
