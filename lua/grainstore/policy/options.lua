--- Options of shipped policies: numbers with defaults.
-- @module grainstore.policy.options

local near = require "grainstore.near"

local function suggestion(given, defaults)
  local names = {}
  for name in pairs(defaults) do names[#names + 1] = name end
  return near(given, names)
end

--- Raises for names and values that the policy does not know.
-- @tparam string policy its name, for messages
-- @tparam[opt] table options what the caller gave
-- @tparam table defaults every option with its default
-- @tparam[opt] table least what an option must be at least
-- @treturn table options completed
return function(policy, options, defaults, least)
  local completed = setmetatable({}, { __index = defaults })
  if options ~= nil and type(options) ~= "table" then
    error(("policy '%s' takes a table of options, got a %s"):format(policy,
      type(options)), 3)
  end
  for name, value in pairs(options or {}) do
    if defaults[name] == nil then
      error(("policy '%s' has no option '%s'%s"):format(policy, tostring(name),
        suggestion(name, defaults)), 3)
    end
    if type(value) ~= "number" or value <= 0 or value ~= value then
      error(("option '%s' of policy '%s' takes a positive number, got %s")
        :format(name, policy, tostring(value)), 3)
    end
    local bound = least and least[name]
    if bound and value < bound then
      error(("option '%s' of policy '%s' is at least %s, got %s")
        :format(name, policy, bound, tostring(value)), 3)
    end
    completed[name] = value
  end
  return completed
end
