--- Leveled compaction.
--
-- Flushed runs gather in level 0; every deeper level is one run, `fanout` times
-- as large as the one above. When level 0 has `l0_runs` runs they are merged
-- with what they overlap in level 1; when a level is over its size, one of its
-- tables goes down with what it overlaps in the next one.
--
-- Write amplification about 1 + fanout / 2 per level below the first; reads
-- look at l0_runs + levels runs; space amplification about 1 + 1 / fanout.
-- Source: P. O'Neil et al., "The Log-Structured Merge-Tree", 1996, and its use
-- in LevelDB.

local check = require "grainstore.policy.options"
local tables = require "grainstore.policy.tables"

local DEFAULTS = { fanout = 10, l0_runs = 4, base_bytes = 64 << 20 }

-- All of level 0 and what it overlaps in level 1. Level 1 is made where it is
-- not there yet: just above the next deeper run, or below all.
local function merge_l0(tree, l0)
  if not tree:is_idle(1, #l0) then return nil end
  local next_run = tree.runs[#l0 + 1]
  local plan = {
    op = "merge", level = 1,
    why = ("level 0 has %d runs"):format(#l0),
  }
  if next_run and next_run.level == 1 then
    plan.inputs = tree:closure(tables.of(l0), next_run)
    plan.into = next_run.id
    if tree:is_busy(plan.inputs) then return nil end
  else
    plan.inputs = tree:ids(1, #l0)
    plan.above = l0[#l0].id
  end
  return plan
end

-- One table of an overfull level goes down a level; alone, it is only moved.
-- One of a level that another policy left in two runs goes into the older of
-- them. A level that is not there yet is made by one job.
local function push_down(tree, index, run, taken)
  local older = tree.runs[index + 1]
  local level = older and older.level == run.level and run.level
    or run.level + 1
  local below = older and older.level == level and older or nil
  if not below and not tree:is_idle(index, index) then return nil end
  local t, under = tree:cheapest(run, below, taken)
  if not t then return nil end
  local plan = {
    op = #under == 0 and "move" or "merge", level = level,
    inputs = { t.id, table.unpack(tables.ids(under)) },
    why = level == run.level and ("level %d has two runs"):format(level)
      or ("level %d has %d bytes"):format(run.level, run.bytes),
  }
  if below then
    plan.into = below.id
  elseif older then
    plan.above = older.id
  else
    plan.bottom = true
  end
  return plan
end

return function(options)
  local o = check("leveled", options, DEFAULTS)
  local function pick(tree)
    local plans, taken = {}, {}
    local function want(plan)
      plans[#plans + 1] = plan
      for _, id in ipairs(plan and plan.inputs or {}) do taken[id] = true end
    end
    local l0 = tree:level(0)
    if #l0 >= o.l0_runs then want(merge_l0(tree, l0)) end
    for i = #l0 + 1, #tree.runs do
      local run, older = tree.runs[i], tree.runs[i + 1]
      local is_twin = older and older.level == run.level
      local limit = o.base_bytes * o.fanout ^ (run.level - 1)
      if is_twin or run.bytes > limit then
        want(push_down(tree, i, run, taken))
      end
    end
    return plans
  end
  return { name = "leveled/1", pick = pick }
end
