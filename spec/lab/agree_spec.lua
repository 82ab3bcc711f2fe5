-- The lab beside the engine on a simulated machine: small, but every policy and
-- every kind of workload. `make lab-agree` does the same with gigabytes.

local T = require "grainstore.testing"
local agree = require "spec.lab.agree"

local WRITES = 6000
local MEMTABLE = 256 << 10 -- about a hundred flushes

-- What the difference may be. Where the sizes of runs hang on a few bytes, so
-- does what a policy merges: universal waits for a run to be no larger than
-- others together.
local BOUND, LOOSE = 0.10, { universal = 0.25 }

local function cell(workload, policy)
  return agree.cell {
    workload = workload[2](WRITES), policy = policy[2](WRITES, MEMTABLE),
    memtable_bytes = MEMTABLE, path = "/agree", env = T.env { seed = 1 },
    lossy = policy[1] == "fifo", seeds = 3,
  }
end

describe("the lab's write amplification", function()
  for _, workload in ipairs(agree.workloads) do
    for _, policy in ipairs(agree.policies()) do
      it(("is the engine's: %s, %s"):format(workload[1], policy[1]), function()
        local found = cell(workload, policy)
        assert.is_true(found.engine > 0.5)
        assert(math.abs(found.off) <= (LOOSE[policy[1]] or BOUND),
          ("the engine's is %.3f, the lab's %.3f"):format(found.engine,
            found.lab))
      end)
    end
  end
end)
