--- A virtual store under a driver: to the driver it is a store.
-- @module grainstore.lab.virtual

local driver = require "grainstore.driver"

local M = {}

local Virtual = {}
Virtual.__index = Virtual
Virtual.__name = "grainstore.lab.virtual"

-- What a driver asks of a store goes on to the virtual one.
for _, name in ipairs {
  "_shape", "_plan", "_seal", "_throttle", "_layout", "_flush_ask", "_wake",
} do
  Virtual[name] = function(self, ...)
    return self.core[name](self.core, ...)
  end
end

function Virtual:_drive(decide)
  self.decide = decide
end

-- Nobody has to be kept safe from a policy here: what is wrong with it ends the
-- run.
function Virtual:_ask(f, ...) -- luacheck: no self
  return true, f(...)
end

function Virtual:_decided(wrong) -- luacheck: no self
  if wrong then
    error(wrong, 0)
  end
end

--- Lets the machine run until so many writes in all; whenever a decision is
-- wanted the policy is asked. Raises where the store can do nothing any more.
-- @tparam number writes
function Virtual:run(writes)
  while true do
    local event = assert(self.core:advance(writes))
    if event == "reached" then return end
    local began = os.clock()
    self.decide(self)
    self.decisions = self.decisions + 1
    self.policy_s = self.policy_s + (os.clock() - began)
  end
end

--- Figures of this moment; see binding/lab.c.
-- @treturn table
function Virtual:look()
  return self.core:look()
end

function Virtual:close()
  self.core:close()
end

Virtual.__close = Virtual.close

--- @tparam table core the module of C functions
-- @tparam table settings of a virtual store
-- @tparam table policy
-- @treturn table
function M.new(core, settings, policy)
  local made = setmetatable({
    core = assert(core.lab(settings)), decisions = 0, policy_s = 0,
  }, Virtual)
  made:_drive(driver.new(policy))
  return made
end

return M
