--- Where keys lie: from 0 for the first to 1 for the last, so that as many keys
-- are written below a place as its number says.
--
-- Keys are read as numbers, byte by byte: a byte counts from the least that was
-- seen at its place to the largest, so that decimal digits lie as evenly as
-- hashes do. Where tables that cover all keys show that this is not so, because
-- more or less of their entries lie below a bound than chance explains, the
-- bound becomes a knot.
--
--     keys    a ··· f ······· m ·· z          knots
--     places  0    0.3        0.9  1          read as numbers between two knots
--
-- @module grainstore.lab.ruler

local M = {}

local Ruler = {}
Ruler.__index = Ruler

local BYTES = 8      -- of a key that are looked at, behind what all share
local SURE = 3       -- deviations that are no chance
local WHOLE = 0.97   -- of the keys are all
local THIN = 1e-9    -- what a table covers at least

-- ---- keys as numbers --------------------------------------------------------

-- Notes which bytes stand at which place.
function Ruler:see(key)
  if type(key) == "number" then return end
  for i = 1, #key do
    local byte, least, most = key:byte(i), self.least[i], self.most[i]
    if not least then
      self.least[i], self.most[i] = byte, byte
    elseif byte < least then
      self.least[i] = byte
    elseif byte > most then
      self.most[i] = byte
    end
  end
end

-- A number that rises with the key.
function Ruler:value(key)
  if type(key) == "number" then return key end
  local value, unit, left = 0, 1, BYTES
  for i = 1, #self.least do
    local least, most = self.least[i], self.most[i]
    if most > least then
      local byte = key:byte(i) or least
      unit = unit / (most - least + 1)
      value = value + (math.max(least, math.min(byte, most)) - least) * unit
      left = left - 1
      if left == 0 then break end
    end
  end
  return value
end

-- ---- places -----------------------------------------------------------------

-- Between two knots, by the numbers.
local function between(self, a, b, key)
  local from, to = self:value(a.key), self:value(b.key)
  if to <= from then return a.place end
  local share = (self:value(key) - from) / (to - from)
  return a.place + (b.place - a.place) * math.max(0, math.min(share, 1))
end

--- @tparam string|integer key
-- @treturn number from 0 to 1
function Ruler:place(key)
  local knots = self.knots
  if #knots < 2 or key <= knots[1].key then return 0 end
  for i = 2, #knots do
    if key <= knots[i].key then
      return between(self, knots[i - 1], knots[i], key)
    end
  end
  return 1
end

--- What a table covers: its bounds, and on either side half of what lies
-- between two of its keys.
-- @tparam table t min_key, max_key, entries
-- @treturn number
-- @treturn number
function Ruler:span(t)
  local lo, hi = self:place(t.min_key), self:place(t.max_key)
  local more = (hi - lo) / (2 * math.max(1, t.entries - 1))
  lo = math.min(math.max(0, lo - more), 1 - THIN)
  return lo, math.max(math.min(1, hi + more), lo + THIN)
end

-- ---- learning ---------------------------------------------------------------

-- The bounds of tables with the share of the entries below each.
local function bounds_of(tables)
  local all, below, bounds = 0, 0, {}
  for _, t in ipairs(tables) do all = all + t.entries end
  bounds[1] = { key = tables[1].min_key, place = 0 }
  for _, t in ipairs(tables) do
    below = below + t.entries
    bounds[#bounds + 1] = { key = t.max_key, place = below / all }
  end
  return bounds, all
end

-- Keeps of bounds[from] to bounds[to] those that the numbers do not explain.
local function refine(self, bounds, from, to, all, kept)
  local worst, at = SURE, nil
  local a, b = bounds[from], bounds[to]
  local whole = b.place - a.place
  for i = from + 1, to - 1 do
    local share = (bounds[i].place - a.place) / whole
    local off = bounds[i].place - between(self, a, b, bounds[i].key)
    local chance = whole * math.sqrt(share * (1 - share) / (all * whole))
    if math.abs(off) > worst * chance then
      worst, at = math.abs(off) / chance, i
    end
  end
  if at then
    refine(self, bounds, from, at, all, kept)
    kept[#kept + 1] = bounds[at]
    refine(self, bounds, at, to, all, kept)
  end
end

--- Takes tables of one run, in order of keys, into account: the first ones, and
-- of those that cover all keys the ones with the most entries.
-- @tparam table tables
function Ruler:learn(tables)
  if #tables == 0 then return end
  for _, t in ipairs(tables) do
    self:see(t.min_key)
    self:see(t.max_key)
  end
  local bounds, all = bounds_of(tables)
  local covers = self:place(bounds[#bounds].key) - self:place(bounds[1].key)
  if #self.knots >= 2 and (covers < WHOLE or all < self.entries) then
    self:stretch(bounds[1].key, bounds[#bounds].key)
    return
  end
  local first, last = self.knots[1], self.knots[#self.knots]
  local kept = { bounds[1] }
  refine(self, bounds, 1, #bounds, all, kept)
  kept[#kept + 1] = bounds[#bounds]
  self.knots, self.entries = kept, all
  if first then self:stretch(first.key, last.key) end
end

-- Keys beyond the first and the last knot.
function Ruler:stretch(first, last)
  local knots = self.knots
  if first < knots[1].key then
    knots[1] = { key = first, place = 0 }
  end
  if last > knots[#knots].key then
    knots[#knots] = { key = last, place = 1 }
  end
end

--- @treturn table a ruler that has seen nothing; knots
function M.new()
  return setmetatable({ least = {}, most = {}, knots = {}, entries = 0 }, Ruler)
end

return M
