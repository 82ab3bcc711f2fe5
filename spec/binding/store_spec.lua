-- Point operations on a store handle.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

local NOW = T.FUTURE_MS

describe("a store", function()
  local store, clock

  before_each(function()
    clock = T.clock(NOW - 1000)
    store = assert(grainstore.open(tmp.path(), { clock = clock }))
  end)

  after_each(function()
    store:close()
  end)

  describe("put", function()
    it("returns sequence numbers that rise from 1", function()
      assert.equal(1, store:put("a", "1"))
      assert.equal(2, store:put("a", "2"))
      assert.equal(3, store:delete "a")
      assert.equal(3, store:seq())
    end)

    it("takes empty keys and values", function()
      store:put("", "")
      assert.equal("", store:get "")
      store:put("k", "")
      assert.equal("", store:get "k")
      assert.is_true(store:contains "k")
    end)

    it("takes every byte", function()
      local all = {}
      for i = 0, 255 do all[i + 1] = string.char(i) end
      local bytes = table.concat(all)
      store:put(bytes, bytes)
      assert.equal(bytes, store:get(bytes))
    end)

    it("keeps a key with zero bytes apart from its prefix", function()
      store:put("a", "1")
      store:put("a\0", "2")
      store:put("a\0b", "3")
      assert.equal("1", store:get "a")
      assert.equal("2", store:get "a\0")
      assert.equal("3", store:get "a\0b")
    end)

    it("takes a value of megabytes", function()
      local value = ("0123456789abcdef"):rep(1 << 18)
      store:put("k", value)
      assert(store:flush())
      assert.equal(value, store:get "k")
    end)

    it("takes the longest key, and none that is longer", function()
      local longest = ("k"):rep(65535)
      store:put(longest, "1")
      assert.equal("1", store:get(longest))
      local seq, message, code = store:put(longest .. "k", "2")
      assert.is_nil(seq)
      assert.equal("toolarge", code)
      assert.is_truthy(message:find("65536 bytes", 1, true))
      assert.equal("toolarge", select(3, store:delete(longest .. "k")))
      assert.equal(1, store:seq())
    end)

    it("may ask for the device", function()
      local seq = store:put("a", "1", { sync = true })
      assert.equal(seq, store:durable_seq())
      seq = store:delete("a", { sync = true })
      assert.equal(seq, store:durable_seq())
    end)

    it("takes ttl_ms or expires_at_ms, not both", function()
      assert.has_error(function()
        store:put("k", "v", { ttl_ms = 1, expires_at_ms = 2 })
      end, "give ttl_ms or expires_at_ms, not both")
      assert.is_nil(store:get "k")
    end)
  end)

  describe("get", function()
    it("is one nil for what is absent", function()
      assert.equal(1, select("#", store:get "k"))
      assert.is_nil(store:get "k")
      assert.equal(1, select("#", store:get("k", { meta = true })))
    end)

    it("tells sequence and expiry when asked", function()
      store:put("k", "1")
      local seq = store:put("k", "2", { expires_at_ms = NOW })
      local value, meta = store:get("k", { meta = true })
      assert.equal("2", value)
      assert.same({ seq = seq, expires_at_ms = NOW }, meta)
      seq = store:put("k", "3")
      assert.same({ "3", { seq = seq } }, { store:get("k", { meta = true }) })
      assert.equal(1, select("#", store:get("k", { meta = false })))
    end)

    it("reads at a snapshot", function()
      store:put("k", "1")
      local snapshot <close> = store:snapshot()
      store:put("k", "2")
      assert.equal("1", store:get("k", { snapshot = snapshot }))
      assert.equal("2", store:get("k", { snapshot = nil }))
    end)

    it("takes no snapshot of another store, nor a closed one", function()
      local other <close> = assert(grainstore.open(tmp.path()))
      local snapshot = other:snapshot()
      assert.error_matches(function()
        store:get("k", { snapshot = snapshot })
      end, "bad argument #2 to 'get' %(the snapshot belongs to another store")
      snapshot:close()
      assert.error_matches(function()
        store:get("k", { snapshot = snapshot })
      end, "bad argument #2 to 'get' %(the snapshot is closed")
      assert.error_matches(function()
        store:get("k", { snapshot = "yesterday" })
      end, "grainstore.snapshot expected")
    end)
  end)

  describe("delete", function()
    it("deletes, and what is absent as well", function()
      store:put("k", "v")
      assert.equal(2, store:delete "k")
      assert.is_nil(store:get "k")
      assert.equal(3, store:delete "k")
    end)
  end)

  describe("take", function()
    it("gives the value and deletes it", function()
      store:put("k", "v")
      assert.equal("v", store:take "k")
      assert.is_nil(store:get "k")
      assert.is_nil(store:take "k")
      assert.equal(2, store:seq()) -- taking nothing writes nothing
    end)

    it("gives an empty value", function()
      store:put("k", "")
      assert.equal("", store:take "k")
      assert.is_false(store:contains "k")
    end)

    it("gives the value it took though a policy reads meanwhile", function()
      local busy <close> = assert(grainstore.open(tmp.path(), {
        threads = 0, memtable_bytes = 4096, memory_bytes = 1 << 20,
      }))
      busy:put("other", "wrong")
      local asked = 0
      busy:set("policy", { pick = function()
        asked = asked + 1
        busy:get "other"
      end })
      for i = 1, 2000 do
        busy:put("k", "right" .. i)
        assert.equal("right" .. i, busy:take "k")
        busy:put("k", "right")
        local done, current = busy:put_if("k", "left", "x")
        assert.is_false(done)
        assert.equal("right", current)
      end
      assert.is_true(asked > 0)
    end)
  end)

  describe("put_if", function()
    it("puts where nothing is expected and nothing is", function()
      assert.is_true(store:put_if("k", nil, "1"))
      assert.equal("1", store:get "k")
      assert.same({ false, "1" }, { store:put_if("k", nil, "2") })
      assert.equal("1", store:get "k")
    end)

    it("replaces what is expected", function()
      store:put("k", "1")
      assert.is_true(store:put_if("k", "1", "2"))
      assert.equal("2", store:get "k")
      assert.same({ false, "2" }, { store:put_if("k", "1", "3") })
    end)

    it("says that there is nothing where a value is expected", function()
      local done, current = store:put_if("k", "1", "2")
      assert.is_false(done)
      assert.is_nil(current)
      assert.equal(2, select("#", store:put_if("k", "1", "2")))
      assert.equal(0, store:seq())
    end)

    it("deletes where the new value is nil", function()
      store:put("k", "1")
      assert.same({ false, "1" }, { store:put_if("k", "2", nil) })
      assert.is_true(store:put_if("k", "1", nil))
      assert.is_false(store:contains "k")
    end)

    it("tells an empty value from an absent one", function()
      store:put("k", "")
      assert.same({ false, "" }, { store:put_if("k", nil, "1") })
      assert.is_true(store:put_if("k", "", "1"))
    end)

    it("takes an expired value for absent", function()
      store:put("k", "1", { expires_at_ms = NOW })
      clock:set(NOW)
      assert.same({ false, nil }, { store:put_if("k", "1", "2") })
      assert.is_true(store:put_if("k", nil, "2", { ttl_ms = 50 }))
      assert.equal(50, store:ttl "k")
    end)

    it("counts for one among many coroutines", function()
      store:put("n", "0")
      local function add()
        for _ = 1, 25 do
          repeat
            local old = store:get "n"
            coroutine.yield()
          until store:put_if("n", old, tostring(tonumber(old) + 1))
        end
      end
      local workers = {}
      for i = 1, 4 do workers[i] = coroutine.create(add) end
      while #workers > 0 do
        for i = #workers, 1, -1 do
          assert(coroutine.resume(workers[i]))
          if coroutine.status(workers[i]) == "dead" then
            table.remove(workers, i)
          end
        end
      end
      assert.equal("100", store:get "n")
    end)
  end)

  describe("ttl, expire, persist", function()
    it("say what is there", function()
      assert.is_nil(store:ttl "k")
      assert.is_false(store:expire("k", 10))
      assert.is_false(store:persist "k")
      store:put("k", "v")
      assert.equal(math.huge, store:ttl "k")
    end)

    it("set and take away the expiry and keep the value", function()
      clock:set(NOW)
      store:put("k", "v")
      assert.is_true(store:expire("k", 100))
      assert.equal(100, store:ttl "k")
      assert.equal("v", store:get "k")
      assert.is_true(store:persist "k")
      assert.equal(math.huge, store:ttl "k")
      assert.is_true(store:expire("k", 100))
      clock:set(NOW + 100)
      assert.is_nil(store:get "k")
      assert.is_false(store:persist "k")
    end)

    it("a ttl of 0 is over at once", function()
      store:put("k", "v", { ttl_ms = 0 })
      assert.is_nil(store:get "k")
      store:put("k", "v")
      assert.is_true(store:expire("k", 0))
      assert.is_nil(store:get "k")
    end)

    it("a ttl of ages is no time in the past", function()
      store:put("k", "v", { ttl_ms = math.maxinteger })
      assert.is_true(store:ttl "k" > 0)
      local _, meta = store:get("k", { meta = true })
      assert.is_true(meta.expires_at_ms > NOW)
      assert.is_true(store:expire("k", math.maxinteger))
      assert.is_true(store:ttl "k" > 0)
    end)

    it("nor is it in a batch", function()
      local batch = store:batch()
      batch:put("k", "v", { ttl_ms = math.maxinteger })
      assert(batch:commit())
      assert.equal("v", store:get "k")
    end)

    it("the store's default is for puts without their own", function()
      clock:set(NOW)
      store:set("default_ttl_ms", 500)
      store:put("k", "v")
      store:put("own", "v", { ttl_ms = 7 })
      store:put("at", "v", { expires_at_ms = NOW + 9 })
      assert.equal(500, store:ttl "k")
      assert.equal(7, store:ttl "own")
      assert.equal(9, store:ttl "at")
      local batch = store:batch()
      batch:put("b", "v")
      assert(batch:commit())
      assert.equal(500, store:ttl "b")
    end)
  end)

  describe("meta", function()
    it("is the note of the last batch that had one", function()
      assert.is_nil(store:meta())
      local batch = store:batch()
      assert(batch:put("a", "1"):commit { meta = "first" })
      assert.equal("first", store:meta())
      assert(batch:put("a", "2"):commit())
      assert.equal("first", store:meta())
      assert(batch:commit { meta = "\0second" })
      assert.equal("\0second", store:meta())
    end)
  end)

  it("prints as its kind and path", function()
    assert.is_truthy(tostring(store):find "^grainstore.store %(bytes, /")
    store:close()
    assert.equal("grainstore.store (closed)", tostring(store))
  end)
end)
