--- Options of shipped policies: numbers with defaults.
-- @module grainstore.policy.options

-- Letters to change, add or leave out to make one word of the other.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      corner, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1,
        corner + cost)
    end
  end
  return row[#b]
end

local function suggestion(given, defaults)
  local best, least = nil, 3
  for name in pairs(defaults) do
    local d = distance(tostring(given), name)
    if d < least or d == least and best and name < best then
      best, least = name, d
    end
  end
  return best and (", did you mean '%s'?"):format(best) or ""
end

--- Raises for names and values that the policy does not know.
-- @tparam string policy its name, for messages
-- @tparam[opt] table options what the caller gave
-- @tparam table defaults every option with its default
-- @tparam[opt] table least what an option must be at least
-- @treturn table options completed
return function(policy, options, defaults, least)
  local completed = setmetatable({}, { __index = defaults })
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
