-- Whatever a policy answers, no read changes: plans by chance, spoilt, stale,
-- overlapping, huge, slow, and answers that are no plans, thrown at live stores
-- whose reads are all compared after each plan that was accepted.

local T = require "grainstore.testing"
local Random = require "grainstore.testing.random"
local Thrower = require "spec.support.plan_thrower"
local Watched = require "spec.support.watched"
local family = require "spec.support.family"

local PLANS, PLANS_OF_A_LIFE = 1000000, 400
local LIVES_BETWEEN_CROWDS = 50
local CROWD = 264 -- keys, tables, jobs: more than the engine takes at once
local MANY = 5000 -- so many plans meet everything there is
local MODES = { "os", "batch", "sync", "memory" }

-- ---- one life --------------------------------------------------------------

-- A few keys near each other or anywhere, all of them to expire or some.
local function write(watched, random)
  local ttl = random:one_in(3) and random:int(1, 50) * 1000
  local first, last = 1, #watched.universe
  if random:one_in(2) then
    first = random:int(1, last)
    last = math.min(last, first + 8)
  end
  for _ = 1, random:int(1, 8) do
    local key = watched.universe[random:int(first, last)]
    if not ttl and random:one_in(4) then
      watched:delete(key)
    else
      watched:put(key, ttl or random:one_in(8) and 20000 or nil)
    end
  end
  if not random:one_in(8) then assert(watched.store:flush()) end
end

-- How hard a life works between two decisions: not at all, so that jobs pile up
-- half done, by steps, or until nothing is left.
local function worker(watched, random)
  local habit = random:int(1, 5)
  return function()
    local steps = habit == 1 and random:below(2) or random:below(10)
    if habit > 3 then steps = 50 end
    for _ = 1, steps do
      if not watched.store:step(0) then break end
    end
  end
end

-- The disk has room for a few plans, and for the others not.
local function throw_on_a_full_disk(watched, thrower)
  watched.env:capacity(watched.env:used() + thrower.random:below(600))
  for _ = 1, 3 do thrower:throw_directly() end
  watched.env:capacity(nil)
end

local function interrupt(watched, random)
  local dice = random:below(30)
  if dice < 5 then
    watched:open_view()
  elseif dice < 9 then
    watched:close_view()
  elseif dice < 18 then
    watched:advance(random:int(1, 40) * 1000)
  elseif dice == 18 then
    watched:reopen()
  elseif dice == 19 then
    watched:crash()
  elseif dice == 20 then
    assert(watched.store:compact())
  end
end

local function rounds(watched, thrower, goal)
  local random, work = watched.random, worker(watched, watched.random)
  while thrower.thrown < goal do
    for _ = 1, random:int(1, 5) do
      write(watched, random)
      thrower:account()
    end
    for _ = 1, random:int(4, 16) do
      local dice = random:below(100)
      if dice < 60 then
        thrower:decide()
      elseif dice < 98 then
        thrower:throw_directly()
      else
        throw_on_a_full_disk(watched, thrower)
      end
      thrower:finish(work)
      work()
      thrower:account()
    end
    interrupt(watched, random)
    thrower:account()
    thrower:finish(work)
  end
end

local function begin(seed, counts, key_count)
  local random = Random.new(seed, 97)
  local watched = Watched.new(seed, {
    key_count = key_count or random:int(8, 48), threads = 0,
    memtable_bytes = key_count and 1 << 20 or 4096, table_bytes = 4096,
    block_bytes = 256, durability = random:pick(MODES),
    disk_reserve_bytes = 0, policy = "manual", lossy = random:one_in(10),
  })
  return watched, Thrower.new(watched, seed, counts)
end

local function live(seed, counts)
  local watched, thrower = begin(seed, counts)
  watched.options.policy = thrower.policy
  local ok, message = xpcall(rounds, debug.traceback, watched, thrower,
    PLANS_OF_A_LIFE)
  if not ok then
    error(("after %d plans: %s"):format(thrower.thrown, message), 0)
  end
  thrower:account()
  watched:close()
  return thrower.thrown, watched.done
end

-- ---- a crowd of jobs -------------------------------------------------------

-- A run with a table for each key, and a job for each of them, until there are
-- too many; then they end, one by one.
local function crowd(seed, counts)
  local watched, thrower = begin(seed, counts, CROWD)
  local store, cuts = watched.store, {}
  for i, key in ipairs(watched.universe) do
    watched:put(key)
    cuts[i] = key
  end
  assert(store:flush())
  local run = store:tree().runs[1]
  assert(store:plan { op = "merge", inputs = T.ids(run), into = run.id,
    cuts = cuts })
  T.settle(store)
  for _, t in ipairs(store:tree().runs[1].tables) do
    local id, message, code, detail = store:plan {
      op = "move", inputs = { t.id }, bottom = true,
    }
    thrower:judge(not id and code or nil, message, detail and detail.tables)
  end
  thrower:finish(function() assert(store:step(0) ~= nil) end)
  assert(store:step() ~= nil)
  watched:close()
  return thrower.thrown, watched.done
end

-- ---- the family ------------------------------------------------------------

local function add(to, from)
  for name, count in pairs(from) do to[name] = (to[name] or 0) + count end
end

local function print_counts(title, counts)
  local names = {}
  for name in pairs(counts) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  io.write("\n", title, "\n")
  for _, name in ipairs(names) do
    io.write(("%10d  %s\n"):format(counts[name], name))
  end
end

-- What has to come up, or the family looks at too little: every refusal, every
-- kind of job, and as many comparisons as plans were accepted.
local function expect_enough(f, counts, done)
  for name in pairs(Thrower.NAMES) do
    if not counts[name] then f:fail("nothing was refused as %s", name) end
  end
  for _, name in ipairs { "merges", "moves", "drops", "crashes" } do
    if done[name] == 0 then f:fail("there were no %s", name) end
  end
  if done.checks < counts.accepted then
    f:fail("%d plans accepted, reads compared %d times", counts.accepted,
      done.checks)
  end
end

describe("a hostile policy", function()
  family.it(15, "hostile", "plans and answers thrown", function(f)
    local goal, counts, done, life = f:count(PLANS), {}, {}, 0
    while f.states < goal and f.failures < 10 do
      life = life + 1
      local seed = Random.mix(family.seed, life) & 0xFFFFFF
      local run = life % LIVES_BETWEEN_CROWDS == 1 and crowd or live
      local ok, thrown, it_did = pcall(run, seed, counts)
      if ok then
        f:state(thrown)
        add(done, it_did)
      else
        f:state()
        f:fail("life %d, seed %d: %s", life, seed, tostring(thrown))
      end
    end
    print_counts("plans", counts)
    print_counts("done beside", done)
    if goal >= MANY then expect_enough(f, counts, done) end
  end)
end)
