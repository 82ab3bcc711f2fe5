-- The wall clock jumps forward and back, stands still, and is set to its ends,
-- between work, reopenings and kills. What has been seen to expire never comes
-- back, what has not is there, and a snapshot keeps its time. One thing alone
-- may bring an expired entry back: that reads alone had seen its end, that the
-- process was killed before it wrote anything, and that the clock went back.

local Random = require "grainstore.testing.random"
local family = require "spec.support.family"
local grainstore = require "grainstore"
local machines = require "grainstore.testing.env"

local PATH, START = "/store", 1767225600000
local YEAR = 365 * 86400000

local MOVES = {
  { "stands still", 0 }, { "1 ms on", 1 }, { "999 ms on", 999 },
  { "1000 ms on", 1000 }, { "1001 ms on", 1001 },
  { "100 years on", 100 * YEAR }, { "1 ms back", -1 },
  { "a year back", -YEAR }, { "set to 1", "1" },
}

-- Entries as { key, value, when it expires after the start or nil }. The last
-- value of a key counts; what is beneath an expired one stays hidden.
local ENTRIES = {
  { "beneath", "old" }, { "beneath", "new", 1000 },
  { "forever", "v" }, { "max", "v", math.maxinteger - START },
  { "past", "old" }, { "past", "v", 1 - START }, { "renewed", "v", 1 },
  { "renewed", "w" }, { "ttl 1", "v", 1 }, { "ttl 1000", "v", 1000 },
}

local function options(env, seed)
  return {
    env = env, threads = 0, memory_bytes = 1 << 20, memtable_bytes = 16384,
    table_bytes = 4096, max_wal_bytes = 65536,
    durability = seed % 2 == 0 and "os" or "sync",
  }
end

-- What is to be read at a time of the store: key -> value, and sorted keys.
local function expected_at(now_ms)
  local live = {}
  for _, entry in ipairs(ENTRIES) do
    local key, value, after = table.unpack(entry)
    live[key] = (after == nil or START + after > now_ms) and value or nil
  end
  local keys = {}
  for key in pairs(live) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return live, keys
end

local function check(what, reader, now_ms)
  local live, keys = expected_at(now_ms)
  for _, entry in ipairs(ENTRIES) do
    local key = entry[1]
    local value, ttl = reader:get(key), reader:ttl(key)
    if value ~= live[key] then
      error(("%s: get %q gives %s"):format(what, key, tostring(value)), 0)
    elseif (ttl ~= nil) ~= (value ~= nil) then
      error(("%s: ttl %q gives %s"):format(what, key, tostring(ttl)), 0)
    end
  end
  local at = 0
  for key, value in reader:scan() do
    at = at + 1
    if key ~= keys[at] or value ~= live[key] then
      error(("%s: scan gives %q"):format(what, key), 0)
    end
  end
  if at ~= #keys or reader:count() ~= #keys then
    error(("%s: %d entries, not %d"):format(what, at, #keys), 0)
  end
end

local function fill(store)
  for _, entry in ipairs(ENTRIES) do
    local key, value, after = table.unpack(entry)
    assert(store:put(key, value,
      after and { expires_at_ms = START + after } or nil))
  end
end

-- Work between two moves; each returns the machine to go on with and the store.
local WORK = {
  { "nothing", function(env, store) return env, store end },
  { "flush", function(env, store)
    assert(store:flush())
    return env, store
  end },
  { "compact", function(env, store)
    assert(store:compact())
    return env, store
  end },
  { "reopen", function(env, store, given)
    assert(store:close())
    return env, assert(grainstore.open(PATH, given(env)))
  end },
  { "kill", function(env, store, given)
    local after = env:crash { keep = "all" }
    store:close()
    env:close()
    return after, assert(grainstore.open(PATH, given(after)))
  end },
}

local function move(env, by)
  local now_ms = type(by) == "string" and tonumber(by) or env.clock:now() + by
  env.clock:set(math.max(1, now_ms))
end

-- After a kill the store's time is one of those it had seen, the last first,
-- down to the one it had surely written down.
local function check_killed(what, store, moments, least_ms)
  for i = #moments, 1, -1 do
    if moments[i] >= least_ms and pcall(check, what, store, moments[i]) then
      return moments[i]
    end
  end
  check(what, store, least_ms)
  return least_ms
end

-- One life: steps of { move, work }. The store's time is the latest it saw.
local function live(seed, steps)
  local env = machines.env { seed = seed, wall_ms = START }
  local function given(machine) return options(machine, seed) end
  local store = assert(grainstore.open(PATH, given(env)))
  fill(store)
  local snapshot, seen_ms, written_ms = store:snapshot(), START, START
  local is_dirty, moments = true, {}
  check("at first", store, seen_ms)
  for i, step in ipairs(steps) do
    local work, what = step[2], ("after step %d"):format(i)
    move(env, step[1][2])
    seen_ms = math.max(seen_ms, env.clock:now())
    moments[#moments + 1] = seen_ms
    check(("after move %d"):format(i), store, seen_ms)
    local before = store
    env, store = work[2](env, store, given)
    if store == before and snapshot then
      check(("the snapshot after step %d"):format(i), snapshot, START)
    else
      snapshot = nil
    end
    if work[1] == "kill" then
      seen_ms = check_killed(what, store, moments,
        math.max(written_ms, env.clock:now()))
    else
      check(what, store, seen_ms)
    end
    -- Flushing and recovering write where there is something to write.
    if work[1] == "reopen" or work[1] ~= "nothing" and is_dirty then
      written_ms, is_dirty = seen_ms, false
    end
  end
  assert(store:verify())
  assert(store:close())
  env:close()
end

local function text_of(steps)
  local parts = {}
  for i, step in ipairs(steps) do
    parts[i] = ("the clock %s, %s"):format(step[1][1], step[2][1])
  end
  return table.concat(parts, "; ")
end

describe("time", function()
  family.it(30, "time", "lives under a clock that jumps", function(f)
    local number = 0
    for _, first in ipairs(MOVES) do
      for _, work in ipairs(WORK) do
        for _, second in ipairs(MOVES) do
          for _, more in ipairs(WORK) do
            number = number + 1
            if number % f:stride(4) == 0 then
              local steps = { { first, work }, { second, more } }
              f:try(function() return text_of(steps) end, live, number, steps)
            end
          end
        end
      end
    end
    local random = Random.new(family.seed, 30)
    for i = 1, f:count(20000) do
      local steps = {}
      for at = 1, random:int(3, 6) do
        steps[at] = { random:pick(MOVES), random:pick(WORK) }
      end
      f:try(function() return text_of(steps) end, live, i, steps)
    end
  end)
end)
