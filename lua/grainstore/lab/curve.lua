--- How many distinct keys so many writes have, from what a journal tells.
--
-- A flush has n writes and m keys. A merge has as many keys as the writes of
-- all flushes that went into it, over the part of the keys that it took. So of
-- each table it is kept which part of the keys it covers (see ruler), and how
-- many writes over all keys it has been given:
--
--     flush of 100 writes        ────────── 100 ──────────
--     one more, in two tables    ──── 100 ────┬─── 100 ───
--     the merge of the first two ──── 200 ────
--
-- Values are counted, and of those the share that is
-- not deleted: tombstones may have gone, values have not. Merges in which
-- something expired, and of tables that nothing is known of, give no point; but
-- where such a merge makes the oldest run, its keys are those of all writes
-- ever.
--
-- What was counted is gathered in bins of the number of writes, so that the
-- memory a curve takes is that of the tables there are.
-- @module grainstore.lab.curve

local rulers = require "grainstore.lab.ruler"

local M = {}

local Curve = {}
Curve.__index = Curve

local STEP = math.log(1.25)
local MOST = 128 -- points that are fitted
local FLUSHED, MERGED = 0.001, 0.01 -- errors that no number of them takes away
local PLACES = 16 -- of a table at which its writes are known
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

-- Puts a table where the ruler says it is, with the writes it was given at each
-- of its places: a function of the place.
function Curve:lay(t, writes_at)
  local lo, hi = self.ruler:span(t)
  local laid = { lo = lo, hi = hi }
  for i = 1, PLACES do
    laid[i] = writes_at(lo + (hi - lo) * (i - 0.5) / PLACES)
  end
  self.tables[t.id] = laid
  return laid
end

--- @tparam table event a flush
-- @tparam number writes
-- @tparam number distinct
function Curve:flush(event, writes, distinct)
  note(self.flushed, writes, distinct, 1)
  self.reach = math.max(self.reach, writes)
  self.ruler:learn(event.outputs)
  for _, t in ipairs(event.outputs) do
    self:lay(t, function() return writes end)
  end
end

-- The writes that tables were given at a place, together.
local function together(tables)
  return function(at)
    local writes = 0
    for _, t in ipairs(tables) do
      if t.lo <= at and at < t.hi then
        writes = writes + t[(at - t.lo) / (t.hi - t.lo) * PLACES // 1 + 1]
      end
    end
    return writes
  end
end

-- The mean over a table's places, and the deviation as a share of it. Where a
-- part of a run has gone elsewhere, some keys had far fewer writes than others.
local function mean_of(laid)
  local sum, squares = 0, 0
  for i = 1, PLACES do
    sum, squares = sum + laid[i], squares + laid[i] * laid[i]
  end
  local mean = sum / PLACES
  local variance = math.max(0, squares / PLACES - mean * mean)
  return mean, mean > 0 and math.sqrt(variance) / mean or 0
end

-- Takes the inputs out; nil where nothing is known of one.
function Curve:take(inputs)
  local found, is_known = {}, true
  for _, id in ipairs(inputs) do
    found[#found + 1] = self.tables[id]
    is_known = is_known and self.tables[id] ~= nil
    self.tables[id] = nil
  end
  return is_known and #found > 0 and found or nil
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

--- @tparam table event a merge
-- @tparam number share of the writes that do not delete
-- @tparam boolean expires whether anything ever does
function Curve:merge(event, share, expires)
  local inputs = self:take(event.inputs)
  if event.dropped.expired > 0 or share <= 0 then return end
  if not inputs then
    if not expires then self:note_oldest(event, share) end
    return
  end
  if not event.outputs_left_out then self.ruler:learn(event.outputs) end
  local writes_at = together(inputs)
  for _, t in ipairs(event.outputs) do
    local laid = self:lay(t, writes_at)
    local writes, uneven = mean_of(laid)
    local trust = 1 / (1 + (uneven / UNEVEN) ^ 2)
    self.reach = math.max(self.reach, writes)
    note(self.merged, writes, trust * (t.entries - t.tombstones) / share,
      trust * (laid.hi - laid.lo))
  end
end

--- Tables that are gone.
-- @tparam table event a drop
function Curve:drop(event)
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

--- @treturn table a curve without points; reach, the most writes of any
function M.new()
  return setmetatable({
    flushed = {}, merged = {}, tables = {}, reach = 0, ruler = rulers.new(),
  }, Curve)
end

return M
