-- A store whose tables are packed gives what a plain one gives, by every way of
-- reading, looking after and copying it.

local grainstore = require "grainstore"
local tmp = require "grainstore.testing.tmp"

local COUNT = 1000

local function key_of(i)
  return ("key%05d"):format(i)
end

-- Half of it repeats itself; every hundredth is larger than a block.
local function value_of(i)
  return ("%d "):format(i * 7919 % 10007)
    .. ("again "):rep(i % 100 == 0 and 3000 or 12)
end

local function filled(path, compression, more)
  local options = { compression = compression, policy = "manual" }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  local store = assert(grainstore.open(path, options))
  for i = 1, COUNT do
    assert(store:put(key_of(i), value_of(i)))
  end
  assert(store:flush())
  for i = 1, COUNT, 10 do
    assert(store:delete(key_of(i)))
  end
  assert(store:flush())
  return store
end

local function expected(i)
  return i % 10 ~= 1 and value_of(i) or nil
end

local function check_points(store)
  local keys = {}
  for i = 1, COUNT do
    assert.equal(expected(i), store:get(key_of(i)))
    keys[i] = key_of(i)
  end
  assert.is_nil(store:get "key00000x")
  for i, value in ipairs(assert(store:get_many(keys))) do
    assert.equal(expected(i) or false, value)
  end
end

local function check_scans(store)
  for _, reverse in ipairs { false, true } do
    local i, step = reverse and COUNT or 1, reverse and -1 or 1
    for key, value in store:scan { reverse = reverse } do
      if i % 10 == 1 then
        i = i + step
      end
      assert.equal(key_of(i), key)
      assert.equal(value_of(i), value)
      i = i + step
    end
  end
  assert.equal(COUNT * 9 // 10, store:count())
  local cursor <close> = store:cursor()
  for i = 2, COUNT, 97 do
    local key, value = cursor:seek(key_of(i))
    local found = i % 10 == 1 and i + 1 or i
    assert.equal(key_of(found), key)
    assert.equal(value_of(found), value)
  end
end

local function check(store)
  check_points(store)
  check_scans(store)
  assert(store:verify())
end

-- Half of the bytes at most.
local function is_packed(store)
  local sizes = store:stats().tables.levels[1]
  return sizes.bytes * 2 < sizes.data
end

for _, compression in ipairs { "lz4", "zstd" } do
  describe(compression, function()
    it("gives what was written, from runs and when they are merged", function()
      local store <close> = filled(tmp.path(), compression)
      assert.is_true(is_packed(store))
      check(store)
      assert(store:compact())
      assert.is_true(is_packed(store))
      check(store)
    end)

    it("gives it through a cache that holds nothing for long", function()
      local store <close> = filled(tmp.path(), compression, {
        memory_bytes = 1 << 20, memtable_bytes = 1 << 18, block_bytes = 16384,
      })
      check(store)
    end)

    it("stays what it is under any other option", function()
      local path = tmp.path()
      filled(path, compression):close()
      for _, other in ipairs { "none", "lz4", "zstd" } do
        local store <close> = assert(grainstore.open(path, {
          compression = other, policy = "manual",
        }))
        check(store)
      end
      local reader <close> = assert(grainstore.open(path, { readonly = true }))
      check(reader)
      assert(grainstore.verify(path))
    end)

    it("is copied by checkpoints, repairs and attached tables", function()
      local path, copy, saved = tmp.path(), tmp.path(), tmp.path()
      local store = filled(path, compression)
      assert(store:compact())
      assert(store:checkpoint(copy))
      local id = store:tree().runs[1].tables[1].id
      store:close()
      assert(grainstore.repair(path, { into = saved }))
      for _, place in ipairs { copy, saved } do
        local other <close> = assert(grainstore.open(place))
        check(other)
      end
      local fresh <close> = assert(grainstore.open(tmp.path()))
      assert(fresh:attach(("%s/%06d.sst"):format(path, id)))
      check(fresh)
    end)

    it("is what a process that was killed comes back with", function()
      local env <close> = require "grainstore.testing".env { seed = 3 }
      local store = filled("/store", compression, { env = env, threads = 0 })
      assert(store:put("last", ("again "):rep(50)))
      local copy <close> = env:crash { keep = "all" }
      store:close()
      local again <close> = assert(grainstore.open("/store", {
        env = copy, compression = compression, threads = 0,
      }))
      assert.equal(("again "):rep(50), again:get "last")
      assert.is_true(again:delete "last" ~= nil)
      check(again)
    end)
  end)
end
