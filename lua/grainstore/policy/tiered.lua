--- Size-tiered compaction.
--
-- Adjacent runs of similar size are a tier; when a tier has `width` runs they
-- are merged into one, which is about `width` times as large and so belongs to
-- the next. Similar means at most `ratio` times as large as a newer one.
--
-- With n = log_width(store / memtable) tiers: write amplification about 1 + n,
-- each byte being written once per tier; reads look at up to (width - 1) * n
-- runs; space amplification up to `width`, where the runs of the last tier hold
-- the same keys. For stores that write much and seldom look for what is absent.
-- Source: the stepped merge of H. Jagadish et al., "Incremental Organization
-- for Data Recording and Warehousing", 1997; by size as in Cassandra.

local check = require "grainstore.policy.options"
local tables = require "grainstore.policy.tables"

local DEFAULTS = { width = 4, ratio = 2 }

local function deepest(runs, first, last)
  local level = 0
  for i = first, last do level = math.max(level, runs[i].level) end
  return level
end

return function(options)
  local o = check("tiered", options, DEFAULTS, { width = 2, ratio = 1 })
  local function pick(tree)
    local runs = tree.runs
    local first, last = tables.full_tier(tree, 1, #runs, o.width, o.ratio)
    if not first then return nil end
    local level = math.min(deepest(runs, first, last) + 1, 63)
    return tables.merge_runs(tree, first, last, level,
      ("%d runs of similar size"):format(last - first + 1))
  end
  return { name = "tiered/1", pick = pick }
end
