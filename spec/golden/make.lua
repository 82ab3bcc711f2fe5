--- Writes the golden stores of the present format: `make golden`. They are kept
-- for ever, so that what a version wrote is read by all that follow; a format
-- that was released is never written anew, a new one gets a folder of its own.
--
-- Each store is a folder of files, and `expected.txt` beside them: a line for
-- each entry that is to be read, key and value in hexadecimal, or a note.
--
--     make.lua [store]

local Random = require "grainstore.testing.random"
local grainstore = require "grainstore"
local testing = require "grainstore.testing"

local ROOT = ("spec/golden/format-%d"):format(grainstore.FORMAT)
local YEAR = 365 * 86400000

local SMALL = {
  threads = 0, memory_bytes = 1 << 20, memtable_bytes = 8192,
  table_bytes = 4096, block_bytes = 256, max_wal_bytes = 65536,
  disk_reserve_bytes = 0, journal_bytes = 0,
}

-- What to do with one kind of store: keys and values by number.
local BYTES = {
  open = grainstore.open_bytes,
  key = function(i)
    return i == 1 and "" or i == 2 and "\0" or i == 3 and "\xff\xff"
      or ("key/%03d"):format(i)
  end,
  value = function(i, random)
    return i % 10 == 0 and ""
      or ("%d "):format(i) .. ("v"):rep(random:below(90))
  end,
}

local U32 = {
  open = grainstore.open_u32,
  key = function(i) return i * 0x2040801 & 0xFFFFFFFF end,
  value = function(i) return i * 77 end,
}

local function options(env)
  local given = { env = env, policy = { name = "idle", pick = function() end } }
  for name, value in pairs(SMALL) do
    given[name] = value
  end
  return given
end

-- Puts, overwrites, tombstones, entries that expire soon, late and never.
local function write(store, kind, random, map, first, last)
  for i = first, last do
    local key, value = kind.key(i), kind.value(i, random)
    if random:one_in(5) then
      assert(store:delete(key))
      map[key] = nil
    elseif random:one_in(7) then
      assert(store:put(key, value, { ttl_ms = 1 }))
      map[key] = nil
    else
      assert(store:put(key, value,
        random:one_in(6) and { ttl_ms = 100 * YEAR } or nil))
      map[key] = value
    end
  end
end

local function fill(store, kind, random, map)
  write(store, kind, random, map, 1, 50)
  assert(store:compact())
  write(store, kind, random, map, 20, 40)
  assert(store:flush())
  local batch <close> = store:batch()
  batch:put(kind.key(7), kind.value(7, random))
  map[kind.key(7)] = nil
  batch:delete(kind.key(7))
  assert(batch:commit { meta = "a note" })
  map.note = "a note"
end

local function closed(kind, env, map)
  local random = Random.new(1)
  local store = assert(kind.open("/store", options(env)))
  fill(store, kind, random, map)
  assert(store:close())
  return env
end

local function killed(kind, env, map)
  local random = Random.new(2)
  local store = assert(kind.open("/store", options(env)))
  fill(store, kind, random, map)
  assert(store:flush())
  write(store, kind, random, map, 10, 30)
  assert(store:sync())
  local image = env:crash { keep = "all" }
  store:close()
  return image
end

local function empty(kind, env)
  assert(assert(kind.open("/store", options(env))):close())
  return env
end

-- One with a journal beside it.
local function told(kind, env, map)
  local random = Random.new(3)
  local given = options(env)
  given.journal_bytes = nil
  local store = assert(kind.open("/store", given))
  fill(store, kind, random, map)
  store:plan { op = "drop", inputs = { 4711 }, why = "to be refused" }
  assert(store:close())
  return env
end

-- One of which most blocks are packed; the values of BYTES repeat themselves.
local function packed(compression)
  return function(kind, env, map)
    local random = Random.new(4)
    local given = options(env)
    given.compression, given.block_bytes = compression, 1024
    local store = assert(kind.open("/store", given))
    fill(store, kind, random, map)
    assert(store:close())
    return env
  end
end

local STORES = {
  { "bytes-closed", BYTES, closed }, { "bytes-killed", BYTES, killed },
  { "bytes-empty", BYTES, empty }, { "u32-closed", U32, closed },
  { "u32-killed", U32, killed }, { "bytes-journal", BYTES, told },
  { "bytes-lz4", BYTES, packed "lz4" }, { "bytes-zstd", BYTES, packed "zstd" },
  { "u32-lz4", U32, packed "lz4" },
}

-- ---- on disk ---------------------------------------------------------------

local function hex(value)
  return math.type(value) and ("%08x"):format(value)
    or (value:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function expected_text(map)
  local lines = {}
  for key, value in pairs(map) do
    lines[#lines + 1] = key == "note" and "note " .. value
      or ("%s %s"):format(hex(key), hex(value))
  end
  table.sort(lines)
  return table.concat(lines, "\n") .. "\n"
end

local function write_file(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(bytes))
end

local function make(i, name, kind, build)
  local folder, map = ROOT .. "/" .. name, {}
  assert(os.execute(("rm -rf %s && mkdir -p %s"):format(folder, folder)))
  local env <close> = testing.env { seed = i }
  local image = build(kind, env, map)
  for path in pairs(image:files()) do
    if not path:find "/LOCK$" then
      write_file(folder .. path:match "/[^/]*$", image:read(path))
    end
  end
  write_file(folder .. "/expected.txt", expected_text(map))
  print(folder)
end

-- All, or those that are named.
for i, made in ipairs(STORES) do
  if not arg[1] or arg[1] == made[1] then
    make(i, table.unpack(made))
  end
end
