-- The bytes store: what a log brings back after the process was killed, what a
-- table brings into another store, and counting by prefix.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local process = require "spec.support.process"
local tmp = require "grainstore.testing.tmp"

local NOW = T.FUTURE_MS

describe("the bytes store", function()
  local path

  before_each(function()
    path = tmp.path()
  end)

  -- Runs the script in a process with `store` open, then kills it; opens the
  -- store here.
  local function after_kill(script)
    local said = process.run(([[
      local store = assert(grainstore.open_bytes(...))
      %s
      print "ready"
      die()
    ]]):format(script), path)
    assert.equal("ready\n", said)
    return assert(grainstore.open_bytes(path))
  end

  it("owns what was put", function()
    local store <close> = assert(grainstore.open_bytes(path))
    for i = 1, 200 do
      store:put(("k"):rep(i), (("v%d"):format(i)):rep(i))
      collectgarbage "step"
    end
    collectgarbage()
    for i = 1, 200 do
      assert.equal((("v%d"):format(i)):rep(i), store:get(("k"):rep(i)))
    end
  end)

  describe("replays its log:", function()
    it("puts, the newest for each key", function()
      local store <close> = after_kill [[
        for i = 1, 100 do assert(store:put("key" .. i % 10, "value" .. i)) end
      ]]
      assert.equal(10, store:count())
      for i = 91, 100 do
        assert.equal("value" .. i, store:get("key" .. i % 10))
      end
      assert.is_true(store:stats().recovery.batches >= 100)
    end)

    it("deletes", function()
      local store <close> = after_kill [[
        store:put("a", "1") store:put("b", "2") store:delete("a")
      ]]
      assert.is_nil(store:get "a")
      assert.same({ { "b", "2" } }, T.pairs_of(store))
    end)

    it("deletes of what lies in a table", function()
      local store <close> = after_kill [[
        store:put("a", "1") store:put("b", "2")
        assert(store:flush())
        store:delete("a")
      ]]
      assert.same({ { "b", "2" } }, T.pairs_of(store))
    end)

    it("expiries", function()
      local store <close> = after_kill(([[
        store:put("a", "1", { expires_at_ms = %d })
        store:put("b", "2", { expires_at_ms = %d })
        store:put("c", "3")
      ]]):format(NOW, NOW + 2))
      local _, meta = store:get("a", { meta = true })
      assert.equal(NOW, meta.expires_at_ms)
      assert.equal(math.huge, store:ttl "c")
      T.advance(store, NOW + 1)
      assert.is_nil(store:get "a")
      assert.equal(1, store:ttl "b")
    end)

    it("the time a batch carried", function()
      local store <close> = after_kill(([[
        store:put("a", "1", { expires_at_ms = %d })
        local batch = store:batch()
        batch:put("b", "2")
        assert(batch:commit { now_ms = %d })
      ]]):format(NOW, NOW))
      assert.is_nil(store:get "a")
      assert.equal("2", store:get "b")
    end)

    it("empty keys and values, and bytes of every kind", function()
      local store <close> = after_kill [[
        store:put("", "")
        for i = 0, 255 do store:put(string.char(i), string.char(i, 0, i)) end
      ]]
      assert.equal("", store:get "")
      for i = 0, 255 do
        assert.equal(string.char(i, 0, i), store:get(string.char(i)))
      end
    end)

    it("values longer than a segment of the log", function()
      local store <close> = after_kill [[
        for i = 1, 3 do assert(store:put("k" .. i, ("x"):rep(700000) .. i)) end
      ]]
      for i = 1, 3 do
        assert.equal(("x"):rep(700000) .. i, store:get("k" .. i))
      end
    end)

    it("whole batches or nothing of them, and their note", function()
      local store <close> = after_kill [[
        local batch = store:batch()
        for i = 1, 50 do batch:put("a" .. i, "1") end
        assert(batch:commit { meta = "offset 50" })
        for i = 1, 50 do batch:put("b" .. i, "2") end
      ]]
      assert.equal(50, store:count { prefix = "a" })
      assert.equal(0, store:count { prefix = "b" })
      assert.equal("offset 50", store:meta())
    end)

    it("the same again when killed while it is open", function()
      local store = after_kill [[
        store:put("a", "1") store:put("b", "2") store:delete("b")
      ]]
      store:close()
      for i = 1, 3 do
        store = after_kill(("store:put('c%d', '3')"):format(i))
        assert.equal(1 + i, store:count())
        store:close()
      end
    end)

    it("and gives no sequence number twice", function()
      local store = after_kill [[ for _ = 1, 9 do store:put("a", "1") end ]]
      local seq = store:put("a", "2")
      assert.is_true(seq > 9)
      store:close()
      store = assert(grainstore.open_bytes(path))
      assert.is_true(store:put("a", "3") > seq)
      assert.is_true(store:close())
    end)

    it("without cutting a table that it was flushed to", function()
      local store <close> = after_kill [[
        for i = 1, 9 do store:put("k" .. i, "1") end
        assert(store:flush())
        for i = 1, 9 do store:put("k" .. i, "2") end
        assert(store:flush())
      ]]
      assert.equal(9, store:count())
      assert.equal("2", store:get "k5")
    end)
  end)

  describe("meets a damaged log:", function()
    local function zero_from(file, bytes)
      local log = tmp.read(file)
      local at = assert(log:find(bytes, 1, true))
      tmp.write(file, log:sub(1, at - 1) .. ("\0"):rep(#log - at + 1))
    end

    it("what is torn off the end is a suffix of the writes", function()
      process.run([[
        local store = assert(grainstore.open_bytes(..., { durability = "os" }))
        for i = 1, 20 do store:put("k" .. i, "<value " .. i .. ">") end
        die()
      ]], path)
      zero_from(tmp.files(path, ".wal")[1], "<value 12>")
      local store <close> = assert(grainstore.open_bytes(path))
      assert.equal(11, store:count())
      assert.equal("<value 11>", store:get "k11")
      assert.is_nil(store:get "k12")
      assert.is_true(store:stats().recovery.torn_bytes > 0)
    end)

    it("a batch with one bad byte is missing as a whole", function()
      process.run([[
        local store = assert(grainstore.open_bytes(..., { durability = "os" }))
        store:put("before", "1")
        local batch = store:batch()
        for i = 1, 20 do batch:put("k" .. i, "<value " .. i .. ">") end
        assert(batch:commit())
        die()
      ]], path)
      zero_from(tmp.files(path, ".wal")[1], "<value 20>")
      local store <close> = assert(grainstore.open_bytes(path))
      assert.same({ { "before", "1" } }, T.pairs_of(store))
    end)

    it("what was on the device is never passed over", function()
      process.run([[
        local options = { durability = "sync" }
        local store = assert(grainstore.open_bytes(..., options))
        for i = 1, 20 do store:put("k" .. i, "<value " .. i .. ">") end
        die()
      ]], path)
      local file = tmp.files(path, ".wal")[1]
      local at = tmp.read(file):find("<value 12>", 1, true)
      tmp.flip(file, at)
      tmp.flip(file, at + 1) -- one bit would be put right
      local before = tmp.freeze(path)
      local store, message, code, detail = grainstore.open_bytes(path)
      assert.is_nil(store)
      assert.equal("corrupt", code)
      assert.is_truthy(message:find(file:match "[^/]*$", 1, true))
      assert.is_truthy(detail.path)
      assert.same(before, tmp.freeze(path))
    end)
  end)

  describe("syncs for a group:", function()
    it("every write of a sync store is on the device", function()
      local store <close> =
        assert(grainstore.open_bytes(path, { durability = "sync" }))
      for i = 1, 10 do
        local seq = assert(store:put("k" .. i, "v"))
        assert.is_true(store:durable_seq() >= seq)
      end
      local wal = store:stats().wal
      assert.is_true(wal.syncs >= 10)
      assert.equal(10, wal.sync_waits)
    end)

    it("a batch of many entries is one sync", function()
      local store <close> =
        assert(grainstore.open_bytes(path, { durability = "sync" }))
      store:put("first", "starts the log")
      local before = store:stats()
      local batch = store:batch()
      for i = 1, 500 do
        batch:put("k" .. i, "v")
      end
      local _, last = assert(batch:commit())
      assert.equal(1, store:stats().wal.syncs - before.wal.syncs)
      assert.equal(last, store:durable_seq())
    end)

    it("one write may ask for it, and takes all before along", function()
      local store <close> =
        assert(grainstore.open_bytes(path, { durability = "os" }))
      for i = 1, 10 do
        store:put("k" .. i, "v")
      end
      assert.equal(0, store:stats().wal.syncs)
      local seq = assert(store:put("last", "v", { sync = true }))
      assert.equal(1, store:stats().wal.syncs)
      assert.equal(seq, store:durable_seq())
      store:put("more", "v")
      assert.is_true(store:durable_seq() < store:seq())
      assert(store:sync())
      assert.equal(store:seq(), store:durable_seq())
    end)
  end)

  describe("attaches tables:", function()
    local function table_of(fill, kind)
      local from = tmp.path()
      local source = assert((kind or grainstore.open_bytes)(from))
      fill(source)
      assert(source:close())
      local files = tmp.files(from, ".sst")
      assert.equal(1, #files)
      return files[1], from
    end

    it("their entries are there, as if written now", function()
      local file, from = table_of(function(source)
        source:put("a", "from the table")
        source:put("b", "from the table")
      end)
      local before = tmp.freeze(from)
      local store <close> = assert(grainstore.open_bytes(path))
      store:put("a", "older")
      store:put("c", "other")
      local seq = store:seq()
      assert.equal(2, store:attach(file))
      assert.is_true(store:seq() > seq)
      assert.same({
        { "a", "from the table" }, { "b", "from the table" }, { "c", "other" },
      }, T.pairs_of(store))
      store:put("b", "newer")
      assert.equal("newer", store:get "b")
      assert.same(before, tmp.freeze(from))
    end)

    it("they stay after the source is gone and the process killed", function()
      local file, from = table_of(function(source)
        for i = 1, 100 do source:put("k" .. i, "v" .. i) end
      end)
      local said = process.run([[
        local path, file, from = ...
        local store = assert(grainstore.open_bytes(path))
        print(store:attach(file))
        assert(grainstore.destroy(from))
        store:put("k1", "after")
        die()
      ]], path, file, from)
      assert.equal("100\n", said)
      local store <close> = assert(grainstore.open_bytes(path))
      assert.equal(100, store:count())
      assert.equal("after", store:get "k1")
      assert.equal("v2", store:get "k2")
      assert.is_true(store:verify())
    end)

    it("what is expired does not come along", function()
      local file = table_of(function(source)
        source:put("a", "1", { expires_at_ms = NOW })
        source:put("b", "2", { expires_at_ms = NOW + 10 })
        source:put("c", "3")
      end)
      local store <close> = assert(grainstore.open_bytes(path))
      T.advance(store, NOW)
      assert.equal(2, store:attach(file))
      assert.equal(10, store:ttl "b")
      assert.equal("3", store:get "c")
    end)

    it("a snapshot does not see them", function()
      local file = table_of(function(source) source:put("a", "1") end)
      local store <close> = assert(grainstore.open_bytes(path))
      local snapshot <close> = store:snapshot()
      assert.equal(1, store:attach(file))
      assert.is_nil(snapshot:get "a")
      assert.equal("1", store:get "a")
    end)

    it("a damaged one is refused, and nothing is taken in", function()
      local file = table_of(function(source)
        for i = 1, 100 do source:put("k" .. i, "v" .. i) end
      end)
      tmp.flip(file, 200)
      local store <close> = assert(grainstore.open_bytes(path))
      store:put("a", "1")
      local entries, message, code = store:attach(file)
      assert.is_nil(entries)
      assert.equal("corrupt", code)
      assert.is_truthy(message:find(file, 1, true))
      assert.same({ { "a", "1" } }, T.pairs_of(store))
      assert(store:put("b", "2"))
    end)

    it("a table of byte strings is none for a u32 store", function()
      local file = table_of(function(source) source:put("longer", "1") end)
      local store <close> = assert(grainstore.open_u32(path))
      local entries, _, code = store:attach(file)
      assert.is_nil(entries)
      assert.equal("kind", code)
    end)

    it("one of another u32 store is", function()
      local file = table_of(function(source)
        source:put(7, 99)
        source:put(300, 1)
      end, grainstore.open_u32)
      local store <close> = assert(grainstore.open_u32(path))
      assert.equal(2, store:attach(file))
      assert.same({ { 7, 99 }, { 300, 1 } }, T.pairs_of(store))
    end)

    it("what is not there, or no table, is said to be so", function()
      local store <close> = assert(grainstore.open_bytes(path))
      local entries, message, code = store:attach(path .. "/none.sst")
      assert.is_nil(entries)
      assert.equal("missing", code)
      assert.is_truthy(message:find("none.sst", 1, true))
      local other = tmp.path()
      tmp.write(other, ("no table"):rep(100))
      assert.equal("corrupt", select(3, store:attach(other)))
      tmp.write(other, "")
      assert.equal("corrupt", select(3, store:attach(other)))
    end)
  end)

  describe("counts by prefix:", function()
    local store

    before_each(function()
      store = assert(grainstore.open_bytes(path, {
        policy = T.manual, threads = 0,
      }))
      for _, key in ipairs {
        "", "a", "aa", "ab", "b", "b\0", "b\255", "b\255\255", "c", "\255",
        "\255\255",
      } do
        store:put(key, key)
      end
    end)

    after_each(function()
      store:close()
    end)

    local expected = {
      [""] = 11, a = 3, aa = 1, b = 4, ["b\255"] = 2, c = 1, d = 0,
      ["\255"] = 2, ["\255\255"] = 1,
    }

    local function check()
      for prefix, count in pairs(expected) do
        assert.equal(count, store:count { prefix = prefix })
        assert.equal(count, #T.pairs_of(store, { prefix = prefix }))
      end
    end

    it("in memory", check)

    it("in tables", function()
      assert(store:flush())
      check()
    end)

    it("across overwritten, deleted and expired keys", function()
      assert(store:flush())
      store:put("a", "again")
      store:put("az", "1")
      store:delete("az")
      store:put("ay", "1", { expires_at_ms = NOW })
      store:put("b\1", "1")
      assert(store:flush())
      store:delete("b\1")
      T.advance(store, NOW)
      check()
      assert(store:compact())
      check()
    end)
  end)
end)
