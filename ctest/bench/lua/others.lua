--- What a Lua programmer would take instead of a store: a table, SQLite through
-- LuaSQL, Redis through lua-redis. All hold the same entries and are asked for
-- the same ones in the same order; contenders take turns.
--
-- Durability is that of a killed process that loses nothing, but for the table,
-- which is the floor and keeps nothing.

local figures = require "figures"
local grainstore = require "grainstore"

local M = {}

local BATCH <const> = 1000

-- Where Debian puts a module that has no package for Lua 5.4 and runs on it.
local OLDER <const> = "/usr/share/lua/5.3/?.lua"

local function try(name, path)
  local before = package.path
  package.path = before .. (path and ";" .. path or "")
  local found, module = pcall(require, name)
  package.path = before
  return found and module or nil
end

local function run(command)
  assert(os.execute(command), command)
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

-- ---- contenders -------------------------------------------------------------
-- Each opens into an object with name, version, get(key), put(key, value),
-- load(keys, values) and close(); or answers nil and what is missing.

local function open_table()
  local entries = {}
  return {
    name = "table", version = _VERSION .. ", keeps nothing",
    get = function(key) return entries[key] end,
    put = function(key, value) entries[key] = value end,
    load = function(keys, values)
      for i = 1, #keys do
        entries[keys[i]] = values[i]
      end
    end,
    close = function() entries = nil end,
  }
end

local function open_grainstore(options)
  local path = options.dir .. "/others"
  grainstore.destroy(path)
  local store = assert(grainstore.open(path, {
    durability = "batch", memory_bytes = options.memory_bytes,
  }))
  return {
    name = "GrainStore",
    version = grainstore._VERSION .. ', durability "batch", default policy',
    get = function(key) return store:get(key) end,
    put = function(key, value) return assert(store:put(key, value)) end,
    load = function(keys, values)
      local batch <close> = store:batch()
      for i = 1, #keys do
        batch:put(keys[i], values[i])
        if i % BATCH == 0 or i == #keys then
          assert(batch:commit())
        end
      end
      assert(store:flush())
    end,
    close = function()
      assert(store:close())
      assert(grainstore.destroy(path))
    end,
  }
end

-- LuaSQL has no prepared statements: each operation is a text.
local function open_sqlite(options)
  local luasql = try "luasql.sqlite3"
  if not luasql then
    return nil, "SQLite (lua-sql-sqlite3)"
  end
  local path = options.dir .. "/others.sqlite"
  local function remove()
    for _, suffix in ipairs { "", "-wal", "-shm" } do
      os.remove(path .. suffix)
    end
  end
  remove()
  local environment = luasql.sqlite3()
  local db = assert(environment:connect(path))
  local function rows(text)
    return assert(db:execute(text))
  end
  for _, text in ipairs {
    "PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF",
    ("PRAGMA cache_size = -%d"):format(options.memory_bytes // 1024),
  } do
    local answer = rows(text)
    if type(answer) == "userdata" then
      answer:close()
    end
  end
  rows "CREATE TABLE bench (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID"
  local select = "SELECT v FROM bench WHERE k = '%s'"
  local replace = "INSERT OR REPLACE INTO bench VALUES ('%s', '%s')"
  local function put(key, value)
    rows(replace:format(key, value))
  end
  return {
    name = "SQLite",
    version = luasql._VERSION .. ", WAL, synchronous OFF, "
      .. "a transaction for each put",
    get = function(key)
      local cursor = rows(select:format(key))
      local value = cursor:fetch()
      cursor:close()
      return value
    end,
    put = put,
    load = function(keys, values)
      rows "BEGIN"
      for i = 1, #keys do
        put(keys[i], values[i])
      end
      rows "COMMIT"
    end,
    close = function()
      db:close()
      environment:close()
      remove()
    end,
  }
end

local function find_redis()
  local redis = try("redis", OLDER)
  local server = output "command -v redis-server" ~= ""
  local socket = redis and try "socket.unix"
  return redis and server and socket and redis
end

local function connect(redis, address)
  local deadline = os.time() + 10
  repeat
    local found, client = pcall(redis.connect, address)
    if found and pcall(client.ping, client) then
      return client
    end
  until os.time() > deadline
  error "redis-server does not answer"
end

local function set_many(client, keys, values)
  for first = 1, #keys, BATCH do
    local pairs_of = {}
    for i = first, math.min(first + BATCH - 1, #keys) do
      pairs_of[keys[i]] = values[i]
    end
    assert(client:mset(pairs_of))
  end
end

local function open_redis()
  local redis = find_redis()
  if not redis then
    return nil, "Redis (redis-server, lua-redis, lua-socket)"
  end
  local folder = output("mktemp -d"):gsub("%s+$", "")
  local address = folder .. "/socket"
  run(("redis-server --port 0 --unixsocket %s --dir %s --save '' "
    .. "--appendonly yes --appendfsync no --daemonize yes >/dev/null")
    :format(address, folder))
  local client = connect(redis, "unix://" .. address)
  return {
    name = "Redis",
    version = client:info().server.redis_version
      .. ", append-only file, no fsync, a call for each operation",
    get = function(key) return client:get(key) end,
    put = function(key, value) assert(client:set(key, value)) end,
    load = function(keys, values) set_many(client, keys, values) end,
    close = function()
      pcall(client.shutdown, client)
      run(("rm -rf '%s'"):format(folder))
    end,
  }
end

local contenders = { open_grainstore, open_table, open_sqlite, open_redis }

-- ---- measuring --------------------------------------------------------------

-- Strings that were made one by one are strings of their own, so that who keeps
-- the one it was given does not answer with the very object it is compared
-- with: reading a value is looking at its bytes, whoever kept them.
local function values_of(options)
  local filling = ("abcdefghijklmnopqrstuvwxyz"):rep(4):sub(1, 84)
  local values = {}
  for i = 1, options.entries do
    values[i] = ("%016d"):format(i * 7) .. filling
  end
  return values
end

-- A second at most, so that a slow contender does not decide how long it takes.
local function timed(now, count, step)
  local start = now()
  local done = 0
  while done < count do
    for i = done + 1, math.min(done + 1000, count) do
      step(i)
    end
    done = math.min(done + 1000, count)
    if now() - start > 1000000000 then
      break
    end
  end
  return (now() - start) / done
end

local function gets(one, data, now)
  local get, keys, order = one.get, data.keys, data.order
  local expected = data.expected
  return timed(now, #order, function(i)
    local number = order[i]
    if get(keys[number]) ~= expected[number] then
      error(one.name .. " gives another value than was written")
    end
  end)
end

local function puts(one, data, now)
  local put, keys, order, values = one.put, data.keys, data.order, data.values
  return timed(now, #order, function(i)
    local number = order[i]
    put(keys[number], values[number])
  end)
end

local function make_data(options)
  local data = {
    keys = {}, order = {}, values = values_of(options),
    expected = values_of(options),
  }
  math.randomseed(options.seed)
  for i = 1, options.entries do
    data.keys[i] = ("%016d"):format(i)
  end
  for i = 1, math.min(options.entries, options.operations) do
    data.order[i] = math.random(options.entries)
  end
  return data
end

--- Measures puts and gets of a store with many entries.
-- @tparam function now nanoseconds of the clock on the wall
-- @return rows of cells, heads first; names and settings; what is missing
function M.run(options, now)
  local data = make_data(options)
  local missing = {}
  local opened <close> = setmetatable({}, { __close = function(list)
    for _, one in ipairs(list) do
      one.close()
    end
  end })
  for _, open in ipairs(contenders) do
    local one, lacks = open(options)
    opened[#opened + 1] = one
    missing[#missing + 1] = lacks
  end
  for _, one in ipairs(opened) do
    one.load(data.keys, data.values)
    one.put_ns, one.get_ns = {}, {}
  end
  for round = 1, options.repeats do
    for i = 1, #opened do
      local one = opened[(i + round) % #opened + 1]
      one.put_ns[round] = puts(one, data, now)
      one.get_ns[round] = gets(one, data, now)
    end
  end
  local rows = { { "contender", "put ns", "get ns",
    "put: GrainStore / it", "get: GrainStore / it" } }
  local versions, ours = {}, opened[1]
  for i, one in ipairs(opened) do
    rows[i + 1] = { one.name, figures.text(figures.median(one.put_ns)),
      figures.text(figures.median(one.get_ns)),
      figures.text(figures.ratio(ours.put_ns, one.put_ns)),
      figures.text(figures.ratio(ours.get_ns, one.get_ns)) }
    versions[i] = one.name .. " " .. one.version
  end
  return rows, versions, missing
end

return M
