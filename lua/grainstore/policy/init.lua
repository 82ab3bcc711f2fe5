--- The shipped policies. Each is a function that takes options and returns a
-- policy: a table of pure functions.
-- @module grainstore.policy

local M = {
  names = { "bounded_l0", "leveled" },
}

setmetatable(M, {
  __index = function(module, name)
    for _, known in ipairs(M.names) do
      if known == name then
        local make = require("grainstore.policy." .. name)
        rawset(module, name, make)
        return make
      end
    end
  end,
})

return M
