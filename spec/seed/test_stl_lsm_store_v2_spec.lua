-- The second generation of the store: what the first did not have. Deletes and
-- expiry in tables, merges that know of time, group syncs, levels, several
-- writers, and the end of tombstones at the bottom.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local process = require "spec.support.process"
local tmp = require "grainstore.testing.tmp"

local NOW = T.FUTURE_MS

describe("the second store", function()
  local path, store, clock

  before_each(function()
    path = tmp.path()
    clock = T.clock(NOW - 1000)
    store = assert(grainstore.open_bytes(path, {
      policy = T.manual, threads = 0, clock = clock,
    }))
  end)

  after_each(function()
    store:close()
  end)

  local function reopen(options)
    assert(store:close())
    store = assert(grainstore.open_bytes(path, options or {
      policy = T.manual, threads = 0, clock = clock,
    }))
  end

  describe("lets entries expire:", function()
    it("readable strictly before their time, on every path", function()
      store:put("k", "v", { expires_at_ms = NOW })
      for _, where in ipairs { "memory", "table", "compacted" } do
        if where == "table" then
          assert(store:flush())
        elseif where == "compacted" then
          assert(store:compact())
        end
        assert.equal("v", store:get "k")
      end
      clock:set(NOW - 1)
      assert.equal("v", store:get "k")
      assert.equal(1, store:ttl "k")
      assert.equal(1, store:count())
      clock:set(NOW)
      assert.is_nil(store:get "k")
      assert.is_nil(store:ttl "k")
      assert.is_false(store:contains "k")
      assert.is_nil(store:take "k")
      assert.same({ false }, store:get_many { "k" })
      assert.same({}, T.pairs_of(store))
      assert.same({}, T.pairs_of(store, { reverse = true }))
      assert.equal(0, store:count())
      assert.is_false(store:persist "k")
    end)

    it("a time to live counts from the write", function()
      clock:set(NOW)
      store:put("k", "v", { ttl_ms = 100 })
      assert.equal(100, store:ttl "k")
      local _, meta = store:get("k", { meta = true })
      assert.equal(NOW + 100, meta.expires_at_ms)
      clock:set(NOW + 99)
      assert.equal("v", store:get "k")
      clock:set(NOW + 100)
      assert.is_nil(store:get "k")
    end)

    it("an expired entry hides what lies beneath it", function()
      store:put("k", "old")
      assert(store:flush())
      store:put("k", "new", { expires_at_ms = NOW })
      assert(store:flush())
      clock:set(NOW)
      assert.is_nil(store:get "k")
      T.merge(store, 1, 1) -- now a tombstone in its place
      assert.equal("1:1 1:0", T.runs(store))
      assert.is_nil(store:get "k")
      assert.same({}, T.pairs_of(store))
    end)

    it("and vanishes at a merge when nothing lies there", function()
      for i = 1, 100 do
        local at_ms = i % 2 == 0 and NOW + i or nil
        store:put("k" .. i, "v", { expires_at_ms = at_ms })
      end
      assert(store:flush())
      assert(store:compact())
      assert.equal("100:0", T.runs(store))
      clock:set(NOW + 50)
      assert(store:compact())
      assert.equal("75:0", T.runs(store))
      assert.equal(25, store:stats().dropped.expired)
      clock:set(NOW + 100)
      assert(store:compact())
      assert.equal("50:0", T.runs(store))
      assert.equal(50, store:count())
    end)

    it("a snapshot goes on seeing what it saw", function()
      store:put("k", "v", { expires_at_ms = NOW })
      local snapshot <close> = store:snapshot()
      clock:set(NOW)
      assert(store:flush())
      assert(store:compact())
      assert.is_nil(store:get "k")
      assert.equal("v", snapshot:get "k")
      assert.is_true(snapshot:ttl "k" > 0)
      assert.equal(1, snapshot:count())
      snapshot:close()
      assert(store:compact())
      assert.equal("", T.runs(store))
    end)

    it("overwriting replaces the expiry", function()
      store:put("k", "1", { expires_at_ms = NOW })
      store:put("k", "2")
      assert.equal(math.huge, store:ttl "k")
      assert(store:flush())
      clock:set(NOW)
      assert.equal("2", store:get "k")
    end)

    it("the clock does not go back at the next open", function()
      store:put("k", "v", { expires_at_ms = NOW })
      clock:set(NOW)
      reopen()
      assert.is_nil(store:get "k")
      store:put("l", "v", { ttl_ms = 10 })
      local _, meta = store:get("l", { meta = true })
      assert.is_true(meta.expires_at_ms >= NOW + 10)
    end)
  end)

  describe("ends tombstones:", function()
    local function fill(count)
      for i = 1, count do
        store:put(("k%04d"):format(i), "v")
      end
      assert(store:flush())
    end

    it("none is left after everything is compacted", function()
      fill(300)
      for i = 1, 300, 2 do
        store:delete(("k%04d"):format(i))
      end
      assert(store:flush())
      assert.equal(150, store:stats().tables.tombstones)
      assert(store:compact())
      local stats = store:stats()
      assert.equal(0, stats.tables.tombstones)
      assert.equal(150, stats.tables.entries)
      assert.equal(150, stats.dropped.tombstones)
      assert.equal(150, stats.dropped.covered)
    end)

    it("the last one takes the last table with it", function()
      fill(50)
      for i = 1, 50 do
        store:delete(("k%04d"):format(i))
      end
      assert(store:compact())
      assert.equal(0, store:stats().tables.count)
      reopen()
      assert.same({}, tmp.files(path, ".sst"))
    end)

    it("they stay while an older run may hold the key", function()
      fill(10)
      store:put("k0005", "again")
      assert(store:flush())
      store:delete "k0005"
      assert(store:flush())
      T.merge(store, 1, 2)
      assert.equal(1, store:stats().tables.tombstones)
      assert.is_nil(store:get "k0005")
    end)

    it("they stay while a snapshot needs the value below", function()
      fill(10)
      local snapshot <close> = store:snapshot()
      for i = 1, 10 do
        store:delete(("k%04d"):format(i))
      end
      assert(store:compact())
      assert.equal(10, snapshot:count())
      assert.equal(10, store:stats().tables.tombstones)
      assert.equal(0, store:count())
    end)

    it("in part of the keys as well", function()
      fill(100)
      for i = 1, 100 do
        store:delete(("k%04d"):format(i))
      end
      assert(store:flush())
      assert(store:compact { from = "k0001", to = "k0100" })
      assert.equal(0, store:count())
      assert.is_true(store:verify())
    end)
  end)

  describe("keeps levels:", function()
    local small = {
      threads = 0, memtable_bytes = 16384, table_bytes = 8192,
      memory_bytes = 4 << 20, max_wal_bytes = 65536,
    }

    local function leveled()
      local options = {
        policy = grainstore.policy.leveled {
          fanout = 4, l0_runs = 2, base_bytes = 32768,
        },
      }
      for name, value in pairs(small) do
        options[name] = value
      end
      return options
    end

    it("what is written sinks, and all of it stays readable", function()
      reopen(leveled())
      local value = ("v"):rep(100)
      for round = 1, 3 do
        for i = 1, 1000 do
          assert(store:put(("k%05d"):format(i * 7 % 1000), value .. round))
        end
      end
      while store:step() do end
      local tree = store:tree()
      local deepest = tree.runs[#tree.runs].level
      assert.is_true(deepest >= 2)
      for level = 1, deepest do
        assert.is_true(#tree:level(level) <= 1)
      end
      for i = 0, 999 do
        assert.equal(value .. 3, store:get(("k%05d"):format(i)))
      end
      assert.equal(1000, store:count())
      assert.is_true(store:verify())
      assert.is_true(store:stats().jobs.merges > 0)
    end)

    it("deletes sink with them and are gone in the end", function()
      reopen(leveled())
      for i = 1, 2000 do
        store:put(("k%05d"):format(i), ("v"):rep(50))
      end
      for i = 1, 2000 do
        store:delete(("k%05d"):format(i))
      end
      assert(store:compact())
      assert.equal(0, store:count())
      assert.equal(0, store:stats().tables.count)
    end)

    it("with a worker thread as without", function()
      local options = leveled()
      options.threads = 1
      reopen(options)
      for i = 1, 3000 do
        assert(store:put(("k%05d"):format(i * 13 % 3000), "v" .. i))
      end
      T.settle(store)
      assert.equal(3000, store:count())
      assert.is_true(store:verify())
    end)
  end)

  describe("has four durabilities:", function()
    local function survivors(durability)
      local dir = tmp.path()
      process.run([[
        local path, durability = ...
        local store = assert(grainstore.open_bytes(path, {
          durability = durability,
        }))
        for i = 1, 10 do assert(store:put("flushed" .. i, "v")) end
        assert(store:flush())
        for i = 1, 10 do assert(store:put("logged" .. i, "v")) end
        die()
      ]], dir, durability)
      local again <close> = assert(grainstore.open_bytes(dir))
      return again:count { prefix = "flushed" },
        again:count { prefix = "logged" }
    end

    for _, durability in ipairs { "sync", "batch", "os" } do
      it(durability .. " loses nothing to a kill", function()
        local flushed, logged = survivors(durability)
        assert.equal(10, flushed)
        assert.equal(10, logged)
      end)
    end

    it("memory goes back to the last flush", function()
      local flushed, logged = survivors "memory"
      assert.equal(10, flushed)
      assert.equal(0, logged)
    end)

    it("memory keeps all that was there at the close", function()
      local dir = tmp.path()
      local kept = assert(grainstore.open_bytes(dir, { durability = "memory" }))
      kept:put("k", "v")
      assert(kept:close())
      local again <close> = assert(grainstore.open_bytes(dir))
      assert.equal("v", again:get "k")
    end)
  end)
end)
