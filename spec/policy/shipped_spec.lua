-- Every shipped policy: on random trees, on random operations, and on work that
-- deletes or expires what it wrote.

local P = require "grainstore.policy"
local T = require "grainstore.testing"
local grainstore = require "grainstore"

local HOUR = 60 * 60 * 1000

-- `runs` bounds what is left at rest of trees that other policies left;
-- `deleting` and `expiring` bound the bytes of tables by those of the same
-- entries without history. Who has no `expiring` may keep what has expired.
local shipped = {
  bounded_l0 = { make = P.bounded_l0, deleting = 1.5, expiring = 1.5 },
  leveled = { make = P.leveled, deleting = 1.5 },
  tiered = { make = P.tiered, runs = 24, deleting = 1.5, expiring = 5 },
  universal = { make = P.universal, deleting = 2, expiring = 4 },
  lazy_leveled = { make = P.lazy_leveled, deleting = 1 },
  time_window = {
    make = function() return P.time_window { window_ms = HOUR } end,
    runs = 24, deleting = 6,
  },
  fifo = { make = P.fifo, runs = 24, deleting = 6 },
  manual = { make = P.manual, runs = 34, deleting = 6 },
  ["expire_first leveled"] = {
    make = function() return P.expire_first "leveled" end,
    deleting = 1.5, expiring = 1.2,
  },
  ["expire_first time_window"] = {
    make = function()
      return P.expire_first(P.time_window { window_ms = HOUR })
    end,
    runs = 24, deleting = 6, expiring = 1.2,
  },
  ["tombstones_first tiered"] = {
    make = function()
      return P.tombstones_first("tiered", { max_age_ms = HOUR })
    end,
    runs = 24, deleting = 1.5, expiring = 1.5,
  },
  ["tombstones_first lazy_leveled"] = {
    make = function()
      return P.tombstones_first("lazy_leveled", { max_age_ms = HOUR })
    end,
    deleting = 1.5, expiring = 1.5,
  },
  ["both around lazy_leveled"] = {
    make = function()
      return P.expire_first(P.tombstones_first(P.lazy_leveled { fanout = 10 },
        { max_age_ms = 10 * HOUR }))
    end,
    deleting = 1.5, expiring = 1.2,
  },
}

local names = {}
for name in pairs(shipped) do names[#names + 1] = name end
table.sort(names)

local VALUE = ("v"):rep(60)

local function open(env, policy)
  return assert(grainstore.open("db", {
    env = env, threads = 0, memtable_bytes = 16384, table_bytes = 16384,
    durability = "memory", policy = policy, lossy = true,
  }))
end

local function table_bytes(store)
  local bytes = 0
  for _, run in ipairs(store:tree().runs) do bytes = bytes + run.bytes end
  return bytes
end

-- Does `operate(i, store, env, expected)` so many times; returns the most bytes
-- that tables had, after a first third, and those of what is left merged whole.
local function work(policy, steps, operate)
  local env <close> = T.env { seed = 3 }
  local store <close> = open(env, policy)
  local expected, most = {}, 0
  for i = 1, steps do
    operate(i, store, env, expected)
    if i % 50 == 0 then
      for _ = 1, 100 do
        if not store:step() then break end
      end
      most = i > steps // 3 and math.max(most, table_bytes(store)) or most
    end
  end
  for key, entry in pairs(expected) do
    local lives = not entry.dies or env.clock:now() < entry.dies
    assert.equal(lives and entry.value or nil, store:get(key), key)
  end
  local tree = store:tree()
  assert.same({}, { tree.policy_error, tree.policy_aside or nil })
  assert(store:verify())
  assert(store:compact())
  return most, table_bytes(store), store:stats()
end

local FLUSHES = 4 * 16384 -- what has not been merged yet

local function is_bounded(most, rest, bound)
  assert.truthy(rest > 0)
  assert.truthy(most <= bound * (rest + FLUSHES),
    ("%d bytes, %d when compacted"):format(most, rest))
end

for _, name in ipairs(names) do
  local it_is = shipped[name]

  describe("shipped: " .. name, function()
    it("neither asks for what is refused, nor circles, nor waits for ever",
      function()
        local done = T.check_policy(it_is.make(), {
          trees = 40, seed = 11, runs = it_is.runs, real = 12,
        })
        assert.equal(40, done.trees)
      end)

    it("changes no read", function()
      local done = T.check {
        seed = 21, steps = 600,
        options = {
          policy = it_is.make(), memtable_bytes = 4096, lossy = true,
        },
      }
      assert.equal(600, done.operations)
    end)

    it("gives back the space of what is deleted", function()
      local most, rest = work(it_is.make(), 8000, function(i, store, env, e)
        local key = ("k%04d"):format(i * 7919 % 2000)
        if i % 2 == 0 then
          store:put(key, VALUE .. i)
          e[key] = { value = VALUE .. i }
        else
          key = ("k%04d"):format((i - 401) * 7919 % 2000)
          store:delete(key)
          e[key] = {}
        end
        if i % 50 == 0 then env.clock:advance(HOUR // 20) end
      end)
      is_bounded(most, rest, it_is.deleting)
    end)

    it("gives back the space of what expires", function()
      local most, rest, stats = work(it_is.make(), 8000,
        function(i, store, env, e)
          local key = ("k%05d"):format(i)
          e[key] = { value = VALUE .. i, dies = env.clock:now() + 2 * HOUR }
          store:put(key, VALUE .. i, { expires_at_ms = e[key].dies })
          if i % 50 == 0 then env.clock:advance(HOUR // 20) end
        end)
      is_bounded(most, rest, it_is.expiring or 6)
      if name:find "^expire_first" then
        assert.truthy(stats.jobs.drops > 5, stats.jobs.drops)
      end
    end)
  end)
end

describe("shipped policies", function()
  it("are found by their names", function()
    for _, name in ipairs(P.names) do
      local env <close> = T.env { seed = 1 }
      local store <close> = open(env, name)
      assert.truthy(shipped[name], name)
      assert.equal(name .. "/1", P[name]().name)
      assert(store:put("k", "v"))
    end
    for _, name in ipairs(P.decorators) do
      assert.equal("function", type(P[name]))
    end
    assert.is_nil(P.no_such)
  end)

  it("take a table of options, and say so", function()
    for _, name in ipairs(P.names) do
      local ok, message = pcall(function() P[name] "x" end)
      assert.is_false(ok)
      assert.equal(("policy '%s' takes a table of options, got a string")
        :format(name), message:match "shipped_spec%.lua:%d+: (.*)$")
    end
  end)
end)
