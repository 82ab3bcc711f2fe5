--- The shipped policies. Each is a function that takes options and returns a
-- policy: a table of pure functions. A decorator takes another policy first, by
-- name or as a table, and puts something before its plans.
-- @module grainstore.policy

local M = {
  names = {
    "bounded_l0", "fifo", "lazy_leveled", "leveled", "manual", "tiered",
    "time_window", "universal",
  },
  decorators = { "expire_first", "tombstones_first" },
}

local function is_listed(list, name)
  for _, known in ipairs(list) do
    if known == name then return true end
  end
  return false
end

setmetatable(M, {
  __index = function(module, name)
    if is_listed(M.names, name) or is_listed(M.decorators, name) then
      local make = require("grainstore.policy." .. name)
      rawset(module, name, make)
      return make
    end
  end,
})

return M
