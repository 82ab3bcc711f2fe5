--- Small stores on simulated machines, what they must answer, and what may be
-- said instead where their files are damaged.
--
-- An *image* is a machine with one store that no process has open, and the
-- answers that are right for it: the newest state, and older ones in which the
-- last write, which no sync covered, is missing.

local grainstore = require "grainstore"
local Random = require "grainstore.testing.random"
local machines = require "grainstore.testing.env"

local damage = { PATH = "/store" }

local PATH = damage.PATH

--- A policy that never asks for anything, so that a store keeps its runs.
damage.idle = { name = "idle", pick = function() end }

--- Options for stores of a few dozen KiB with many small parts.
function damage.options(env, more)
  local options = {
    env = env, threads = 0, durability = "os", memory_bytes = 1 << 20,
    memtable_bytes = 32768, table_bytes = 8192, block_bytes = 512,
    max_wal_bytes = 65536, policy = damage.idle,
  }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

-- ---- answers ---------------------------------------------------------------

local Answers = {}
Answers.__index = Answers

local function copy(map)
  local other = {}
  for key, value in pairs(map) do
    other[key] = value
  end
  return other
end

--- What a store must answer that holds just these entries.
-- @tparam table map
-- @tparam[opt] {key,...} absent some keys that are not there
function damage.answers(map, absent)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return setmetatable({ map = copy(map), keys = keys, absent = absent or {} },
    Answers)
end

-- A failure that names itself is an answer too; it is told to `heard`.
local function is_failure(heard, code, message, detail)
  if code == nil then
    return false
  end
  heard(code, message, detail)
  return true
end

local function check_points(store, want, heard)
  for _, key in ipairs(want.keys) do
    local value, message, code, detail = store:get(key)
    if not is_failure(heard, code, message, detail)
      and value ~= want.map[key] then
      return ("get %q gives %q"):format(key, tostring(value))
    end
  end
  for _, key in ipairs(want.absent) do
    local value, message, code, detail = store:get(key)
    if not is_failure(heard, code, message, detail) and value ~= nil then
      return ("get %q gives %q"):format(key, value)
    end
  end
end

-- Loops raise objects; a wrong answer is raised as text.
local function check_scan(store, want, heard, options)
  local keys, at, step = want.keys, 0, 1
  if options then
    at, step = #keys + 1, -1
  end
  local ok, why = pcall(function()
    for key, value in store:scan(options) do
      at = at + step
      if key ~= keys[at] or value ~= want.map[key] then
        error(("scan gives %q, not %q"):format(key, tostring(keys[at])), 0)
      end
    end
    if keys[at + step] ~= nil then
      error(("scan ends before %q"):format(keys[at + step]), 0)
    end
  end)
  if not ok then
    if type(why) == "string" then
      return why
    end
    heard(why.code, why.message, why.detail)
  end
end

local reversed = { reverse = true }

--- Reads everything in every way.
-- @tparam store store
-- @tparam function heard called with code, message, detail of each failure
-- @treturn ?string what is wrong
function Answers:check(store, heard)
  local wrong = check_points(store, self, heard)
    or check_scan(store, self, heard)
    or check_scan(store, self, heard, reversed)
  if wrong then
    return wrong
  end
  local count, message, code, detail = store:count()
  if not is_failure(heard, code, message, detail) and count ~= #self.keys then
    return ("count gives %d, not %d"):format(count, #self.keys)
  end
end

-- ---- images ----------------------------------------------------------------

local function value_of(random, number)
  return ("%d "):format(number) .. ("v"):rep(random:below(120))
end

local function fill(store, map, random, first, last, step)
  for number = first, last, step do
    local key = ("key%04d"):format(number)
    if random:one_in(6) then
      assert(store:delete(key))
      map[key] = nil
    else
      map[key] = value_of(random, number)
      assert(store:put(key, map[key],
        random:one_in(8) and { ttl_ms = 1000000 } or nil))
    end
  end
end

local absent = {}
for number = 1, 20 do
  absent[number] = ("key%04dx"):format(number * 17)
end
absent[#absent + 1] = ""
absent[#absent + 1] = "zzz"

-- Three runs that overlap, and the same store at earlier moments.
local function make_runs(seed, compression)
  local random = Random.new(seed)
  local env = machines.env { seed = seed }
  local store = assert(grainstore.open(PATH, damage.options(env, {
    compression = compression,
  })))
  local map, earlier = {}, {}
  local function remember()
    earlier[#earlier + 1] = env:crash { keep = "all" }
  end
  fill(store, map, random, 1, 300, 1)
  assert(store:compact())
  remember()
  fill(store, map, random, 1, 300, 4)
  assert(store:flush())
  remember()
  fill(store, map, random, 100, 200, 2)
  assert(store:flush())
  remember()
  return env, store, map, random, earlier
end

--- A store that was closed: everything stands in tables.
-- @tparam integer seed
-- @tparam[opt] string compression of its tables
-- @treturn table env, answers, earlier
function damage.closed(seed, compression)
  local env, store, map, _, earlier = make_runs(seed, compression)
  assert(store:close())
  return {
    env = env, answers = { damage.answers(map, absent) }, earlier = earlier,
  }
end

--- A store whose process was killed: tables, and a log in which all frames but
-- the last are known to have been synced.
-- @tparam integer seed
-- @treturn table env, answers (of all, and without the last write), earlier,
-- writes: answers after each of the writes in the log
function damage.killed(seed)
  local env, store, map, random, earlier = make_runs(seed)
  local writes = { damage.answers(map, absent) }
  for number = 1, 300, 9 do
    fill(store, map, random, number, number, 1)
    writes[#writes + 1] = damage.answers(map, absent)
  end
  assert(store:sync())
  earlier[#earlier + 1] = env:crash { keep = "all" }
  map.last = "the last write"
  assert(store:put("last", map.last))
  writes[#writes + 1] = damage.answers(map, absent)
  local image = env:crash { keep = "all" }
  store:close()
  env:close()
  return {
    env = image, answers = { writes[#writes], writes[#writes - 1] },
    earlier = earlier, writes = writes,
  }
end

--- Paths of the files that the store is made of, sorted.
-- @tparam table image
-- @treturn {string,...}
function damage.live(image)
  local env <close> = image.env:copy()
  local options = damage.options(env, { readonly = true })
  local store <close> = assert(grainstore.open(PATH, options))
  local is_live = {}
  for _, run in ipairs(store:tree().runs) do
    for _, table_ in ipairs(run.tables) do
      is_live[("%s/%06d.sst"):format(PATH, table_.id)] = true
    end
  end
  local found = {}
  for path in pairs(image.env:files()) do
    if is_live[path] or path:find "%.wal$" or path:find "MANIFEST" then
      found[#found + 1] = path
    end
  end
  table.sort(found)
  return found
end

--- Frames of a log or a manifest as { offset, bytes, durable_to }.
-- @tparam string bytes of the file
-- @treturn {table,...} may be empty
function damage.frames(bytes)
  local frames, at = {}, 4096
  while at + 48 <= #bytes do
    local sum, size = ("<I4I4"):unpack(bytes, at + 1)
    if sum == 0 and size == 0 then
      break
    end
    local whole = (48 + size + 7) // 8 * 8
    frames[#frames + 1] = {
      offset = at, bytes = whole,
      durable_to = (("<I8"):unpack(bytes, at + 25)),
    }
    at = at + whole
  end
  return frames
end

-- ---- looking ---------------------------------------------------------------

--- Codes by which damage may be reported.
damage.NAMED = { corrupt = true, io = true }

local function label(code, message)
  return ("%s: %s"):format(tostring(code), tostring(message))
end

-- What is wrong by the newest answers, where none of them fits.
local function none_is_right(store, image, heard)
  local first
  for _, answers in ipairs(image.answers) do
    local complaint = answers:check(store, heard)
    if not complaint then
      return nil
    end
    first = first or complaint
  end
  return first
end

--- Opens the store and reads everything.
-- @tparam env env
-- @tparam table image whose answers are right
-- @tparam table[opt] rules codes = the ones allowed (NAMED), file = the name
-- that each failure has to carry, offset = whether it has to name an offset,
-- options = more options for the store
-- @treturn ?string what is wrong
-- @treturn string "refused", "failed" or "answered"
function damage.look(env, image, rules)
  rules = rules or {}
  local codes, wrong, outcome = rules.codes or damage.NAMED, nil, "answered"
  local function heard(code, message, detail)
    outcome = "failed"
    local path = detail and detail.path or ""
    if not codes[code] then
      wrong = wrong or "failed with " .. label(code, message)
    elseif path == "" then
      wrong = wrong or "names no file: " .. label(code, message)
    elseif rules.file and path ~= rules.file then
      wrong = wrong or "names another file: " .. label(code, message)
    elseif rules.offset and not detail.offset then
      wrong = wrong or "names no offset: " .. label(code, message)
    end
  end
  local store, message, code, detail =
    grainstore.open(PATH, damage.options(env, rules.options))
  if not store then
    heard(code, message, detail)
    return wrong, "refused"
  end
  local complaint = none_is_right(store, image, heard)
  store:close()
  return complaint or wrong, outcome
end

return damage
