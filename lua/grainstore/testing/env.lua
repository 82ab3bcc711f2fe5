--- Simulated machines and testing clocks.
--
-- The methods of an env are written in C (`lua/binding/sim*.c`); this file adds
-- what is better said in Lua.
-- @module grainstore.testing.env

local blame = require "grainstore.blame"
local core = require "grainstore.core"

local M = {}

--- A simulated machine: pass it as option `env` to `grainstore.open`, `info`,
-- `verify`, `repair` and `destroy`. Same seed, same calls: same answers.
-- @tparam[opt] table options seed (1), wall_ms (the start of 2026), tasks
-- (false: all work is done inside calls), sector (512)
-- @treturn env
function M.env(options)
  return (blame.call("env", false, core.env, options))
end

--- A clock for stores on the real disk: pass it as option `clock` to
-- `grainstore.open`. It tells the time of day; durations are real ones still.
-- @tparam integer wall_ms
-- @treturn clock with now(), advance(ms), set(wall_ms), close()
function M.clock(wall_ms)
  return (blame.call("clock", false, core.clock, wall_ms))
end

--- What a crash can keep, each with its other name.
M.models = {
  synced = "M0", all = "M1", prefix = "M2", object = "M3", random = "M4",
  torn = "M4t", hostile = "M5", missing = "missing", alone = "alone",
  subset = "subset",
}

local LIMIT = 64

-- Blames the caller of `states`, whose options are read.
local function complain(text, ...)
  error(("bad argument #1 to 'states' (%s)"):format(text:format(...)), 4)
end

-- Options as three values: an array of models, the limit, whether with tasks.
local function read_options(options)
  options = options == nil and {} or options
  if type(options) ~= "table" then
    complain("table expected, got %s", type(options))
  end
  for name in pairs(options) do
    if name ~= "keep" and name ~= "model" and name ~= "limit"
        and name ~= "tasks" then
      complain("unknown option '%s', there are keep, model, limit and tasks",
        tostring(name))
    end
  end
  local keep = options.keep or options.model or "prefix"
  local limit = options.limit or LIMIT
  if math.type(limit) ~= "integer" or limit < 1 then
    complain("option 'limit' takes an integer from 1, got %s", tostring(limit))
  end
  return type(keep) == "table" and keep or { keep }, limit, options.tasks
end

-- The choices of one model that has `count`, all of them or `limit` evenly
-- drawn, the first and the last among them.
local function add_choices(list, env, keep, limit, count)
  if count == 0 and env:pending() == 0 then
    return -- of nothing no part can be missing or alone
  elseif count == 0 then
    -- More subsets than can be counted: drawn by scrambled bits.
    for i = 1, limit do
      list[#list + 1] = { keep = keep, choice = (i * 0x9E3779B97F4A7C1) >> 1 }
    end
  elseif count <= limit then
    for choice = 0, count - 1 do
      list[#list + 1] = { keep = keep, choice = choice }
    end
  else
    local step = count == math.maxinteger and 1
      or (count - 1) / math.max(1, limit - 1)
    for i = 0, limit - 1 do
      local choice = step == 1 and i or math.floor(i * step + 0.5)
      list[#list + 1] = { keep = keep, choice = choice }
    end
  end
end

local methods = core.env_methods

-- The closing value of a loop over states: the state that is handed out.
local Handed = {}
Handed.__index = Handed
Handed.__name = "grainstore.testing.states"

function Handed:close()
  local state = self.state
  self.state = nil
  if state then
    state:close()
  end
end

function Handed:__close(failure)
  local ok, message = pcall(Handed.close, self)
  if not ok and failure == nil then
    error(message, 0)
  end
end

--- Every state that a crash can leave, or an even choice of them.
--
--     for state, why in env:states { keep = "prefix" } do
--       local store <close> = assert(grainstore.open("db", { env = state }))
--       assert(store:get "k" == "v", why)
--     end
--
-- The loop closes each state; what the body opened on it, the body closes.
-- @function env:states
-- @tparam[opt] table options keep (or model), a name or an array of names
-- ("prefix"); limit (64), states of each model; tasks, whether the states can
-- have threads
-- @treturn function iterator that gives the state, a text that says which it
-- is, and the same as a table for `env:crash` and `env:explain`
function methods:states(options)
  local keeps, limit, tasks = read_options(options)
  local list, at = {}, 0
  for _, keep in ipairs(keeps) do
    local count = blame.call("states", true, methods.choices, self, keep)
    add_choices(list, self, keep, limit, count)
  end
  local handed = setmetatable({}, Handed)
  local function next_state()
    handed:close()
    at = at + 1
    local chosen = list[at]
    if chosen then
      handed.state = self:crash {
        keep = chosen.keep, choice = chosen.choice, tasks = tasks,
      }
      local why = ("{ keep = %q, choice = %d }"):format(chosen.keep,
        chosen.choice)
      return handed.state, why, chosen
    end
  end
  return next_state, nil, nil, handed
end

return M
