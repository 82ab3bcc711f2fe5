--- Compaction by windows of time, for data that expires in about the order in
-- which it came.
--
-- A run belongs to the window of `window_ms` milliseconds in which it was
-- flushed. Within the present window `width` adjacent runs of similar size are
-- merged; a window that is over is merged into one run of level 1 and then left
-- alone, so that its tables expire as a whole: `expire_first(time_window {…})`
-- gives their space back unread. Where nothing expires, neighbours of similar
-- size are merged among the runs older than the last `windows` windows.
--
-- Write amplification about 2 + log_width(window / memtable); reads look at one
-- run per window and a few of the present one; space amplification is that of
-- the time to live over the window: about 1 + window_ms / ttl.
-- Source: the time-window strategy of Cassandra.

local check = require "grainstore.policy.options"
local tables = require "grainstore.policy.tables"

local DEFAULTS = {
  window_ms = 24 * 60 * 60 * 1000, windows = 8, width = 4, ratio = 2,
}
local PAST, OLD = 1, 2

-- The window in which the run was flushed, nil for one that was closed.
local function window_of(tree, run, window_ms)
  if run.level > 0 then return nil end
  return select(2, tree:written(run)) // window_ms
end

-- Calls for each stretch of runs of one window, newest first, until an answer.
local function each_window(tree, window_ms, visit)
  local runs, first = tree.runs, 1
  while first <= #runs do
    local window, last = window_of(tree, runs[first], window_ms), first
    while window and runs[last + 1]
      and window_of(tree, runs[last + 1], window_ms) == window do
      last = last + 1
    end
    local plan = visit(first, last, window)
    if plan then return plan end
    first = last + 1
  end
end

return function(options)
  local o = check("time_window", options, DEFAULTS, { width = 2, ratio = 1 })

  local function pick(tree)
    local runs, now = tree.runs, tree.now_ms // o.window_ms
    local function merge(first, last, level, why)
      return tables.merge_runs(tree, first, last, level, why)
    end

    local closed = 0 -- windows that are over, so far
    return each_window(tree, o.window_ms, function(first, last, window)
      if window and window >= now then
        local from, to = tables.full_tier(tree, first, last, o.width, o.ratio)
        return from and merge(from, to, 0, "runs of the present window")
      end
      closed = closed + 1
      local is_idle = tree:is_idle(first, last)
      if last > first and is_idle then
        return merge(first, last, PAST, "a window is over")
      elseif closed == math.ceil(o.windows) then
        local from, to = tables.full_tier(tree, last + 1, #runs, 2, o.ratio)
        return from and merge(from, to, OLD, "old windows of similar size")
      end
    end)
  end
  return { name = "time_window/1", pick = pick }
end
