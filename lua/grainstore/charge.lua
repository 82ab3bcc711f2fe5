--- Who makes plans for a store: the opener's side of policies.
--
-- A policy that is a name or a table runs in the opener's state, inside calls.
-- One that is `{ module = …, args = … }` runs in a state of its own on a thread
-- of the store's. The driver is the same.
-- @module grainstore.charge

local core = require "grainstore.core"
local driver = require "grainstore.driver"

local M = {}

local function check_module(value)
  if type(value.module) ~= "string" then
    error("option 'policy': 'module' is the name of a module, got a "
      .. type(value.module), 4)
  end
  for name in pairs(value) do
    if name ~= "module" and name ~= "args" then
      error(("option 'policy': unknown field '%s' beside 'module'; 'args' can "
        .. "be"):format(tostring(name)), 4)
    end
  end
end

--- What is to be put in charge; raises for what can be no policy.
-- @param value what the option `policy` takes
-- @treturn table for install
-- @return nil, message, code, detail where a module could not be loaded
function M.prepare(value)
  if type(value) ~= "table" or value.module == nil then
    return { policy = driver.resolve(value, 4) }
  end
  check_module(value)
  local private, name = core.private(value.module, value.args, package.path)
  if not private then
    return nil, ("policy '%s': %s"):format(value.module, name), "policy",
      { module = value.module }
  end
  return { private = private, name = name }
end

--- Whether that may be in charge of a store that loses data, or loses none.
-- @tparam table prepared
-- @tparam boolean may_lose
-- @treturn boolean true
-- @return nil, message, code, detail
function M.admit(prepared, may_lose)
  local policy = prepared.policy
  if not policy or not policy.loses or may_lose then return true end
  return nil, ("policy '%s' drops what is live: open the store with "
    .. "lossy = true, or take another policy"):format(tostring(policy.name)),
    "policy", {}
end

-- What is known of a store's driver that runs in this state; a store that is
-- collected leaves.
local known = setmetatable({}, { __mode = "k" })

--- Puts a policy in charge of a store, or of a store that has one already.
-- @tparam store store
-- @tparam table prepared
-- @treturn boolean true
-- @return nil, message, code, detail
function M.install(store, prepared)
  known[store] = nil
  if prepared.private then
    return store:_start(prepared.private, prepared.name)
  end
  local is_admitted, message, code, detail =
    M.admit(prepared, store:options().lossy)
  if not is_admitted then return nil, message, code, detail end
  local decide, name, knows = driver.new(prepared.policy)
  known[store] = knows
  return store:_drive(decide, name)
end

--- Adds to a shape what is known of the policy: the plans refused at the last
-- decision (where it runs in this state), what was wrong with its last answers,
-- and whether it was set aside.
-- @tparam store store
-- @tparam table shape
function M.annotate(store, shape)
  local state = store:_policy()
  shape.refused = known[store] and known[store].refused or {}
  shape.policy_error = state.error
  shape.policy_aside = state.aside
end

--- What `stats().policy` tells: name, mode ("inline" or "threaded"), decisions,
-- errors, time_us (in the policy's functions) and aside.
-- @tparam store store
-- @treturn table
function M.stats(store)
  local state = store:_policy()
  state.mode = state.threaded and "threaded" or "inline"
  state.threaded, state.error = nil, nil
  return state
end

return M
