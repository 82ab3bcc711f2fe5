-- Recovery is cut short, up to three times in a row, and what the last one
-- finds is what the first one would have found.

local T = require "grainstore.testing"
local family = require "spec.support.family"

-- Recoveries that do little have fewer operations to crash at: what is asked
-- for is a fifth more than the 20,000 that are wanted.
local STATES, DEPTH = 24000, 3

describe("a recovery", function()
  family.it(2, "recovery", "states after crashes inside recovery", function(f)
    local each = math.ceil(f:count(STATES) / #T.workloads / DEPTH)
    for _, workload in ipairs(T.workloads) do
      local ok, found = pcall(T.every_crash, {
        script = workload.ops, kind = workload.kind, open = workload.options,
        seed = family.seed, nested = DEPTH, limit = each,
      })
      if ok then
        f:state(found.nested)
      else
        f:state()
        f:fail("%s: %s", workload.name, tostring(found))
      end
    end
  end)
end)
