--- Universal compaction: size-tiered within a bound on space.
--
-- With `runs` runs or more, the first of these that applies: everything is
-- merged when the younger runs take more than `max_space` times the oldest;
-- runs are merged, from the newest that can begin, while the next one is not
-- larger than `ratio` times those gathered; so many of the newest are merged
-- that less than `runs` remain.
--
-- Write amplification about log2(store / memtable) / log2(runs) plus
-- 1 + 1 / max_space for the merges of everything; reads look at less than
-- `runs` runs; space amplification at most 1 + max_space, and as much again
-- while everything is merged.
-- Source: the universal style of RocksDB.

local check = require "grainstore.policy.options"
local tables = require "grainstore.policy.tables"

local DEFAULTS = { max_space = 2, runs = 8, ratio = 1 }

-- The newest runs that nobody works on.
local function count_idle(tree)
  for i = 1, #tree.runs do
    if not tree:is_idle(i, i) then return i - 1 end
  end
  return #tree.runs
end

-- The end of the stretch from `first` in which no run is larger than `ratio`
-- times those before it together.
local function gather(runs, first, idle, ratio)
  local bytes, last = runs[first].bytes, first
  while last < idle and runs[last + 1].bytes <= ratio * bytes do
    last = last + 1
    bytes = bytes + runs[last].bytes
  end
  return last
end

return function(options)
  local o = check("universal", options, DEFAULTS, { runs = 2 })

  local function merge(tree, first, last, why)
    local level = last == #tree.runs and 1 or 0
    return tables.merge_runs(tree, first, last, level, why)
  end

  local function pick(tree)
    local runs = tree.runs
    local count, idle = #runs, count_idle(tree)
    if count < o.runs or idle < 2 then return nil end
    local young = tables.bytes(runs, 1, count - 1)
    if idle == count and young > o.max_space * runs[count].bytes then
      return merge(tree, 1, count, "the younger runs take too much space")
    end
    for first = 1, idle - 1 do
      local last = gather(runs, first, idle, o.ratio)
      if last > first then
        return merge(tree, first, last, "runs of similar size")
      end
    end
    local surplus = math.ceil(count - o.runs + 2)
    if surplus <= idle then
      return merge(tree, 1, surplus, ("%d runs"):format(count))
    end
  end
  return { name = "universal/1", pick = pick }
end
