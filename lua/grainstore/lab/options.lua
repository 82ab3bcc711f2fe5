--- Options of workloads and of the lab: numbers with defaults.
-- @module grainstore.lab.options

local function names_of(defaults)
  local names = {}
  for name in pairs(defaults) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

--- Raises for names that are not known and for values that are no numbers from
-- 0.
-- @tparam string what the options are of, for messages
-- @tparam[opt] table options what the caller gave
-- @tparam table defaults every option with its default
-- @tparam[opt] integer level of the caller who is blamed
-- @treturn table options completed
return function(what, options, defaults, level)
  local completed = {}
  if options ~= nil and type(options) ~= "table" then
    error(("%s takes a table of options, got a %s"):format(what, type(options)),
      level or 3)
  end
  for name, value in pairs(defaults) do completed[name] = value end
  for name, value in pairs(options or {}) do
    if defaults[name] == nil then
      error(("%s has no option '%s'; there are %s"):format(what, tostring(name),
        names_of(defaults)), level or 3)
    end
    if type(value) ~= "number" or value < 0 or value ~= value then
      error(("option '%s' of %s takes a number from 0, got %s"):format(name,
        what, tostring(value)), level or 3)
    end
    completed[name] = value
  end
  return completed
end
