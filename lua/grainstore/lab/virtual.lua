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
  self.policy_error = wrong or self.policy_error
  if is_aside then
    self.is_aside = true
    self.core:_aside()
  end
end

--- What the next memtable takes, of a store that is fed; see
-- binding/lab_feed.c.
-- @tparam table batch
function Virtual:feed(batch)
  local fed, message = self.core:feed(batch)
  if not fed then error(message, 0) end
end

--- What it begins with: tables of a real store, before the first batch.
-- @tparam number keys of keys in order, how many lie between 0 and 1
-- @tparam table tables see binding/lab_feed.c
function Virtual:plant(keys, tables)
  local planted, message = self.core:plant(keys, tables)
  if not planted then error(message, 0) end
end

--- Other keys, entries of other sizes, and jobs of another speed from now on.
-- @tparam ?table classes nil where keys are in order
-- @tparam table sizes key_bytes, value_bytes, ttl_ms
-- @tparam number speed bytes a second; 0: jobs take no time
function Virtual:adapt(classes, sizes, speed)
  self.core:speed(speed)
  local done, message = self.core:sizes(sizes)
  if done and classes then done, message = self.core:mix(classes) end
  if not done then error(message, 0) end
end

--- Goes on as another one: what was wrong with the policy there is known here.
-- @tparam table other
function Virtual:inherit(other)
  self.policy_error = other.policy_error
  if other.is_aside then self:_decided(nil, true) end
end

--- Lets the machine run until so many writes in all; whenever a decision is
-- wanted the policy is asked. Raises where the store can do nothing any more.
-- @tparam number writes
-- @tparam[opt] integer most decisions; then it comes back before it is there
-- @treturn boolean whether it is there
function Virtual:run(writes, most)
  local last = self.decisions + (most or math.huge)
  while self.decisions < last do
    local event, message = self.core:advance(writes)
    if not event then error(message, 0) end
    if event == "reached" then return true end
    local began = os.clock()
    self.decide(self)
    self.decisions = self.decisions + 1
    self.policy_s = self.policy_s + (os.clock() - began)
  end
  return false
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
-- @tparam[opt=1] integer level whom to blame for settings that no store has, as
-- for error
-- @treturn table
function M.new(settings, policy, level)
  local ok, virtual, message = pcall(core.lab, settings)
  if not ok then virtual, message = nil, virtual end
  if not virtual then error("the lab: " .. message, level) end
  local made = setmetatable({
    core = virtual, decisions = 0, policy_s = 0, policy_errors = 0,
  }, Virtual)
  made:_drive(driver.new(policy))
  return made
end

return M
