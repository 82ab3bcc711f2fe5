-- Random operations do on a store what they do on a plain Lua table.

local T = require "grainstore.testing"
local family = require "spec.support.family"

local OPERATIONS = 3000000

describe("random operations", function()
  family.it(13, "model", "operations beside a plain Lua table", function(f)
    for _, kind in ipairs { "bytes", "u32" } do
      local ok, found = pcall(T.check, {
        seed = family.seed, steps = f:count(OPERATIONS // 2), kind = kind,
      })
      if ok then
        f:state(found.operations)
      else
        f:state()
        f:fail("%s", tostring(found))
      end
    end
  end)
end)
