--- The driver: shape in, policy asked, plans submitted. The only loop there is.
--
-- It runs at safe points, inside calls of the state that opened the store, when
-- the tree has changed. A policy that raises or answers nonsense three times in
-- a row is set aside for a simple built-in one, until another is set; what it
-- said last is then in `store:tree().policy_error`.
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
        :format(policy, table.concat(shipped.names, ", ")), 3)
    end
    return make()
  end
  if type(policy) ~= "table" then
    error("option 'policy' takes a name or a table of functions, got a "
      .. type(policy), 3)
  end
  if type(policy.pick) ~= "function" then
    error("option 'policy': a policy has a function 'pick'", 3)
  end
  if policy.flush ~= nil and type(policy.flush) ~= "function" then
    error("option 'policy': 'flush' is a function", 3)
  end
  return policy
end

local Driver = {}
Driver.__index = Driver

-- Three decisions in a row that went wrong set the policy aside.
function Driver:judge(store, wrong)
  self.strikes = wrong and self.strikes + 1 or 0
  self.last_error = wrong and tostring(wrong)
  self.is_aside = self.strikes >= STRIKES
  if wrong then
    store:_note_policy_error(self.last_error, self.is_aside)
  end
end

-- Submits plans; returns what is wrong with them as answers. A refused plan is
-- no wrong answer: the policy sees it at the next decision.
function Driver:submit(store, plans)
  local refused = {}
  self.refused = refused
  for i = 1, math.min(#plans, PLANS_PER_DECISION) do
    local plan = plans[i]
    if type(plan) ~= "table" then
      return "a plan is a table, got a " .. type(plan)
    end
    local id, message, code, detail = store:_plan(plan)
    if not id then
      refused[#refused + 1] = {
        plan = plan, code = code, message = message,
        tables = detail and detail.tables,
      }
    end
  end
end

-- Returns what is wrong with the answer.
function Driver:ask_flush(store, shape)
  if not self.policy.flush then
    return nil
  end
  local m = shape.memtable
  local ok, answer = pcall(self.policy.flush, {
    bytes = m.bytes, entries = m.entries, tombstones = m.tombstones,
    age_ms = m.age_ms, budget_bytes = m.budget_bytes,
    wal_bytes = shape.wal.bytes,
  })
  if not ok then
    return answer
  end
  if answer == true then
    store:_seal()
  end
end

-- Plans come as an array, or as one plan, or as nil. Returns what is wrong.
function Driver:ask_pick(store, shape)
  local ok, answer = pcall(self.policy.pick, shape)
  if not ok then
    return answer
  end
  if answer == nil then
    return self:submit(store, {})
  end
  if type(answer) ~= "table" then
    return "pick returns nil or an array of plans, got a " .. type(answer)
  end
  return self:submit(store, answer.op ~= nil and { answer } or answer)
end

--- One decision: takes the shape, asks the policy, submits its plans.
function Driver:decide(store)
  local shape = store:_shape()
  if not shape then
    return
  end
  shape.refused = self.refused
  tree.new(shape)
  local wrong_flush = self:ask_flush(store, shape)
  local wrong_pick = self:ask_pick(store, shape)
  tree.close(shape)
  self:judge(store, wrong_pick or wrong_flush)
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
  if shape then
    tree.close(shape)
  end
  if plan then
    store:_plan(plan)
  end
end

-- Who drives which store; a store that is collected leaves.
local drivers = setmetatable({}, { __mode = "k" })

--- Puts a policy in charge of a store, or of a store that has one already.
-- @tparam store store
-- @tparam table policy
function M.install(store, policy)
  local driver = setmetatable({
    policy = policy, strikes = 0, is_aside = false, refused = {},
  }, Driver)
  store:_drive(function(s) driver:run(s) end)
  drivers[store] = driver
end

--- Asks the policy now, whether or not the tree has changed.
-- @tparam store store
function M.decide(store)
  drivers[store]:run(store)
end

--- Adds to a shape what the driver knows: the plans refused at the last
-- decision, what was wrong with the policy's last answer, and whether it was
-- set aside.
-- @tparam store store
-- @tparam table shape
function M.annotate(store, shape)
  local driver = drivers[store]
  shape.refused = driver and driver.refused or {}
  shape.policy_error = driver and driver.last_error or nil
  shape.policy_aside = driver ~= nil and driver.is_aside
end

return M
