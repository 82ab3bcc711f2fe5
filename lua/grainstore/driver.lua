--- The driver: shape in, policy asked, plans submitted. The only loop there is.
--
-- A policy is a table of pure functions: pick(tree), and perhaps
-- flush(memtable), layout(level) and throttle(tree). The driver runs when a
-- decision is wanted: at safe points inside calls of the state that opened the
-- store, or on a thread of the store's with a state of its own. Each of the
-- policy's functions has a budget of instructions and memory. Where one raises,
-- spends it or answers nonsense, the decision goes on without that answer;
-- three such decisions in a row set the policy aside for the engine's own,
-- until another is set. `store:tree().policy_error` and `store:stats().policy`
-- tell.
-- @module grainstore.driver

local answers = require "grainstore.answers"
local slip = require "grainstore.slip"
local tree = require "grainstore.tree"

local M = {}

local STRIKES = 3
local FUNCTIONS = { "pick", "flush", "layout", "throttle" }

-- ---- which policy -----------------------------------------------------------

-- A function that nobody calls, since its name is a slip of one that would be.
local function misspelt(policy)
  for name, f in next, policy do
    local meant = type(f) == "function" and slip(name, FUNCTIONS, policy)
    if meant then
      return ("a policy has no function '%s', did you mean '%s'?"):format(name,
        meant)
    end
  end
end

-- Says what is wrong with a policy, or nil.
local function wrong_policy(policy)
  if type(policy.pick) ~= "function" then
    return "a policy has a function 'pick'"
  end
  for _, name in ipairs(FUNCTIONS) do
    local f = policy[name]
    if f ~= nil and type(f) ~= "function" then
      return ("'%s' is a function"):format(name)
    end
  end
  return misspelt(policy)
end

--- Turns the option `policy` into a policy table; raises for anything else.
-- @param policy nil, a name, or a table with pick and perhaps flush, layout and
-- throttle
-- @tparam[opt=3] integer level whom to blame, as for error
-- @treturn table
function M.resolve(policy, level)
  level = level or 3
  if policy == nil then
    policy = "leveled"
  end
  if type(policy) == "string" then
    local shipped = require "grainstore.policy"
    local make = shipped[policy]
    if not make then
      error(("option 'policy': there is no policy %q; shipped are %s")
        :format(policy, table.concat(shipped.names, ", ")), level)
    end
    return make()
  end
  if type(policy) ~= "table" then
    error("option 'policy' takes a name or a table of functions, got a "
      .. type(policy), level)
  end
  local wrong = wrong_policy(policy)
  if wrong then
    error("option 'policy': " .. wrong, level)
  end
  return policy
end

-- ---- one decision ---------------------------------------------------------

local Driver = {}
Driver.__index = Driver

-- What it takes of the policy is taken once: later reads of the table could run
-- code of its own.
local function new(policy)
  local driver = {
    name = tostring(policy.name or "unnamed"),
    policy = {}, laid_out = {}, refused = {}, strikes = 0,
  }
  for _, name in ipairs(FUNCTIONS) do
    driver.policy[name] = policy[name]
  end
  return setmetatable(driver, Driver)
end

-- The first thing that was wrong is what is told.
function Driver:blame(wrong)
  self.wrong = self.wrong or wrong
end

-- What one function of the policy answers; nil where it fails, or is not there.
function Driver:ask(store, name, ...)
  local f = self.policy[name]
  if not f then
    return nil
  end
  local ok, answer = store:_ask(f, ...)
  if not ok then
    self:blame(name .. ": " .. answer)
    return nil
  end
  return answer
end

function Driver:ask_flush(store, facts)
  if not self.policy.flush then
    return
  end
  local seals, more, wrong =
    answers.flush(self:ask(store, "flush", facts.memtable))
  self:blame(wrong)
  if seals then
    store:_seal()
  end
  store:_flush_ask(more)
end

-- Asked once for each level; again where the answer was of no use.
function Driver:ask_layout(store, level)
  if not self.policy.layout or self.laid_out[level] then
    return
  end
  local before = self.wrong
  self.wrong = nil
  local table_bytes, block_bytes, compression, wrong =
    answers.layout(self:ask(store, "layout", level))
  self:blame(wrong)
  self.laid_out[level] = not self.wrong
  store:_layout(level, table_bytes, block_bytes, compression)
  self.wrong = before or self.wrong
end

-- Levels that outputs may go to from now on.
function Driver:ask_layouts(store, facts, plans)
  self:ask_layout(store, 0)
  for _, level in ipairs(facts.levels) do
    self:ask_layout(store, level)
  end
  for _, wanted in ipairs(plans) do
    if wanted.plan.level then
      self:ask_layout(store, wanted.plan.level)
    end
  end
end

-- A refused plan is no wrong answer: the policy sees it at the next decision.
function Driver:submit(store, plans)
  local refused = {}
  self.refused = refused
  for _, wanted in ipairs(plans) do
    local id, message, code, detail = store:_plan(wanted.plan)
    if not id then
      refused[#refused + 1] = {
        plan = wanted.given, code = code, message = message,
        tables = detail and detail.tables,
      }
    end
  end
end

function Driver:ask_pick(store, shape, facts)
  local plans, wake, wrong = answers.pick(self:ask(store, "pick", shape))
  self:blame(wrong)
  self:ask_layouts(store, facts, plans)
  self:submit(store, plans)
  store:_wake(wake)
end

function Driver:ask_throttle(store, shape)
  if self.policy.throttle then
    local rate, wrong = answers.throttle(self:ask(store, "throttle", shape))
    self:blame(wrong)
    store:_throttle(rate)
  end
end

-- Three decisions in a row that went wrong set the policy aside.
function Driver:judge(store)
  self.strikes = self.wrong and self.strikes + 1 or 0
  store:_decided(self.wrong, self.strikes >= STRIKES)
end

-- What the driver itself needs of a tree: taken before a policy is shown it and
-- may do with it as it likes.
local function facts_of(shape)
  local m, levels = shape.memtable, {}
  for i, run in ipairs(shape.runs) do levels[i] = run.level end
  return {
    handle = shape.shape, levels = levels,
    memtable = {
      bytes = m.bytes, entries = m.entries, tombstones = m.tombstones,
      age_ms = m.age_ms, budget_bytes = m.budget_bytes,
      wal_bytes = shape.wal.bytes,
    },
  }
end

--- One decision: takes the shape, asks the policy, does what it says.
function Driver:decide(store)
  local shape = store:_shape()
  if not shape then
    return
  end
  local facts = facts_of(shape)
  self.wrong = nil
  shape.refused = self.refused
  tree.new(shape)
  self:ask_flush(store, facts)
  self:ask_pick(store, shape, facts)
  self:ask_throttle(store, shape)
  facts.handle:close()
  self:judge(store)
end

--- Whoever decides by a policy: a function that makes one decision for a store,
-- and the policy's name.
-- @tparam table policy
-- @treturn function
-- @treturn string
-- @treturn table what it knows: refused, the plans refused at the last decision
function M.new(policy)
  local driver = new(policy)
  return function(store) driver:decide(store) end, driver.name, driver
end

--- The policy of a module, which is one or a function that makes one; raises
-- for anything else.
-- @tparam string module
-- @param args what the function is given; nil for a module that is a policy
-- @treturn table
function M.load(module, args)
  local made = require(module)
  if type(made) == "function" then
    made = made(args)
  elseif args ~= nil then
    error(("module '%s' returns no function that could take args")
      :format(module), 0)
  end
  if type(made) ~= "table" then
    error(("module '%s' makes no policy but a %s"):format(module, type(made)),
      0)
  end
  local wrong = wrong_policy(made)
  if wrong then
    error(("module '%s': %s"):format(module, wrong), 0)
  end
  return made
end

--- The driver in a state of its own, from the name of a module and plain data.
-- @tparam string module
-- @param args as for load
-- @treturn function
-- @treturn string
function M.private(module, args)
  local decide, name = M.new(M.load(module, args))
  return decide, name
end

return M
