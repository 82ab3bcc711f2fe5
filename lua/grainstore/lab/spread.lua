--- How many writes the keys of tables were given, place by place.
--
-- A laid table is { run, lo, hi, slack, min_key, max_key, entries, [1 …] }: the
-- run it is in, what it covers of the keys (see ruler), and the writes at so
-- many places of that. Where a part of a run went elsewhere, the keys around it
-- have been given fewer writes, so one number for a table would not do.
-- @module grainstore.lab.spread

local M = {}

local PLACES = 16 -- of all keys

-- Of a table where a job made so many: fewer of them, the more narrow tables
-- there are.
local function places_for(count)
  return math.max(2, math.min(PLACES, 256 // count))
end

--- Where a laid table lies by a ruler, which may have learnt since.
-- @tparam table laid
-- @tparam table ruler
function M.measure(laid, ruler)
  laid.lo, laid.hi = ruler:span(laid)
  laid.slack = 2 * (laid.hi - laid.lo) / laid.entries
end

--- @tparam table t a table with id, min_key, max_key and entries
-- @tparam ?integer run
-- @tparam table ruler
-- @tparam function writes_at of a place
-- @tparam integer count of the tables that the job made
-- @treturn table laid
function M.lay(t, run, ruler, writes_at, count)
  local laid = {
    run = run or t.id, min_key = t.min_key, max_key = t.max_key,
    entries = t.entries,
  }
  M.measure(laid, ruler)
  local places = places_for(count)
  for i = 1, places do
    laid[i] = writes_at(laid.lo + (laid.hi - laid.lo) * (i - 0.5) / places)
  end
  return laid
end

local function by_place(a, b) return a.lo < b.lo end

local function is_near(t, at)
  return t ~= nil and at >= t.lo - t.slack and at <= t.hi + t.slack
end

-- Of the tables of one run the one at a place: tables of a run do not overlap
-- and leave no more room between them than between two keys, whatever the ruler
-- says.
local function find(run, at)
  local low, high = 0, #run -- run[low] begins before, run[high + 1] does not
  while low < high do
    local middle = (low + high + 1) // 2
    if run[middle].lo <= at then low = middle else high = middle - 1 end
  end
  local before, after = run[low], run[low + 1]
  if is_near(before, at) and (at <= before.hi or not is_near(after, at)) then
    return before
  end
  return is_near(after, at) and after or nil
end

local function writes_in(t, at)
  local places = #t
  local i = (at - t.lo) / (t.hi - t.lo) * places // 1 + 1
  return t[math.max(1, math.min(i, places))]
end

--- The writes of tables of several runs together.
-- @tparam table tables laid ones
-- @treturn function of a place
function M.together(tables)
  local runs, list = {}, {}
  for _, t in ipairs(tables) do
    local run = runs[t.run]
    if not run then
      run = {}
      runs[t.run], list[#list + 1] = run, run
    end
    run[#run + 1] = t
  end
  for _, run in ipairs(list) do table.sort(run, by_place) end
  return function(at)
    local writes = 0
    for _, run in ipairs(list) do
      local t = find(run, at)
      writes = writes + (t and writes_in(t, at) or 0)
    end
    return writes
  end
end

local function mean_of(numbers)
  local sum, squares = 0, 0
  local count = #numbers
  for i = 1, count do
    sum, squares = sum + numbers[i], squares + numbers[i] * numbers[i]
  end
  local mean = sum / count
  local variance = math.max(0, squares / count - mean * mean)
  return mean, mean > 0 and math.sqrt(variance) / mean or 0
end

--- The writes of a laid table.
-- @tparam table laid
-- @treturn number their mean
-- @treturn number their deviation from place to place, as a share of it
function M.mean(laid)
  return mean_of(laid)
end

--- The same of a function over all keys.
-- @tparam function writes_at of a place
-- @treturn number
-- @treturn number
function M.mean_everywhere(writes_at)
  local numbers = {}
  for i = 1, PLACES do numbers[i] = writes_at((i - 0.5) / PLACES) end
  return mean_of(numbers)
end

return M
