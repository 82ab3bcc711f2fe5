-- A virtual tree that follows a store: what it begins with, and how it learns.

local T = require "grainstore.testing"
local driver = require "grainstore.driver"
local grainstore = require "grainstore"
local mirrors = require "grainstore.lab.mirror"
local tree = require "grainstore.tree"

local function store_of(keys, policy)
  local store = assert(grainstore.open("/m", {
    env = T.env { seed = 1 }, threads = 0, policy = policy or "manual",
    table_bytes = 64 << 10,
  }))
  local value = ("v"):rep(200)
  for _, list in ipairs(keys) do
    for _, key in ipairs(list) do store:put(key, value) end
    assert(store:flush())
  end
  return store
end

local function scattered(count, seed)
  local list = {}
  for i = 1, count do
    list[i] = ("%010d"):format((i * 7919 + seed) * 104729 % 1000000)
  end
  return list
end

local function in_order(count, from)
  local list = {}
  for i = 1, count do list[i] = ("%010d"):format(from + i) end
  return list
end

local function mirror_of(store, history)
  local shape = store:tree()
  local mirror = mirrors.new {
    policy = driver.resolve "manual", tree = shape,
    history = history or store:journal(),
    settings = {
      memtable_bytes = 1 << 20, table_bytes = 64 << 10, block_bytes = 4096,
      lossy = false, threads = 0,
    },
  }
  tree.close(shape)
  return mirror
end

local function follow(mirror, store, since)
  for _, event in ipairs(store:journal { since = since }) do
    mirror:add(event)
  end
  mirror:work()
end

local function last_number(store)
  local events = store:journal()
  return events[#events].number
end

describe("a mirror", function()
  it("begins with the tree of the store", function()
    local store <close> = store_of {
      scattered(2000, 1), scattered(2000, 2), scattered(2000, 3),
    }
    local mirror = mirror_of(store)
    local since = last_number(store)
    assert.is_nil(mirror:tree())
    store:put("x", "y")
    store:flush()
    follow(mirror, store, since)
    assert.is_nil(mirror.problem)
    local mine, real = mirror:tree(), store:tree()
    assert.equal(#real.runs, #mine.runs)
    for r = 2, 4 do
      assert.equal(#real.runs[r].tables, #mine.runs[r].tables)
      assert.equal(real.runs[r].bytes, mine.runs[r].bytes)
      assert.equal(real.runs[r].entries, mine.runs[r].entries)
    end
    tree.close(mine)
    tree.close(real)
    assert.equal(1, mirror.real.flushes)
    mirror:close()
  end)

  it("counts a flush once that the tree has already", function()
    local store <close> = store_of { scattered(100, 1), scattered(100, 2),
      scattered(100, 3), scattered(100, 4) }
    local mirror = mirror_of(store, {})
    follow(mirror, store, 0)
    assert.equal(0, mirror.real.flushes)
    assert.is_nil(mirror.virtual)
    mirror:close()
  end)

  it("goes on in order, and anew when the order is another one", function()
    local store <close> = store_of { in_order(100, 0), in_order(100, 100),
      in_order(100, 200) }
    local mirror = mirror_of(store)
    local since = last_number(store)
    for _, key in ipairs(in_order(100, 300)) do store:put(key, "v") end
    store:flush()
    follow(mirror, store, since)
    assert.equal("sequence", mirror.fit.kind)
    since = last_number(store)
    for i = 1, 8 do
      for _, key in ipairs(scattered(100, i)) do store:put(key, "v") end
      store:flush()
    end
    follow(mirror, store, since)
    assert.is_nil(mirror.problem)
    assert.equal("random", mirror.fit.kind)
    local shape = mirror:tree()
    assert.equal(12, #shape.runs)
    tree.close(shape)
    assert.is_true(mirror:sums().decisions >= 9)
    mirror:close()
  end)

  it("takes its time", function()
    local store <close> = store_of { scattered(50, 1), scattered(50, 2),
      scattered(50, 3) }
    local mirror = mirror_of(store)
    local since = last_number(store)
    for i = 1, 5 do
      for _, key in ipairs(scattered(50, i)) do store:put(key, "v") end
      store:flush()
    end
    for _, event in ipairs(store:journal { since = since }) do
      mirror:add(event)
    end
    assert.is_true(mirror:work(1))
    assert.equal(1, mirror.virtual.decisions)
    assert.equal(4, #mirror.waiting)
    assert.is_true(mirror:work(2))
    assert.equal(3, mirror.virtual.decisions)
    assert.is_false(mirror:work())
    assert.equal(0, #mirror.waiting)
    assert.equal(5, mirror.virtual.decisions)
    mirror:close()
  end)

  it("ends, and says why, where the virtual store can do nothing", function()
    local store <close> = store_of { scattered(50, 1), scattered(50, 2),
      scattered(50, 3) }
    local mirror = mirror_of(store)
    mirror:add {
      number = 1000, kind = "flush", time_ms = 1e12, took_us = 0,
      read_bytes = 1000, written_bytes = 1000, outputs = {}, inputs = {},
      dropped = { covered = 10, tombstones = 1e17, expired = 0 }, tree = {},
    }
    assert.is_false(mirror:work())
    assert.truthy(mirror.problem)
    mirror:close()
    mirror:close()
  end)
end)
