--- The driver: shape in, policy asked, plans submitted. The only loop there is.
--
-- It runs at safe points, inside calls of the state that opened the store, when
-- the tree has changed. A policy that raises or answers nonsense three times in a
-- row is set aside for the engine's built-in policy, until another is set.
-- @module grainstore.driver

local tree = require "grainstore.tree"

local M = {}

local STRIKES = 3
local PLANS_PER_DECISION = 16

--- Turns the option `policy` into a policy table; raises for anything else.
-- @param policy nil, a name, or a table with pick and perhaps flush
-- @treturn table
function M.resolve(policy)
  if policy == nil then
    policy = "leveled"
  end
  if type(policy) == "string" then
    local shipped = require "grainstore.policy"
    local make = shipped[policy]
    if not make then
      error(("option 'policy': there is no policy %q; shipped are %s")
        :format(policy, table.concat(shipped.names, ", ")), 4)
    end
    return make()
  end
  if type(policy) ~= "table" then
    error("option 'policy' takes a name or a table of functions, got a "
      .. type(policy), 4)
  end
  if type(policy.pick) ~= "function" then
    error("option 'policy': a policy has a function 'pick'", 4)
  end
  if policy.flush ~= nil and type(policy.flush) ~= "function" then
    error("option 'policy': 'flush' is a function", 4)
  end
  return policy
end

local Driver = {}
Driver.__index = Driver

-- A failing policy: three in a row set it aside.
function Driver:strike(message)
  self.strikes = self.strikes + 1
  self.last_error = message
  if self.strikes >= STRIKES then
    self.is_aside = true
  end
end

function Driver:submit(store, plans)
  local refused = {}
  for i = 1, math.min(#plans, PLANS_PER_DECISION) do
    local plan = plans[i]
    if type(plan) ~= "table" then
      self:strike("a plan is a table, got a " .. type(plan))
      return
    end
    local id, message, code, detail = store:_plan(plan)
    if not id then
      refused[#refused + 1] = {
        plan = plan, code = code, message = message,
        tables = detail and detail.tables,
      }
    end
  end
  self.refused = refused
end

-- Plans come as an array, or as one plan, or as nil.
local function as_list(plans)
  if plans == nil then
    return {}
  end
  if type(plans) ~= "table" then
    return nil, "pick returns nil or an array of plans, got a " .. type(plans)
  end
  if plans.op ~= nil then
    return { plans }
  end
  return plans
end

function Driver:ask_flush(store, shape)
  if not self.policy.flush then
    return
  end
  local m = shape.memtable
  local ok, answer = pcall(self.policy.flush, {
    bytes = m.bytes, entries = m.entries, tombstones = m.tombstones,
    age_ms = m.age_ms, budget_bytes = m.budget_bytes,
    wal_bytes = shape.wal.bytes,
  })
  if not ok then
    self:strike(answer)
  elseif answer == true then
    store:_seal()
  end
end

--- One decision: takes the shape, asks the policy, submits its plans.
function Driver:decide(store)
  local shape = store:_shape()
  if not shape then
    return
  end
  shape.refused = self.refused
  tree.new(shape)
  self:ask_flush(store, shape)
  local ok, answer = pcall(self.policy.pick, shape)
  if not ok then
    return self:strike(answer)
  end
  local plans, message = as_list(answer)
  if not plans then
    return self:strike(message)
  end
  self.strikes = 0
  self:submit(store, plans)
end

--- The engine's own rule, in Lua: merge the newest runs while the next one is
-- not larger than all of them together.
local function fallback(shape)
  local gathered, count = 0, 0
  for i, run in ipairs(shape.runs) do
    if i > 2 and run.bytes > gathered then break end
    gathered, count = gathered + run.bytes, i
  end
  if #shape.runs <= 8 or count < 2 or shape.running > 0 then
    return nil
  end
  local inputs = {}
  for i = 1, count do
    for _, t in ipairs(shape.runs[i].tables) do
      inputs[#inputs + 1] = t.id
    end
  end
  return {
    op = "merge", inputs = inputs, above = shape.runs[count].id,
    why = "policy set aside",
  }
end

function Driver:run(store)
  if not self.is_aside then
    return self:decide(store)
  end
  local shape = store:_shape()
  local plan = shape and fallback(shape)
  if plan then
    store:_plan(plan)
  end
end

--- Puts a policy in charge of a store, or of a store that has one already.
-- @tparam store store
-- @tparam table policy
function M.install(store, policy)
  local driver = setmetatable({
    policy = policy, strikes = 0, is_aside = false, refused = {},
  }, Driver)
  store:_drive(function(s) driver:run(s) end)
  return driver
end

return M
