-- Keys, values, batches and numbers of every awkward size go through a whole
-- life: memory, log, tables, merge, deletion. What is too large changes
-- nothing.

local Life = require "grainstore.testing.life"
local family = require "spec.support.family"
local grainstore = require "grainstore"
local machines = require "grainstore.testing.env"

local PATH = "/store"
local KEY_MAX = 65535

-- ---- keys ------------------------------------------------------------------

local function chain(text, count)
  local keys = {}
  for i = 1, count do
    keys[i] = text:rep(i)
  end
  return keys
end

local function all_bytes()
  local keys = {}
  for byte = 0, 255 do
    keys[#keys + 1] = string.char(byte)
  end
  return keys
end

local function edges_of(sizes)
  local keys = {}
  for i, size in ipairs(sizes) do
    keys[i] = ("k"):rep(size)
  end
  return keys
end

local KEYS = {
  { "the empty key alone", { "" } },
  { "one key", { "k" } },
  { "NULs", chain("\0", 40) },
  { "0xff", chain("\xff", 40) },
  { "0xff and more", { "\xff", "\xff\0", "\xff\xff", "\xff\xff\0" } },
  { "prefix chain", chain("a", 80) },
  { "prefix chain of pairs", chain("ab", 80) },
  { "neighbours", { "a", "a\0", "a\0\0", "a\1", "b", "a\xff", "a\xff\xff" } },
  { "single bytes", all_bytes() },
  { "equal heads", { "abcd", "abcde", "abcdef", "abcd\0", "abc", "abcda" } },
  { "long ones that agree", edges_of { 200, 254, 255, 256, 257, 511, 512 } },
  { "the longest", edges_of { KEY_MAX - 1, KEY_MAX, 32767, 32768 } },
}

local VALUES = {
  0, 1, 2, 3, 253, 254, 255, 256, 257, 511, 512, 4095, 4096, 4097, 65535, 65536,
  1000000,
}

local OPTIONS = {
  { block_bytes = 256, table_bytes = 4096, memtable_bytes = 4096 },
  { block_bytes = 4096, table_bytes = 65536, memtable_bytes = 65536 },
  { block_bytes = 65536, table_bytes = 1 << 20, memtable_bytes = 1 << 20 },
  { block_bytes = 256, table_bytes = 4096, memtable_bytes = 4096,
    compression = "lz4" },
  { block_bytes = 65536, table_bytes = 1 << 20, memtable_bytes = 1 << 20,
    compression = "zstd" },
}

local function life_of(kind, options, seed)
  local given = {
    threads = 0, memory_bytes = 1 << 24, max_wal_bytes = 65536,
    disk_reserve_bytes = 0, durability = seed % 2 == 0 and "sync" or "os",
  }
  for name, value in pairs(options) do
    given[name] = value
  end
  return Life.new {
    env = machines.env { seed = seed }, kind = kind, options = given,
  }
end

-- Writes all keys, twice; every way a value can be stored is looked at.
local function script_of(keys, value)
  local ops = {}
  local function emit(...)
    for _, op in ipairs { ... } do
      ops[#ops + 1] = op
    end
  end
  for i = #keys, 1, -1 do
    emit { "put", keys[i], value(i) }
  end
  emit({ "check" }, { "reopen" }, { "check" }, { "verify" })
  for i = 1, #keys, 2 do
    emit({ "put", keys[i], value(i + 1) }, { "get", keys[i] })
  end
  emit({ "check" }, { "flush" }, { "check" }, { "compact" }, { "check" },
    { "verify" })
  for i = 1, #keys do
    emit(i % 2 == 0 and { "take", keys[i] } or { "delete", keys[i] })
  end
  emit({ "check" }, { "flush" }, { "check" }, { "put", keys[1], value(1) },
    { "compact" }, { "reopen" }, { "check" }, { "verify" })
  return ops
end

local function live(kind, options, seed, ops)
  local life = life_of(kind, options, seed)
  local ok, message = pcall(function()
    life:play(ops)
    assert(life:close())
  end)
  life:close()
  life.env:close()
  if not ok then
    error(message, 0)
  end
end

local function sizes(f)
  local seed = 0
  for _, keys in ipairs(KEYS) do
    for _, size in ipairs(VALUES) do
      for at, options in ipairs(OPTIONS) do
        seed = seed + 1
        -- What is large in both ways is large enough with a few keys.
        local is_large = size * #keys[2] > 1 << 22
        if not is_large and seed % f:stride(4) == 0 then
          local where =
            ("%s, values of %d bytes, options %d"):format(keys[1], size, at)
          f:try(where, live, "bytes", options, seed,
            script_of(keys[2], function(i)
              return ("%d"):format(i % 10):rep(size)
            end))
        end
      end
    end
  end
end

-- ---- numbers ---------------------------------------------------------------

local NUMBERS = {
  0, 1, 127, 128, 255, 256, 65535, 65536, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000,
  0xFFFFFFFE, 0xFFFFFFFF,
}

local NO_NUMBERS = { -1, 1 << 32, 1.5, "1", true, math.mininteger, 2.0 ^ 32 }

local function numbers(f)
  for seed, options in ipairs(OPTIONS) do
    f:try(("u32, options %d"):format(seed), live, "u32", options, seed,
      script_of(NUMBERS, function(i) return NUMBERS[1 + i % #NUMBERS] end))
  end
  local env <close> = machines.env {}
  local store <close> = assert(grainstore.open_u32(PATH, { env = env }))
  for _, value in ipairs(NO_NUMBERS) do
    f:try("u32, " .. tostring(value), function()
      assert(not pcall(store.put, store, value, 1), "taken as a key")
      assert(not pcall(store.put, store, 1, value), "taken as a value")
      assert(not pcall(store.get, store, value), "taken by get")
      assert(store:seq() == 0, "a sequence number was used up")
    end)
  end
end

-- ---- too much --------------------------------------------------------------

-- Calls that go one byte too far, as { name, f(store, key) }.
local TOO_LONG = {
  { "put", function(store, key) return store:put(key, "v") end },
  { "delete", function(store, key) return store:delete(key) end },
  { "take", function(store, key) return store:take(key) end },
  { "put_if", function(store, key) return store:put_if(key, nil, "v") end },
  { "batch", function(store, key)
    local batch <close> = store:batch()
    batch:put("in front", "v")
    batch:put(key, "v")
    batch:put("behind", "v")
    return batch:commit()
  end },
}

local function too_long(f)
  local env <close> = machines.env {}
  local store <close> = assert(grainstore.open(PATH, { env = env }))
  local key = ("k"):rep(KEY_MAX + 1)
  for _, call in ipairs(TOO_LONG) do
    f:try("too long a key, " .. call[1], function()
      local done, message, code = call[2](store, key)
      assert(not done, "went through")
      assert(code == "toolarge", ("%s: %s"):format(tostring(code), message))
      assert(store:seq() == 0 and store:count() == 0, "something was written")
      assert(store:get "in front" == nil, "a part of the batch was written")
    end)
  end
  f:try("reads of too long a key", function()
    assert(store:get(key) == nil)
    assert(store:contains(key) == false)
    assert(store:count { from = key } == 0)
    assert(store:get_many({ key, "" })[1] == false)
  end)
end

-- ---- batches ---------------------------------------------------------------

local function batches(f)
  local env <close> = machines.env {}
  local given = { env = env, threads = 0, memtable_bytes = 4096,
    memory_bytes = 1 << 20, disk_reserve_bytes = 0 }
  for _, count in ipairs { 0, 1, 2, 255, 256, 257, 20000 } do
    f:try(("a batch of %d"):format(count), function()
      local path = ("%s%d"):format(PATH, count)
      local store = assert(grainstore.open(path, given))
      local batch <close> = store:batch()
      for i = 1, count do
        batch:put(("%05d"):format(i), ("%d"):format(i))
      end
      local first, last = assert(batch:commit { meta = "note" })
      assert(count == 0 and first == 0 and last == 0
        or last - first + 1 == count, "wrong numbers")
      for _ = 1, 2 do
        assert(store:count() == count and store:seq() == count, "not all there")
        assert(count == 0 or store:get(("%05d"):format(count))
          == ("%d"):format(count), "the last one is missing")
        assert(store:meta() == "note", "no note")
        assert(store:close())
        store = assert(grainstore.open(path, given))
      end
      assert(store:verify())
      assert(store:close())
    end)
  end
end

describe("the ends of what is allowed", function()
  family.it(29, "boundaries", "lives at the ends of sizes", function(f)
    sizes(f)
    numbers(f)
    too_long(f)
    batches(f)
  end)
end)
