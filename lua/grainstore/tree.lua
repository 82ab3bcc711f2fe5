--- The tree as a policy sees it: plain tables, and questions to ask of them.
--
-- `runs` are sorted runs, newest first; a level is a label on a run. Sizes are
-- in bytes, times in milliseconds. While a store decides, the tables of a run
-- are made as they are looked at, and the questions below are answered without
-- making them all: asking costs a policy less than walking. Such a tree ends
-- with the decision; what `store:tree()` returns lasts.
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

-- Whether the tables are made as they are looked at.
local function is_lazy(tables)
  return type(tables) == "userdata"
end

-- ---- what is asked ---------------------------------------------------------

-- Blames the caller of the method that called its caller.
local function wrong(position, name, what)
  error(("bad argument #%d to '%s' (%s)"):format(position, name, what), 4)
end

local function shown(value)
  return math.type(value) and tostring(value) or type(value)
end

local function check_type(value, wanted, position, name)
  if type(value) ~= wanted then
    wrong(position, name, ("%s expected, got %s"):format(wanted, type(value)))
  end
end

local function check_integer(value, position, name)
  if math.type(value) ~= "integer"
    and (type(value) ~= "number" or value % 1 ~= 0) then
    wrong(position, name, "integer expected, got " .. shown(value))
  end
end

local function check_run(run, position, name)
  if type(run) ~= "table" or not run.tables then
    wrong(position, name, "a run expected, got " .. type(run))
  end
end

-- Of the runs from first to last, number i is not there.
local function no_run(tree, i, first, last, name)
  local position, given = 2, last
  if i == first then position, given = 1, first end
  wrong(position, name, ("a run from 1 to %d expected, got %s"):format(
    #tree.runs, given))
end

-- Of which kind the keys of tables are that are yet to be made is known to the
-- shape alone.
local function check_key(key, tables, position, name)
  if key == nil then return end
  local first = not is_lazy(tables) and tables[1]
  local wanted = first and type(first.min_key)
    or type(key) == "number" and "number" or "string"
  if type(key) ~= wanted then
    wrong(position, name, ("%s expected, got %s"):format(wanted, type(key)))
  end
end

-- ---- the tree --------------------------------------------------------------

--- Makes all tables of a tree and ends its shape: what is left are plain tables
-- that last.
-- @tparam table tree
-- @treturn table the same table
function M.keep(tree)
  for _, run in ipairs(tree.runs) do
    local made = {}
    for i, t in ipairs(run.tables) do made[i] = t end
    run.tables = made
  end
  return M.close(tree)
end

--- Ends the shape behind a tree; tables that were not made cannot be any more.
-- @tparam table tree
-- @treturn table the same table
function M.close(tree)
  if tree.shape then
    tree.shape:close()
    tree.shape = nil
  end
  return tree
end

--- Runs of one level, newest first.
-- @tparam integer level
-- @treturn table
function Tree:level(level)
  check_integer(level, 1, "level")
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
  check_integer(level, 1, "level_bytes")
  local bytes = 0
  for _, run in ipairs(self.runs) do
    if run.level == level then
      bytes = bytes + run.bytes
    end
  end
  return bytes
end

-- Indices of the first and the last table of the list that can hold a key of
-- [from, to].
local function bounds(tables, from, to)
  if is_lazy(tables) then
    return tables:overlap(from, to)
  end
  local first, last = 1, #tables
  while from ~= nil and first <= last and tables[first].max_key < from do
    first = first + 1
  end
  while to ~= nil and last >= first and tables[last].min_key > to do
    last = last - 1
  end
  return first, last
end

--- Tables of a run that can hold a key of [from, to], both inclusive; nil for
-- no bound.
-- @tparam table run
-- @param from
-- @param to
-- @treturn table
function Tree:overlapping(run, from, to) -- luacheck: no self
  check_run(run, 1, "overlapping")
  check_key(from, run.tables, 2, "overlapping")
  check_key(to, run.tables, 3, "overlapping")
  local first, last = bounds(run.tables, from, to)
  local found = {}
  for i = first, last do
    found[#found + 1] = run.tables[i]
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

-- Widens [low, high] by all that meets it in runs first to last, until nothing
-- does.
local function close_range(tree, first, last, low, high)
  if tree.shape then
    return tree.shape:close_range(first, last, low, high)
  end
  local grew = true
  while grew do
    grew = false
    for i = first, last do
      local l, h = hull(tree:overlapping(tree.runs[i], low, high))
      if l ~= nil and (l < low or h > high) then
        low, high = l < low and l or low, h > high and h or high
        grew = true
      end
    end
  end
  return low, high
end

-- The number of the run with an id.
local function place_of(tree, id)
  for i, run in ipairs(tree.runs) do
    if run.id == id then return i end
  end
end

-- The number of the run that is the target, for `closure`.
local function target_of(tree, target)
  return place_of(tree, target.id)
    or wrong(2, "closure", "a run of this tree expected")
end

-- The first run in which one of the tables stands, for `closure`.
local function first_of(tree, tables)
  local first = #tree.runs
  for i, t in ipairs(tables) do
    local place = type(t) == "table" and place_of(tree, t.run)
    if not place then
      wrong(1, "closure", ("element %d is no table of this tree"):format(i))
    end
    first = math.min(first, place)
  end
  return first
end

--- Adds to some tables all that stand in their way to a target run: what meets
-- their range between their runs and the target, both included.
-- @tparam table tables tables of this tree
-- @tparam table target a run of this tree, not newer than any of theirs
-- @treturn table ids
function Tree:closure(tables, target)
  check_type(tables, "table", 1, "closure")
  check_run(target, 2, "closure")
  local first, last = first_of(self, tables), target_of(self, target)
  local low, high = hull(tables)
  if low == nil then return {} end
  low, high = close_range(self, first, last, low, high)
  local ids = {}
  for i = first, last do
    for _, t in ipairs(self:overlapping(self.runs[i], low, high)) do
      ids[#ids + 1] = t.id
    end
  end
  table.sort(ids)
  return ids
end

--- Whether no job has a table of adjacent runs in hand.
-- @tparam integer first number of the newest of them
-- @tparam integer last
-- @treturn boolean
function Tree:is_idle(first, last)
  check_integer(first, 1, "is_idle")
  check_integer(last, 2, "is_idle")
  for i = first, last do
    local run = self.runs[i] or no_run(self, i, first, last, "is_idle")
    if is_lazy(run.tables) then
      if run.busy > 0 then return false end
    else
      for _, t in ipairs(run.tables) do
        if t.busy then return false end
      end
    end
  end
  return true
end

--- Bytes of the largest table of a run.
-- @tparam table run
-- @treturn integer
function Tree:largest(run) -- luacheck: no self
  check_run(run, 1, "largest")
  if is_lazy(run.tables) then return run.largest_bytes end
  local largest = 0
  for _, t in ipairs(run.tables) do largest = math.max(largest, t.bytes) end
  return largest
end

--- When the oldest and the newest table of a run were made.
-- @tparam table run
-- @treturn integer milliseconds
-- @treturn integer
function Tree:written(run) -- luacheck: no self
  check_run(run, 1, "written")
  if is_lazy(run.tables) then return run.begun_ms, run.written_ms end
  local begun, written = math.huge, 0
  for _, t in ipairs(run.tables) do
    begun = math.min(begun, t.created_ms)
    written = math.max(written, t.created_ms)
  end
  return begun, written
end

--- Whether a job has one of these tables in hand.
-- @tparam table ids
-- @treturn boolean
function Tree:is_busy(ids)
  check_type(ids, "table", 1, "is_busy")
  if self.shape then
    return self.shape:is_busy(ids)
  end
  local busy = {}
  for _, run in ipairs(self.runs) do
    for _, t in ipairs(run.tables) do busy[t.id] = t.busy end
  end
  for _, id in ipairs(ids) do
    if busy[id] then return true end
  end
  return false
end

--- Ids of all tables of adjacent runs.
-- @tparam integer first number of the newest of them
-- @tparam integer last
-- @treturn table
function Tree:ids(first, last)
  check_integer(first, 1, "ids")
  check_integer(last, 2, "ids")
  local ids = {}
  for i = first, last do
    local run = self.runs[i] or no_run(self, i, first, last, "ids")
    local tables = run.tables
    if is_lazy(tables) then
      tables:ids(ids)
    else
      for _, t in ipairs(tables) do ids[#ids + 1] = t.id end
    end
  end
  return ids
end

-- The same as gs_shape_cheapest, over plain tables.
local function cheapest_plain(tree, run, below, taken)
  local best, least
  for _, t in ipairs(run.tables) do
    local met = below and tree:overlapping(below, t.min_key, t.max_key) or {}
    local bytes, is_free = 0, not t.busy and not taken[t.id]
    for _, u in ipairs(met) do
      bytes = bytes + u.bytes
      is_free = is_free and not u.busy and not taken[u.id]
    end
    local cost = bytes / (t.bytes + 1)
    if is_free and (not best or cost < least) then
      best, least = t, cost
    end
  end
  return best
end

--- The table of a run that meets least of the run below for its own size, of
-- those that are idle and meet only what is idle.
-- @tparam table run
-- @tparam ?table below another run of this tree; nil: nothing is below
-- @tparam[opt] table taken set of ids that count as at work
-- @treturn ?table the table; nil if there is none
-- @treturn ?table what it meets below
function Tree:cheapest(run, below, taken)
  check_run(run, 1, "cheapest")
  if below then check_run(below, 2, "cheapest") end
  if taken then check_type(taken, "table", 3, "cheapest") end
  local best
  if is_lazy(run.tables) then
    local ids = {}
    for id in pairs(taken or {}) do ids[#ids + 1] = id end
    table.sort(ids)
    local index = run.tables:cheapest(below and below.tables, ids)
    best = index and run.tables[index]
  else
    best = cheapest_plain(self, run, below, taken or {})
  end
  if not best then return nil end
  return best, below and self:overlapping(below, best.min_key, best.max_key)
    or {}
end

local TIMES = {
  created_ms = true, min_expiry_ms = true, max_expiry_ms = true,
  oldest_tombstone_ms = true,
}

local function no_time(name)
  wrong(2, "not_after", "no time of a table: " .. tostring(name))
end

--- Tables of a run by a time: those that have it and whose it is not after ms.
-- @tparam table run
-- @tparam string name "created_ms", "min_expiry_ms", "max_expiry_ms" or
-- "oldest_tombstone_ms"
-- @tparam integer ms
-- @treturn table
function Tree:not_after(run, name, ms) -- luacheck: no self
  check_run(run, 1, "not_after")
  if not TIMES[name] then no_time(name) end
  check_integer(ms, 3, "not_after")
  local found, tables = {}, run.tables
  if is_lazy(tables) then
    if name == "oldest_tombstone_ms" and (run[name] or math.huge) > ms then
      return found
    end
    for i, index in ipairs(tables:not_after(name, ms)) do
      found[i] = tables[index]
    end
    return found
  end
  for _, t in ipairs(tables) do
    if t[name] and t[name] <= ms then found[#found + 1] = t end
  end
  return found
end

--- Tables of a run whose entries have all expired, and which are idle.
-- @tparam table run
-- @tparam integer ms the time at which to look
-- @treturn table
function Tree:dead(run, ms)
  check_run(run, 1, "dead")
  check_integer(ms, 2, "dead")
  if is_lazy(run.tables) and (run.dead_at_ms or math.huge) > ms then
    return {}
  end
  local found = {}
  for _, t in ipairs(self:not_after(run, "max_expiry_ms", ms)) do
    if t.entries > 0 and t.expiring == t.entries and not t.busy then
      found[#found + 1] = t
    end
  end
  return found
end

--- Keys at which tables of a run begin, with at least so many bytes between one
-- and the next: where to cut what will be merged into it.
-- @tparam table run
-- @tparam integer least_bytes
-- @treturn table
function Tree:cuts(run, least_bytes) -- luacheck: no self
  check_run(run, 1, "cuts")
  check_integer(least_bytes, 2, "cuts")
  if is_lazy(run.tables) then
    return run.tables:cuts(least_bytes)
  end
  local cuts, bytes = {}, 0
  for i, t in ipairs(run.tables) do
    if i > 1 and bytes >= least_bytes then
      cuts[#cuts + 1], bytes = t.min_key, 0
    end
    bytes = bytes + t.bytes
  end
  return cuts
end

--- The tree as text that `grainstore.testing.tree` reads back: a line per run,
-- newest first, with the tables' bounds, sizes, entries, tombstones, expiries.
Tree.__tostring = tree_text.print

return M
