-- Shapes out, plans in, and why a plan is refused.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

local NOW = T.FUTURE_MS

describe("the tree", function()
  local store, clock

  before_each(function()
    clock = T.clock(NOW - 1000)
    store = assert(grainstore.open(tmp.path(), {
      policy = T.manual, threads = 0, clock = clock,
    }))
  end)

  after_each(function()
    store:close()
  end)

  local function run_of(keys, value)
    for key in keys:gmatch "." do
      store:put(key, value or "v")
    end
    assert(store:flush())
  end

  local function ids_of(...)
    local runs, ids = store:tree().runs, {}
    for _, i in ipairs { ... } do
      for _, id in ipairs(T.ids(runs[i])) do
        ids[#ids + 1] = id
      end
    end
    return ids
  end

  describe("in shape", function()
    it("of a new store is empty", function()
      local tree = store:tree()
      assert.same({}, tree.runs)
      assert.equal(0, tree.memtable.entries)
      assert.equal(0, tree.running)
      assert.is_string(tree.reason)
      assert.is_true(tree.disk.free_bytes > 0)
      assert.same({}, tree.refused)
    end)

    it("tells of memory", function()
      store:put("a", "1")
      store:delete "b"
      local memtable = store:tree().memtable
      assert.equal(2, memtable.entries)
      assert.equal(1, memtable.tombstones)
      assert.is_true(memtable.bytes > 0)
      assert.equal(store:options().memtable_bytes, memtable.budget_bytes)
      assert.equal(0, memtable.sealed)
      assert.is_true(store:tree().wal.bytes > 0)
    end)

    it("tells of runs and tables, newest first", function()
      run_of "abc"
      store:put("b", "v", { expires_at_ms = NOW })
      store:put("d", "v", { expires_at_ms = NOW + 5 })
      store:delete "c"
      assert(store:flush())
      local tree = store:tree()
      assert.equal(2, #tree.runs)
      local newer, older = tree.runs[1], tree.runs[2]
      assert.same({ 3, 1, 2, 0 }, { newer.entries, newer.tombstones,
        newer.expiring, newer.level })
      assert.same({ 3, 0, 0 }, { older.entries, older.tombstones,
        older.expiring })
      local t = newer.tables[1]
      assert.same({ "b", "d", 4, 6, NOW, NOW + 5, newer.id, false }, {
        t.min_key, t.max_key, t.min_seq, t.max_seq, t.min_expiry_ms,
        t.max_expiry_ms, t.run, t.busy,
      })
      assert.is_true(t.oldest_tombstone_ms > 0)
      assert.is_nil(older.tables[1].min_expiry_ms)
      assert.is_true(tree.version > 0)
      assert.equal("flush", tree.reason)
      assert.equal(newer.bytes, t.bytes)
    end)

    it("has keys of the store's kind", function()
      local u32 <close> = assert(grainstore.open_u32(tmp.path(), {
        policy = T.manual, threads = 0,
      }))
      u32:put(7, 1)
      u32:put(300, 1)
      assert(u32:flush())
      local t = u32:tree().runs[1].tables[1]
      assert.equal(7, t.min_key)
      assert.equal(300, t.max_key)
    end)
  end)

  describe("takes plans:", function()
    it("a merge into the older run", function()
      run_of("abc", "1")
      run_of("bcd", "2")
      local runs = store:tree().runs
      local job = store:plan {
        op = "merge", inputs = ids_of(1, 2), into = runs[2].id, level = 2,
        why = "because",
      }
      assert.equal("integer", math.type(job))
      T.settle(store)
      assert.equal("4:0", T.runs(store))
      assert.equal(2, store:tree().runs[1].level)
      assert.equal("2", store:get "b")
    end)

    it("a merge to a new run above another, and to the bottom", function()
      run_of("abc", "1")
      run_of("abc", "2")
      run_of("abc", "3")
      local runs = store:tree().runs
      assert(store:plan {
        op = "merge", inputs = ids_of(1, 2), above = runs[3].id, level = 1,
      })
      T.settle(store)
      assert.equal("3:0 3:0", T.runs(store))
      assert(store:plan { op = "merge", inputs = ids_of(1, 2), bottom = true })
      T.settle(store)
      assert.equal("3:0", T.runs(store))
      assert.equal("3", store:get "a")
    end)

    it("cuts where it is told", function()
      run_of "abcdefgh"
      assert(store:plan {
        op = "merge", inputs = ids_of(1), into = store:tree().runs[1].id,
        cuts = { "c", "f" },
      })
      T.settle(store)
      local bounds = {}
      for i, t in ipairs(store:tree().runs[1].tables) do
        bounds[i] = t.min_key .. t.max_key
      end
      assert.same({ "ab", "ce", "fh" }, bounds)
    end)

    it("cuts tables by size", function()
      for i = 1, 1000 do
        store:put(("k%04d"):format(i), ("v"):rep(50))
      end
      assert(store:flush())
      assert(store:plan {
        op = "merge", inputs = ids_of(1), into = store:tree().runs[1].id,
        table_bytes = 16384,
      })
      T.settle(store)
      assert.is_true(#store:tree().runs[1].tables >= 3)
      assert.equal(1000, store:count())
      assert.is_true(store:verify())
    end)

    it("a move", function()
      run_of "abc"
      run_of "xyz"
      local bytes = store:stats().bytes.merge_written
      assert(store:plan {
        op = "move", inputs = ids_of(1), into = store:tree().runs[2].id,
      })
      T.settle(store)
      assert.equal("6:0", T.runs(store))
      assert.equal(2, #store:tree().runs[1].tables)
      assert.equal(bytes, store:stats().bytes.merge_written)
      assert.equal(1, store:stats().jobs.moves)
      assert.equal(6, store:count())
    end)

    it("a drop of what nobody can read any more", function()
      store:put("a", "1", { expires_at_ms = NOW })
      store:put("b", "1", { expires_at_ms = NOW + 1 })
      assert(store:flush())
      clock:set(NOW + 1)
      assert(store:plan { op = "drop", inputs = ids_of(1) })
      T.settle(store)
      assert.equal("", T.runs(store))
      assert.equal(1, store:stats().jobs.drops)
    end)

    it("only looks at one when it is a dry run", function()
      run_of "abc"
      local plan = {
        op = "merge", inputs = ids_of(1), into = store:tree().runs[1].id,
      }
      assert.is_true(store:plan(plan, { dry_run = true }))
      assert.equal(0, store:tree().running)
      assert.equal(0, store:stats().jobs.merges)
    end)
  end)

  describe("refuses a plan by name:", function()
    local function refusal(plan)
      local before = store:tree().version
      local refused = store:stats().jobs.refused
      local job, message, name, detail = store:plan(plan)
      assert.is_nil(job)
      assert.equal(name, message:match "^([%w_]+): ")
      assert.equal("table", type(detail))
      assert.equal(before, store:tree().version)
      assert.is_true(store:stats().jobs.refused >= refused)
      return name, detail.tables, message
    end

    before_each(function()
      run_of("abc", "1")
      run_of("bcd", "2")
      run_of("cde", "3")
    end)

    it("bad_plan", function()
      local into = store:tree().runs[3].id
      for _, plan in ipairs {
        {},
        { op = "burn", inputs = ids_of(1), into = into },
        { op = "merge", inputs = {}, into = into },
        { op = "merge", into = into },
        { op = "merge", inputs = { "a" }, into = into },
        { op = "merge", inputs = { 1.5 }, into = into },
        { op = "merge", inputs = ids_of(1), into = "a" },
        { op = "merge", inputs = ids_of(1), into = into, bottom = true },
        { op = "merge", inputs = ids_of(1) },
        { op = "merge", inputs = ids_of(1), into = into, level = 64 },
        { op = "merge", inputs = ids_of(1), into = into, level = -1 },
        { op = "merge", inputs = ids_of(1), into = into, table_bytes = "a" },
        { op = "merge", inputs = ids_of(1), into = into, cuts = "a" },
        { op = "merge", inputs = ids_of(1), into = into, cuts = { 5 } },
        { op = "drop", inputs = ids_of(1), into = into },
      } do
        assert.equal("bad_plan", (refusal(plan)))
      end
    end)

    it("bad_plan for cuts that are no numbers of a u32 store", function()
      local u32 <close> = assert(grainstore.open_u32(tmp.path(), {
        policy = T.manual, threads = 0,
      }))
      u32:put(7, 1)
      assert(u32:flush())
      local run = u32:tree().runs[1]
      for _, cut in ipairs { -1, 4294967296, 1.5, "7" } do
        assert.equal("bad_plan", select(3, u32:plan {
          op = "merge", inputs = T.ids(run), into = run.id, cuts = { cut },
        }))
      end
    end)

    it("unknown_table", function()
      local name, tables = refusal {
        op = "merge", inputs = { 12345 }, bottom = true,
      }
      assert.equal("unknown_table", name)
      assert.same({ 12345 }, tables)
    end)

    it("upward", function()
      assert.equal("upward", (refusal {
        op = "merge", inputs = ids_of(3), into = store:tree().runs[1].id,
      }))
    end)

    it("path_blocked, with the tables in the way", function()
      local name, tables = refusal {
        op = "merge", inputs = ids_of(1), into = store:tree().runs[3].id,
      }
      assert.equal("path_blocked", name)
      local between = ids_of(2)[1]
      local found = false
      for _, id in ipairs(tables) do
        found = found or id == between
      end
      assert.is_true(found)
    end)

    it("busy_table, while another job has it", function()
      local plan = {
        op = "merge", inputs = ids_of(1, 2), into = store:tree().runs[2].id,
      }
      assert(store:plan(plan))
      assert.is_true(store:tree().runs[1].tables[1].busy)
      assert.equal(1, store:tree().running)
      local job, _, name, detail = store:plan(plan)
      assert.is_nil(job)
      assert.equal("busy_table", name)
      assert.is_true(#detail.tables > 0)
      T.settle(store)
      assert.equal("4:0 3:0", T.runs(store))
    end)

    it("bad_cut", function()
      assert.equal("bad_cut", (refusal {
        op = "merge", inputs = ids_of(1), into = store:tree().runs[1].id,
        cuts = { "d", "c" },
      }))
    end)

    it("not_dead", function()
      assert.equal("not_dead", (refusal { op = "drop", inputs = ids_of(3) }))
    end)
  end)

  it("refuses no plan of a readonly store by a crash", function()
    local path = tmp.path()
    local writer = assert(grainstore.open(path))
    writer:put("a", "1")
    writer:close()
    local reader <close> = assert(grainstore.open(path, { readonly = true }))
    local id = reader:tree().runs[1].tables[1].id
    assert.equal("readonly", select(3, reader:plan {
      op = "merge", inputs = { id }, bottom = true,
    }))
  end)
end)
