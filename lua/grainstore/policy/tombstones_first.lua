--- Another policy, after what is deleted or expired and too old is merged away.
--
-- A table is due when its oldest tombstone, or the first of its entries to
-- expire, is `max_age_ms` old. The one that is due longest is merged with
-- everything older that it meets, and what that meets in turn, into the oldest
-- of their runs: there nothing is left for a tombstone to hide, and it goes
-- with what it hid. So deleted data leaves the disk within about max_age_ms of
-- its flush, plus the time of the merge, while the store is written.
--
-- A table that was written when it was due already kept its tombstones for a
-- reason (a view is open, the clock is in doubt): it is tried again after
-- another max_age_ms. Every table is rewritten at most that often, so write
-- amplification grows by at most one rewrite of what is met per max_age_ms.
-- Source: S. Sarkar et al., "Lethe: A Tunable Delete-Aware LSM Engine", 2020.

local check = require "grainstore.policy.options"
local driver = require "grainstore.driver"
local tables = require "grainstore.policy.tables"

local DEFAULTS = { max_age_ms = 24 * 60 * 60 * 1000 }
local MAX_INPUTS = 4096

-- When the table is due; nil if it holds nothing that ever will be.
local function due_ms(t, max_age_ms)
  local oldest
  if t.tombstones > 0 then oldest = t.oldest_tombstone_ms end
  if t.expiring > 0 and t.min_expiry_ms then
    oldest = math.min(oldest or t.min_expiry_ms, t.min_expiry_ms)
  end
  if not oldest then return nil end
  local due = oldest + max_age_ms
  return t.created_ms < due and due or t.created_ms + max_age_ms
end

-- What is due, the longest first. Nothing is due whose oldest tombstone and
-- first expiry are younger than max_age_ms.
local function find_due(tree, max_age_ms)
  local list, seen, bound = {}, {}, tree.now_ms - max_age_ms
  for index, run in ipairs(tree.runs) do
    for _, name in ipairs { "oldest_tombstone_ms", "min_expiry_ms" } do
      for _, t in ipairs(tree:not_after(run, name, bound)) do
        local due = not seen[t.id] and due_ms(t, max_age_ms)
        seen[t.id] = true
        if due and due <= tree.now_ms then
          list[#list + 1] = { table = t, run = index, due_ms = due }
        end
      end
    end
  end
  table.sort(list, function(a, b)
    if a.due_ms ~= b.due_ms then return a.due_ms < b.due_ms end
    return a.table.id < b.table.id
  end)
  return list
end

-- A table with everything older that it meets, and so on; and the oldest run.
local function beneath(tree, from, t)
  local found, places, seen = { t }, { from }, { [t.id] = true }
  local at, lowest = 1, from
  while found[at] do
    for i = places[at] + 1, #tree.runs do
      local met = tree:overlapping(tree.runs[i], found[at].min_key,
        found[at].max_key)
      for _, u in ipairs(met) do
        if not seen[u.id] then
          seen[u.id], found[#found + 1], places[#places + 1] = true, u, i
          lowest = math.max(lowest, i)
        end
      end
    end
    at = at + 1
  end
  return found, lowest
end

local function merge_down(tree, max_age_ms)
  for _, due in ipairs(find_due(tree, max_age_ms)) do
    local inputs, lowest = beneath(tree, due.run, due.table)
    if #inputs <= MAX_INPUTS and not tables.is_busy(inputs) then
      return {
        op = "merge", inputs = tables.ids(inputs), into = tree.runs[lowest].id,
        why = ("table %d holds what is gone for too long"):format(due.table.id),
      }
    end
  end
end

return function(policy, options)
  local o = check("tombstones_first", options, DEFAULTS)
  local inner = driver.resolve(policy)
  local function pick(tree)
    local plan = merge_down(tree, o.max_age_ms)
    local answer = inner.pick(tree)
    return plan and tables.before(plan, answer) or answer
  end
  return tables.around(inner, "tombstones_first", pick)
end
