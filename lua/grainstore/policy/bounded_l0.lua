--- A bounded number of runs.
--
-- Flushed runs gather; when there are more than `runs`, all of them are merged
-- into one. The simplest policy that keeps reads short: at most runs + 1 places
-- to look, at a write amplification that grows with the store.
-- Source: the bounded level 0 of the GrainStore of the Janus language.

local check = require "grainstore.policy.options"
local tables = require "grainstore.policy.tables"

local DEFAULTS = { runs = 4 }

return function(options)
  local o = check("bounded_l0", options, DEFAULTS)
  local function pick(tree)
    if #tree.runs <= o.runs or tree.running > 0 then
      return nil
    end
    return tables.merge_runs(tree, 1, #tree.runs, 1,
      ("%d runs, bound %d"):format(#tree.runs, o.runs))
  end
  return { name = "bounded_l0/1", pick = pick }
end
