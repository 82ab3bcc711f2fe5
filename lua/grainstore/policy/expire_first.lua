--- Another policy, after what has expired is dropped.
--
-- A table whose entries have all expired is taken out of the tree without being
-- read, unless an older table that stays has keys in its range: an expired
-- entry hides older versions of its key, which must not come back. So tables
-- are looked at from the oldest run up. What an open view may still read stays.
--
-- The policy is asked in the same breath; of its plans those are passed on that
-- use none of the dropped tables. Where a drop was refused at the last decision
-- the policy decides alone at this one. Like every policy it is asked when the
-- tree has changed: a store that is no longer written drops nothing.
--
-- Costs nothing to write; space then follows the time to live, if tables hold
-- entries that expire at about the same time: `expire_first(time_window {…})`.
-- Source: the whole-table expiry of Cassandra's time-window strategy.

local driver = require "grainstore.driver"
local tables = require "grainstore.policy.tables"

local MAX_INPUTS = 4096

local function is_alone(tree, index, t, dead)
  for i = index + 1, #tree.runs do
    for _, older in ipairs(tree:overlapping(tree.runs[i], t.min_key, t.max_key))
    do
      if not dead[older.id] then return false end
    end
  end
  return true
end

local function find_dead(tree)
  local view = tree.oldest_view
  local clock_ms = tree.now_ms - (view and view.age_ms or 0)
  local dead, inputs = {}, {}
  for index = #tree.runs, 1, -1 do
    for _, t in ipairs(tree:dead(tree.runs[index], clock_ms)) do
      if #inputs < MAX_INPUTS and is_alone(tree, index, t, dead) then
        dead[t.id] = true
        inputs[#inputs + 1] = t.id
      end
    end
  end
  return inputs
end

local function was_refused(tree)
  for _, refused in ipairs(tree.refused) do
    if refused.plan.op == "drop" then return true end
  end
  return false
end

return function(policy)
  local inner = driver.resolve(policy)
  local function pick(tree)
    local inputs = was_refused(tree) and {} or find_dead(tree)
    if #inputs == 0 then return inner.pick(tree) end
    return tables.before({
      op = "drop", inputs = inputs,
      why = ("%d tables have expired"):format(#inputs),
    }, inner.pick(tree))
  end
  return tables.around(inner, "expire_first", pick)
end
