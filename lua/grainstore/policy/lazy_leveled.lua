--- Lazy leveling: tiers on top, one sorted run at the bottom.
--
-- Level 0 holds tiers: `width` adjacent runs of similar size are merged into
-- one. When all above the bottom takes more than a `fanout`th of the bottom, it
-- is merged into one run of level 1 whose tables are cut where tables of the
-- bottom begin. These then go down one by one, each with the few tables it
-- meets, as long as there is too much above: no merge into the bottom takes
-- more than a few tables. A bottom of at most four tables is merged whole.
--
-- With n = log_width(store / fanout / memtable) tiers: write amplification
-- about n + fanout + 3; reads look at up to (width - 1) * n + 2 runs; space
-- amplification about 1 + 1 / fanout.
-- Source: N. Dayan, S. Idreos, "Dostoevsky", 2018, for the shape; N. Dayan et
-- al., "Spooky", 2022, for cutting at the bottom's bounds.

local check = require "grainstore.policy.options"
local tables = require "grainstore.policy.tables"

local DEFAULTS = { fanout = 5, width = 4, ratio = 2 }
local STAGE, BOTTOM = 1, 2
local FEW, MAX_CUTS = 4, 4096

-- Keys at which tables of the bottom begin, but for small ones: what is between
-- two of these keys is rewritten together, so fragments grow together again.
local function fences(tree, bottom)
  local least = math.max(tree:largest(bottom) / 2, bottom.bytes / MAX_CUTS)
  return tree:cuts(bottom, math.ceil(least))
end

-- The idle table of the stage that rewrites least of the bottom for its size.
local function go_down(tree, stage, bottom)
  local best, under = tree:cheapest(stage, bottom)
  if not best then return nil end
  return {
    op = #under == 0 and "move" or "merge", into = bottom.id, level = BOTTOM,
    inputs = { best.id, table.unpack(tables.ids(under)) },
    why = "too much above the bottom",
  }
end

-- Everything above the bottom becomes the stage, or joins a small bottom.
local function collect(tree)
  local count = #tree.runs
  local bottom = tree.runs[count]
  if not tree:is_idle(1, count) then
    return nil
  elseif #bottom.tables <= FEW then
    return tables.merge_runs(tree, 1, count, BOTTOM, "the bottom is small")
  end
  local plan = tables.merge_runs(tree, 1, count - 1, STAGE,
    "too much above the bottom")
  plan.cuts, plan.table_bytes = fences(tree, bottom), nil
  return plan
end

return function(options)
  local o = check("lazy_leveled", options, DEFAULTS, { width = 2, ratio = 1 })

  local function pick(tree)
    local runs = tree.runs
    local count = #runs
    if count < 2 then return nil end
    local bottom, stage = runs[count], runs[count - 1]
    local young = tables.bytes(runs, 1, count - 1)
    local is_staged = stage.level == STAGE
    local is_heavy = young * o.fanout > bottom.bytes
    if is_heavy and not is_staged
      and (count > o.width or young >= bottom.bytes) then
      return collect(tree)
    end
    local plans = {}
    if is_heavy and is_staged then
      plans[1] = go_down(tree, stage, bottom)
    end
    local last = is_staged and count - 2 or count - 1
    local from, to = tables.full_tier(tree, 1, last, o.width, o.ratio)
    if from then
      plans[#plans + 1] = tables.merge_runs(tree, from, to, 0,
        ("%d runs of similar size"):format(to - from + 1))
    end
    return plans
  end
  return { name = "lazy_leveled/1", pick = pick }
end
