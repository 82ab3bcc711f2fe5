--- The tree as a policy sees it: plain tables, and questions to ask of them.
--
-- `runs` are sorted runs, newest first; a level is a label on a run. Sizes are
-- in bytes, times in milliseconds.
-- @module grainstore.tree

local tree_text = require "grainstore.tree_text"

local M = {}

local Tree = {}
Tree.__index = Tree
Tree.__name = "grainstore.tree"

--- Gives a plain shape its methods.
-- @tparam table shape
-- @treturn table the same table
function M.new(shape)
  return setmetatable(shape, Tree)
end

--- Runs of one level, newest first.
-- @tparam integer level
-- @treturn table
function Tree:level(level)
  local found = {}
  for _, run in ipairs(self.runs) do
    if run.level == level then
      found[#found + 1] = run
    end
  end
  return found
end

--- Bytes of all runs of a level.
-- @tparam integer level
-- @treturn integer
function Tree:level_bytes(level)
  local bytes = 0
  for _, run in ipairs(self.runs) do
    if run.level == level then
      bytes = bytes + run.bytes
    end
  end
  return bytes
end

--- Tables of a run that can hold a key of [from, to], both inclusive; nil for
-- no bound.
-- @tparam table run
-- @param from
-- @param to
-- @treturn table
function Tree:overlapping(run, from, to) -- luacheck: no self
  local found = {}
  for _, t in ipairs(run.tables) do
    local begins = to == nil or t.min_key <= to
    local ends = from == nil or t.max_key >= from
    if begins and ends then
      found[#found + 1] = t
    end
  end
  return found
end

local function hull(tables)
  local low, high
  for _, t in ipairs(tables) do
    if low == nil or t.min_key < low then low = t.min_key end
    if high == nil or t.max_key > high then high = t.max_key end
  end
  return low, high
end

--- Adds to some tables all that stand in their way to a target run: what
-- overlaps them between their runs and the target, both included.
-- @tparam table tables tables of this tree
-- @tparam table target a run of this tree, not newer than any of theirs
-- @treturn table ids
function Tree:closure(tables, target)
  local first, last
  local chosen = {}
  for _, t in ipairs(tables) do chosen[t.id] = t end
  for i, run in ipairs(self.runs) do
    if run.id == target.id then last = i end
    for _, t in ipairs(run.tables) do
      if chosen[t.id] and not first then first = i end
    end
  end
  local list, grew = tables, true
  while grew do
    grew = false
    local low, high = hull(list)
    for i = first or 1, last or 0 do
      for _, t in ipairs(self:overlapping(self.runs[i], low, high)) do
        if not chosen[t.id] then
          chosen[t.id], grew = t, true
        end
      end
    end
    list = {}
    for _, t in pairs(chosen) do list[#list + 1] = t end
  end
  local ids = {}
  for id in pairs(chosen) do ids[#ids + 1] = id end
  table.sort(ids)
  return ids
end

--- The tree as text that `grainstore.testing.tree` reads back: a line per run,
-- newest first, with the tables' bounds, sizes, entries, tombstones, expiries.
Tree.__tostring = tree_text.print

return M
