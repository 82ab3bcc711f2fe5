--- How many distinct keys so many writes have, from what a journal tells.
--
-- A flush has n writes and m keys. A merge has as many keys as the writes of
-- all flushes that went into it, over the part of the keys that it took. So of
-- each table it is kept which part of the keys it covers (see ruler), and how
-- many writes over all keys it has been given there (see spread):
--
--     flush of 100 writes        ────────── 100 ──────────
--     one more, in two tables    ──── 100 ────┬─── 100 ───
--     the merge of the first two ──── 200 ────
--
-- Values are counted, and divided by the share of the writes that do not
-- delete: tombstones may have gone, values have not. Merges in which something
-- expired, and of tables that nothing is known of, give no point; but where
-- such a merge makes the oldest run, its keys are those of all writes ever.
--
-- What was counted is gathered in bins of the number of writes, so that the
-- memory a curve takes is that of the tables there are.
-- @module grainstore.lab.curve

local rulers = require "grainstore.lab.ruler"
local spread = require "grainstore.lab.spread"

local M = {}

local Curve = {}
Curve.__index = Curve

local STEP = math.log(1.25)
local MOST = 128 -- points that are fitted
local FLUSHED, MERGED = 0.001, 0.01 -- errors that no number of them takes away
local UNEVEN = 0.1 -- deviation of writes at which a table counts half

-- So many keys of so many writes over a part of the keys as wide as that.
local function note(bins, writes, keys, width)
  keys = math.min(keys, writes * width)
  if writes < 1 or keys <= 0 or width <= 0 then return end
  local at = math.log(writes) / STEP // 1 | 0
  local bin = bins[at]
  if not bin then
    bin = { width = 0, writes = 0, keys = 0, count = 0 }
    bins[at] = bin
  end
  bin.width = bin.width + width
  bin.writes = bin.writes + width * writes
  bin.keys = bin.keys + keys
  bin.count = bin.count + 1
end

function Curve:lay(t, run, writes_at, count)
  local laid = spread.lay(t, run, self.ruler, writes_at, count)
  self.tables[t.id] = laid
  return laid
end

--- @tparam table event a flush
-- @tparam number writes
-- @tparam number distinct
function Curve:flush(event, writes, distinct)
  note(self.flushed, writes, distinct, 1)
  self.writes = self.writes + writes
  self.reach = math.max(self.reach, writes)
  self.ruler:learn(event.outputs)
  for _, t in ipairs(event.outputs) do
    self:lay(t, event.tree[1] and event.tree[1].id, function()
      return writes
    end, #event.outputs)
  end
end

-- The run that a job's tables went to.
local function run_of(event)
  local tree = event.tree
  if event.into then return event.into end
  if event.bottom then return tree[#tree] and tree[#tree].id end
  for i, run in ipairs(tree) do
    if run.id == event.above then return tree[i - 1] and tree[i - 1].id end
  end
  return tree[1] and tree[1].id
end

-- What the inputs were given, place by place. Into the oldest run goes all that
-- is not in others: where the whole life of a store is known, that is more
-- exact than a sum of what merge after merge has handed on.
function Curve:sum_up(event, run, inputs)
  local oldest = event.tree[#event.tree]
  if not (self.is_whole or self.alive) or not oldest or run ~= oldest.id then
    local sum, most = spread.together(inputs), self.alive or math.huge
    return function(at) return math.min(sum(at), most) end
  end
  local lo, hi, others = 1, 0, {}
  for _, t in ipairs(inputs) do
    lo, hi = math.min(lo, t.lo), math.max(hi, t.hi)
  end
  for _, t in pairs(self.tables) do
    if t.run ~= run and t.lo < hi and t.hi > lo then
      others[#others + 1] = t
    end
  end
  local all, elsewhere = self.alive or self.writes, spread.together(others)
  return function(at) return math.max(0, all - elsewhere(at)) end
end

-- Takes the inputs out; nil where nothing is known of one, and those known.
function Curve:take(inputs)
  local found, is_known = {}, true
  for _, id in ipairs(inputs) do
    found[#found + 1] = self.tables[id]
    is_known = is_known and self.tables[id] ~= nil
    self.tables[id] = nil
  end
  return is_known and #found > 0 and found or nil, found
end

-- The oldest run holds all keys, as of the newest write in it.
function Curve:note_oldest(event, share)
  local run, entries, values, last = event.tree[#event.tree], 0, 0, 0
  for _, t in ipairs(event.outputs) do
    entries = entries + t.entries
    values = values + t.entries - t.tombstones
    last = last + t.max_seq * t.entries
  end
  if run and entries > 0 and (event.bottom or event.into == run.id) then
    local width = entries / run.entries
    note(self.merged, last / entries, values / share, width)
    self.reach = math.max(self.reach, last / entries)
  end
end

-- The ruler learns from a merge over which writes are spread evenly: else its
-- tables end where more was written, not where more keys are.
function Curve:teach(event, inputs)
  local _, uneven = spread.mean_everywhere(spread.together(inputs))
  if uneven < UNEVEN and not event.outputs_left_out then
    local before = self.ruler.knots
    self.ruler:learn(event.outputs)
    if self.ruler.knots == before then return end
    for _, t in ipairs(inputs) do spread.measure(t, self.ruler) end
  end
end

--- @tparam table event a merge
-- @tparam number share of the writes that do not delete
-- @tparam boolean expires whether anything ever does
function Curve:merge(event, share, expires)
  local inputs, known = self:take(event.inputs)
  if not inputs or event.dropped.expired > 0 or event.outputs_left_out then
    self.is_whole = false
  end
  if self.alive then inputs = known end
  if event.dropped.expired > 0 and not self.alive or share <= 0 then return end
  if not inputs then
    if not expires then self:note_oldest(event, share) end
    return
  end
  for _, t in ipairs(inputs) do spread.measure(t, self.ruler) end
  self:teach(event, inputs)
  local run = run_of(event)
  local writes_at = self:sum_up(event, run, inputs)
  for _, t in ipairs(event.outputs) do
    local laid = self:lay(t, run, writes_at, #event.outputs)
    local writes, uneven = spread.mean(laid)
    local trust = 1 / (1 + (uneven / UNEVEN) ^ 2)
    self.reach = math.max(self.reach, writes)
    note(self.merged, writes, trust * (t.entries - t.tombstones) / share,
      trust * (laid.hi - laid.lo))
  end
end

--- Tables that went to another run as they are.
-- @tparam table event a move
function Curve:move(event)
  local run = run_of(event)
  for _, id in ipairs(event.inputs) do
    if self.tables[id] then self.tables[id].run = run or id end
  end
end

--- Tables that are gone.
-- @tparam table event a drop
function Curve:drop(event)
  self.is_whole = false
  self:take(event.inputs)
end

-- A point is worth what its chance deviation allows, and how near what is
-- taken of it can be: of a flush exact numbers, of a merge places of keys. As
-- many writes as met a key that was there deviate by their root, and so do the
-- bounds of tables, by about a key.
local function add_points(points, bins, error, bounds)
  for _, bin in pairs(bins) do
    local again = math.max(1, math.min(bin.writes - bin.keys, bin.keys))
    local variance = error * error
      + (again + bounds * bin.count) / (bin.keys * bin.keys)
    points[#points + 1] = {
      writes = bin.writes / bin.width, distinct = bin.keys / bin.width,
      weight = MERGED * MERGED / variance,
    }
  end
end

--- What was counted, as `core.fit` takes it.
-- @treturn table array of { writes =, distinct =, weight = }, least first
function Curve:points()
  local points = {}
  add_points(points, self.flushed, FLUSHED, 0)
  add_points(points, self.merged, MERGED, 2)
  table.sort(points, function(a, b) return a.weight > b.weight end)
  while #points > MOST do table.remove(points) end
  table.sort(points, function(a, b) return a.writes < b.writes end)
  return points
end

--- @treturn table a curve without points; reach, the most writes of any;
-- is_whole, to be made false where events or tables are missing; alive, where
-- all entries expire and a record is older than they live, the writes that have
-- not: of what it does not know nothing is left
function M.new()
  return setmetatable({
    flushed = {}, merged = {}, tables = {}, reach = 0, ruler = rulers.new(),
    is_whole = true, writes = 0,
  }, Curve)
end

return M
