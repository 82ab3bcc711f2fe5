--- A virtual store under a driver: to the driver it is a store.
-- @module grainstore.lab.virtual

local core = require "grainstore.core"
local driver = require "grainstore.driver"

local M = {}

local Virtual = {}
Virtual.__index = Virtual
Virtual.__name = "grainstore.lab.virtual"

-- What a driver asks of a store goes on to the virtual one.
for _, name in ipairs {
  "_ask", "_shape", "_plan", "_seal", "_throttle", "_layout", "_flush_ask",
  "_wake",
} do
  Virtual[name] = function(self, ...)
    return self.core[name](self.core, ...)
  end
end

function Virtual:_drive(decide)
  self.decide = decide
end

-- What was wrong with a decision; the driver that set its policy aside decides
-- no more.
function Virtual:_decided(wrong, is_aside)
  self.policy_errors = self.policy_errors + (wrong and 1 or 0)
  if is_aside then self.core:_aside() end
end

--- What the next memtable takes, of a store that is fed; see binding/lab.c.
-- @tparam table batch
function Virtual:feed(batch)
  local fed, message = self.core:feed(batch)
  if not fed then error(message, 0) end
end

--- Lets the machine run until so many writes in all; whenever a decision is
-- wanted the policy is asked. Raises where the store can do nothing any more.
-- @tparam number writes
function Virtual:run(writes)
  while true do
    local event, message = self.core:advance(writes)
    if not event then error(message, 0) end
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

--- @tparam table settings of a virtual store, as `core.lab` takes them
-- @tparam table policy
-- @treturn table
function M.new(settings, policy)
  local virtual, message = core.lab(settings)
  if not virtual then error("the lab: " .. message, 0) end
  local made = setmetatable({
    core = virtual, decisions = 0, policy_s = 0, policy_errors = 0,
  }, Virtual)
  made:_drive(driver.new(policy))
  return made
end

return M
