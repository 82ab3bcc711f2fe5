--- Options of shipped policies: numbers with defaults.
-- @module grainstore.policy.options

--- Raises for names and values that the policy does not know.
-- @tparam string policy its name, for messages
-- @tparam[opt] table options what the caller gave
-- @tparam table defaults every option with its default
-- @treturn table options completed
return function(policy, options, defaults)
  for name, value in pairs(options or {}) do
    if defaults[name] == nil then
      error(("policy '%s' has no option '%s'"):format(policy, tostring(name)),
        3)
    end
    if type(value) ~= "number" or value <= 0 then
      error(("option '%s' of policy '%s' takes a positive number, got %s")
        :format(name, policy, tostring(value)), 3)
    end
  end
  return setmetatable(options or {}, { __index = defaults })
end
