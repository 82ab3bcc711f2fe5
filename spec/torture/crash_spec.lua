-- The power goes, or the process is killed, at every operation of twenty-four
-- lives of a store. What is found is a prefix of what was committed that holds
-- all that was promised, and stays what it is.

local T = require "grainstore.testing"
local family = require "spec.support.family"

local STATES = 200000

-- What a disk writes as one, and which share of the states is for it.
local SECTORS = { { 512, 0.7 }, { 4096, 0.2 }, { 1, 0.1 } }

describe("a crash", function()
  family.it(1, "crash", "states after a crash at every operation", function(f)
    local each = f:count(STATES) / #T.workloads
    for _, workload in ipairs(T.workloads) do
      for _, sector in ipairs(SECTORS) do
        local ok, found = pcall(T.every_crash, {
          script = workload.ops, kind = workload.kind, open = workload.options,
          sector = sector[1], seed = family.seed,
          limit = math.ceil(each * sector[2]),
        })
        if ok then
          f:state(found.states)
        else
          f:state()
          f:fail("%s: %s", workload.name, tostring(found))
        end
      end
    end
  end)
end)
