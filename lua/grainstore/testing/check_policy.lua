--- A policy on random trees, without a store.
--
--     T.check_policy(my_policy, { trees = 1000, seed = 1 })
--
-- Each tree is a new shape; the policy is asked, its plans are checked by the
-- engine's rules, the most wanted one is done to the shape (as far as sizes and
-- bounds go), and the policy is asked again, until it wants nothing. Then runs
-- are flushed on top of the tree, one after the other. Found are
--
-- - refusals: plans that the engine would not carry out, also while a job is at
--   work on some tables;
-- - errors, and answers that are no plans;
-- - livelock: a policy that comes back to a tree it has seen, or never rests;
-- - starvation: more runs at rest than the engine allows (`runs`), after which
--   its own rule would act instead of the policy.
--
-- The first one is raised, with the tree as text and a line that runs it again.
-- @module grainstore.testing.check_policy

local Random = require "grainstore.testing.random"
local answers = require "grainstore.answers"
local driver = require "grainstore.driver"
local model = require "grainstore.testing.plan_model"
local real = require "grainstore.testing.real_tree"
local shapes = require "grainstore.testing.shapes"
local testing_tree = require "grainstore.testing.tree"

local M = {}

local DEFAULTS = {
  trees = 1000, seed = 1, flushes = 20, runs = 20, real = 0, tree = 0,
}

local function read_options(given)
  if given ~= nil and type(given) ~= "table" then
    error("bad argument #2 to 'check_policy' (table expected, got "
      .. type(given) .. ")", 3)
  end
  for name, value in pairs(given or {}) do
    if DEFAULTS[name] == nil then
      error(("bad argument #2 to 'check_policy' (unknown option '%s')")
        :format(tostring(name)), 3)
    elseif type(value) ~= "number" or value < 0 then
      error(("bad argument #2 to 'check_policy' (option '%s' takes a number "
        .. "from 0, got %s)"):format(name, tostring(value)), 3)
    end
  end
  return setmetatable(given or {}, { __index = DEFAULTS })
end

local World = {}
World.__index = World

local function fail(world, text, ...)
  error(setmetatable({
    message = text:format(...), tree = tostring(world.shape),
    number = world.number, seed = world.options.seed,
    policy = world.policy.name,
  }, M.Found), 0)
end

M.Found = { __name = "grainstore.testing.found" }

function M.Found.__tostring(found)
  return ("policy %s: %s\n%s\nto run it again: T.check_policy(policy, "
    .. "{ seed = %d, tree = %d })"):format(found.policy or "?", found.message,
    found.tree, found.seed, found.number)
end

-- ---- one decision ----------------------------------------------------------

local function check_plans(world, plans, refusals)
  for _, refusal in ipairs(refusals) do
    fail(world, "refused as %s: %s\n  %s", refusal.code, refusal.message,
      testing_tree.plan_text(refusal.plan))
  end
  for _, plan in ipairs(plans) do
    local code = model.refusal(world.shape, plan)
    if code then
      fail(world, "refused as %s:\n  %s", code, testing_tree.plan_text(plan))
    end
  end
end

-- The policy's plans as the engine reads them; what it cannot read is raised.
local function pick(world, shape)
  local ok, answer = pcall(world.policy.pick, shape)
  if not ok then
    fail(world, "pick raised %s", tostring(answer))
  end
  local wanted, _, wrong = answers.pick(answer)
  if wrong then
    fail(world, "%s", wrong)
  end
  local plans = {}
  for i, one in ipairs(wanted) do plans[i] = one.plan end
  return plans
end

local function ask(world)
  local plans, refusals = testing_tree.pick({
    pick = function(shape) return pick(world, shape) end,
  }, world.shape)
  check_plans(world, plans, refusals)
  world.found.plans = world.found.plans + #plans
  return plans
end

-- What the policy says while a job has the inputs of a plan.
local function ask_beside(world, plan)
  local claimed, shape = {}, world.shape
  for _, id in ipairs(plan.inputs) do claimed[id] = true end
  local function mark(busy)
    for _, run in ipairs(shape.runs) do
      for _, t in ipairs(run.tables) do
        if claimed[t.id] then t.busy = busy end
      end
    end
    shape.running = busy and 1 or 0
  end
  mark(true)
  ask(world)
  mark(false)
end

local function luck_of(random)
  return { share = random:int(40, 100) / 100, is_held = random:one_in(8) }
end

-- ---- until it rests --------------------------------------------------------

-- The tree without ids and without room.
local function signature(shape)
  local parts = {}
  for _, run in ipairs(shape.runs) do
    parts[#parts + 1] = "L" .. run.level
    for _, t in ipairs(run.tables) do
      parts[#parts + 1] = ("%d-%d:%d:%d:%d"):format(t.min_key, t.max_key,
        t.bytes, t.tombstones, t.expiring)
      parts[#parts + 1] = tostring(t.created_ms)
    end
  end
  return table.concat(parts, " ")
end

local function count_tables(shape)
  local count = 0
  for _, run in ipairs(shape.runs) do count = count + #run.tables end
  return count
end

local function rest(world)
  local shape, random, found = world.shape, world.random, world.found
  local limit, seen = 100 + 20 * count_tables(shape), {}
  for _ = 1, limit do
    local plans = ask(world)
    if #plans == 0 then return end
    if random:one_in(4) then ask_beside(world, plans[1]) end
    local before = signature(shape)
    if seen[before] then
      fail(world, "livelock: it was at this tree before, and wants\n  %s",
        testing_tree.plan_text(plans[1]))
    end
    seen[before] = true
    found.written = found.written
      + model.apply(shape, plans[1], luck_of(random))
    found.steps = found.steps + 1
  end
  fail(world, "livelock: %d plans done, and it still wants more", limit)
end

local function check_runs(world)
  local runs = #world.shape.runs
  world.found.most_runs = math.max(world.found.most_runs, runs)
  if runs > world.options.runs then
    fail(world, "starvation: it is content with %d runs, the bound is %d", runs,
      world.options.runs)
  end
end

-- The same question to the engine, on a store of this shape.
local function check_real(world)
  local store <close> = real.build(world.shape)
  for _, plan in ipairs(ask(world)) do
    local ok, message = store:try(plan)
    if not ok then
      fail(world, "refused by the engine, %s:\n  %s", message,
        testing_tree.plan_text(plan))
    end
  end
end

local function live(world)
  local options = world.options
  world.shape.lossy = world.policy.loses
  if options.real > 0 and world.number % options.real == 0 then
    check_real(world)
  end
  rest(world)
  for _ = 1, options.flushes do
    shapes.flush(world.shape, world.random)
    world.found.flushed = world.found.flushed + world.shape.runs[1].bytes
    rest(world)
    check_runs(world)
  end
end

--- Tries a policy on random trees.
-- @function check_policy
-- @param policy a name, or a table with a function pick
-- @tparam[opt] table options
--
-- - trees (1000), seed (1)
-- - flushes: runs flushed onto each tree (20)
-- - runs: the most runs that may be left (20, where the engine's own rule acts)
-- - real: every so manieth tree is also built as a store on a simulated
--   machine, and the engine itself is asked about the plans (0: none)
-- - tree: only this one of them (0: all)
-- A policy with a field `loses` is asked as one of a store opened as lossy.
-- @treturn table trees, plans, steps (plans done), most_runs, flushed and
-- written bytes. Raises an object that prints
function M.check_policy(policy, options)
  if policy == nil then
    error("bad argument #1 to 'check_policy' (a policy expected, got nil)", 2)
  end
  local o = read_options(options)
  local resolved = driver.resolve(policy)
  local found = {
    trees = 0, plans = 0, steps = 0, most_runs = 0, flushed = 0, written = 0,
  }
  local first = o.tree > 0 and o.tree or 1
  for number = first, o.tree > 0 and o.tree or o.trees do
    local random = Random.new(o.seed, number)
    live(setmetatable({
      policy = resolved, options = o, number = number, random = random,
      shape = shapes.new(random), found = found,
    }, World))
    found.trees = found.trees + 1
  end
  return found
end

return M
