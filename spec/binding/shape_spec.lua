-- The tree while a store decides: made as it is looked at, and the same as the
-- plain one that store:tree() gives.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tree_of = require "grainstore.tree"
local tmp = require "grainstore.testing.tmp"

local KEYS = "abcdefghijklmnopqrstuvwxyz"

local function misuse(words, call)
  local ok, message = pcall(call)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(words, 1, true), tostring(message))
end

describe("the tree of a decision", function()
  local store, lazy, plain

  -- Runs of tables of two keys: newest first 4, 3, 2, 1 tables and more.
  local function run_of(from, to, level)
    for key in KEYS:sub(from, to):gmatch "." do store:put(key, key:rep(99)) end
    if from % 2 == 1 then store:delete(KEYS:sub(from, from)) end
    assert(store:flush())
    local run, cuts = store:tree().runs[1], {}
    for i = from + 2, to, 2 do cuts[#cuts + 1] = KEYS:sub(i, i) end
    assert(store:plan {
      op = "merge", inputs = T.ids(run), into = run.id, level = level,
      cuts = cuts,
    })
    T.settle(store)
  end

  before_each(function()
    store = assert(grainstore.open(tmp.path(), {
      policy = T.manual, threads = 0, clock = T.clock(T.FUTURE_MS),
    }))
    run_of(1, 26, 2)
    run_of(2, 21, 1)
    run_of(5, 12, 0)
    plain = store:tree()
    lazy = tree_of.new(store:_shape())
    lazy.refused = {}
  end)

  after_each(function()
    tree_of.close(lazy)
    store:close()
  end)

  local function ids(tables)
    local list = {}
    for i, t in ipairs(tables) do list[i] = t.id end
    return list
  end

  it("has the tables of the plain one, each made once", function()
    for i, run in ipairs(plain.runs) do
      local tables = lazy.runs[i].tables
      assert.equal("userdata", type(tables))
      assert.equal(#run.tables, #tables)
      assert.same(run.tables[2], tables[2])
      assert.is_true(rawequal(tables[2], tables[2]))
      assert.is_nil(tables[0])
      assert.is_nil(tables[#tables + 1])
      assert.is_nil(tables[1.5])
      assert.is_nil(tables.nothing)
      assert.same(ids(run.tables), ids(tables))
      local walked = {}
      for k, t in pairs(tables) do walked[k] = t.id end
      assert.same(ids(run.tables), walked)
      assert.same(ids(run.tables), ids { table.unpack(tables) })
    end
    assert.equal(tostring(plain), tostring(lazy))
  end)

  it("cannot be changed", function()
    misuse("cannot be changed", function() lazy.runs[1].tables[1] = {} end)
  end)

  it("answers every question as the plain one does", function()
    for i, run in ipairs(plain.runs) do
      local other = lazy.runs[i]
      for from = 1, 26, 3 do
        for to = 0, 26, 5 do
          local low, high = KEYS:sub(from, from), KEYS:sub(to, to)
          assert.same(ids(plain:overlapping(run, low, high)),
            ids(lazy:overlapping(other, low, high)))
        end
      end
      assert.same(ids(plain:overlapping(run)), ids(lazy:overlapping(other)))
      assert.equal(plain:largest(run), lazy:largest(other))
      assert.same({ plain:written(run) }, { lazy:written(other) })
      assert.same(plain:ids(1, i), lazy:ids(1, i))
      for least = 0, 1000, 250 do
        assert.same(plain:cuts(run, least), lazy:cuts(other, least))
      end
      for _, name in ipairs { "created_ms", "oldest_tombstone_ms",
        "min_expiry_ms" } do
        assert.same(ids(plain:not_after(run, name, T.FUTURE_MS)),
          ids(lazy:not_after(other, name, T.FUTURE_MS)))
        assert.same({}, lazy:not_after(other, name, 1))
      end
    end
  end)

  it("closes ranges and finds the cheapest as the plain one does", function()
    for _, t in ipairs(plain.runs[1].tables) do
      for target = 1, 3 do
        assert.same(plain:closure({ t }, plain.runs[target]),
          lazy:closure({ t }, lazy.runs[target]))
      end
    end
    for upper = 1, 3 do
      for lower = upper + 1, 4 do
        local taken = {}
        for _ = 1, #plain.runs[upper].tables + 1 do
          local a, met_a = plain:cheapest(plain.runs[upper], plain.runs[lower],
            taken)
          local b, met_b = lazy:cheapest(lazy.runs[upper], lazy.runs[lower],
            taken)
          assert.equal(a and a.id, b and b.id)
          assert.same(a and ids(met_a), b and ids(met_b))
          if a then taken[a.id] = true end
        end
      end
    end
  end)

  it("knows what jobs have in hand", function()
    local busy = T.ids(plain.runs[2])
    assert(store:plan { op = "merge", inputs = busy, into = plain.runs[2].id })
    local now = store:tree()
    local at_work = tree_of.new(store:_shape())
    for i = 1, 3 do
      assert.equal(i ~= 2, at_work:is_idle(i, i))
      assert.equal(now:is_idle(1, i), at_work:is_idle(1, i))
    end
    assert.is_true(at_work.runs[2].tables[1].busy)
    assert.equal(#busy, at_work.runs[2].busy)
    assert.is_true(at_work:is_busy { 999, busy[1] })
    assert.is_false(at_work:is_busy { 999 })
    assert.is_nil((at_work:cheapest(at_work.runs[1], at_work.runs[2])))
    tree_of.close(at_work)
    T.settle(store)
  end)

  it("finds what has expired as a whole", function()
    for _, key in ipairs { "x", "y" } do
      store:put(key, "1", { expires_at_ms = T.FUTURE_MS + 10 })
    end
    assert(store:flush())
    local found = tree_of.new(store:_shape())
    local run = found.runs[1]
    assert.equal(T.FUTURE_MS + 10, run.dead_at_ms)
    assert.same({}, found:dead(run, T.FUTURE_MS + 9))
    assert.same(ids(run.tables), ids(found:dead(run, T.FUTURE_MS + 10)))
    assert.same({}, found:dead(found.runs[2], T.FUTURE_MS + 10))
    local kept = store:tree()
    assert.same(ids(run.tables), ids(kept:dead(kept.runs[1],
      T.FUTURE_MS + 10)))
    tree_of.close(found)
  end)

  it("ends when it is closed; what was made of it stays", function()
    local first = lazy.runs[1].tables[1]
    local tables, shape = lazy.runs[1].tables, lazy.shape
    tree_of.close(lazy)
    assert.equal(first.id, tables[1].id)
    misuse("decision that is over", function() return tables[2] end)
    misuse("decision that is over", function() return #tables end)
    misuse("decision that is over", function() shape:find(1) end)
    shape:close()
  end)

  it("ends with its store", function()
    store:close()
    misuse("decision that is over", function()
      return lazy.runs[1].tables[2]
    end)
  end)

  it("has numbers as keys in a u32 store", function()
    local u32 <close> = assert(grainstore.open_u32(tmp.path(), {
      policy = T.manual, threads = 0,
    }))
    u32:put(7, 1)
    u32:put(300, 1)
    assert(u32:flush())
    local tree = tree_of.new(u32:_shape())
    assert.equal(300, tree.runs[1].tables[1].max_key)
    assert.equal(1, #tree:overlapping(tree.runs[1], 8, 9))
    assert.equal(0, #tree:overlapping(tree.runs[1], 301))
    misuse("a key expected", function()
      tree:overlapping(tree.runs[1], "a")
    end)
    tree_of.close(tree)
  end)

  it("believes no length that a list only claims", function()
    local list = {}
    for i = 0, 61 do list[1 << i] = i end
    while #list < 1 << 59 do list[#list + 1] = 1 end
    for _, call in ipairs {
      function() lazy.shape:is_busy(list) end,
      function() lazy.runs[1].tables:cheapest(nil, list) end,
    } do
      misuse("too long a list", call)
    end
  end)

  it("does not give its metamethods away", function()
    local shape = lazy.shape
    assert.is_nil(shape.__gc)
    assert.is_nil(shape.__index)
    assert.equal("grainstore.shape", getmetatable(shape))
  end)

  it("refuses what is not of it", function()
    local tables = lazy.runs[1].tables
    misuse("no time of a table", function() tables:not_after("id", 1) end)
    misuse("the number of a run", function()
      lazy.shape:close_range(1, 9, "a", "b")
    end)
    misuse("grainstore.tables expected", function()
      tables:cheapest({}, {})
    end)
  end)
end)
