-- What survives what: a named test for each cell of the table in the README.

local grainstore = require "grainstore"
local T = require "grainstore.testing"

local WRITES = 60
local POWER = { "synced", "prefix", "object", "random", "torn", "missing" }

local function options(env, durability)
  return {
    env = env, durability = durability, threads = 0,
    memory_bytes = 1 << 20, wal_batch_bytes = 1 << 20,
  }
end

local function key(i)
  return ("k%03d"):format(i)
end

-- How many writes are there, from the first; fails where one is missing in
-- between.
local function prefix_of(env, durability)
  local store <close> = assert(grainstore.open("/s", options(env, durability)))
  local count = store:count()
  for i = 1, count do
    assert.equal("v" .. i, store:get(key(i)), "write " .. i .. " of " .. count)
  end
  return count
end

-- After each write the machine dies in every way named. least(i) of the first i
-- writes must be there, and at most i.
local function live(durability, deaths, between, least)
  local env <close> = T.env { seed = 7 }
  local store = assert(grainstore.open("/s", options(env, durability)))
  local states = 0
  for i = 1, WRITES do
    assert(store:put(key(i), "v" .. i))
    between(store, env, i)
    for _, keep in ipairs(deaths) do
      for state in env:states { keep = keep, limit = 6 } do
        local found = prefix_of(state, durability)
        assert.is_true(found >= least(i), ("%s: %d of %d writes, promised %d")
          :format(keep, found, i, least(i)))
        assert.is_true(found <= i)
        states = states + 1
      end
    end
  end
  assert(store:close())
  assert.is_true(states >= WRITES)
end

local function nothing() end

local function all(i)
  return i
end

-- The last multiple of ten: where `every_tenth` does something.
local function tenth(i)
  return i - i % 10
end

local function every_tenth(action)
  return function(store, env, i)
    if i % 10 == 0 then
      action(store, env, i)
    end
  end
end

local function flush(store)
  assert(store:flush())
end

describe("durability = \"sync\"", function()
  it("loses nothing when the process is killed", function()
    live("sync", { "all" }, nothing, all)
  end)

  it("loses nothing when power is lost", function()
    live("sync", POWER, nothing, all)
  end)
end)

describe("durability = \"batch\"", function()
  it("loses nothing when the process is killed", function()
    live("batch", { "all" }, nothing, all)
  end)

  it("loses at most the last window when power is lost", function()
    local window = every_tenth(function(store, env)
      env.clock:advance(11)
      store:step()
    end)
    live("batch", POWER, window, tenth)
  end)
end)

describe("durability = \"os\"", function()
  it("loses nothing when the process is killed", function()
    live("os", { "all" }, nothing, all)
  end)

  it("loses what came after the last sync when power is lost", function()
    live("os", POWER, every_tenth(function(store)
      assert(store:sync())
    end), tenth)
  end)

  it("loses what came after the last flush when power is lost", function()
    live("os", POWER, every_tenth(flush), tenth)
  end)
end)

describe("durability = \"memory\"", function()
  it("goes back to the last flush when the process is killed", function()
    live("memory", { "all" }, every_tenth(flush), tenth)
  end)

  it("goes back to the last flush when power is lost", function()
    live("memory", POWER, every_tenth(flush), tenth)
  end)
end)

describe("a store that was closed", function()
  for _, durability in ipairs { "sync", "batch", "os", "memory" } do
    it("lost nothing, with " .. durability, function()
      local env <close> = T.env { seed = 3 }
      local store = assert(grainstore.open("/s", options(env, durability)))
      for i = 1, WRITES do
        assert(store:put(key(i), "v" .. i))
      end
      assert(store:close())
      for state in env:states { keep = "synced" } do
        assert.equal(WRITES, prefix_of(state, durability))
      end
    end)
  end
end)
