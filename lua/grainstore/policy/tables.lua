--- What shipped policies have in common: lists of tables, merges of whole
-- runs, tiers, and plans of two policies side by side.
-- @module grainstore.policy.tables

local M = {}

-- A merge of more tables than this makes larger ones, so that a later merge can
-- name them all.
local MANY = 256

--- @tparam table tables
-- @treturn {integer,...}
function M.ids(tables)
  local ids = {}
  for i, t in ipairs(tables) do ids[i] = t.id end
  return ids
end

--- @tparam table tables
-- @treturn boolean whether a job works on one of them
function M.is_busy(tables)
  for _, t in ipairs(tables) do
    if t.busy then return true end
  end
  return false
end

--- All tables of some runs.
-- @tparam table runs
-- @treturn table
function M.of(runs)
  local tables = {}
  for _, run in ipairs(runs) do
    for _, t in ipairs(run.tables) do tables[#tables + 1] = t end
  end
  return tables
end

--- Bytes of adjacent runs.
function M.bytes(runs, first, last)
  local bytes = 0
  for i = first, last do bytes = bytes + runs[i].bytes end
  return bytes
end

--- The merge of adjacent runs, whole, into the oldest of them: nothing can
-- stand in its way.
-- @tparam table tree
-- @tparam integer first number of the newest of them
-- @tparam integer last
-- @tparam integer level of what comes out
-- @tparam string why
-- @treturn table a plan
function M.merge_runs(tree, first, last, level, why)
  local runs, inputs = tree.runs, tree:ids(first, last)
  return {
    op = "merge", inputs = inputs, into = runs[last].id, level = level,
    table_bytes = #inputs > MANY and M.bytes(runs, first, last) // MANY or nil,
    why = why,
  }
end

--- The newest full tier: at least `width` adjacent idle runs, none of them more
-- than `ratio` times as large as the largest newer one. An older run that is
-- smaller belongs to the tier too, so tiers grow by more than the ratio and
-- there are at most width - 1 runs for each of them.
-- @tparam table tree
-- @tparam integer first where to look
-- @tparam integer last
-- @tparam number width
-- @tparam number ratio
-- @treturn ?integer first run of the tier
-- @treturn integer last run of the tier
function M.full_tier(tree, first, last, width, ratio)
  local runs, start, largest = tree.runs, nil, nil
  for i = first, last + 1 do
    local run = i <= last and runs[i] or nil
    local ends = not run or not tree:is_idle(i, i)
    if start and (ends or run.bytes > ratio * largest) then
      if i - start >= width then return start, i - 1 end
      start = nil
    end
    if not ends then
      largest = start and math.max(largest, run.bytes) or run.bytes
      start = start or i
    end
  end
end

--- A policy's answer as an array.
-- @param answer of pick
-- @treturn {plan,...}
function M.plans(answer)
  return answer == nil and {} or answer.op ~= nil and { answer } or answer
end

--- A policy that decides in another one's stead, and is like it in all else.
-- @tparam table inner
-- @tparam string name put before the inner one's
-- @tparam function pick
-- @treturn table a policy
function M.around(inner, name, pick)
  return {
    name = name .. " " .. (inner.name or "?"), pick = pick,
    flush = inner.flush, layout = inner.layout, throttle = inner.throttle,
    loses = inner.loses,
  }
end

--- A plan first, then those of a policy that use none of its tables.
-- @tparam table plan
-- @param answer the policy's
-- @treturn {plan,...}
function M.before(plan, answer)
  local taken, plans = {}, { plan }
  plans.wake_in_ms = answer and answer.wake_in_ms
  for _, id in ipairs(plan.inputs) do taken[id] = true end
  for _, other in ipairs(M.plans(answer)) do
    local is_apart = true
    for _, id in ipairs(other.inputs) do
      is_apart = is_apart and not taken[id]
    end
    plans[#plans + 1] = is_apart and other or nil
  end
  return plans
end

return M
