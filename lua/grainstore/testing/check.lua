--- Random operations on a store beside a plain Lua table.
--
-- A run consists of episodes, each on a new store with its own seed: what fails
-- is found again by its seed, made small, and printed as a spec.
-- @module grainstore.testing.check

local Life = require "grainstore.testing.life"
local Random = require "grainstore.testing.random"
local script = require "grainstore.testing.script"

local M = {}

local EPISODE = 10000
local TRIES = 400

local OPTIONS = {
  seed = "number", steps = "number", ops = "table", options = "table",
  kind = "string", keys = "number", every = "number",
  shrink = "boolean",
}

local function check_options(given)
  if type(given) ~= "table" then
    error("bad argument #1 to 'check' (table expected, got " .. type(given)
      .. ")", 3)
  end
  for name, value in pairs(given) do
    if type(value) ~= OPTIONS[name] then
      local problem = OPTIONS[name]
        and ("option '%s' takes a %s, got a %s"):format(name, OPTIONS[name],
          type(value))
        or ("unknown option '%s'"):format(tostring(name))
      error(("bad argument #1 to 'check' (%s)"):format(problem), 3)
    end
  end
  for name in pairs(given.ops or {}) do
    if not Life.operations[name] then
      error(("bad argument #1 to 'check' (there is no operation '%s')")
        :format(tostring(name)), 3)
    end
  end
end

-- ---- one episode -----------------------------------------------------------

local POLICIES = { "leveled", "bounded_l0" }

-- What a store of this episode is like, where nobody says so.
local function options_of(given, seed)
  local random = Random.new(seed, 91)
  local options = {
    memtable_bytes = random:pick { 4096, 16384, 65536 },
    block_bytes = random:pick { 256, 512, 4096 },
    durability = random:pick { "batch", "os", "memory" },
    policy = random:pick(POLICIES),
    compression = random:pick { "none", "none", "lz4", "zstd" },
  }
  for name, value in pairs(given.options or {}) do
    options[name] = value
  end
  return options
end

local function new_life(given, seed)
  return Life.new {
    env = require "grainstore.testing.env".env { seed = seed },
    kind = given.kind, options = options_of(given, seed), history = false,
  }
end

local function end_life(life)
  if life.store then
    life.store:close()
  end
  life.env:close()
end

-- One operation; raises where it is wrong or fails.
local function perform(life, op)
  local ok, message, code = life:perform(op)
  if not ok then
    error(("%s failed: %s (%s)"):format(op[1], message, code), 0)
  end
end

local COMPARE = { "check" }

-- Draws and performs; returns the place and the text of a failure.
local function episode(given, seed, steps)
  local life = new_life(given, seed)
  local next_op = script.generator(seed, {
    kind = given.kind, keys = given.keys, weights = given.ops,
  })
  local at, every = 0, given.every or 1000
  local ok, message = pcall(function()
    assert(life:open())
    while at < steps do
      at = at + 1
      perform(life, next_op())
      if at % every == 0 then
        perform(life, COMPARE)
      end
    end
    perform(life, COMPARE)
    perform(life, { "reopen" })
    perform(life, COMPARE)
  end)
  end_life(life)
  if not ok then
    return at, message
  end
end

-- The same on a list; returns the text of a failure.
local function replay(given, seed, ops)
  local life = new_life(given, seed)
  local ok, message = pcall(function()
    assert(life:open())
    for _, op in ipairs(ops) do
      perform(life, op)
    end
    perform(life, COMPARE)
    perform(life, { "reopen" })
    perform(life, COMPARE)
  end)
  end_life(life)
  return not ok and message or nil
end

-- ---- a failure -------------------------------------------------------------

local Found = { __name = "grainstore.testing.found" }
Found.__index = Found

function Found.__tostring(found)
  return ("%s\nto run it again: T.check %s\nas a spec:\n\n%s"):format(
    found.message, script.literal(found.again),
    script.text(found.ops, found.setup))
end

local function found_of(given, seed, at, message)
  local ops = script.random(seed, {
    kind = given.kind, keys = given.keys, weights = given.ops, steps = at,
  })
  local last = message
  if given.shrink ~= false and replay(given, seed, ops) then
    ops = script.shrink(ops, function(candidate)
      local said = replay(given, seed, candidate)
      last = said or last
      return said ~= nil
    end, TRIES)
  end
  return setmetatable({
    message = last, ops = ops, seed = seed,
    setup = {
      kind = given.kind, seed = seed, options = options_of(given, seed),
    },
    again = {
      seed = given.seed or 1, steps = given.steps, ops = given.ops,
      options = given.options, kind = given.kind, keys = given.keys,
      every = given.every,
    },
  }, Found)
end

--- Performs random operations and compares everything now and then.
-- @function check
-- @tparam[opt] table given
--
-- - seed (1), steps (10000)
-- - ops: how likely each operation is, `{put = 3, delete = 1}`
--   (`T.script.WEIGHTS`)
-- - options: of open; what is not given is drawn for each episode
-- - kind ("bytes"), keys: how many (60)
-- - every: operations between two comparisons of everything (1000)
-- - shrink: whether a failure is made small (true)
-- @treturn table operations, episodes, seed. Raises an object that prints with
-- the smallest failing script as a spec
function M.check(given)
  given = given or {}
  check_options(given)
  local seed, steps = given.seed or 1, given.steps or EPISODE
  local done, episodes = 0, 0
  while done < steps do
    local count = math.min(EPISODE, steps - done)
    episodes = episodes + 1
    local its_seed = Random.mix(seed, episodes) & 0xFFFFFFFF
    local at, message = episode(given, its_seed, count)
    if at then
      error(found_of(given, its_seed, at, message), 2)
    end
    done = done + count
  end
  return { operations = done, episodes = episodes, seed = seed }
end

return M
