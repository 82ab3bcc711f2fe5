--- What a journal tells of a store's writes: a flush at a time how many there
-- were, of how many keys and bytes, what was deleted and what expires, and over
-- all of them whether keys came in order.
--
-- A flush has as many writes as entries came out of it and were left out of it.
-- What one write is like is told of keys, since a key's older versions are
-- gone: deletes are taken to be as frequent among those.
-- @module grainstore.lab.record

local curves = require "grainstore.lab.curve"

local M = {}

local TIMES = 1024 -- of flushes that are remembered

local Record = {}
Record.__index = Record

-- ---- one flush --------------------------------------------------------------

local summed = {
  "entries", "keys", "tombstones", "expiring", "data_bytes",
}

local function least(a, b) return a and b and math.min(a, b) or a or b end
local function most(a, b) return a and b and math.max(a, b) or a or b end

-- Sums over the tables; where some did not fit into the event, as if those were
-- like the others.
local function sums_of(event)
  local outputs = event.outputs
  local sums = { key_bytes = 0 }
  for _, name in ipairs(summed) do sums[name] = 0 end
  for _, t in ipairs(outputs) do
    for _, name in ipairs(summed) do sums[name] = sums[name] + t[name] end
    sums.min_expiry_ms = least(sums.min_expiry_ms, t.min_expiry_ms)
    sums.max_expiry_ms = most(sums.max_expiry_ms, t.max_expiry_ms)
  end
  local scale = 1 + (event.outputs_left_out or 0) / math.max(1, #outputs)
  for _, name in ipairs(summed) do sums[name] = sums[name] * scale end
  return sums
end

local function bytes_of(key)
  return type(key) == "number" and 4 or #key
end

-- When the memtable was full.
local function sealed_ms(event)
  return event.time_ms - event.took_us / 1000
end

-- How long an entry lives: between the first writes and the last.
local function ttl_of(sums, from_ms, to_ms)
  if not sums.max_expiry_ms then return 0 end
  local last = sums.max_expiry_ms - to_ms
  local first = from_ms and sums.min_expiry_ms - from_ms or last
  return math.max(1, (first + last) / 2)
end

local function flush_of(event, from_ms)
  local sums, dropped = sums_of(event), event.dropped
  local distinct = sums.keys + dropped.tombstones
  local gone = math.max(0, sums.tombstones + dropped.tombstones
    - dropped.expired)
  local lasting = sums.entries - sums.tombstones - sums.expiring
  local first, last = event.outputs[1], event.outputs[#event.outputs]
  local to_ms = sealed_ms(event)
  return {
    writes = sums.entries + dropped.covered + dropped.tombstones,
    distinct = distinct, to_ms = to_ms,
    gone = gone / distinct, deletes = gone,
    lasting = math.max(0, lasting) / distinct,
    user_bytes = event.read_bytes, expiring = sums.expiring,
    ttl_ms = ttl_of(sums, from_ms, to_ms),
    min_key = first and first.min_key, max_key = last and last.max_key,
  }
end

-- ---- keys in order ----------------------------------------------------------

-- A flush is beyond the others where all its keys are past those of the last
-- flush but one, and some past those of the last. One that comes back to the
-- first key of all begins anew.
function Record:compare(flush, before, last)
  local climbs = flush.min_key > last.min_key and flush.max_key > last.max_key
  self.steps = self.steps + 1
  self.climbs = self.climbs + (climbs and 1 or 0)
  if climbs and flush.min_key > (before or last).max_key then
    self.rises = self.rises + 1
  elseif flush.min_key <= self.first_key then
    self.returns = self.returns + 1
    self.returned_at = self.writes
  elseif before or not climbs then
    self.falls = self.falls + 1
  end
end

function Record:note_order(flush)
  local key = flush.min_key
  if not key then return end
  if self.last then self:compare(flush, self.before, self.last) end
  if not self.first_key or key < self.first_key then self.first_key = key end
  self.before, self.last = self.last, flush
end

--- Whether keys come at one end and are deleted at the other: both ends move
-- from nearly every flush to the next, and a good part of the writes deletes.
-- @treturn boolean
function Record:is_queue()
  return self.climbs > 0 and self.climbs >= 0.9 * self.steps
    and self.deletes > 0.2 * self.writes
end

--- Entries in the queue at the end: what came and did not go, and where that is
-- not all, those of the oldest run, to which little comes that is deleted.
-- @treturn number
function Record:length()
  local came = self.writes - 2 * self.deletes
  return math.max(1, came, self.is_late and self.oldest or 0)
end

--- Whether keys came in order: nearly all flushes lie beyond the others.
-- @treturn boolean
function Record:is_ordered()
  local returns = self.returns
  return self.rises > 2 * returns
    and self.falls <= returns + 0.1 * self.rises
end

--- Writes until keys in order begin anew; nil where they never did.
-- @treturn ?number
function Record:cycle()
  return self.returns > 0 and self.returned_at / self.returns or nil
end

-- ---- all of them ------------------------------------------------------------

function Record:add_flush(event)
  local flush = flush_of(event, self.now_ms)
  self.now_ms = flush.to_ms
  if flush.writes < 1 then return nil end
  if flush.distinct < 1 then -- its keys are too long for the event to name them
    self.missing, self.is_late = self.missing + 1, true
    self.curve.is_whole = false
    return nil
  end
  local gone = flush.gone * flush.writes
  for _, t in ipairs(event.outputs) do
    self.bounds = self.bounds + 2
    self.bound_bytes = self.bound_bytes + bytes_of(t.min_key)
      + bytes_of(t.max_key)
  end
  self:note_order(flush)
  self.flushes = self.flushes + 1
  self.writes = self.writes + flush.writes
  self.gone = self.gone + gone
  self.deletes = self.deletes + flush.deletes
  self.lasting = self.lasting + flush.lasting * flush.writes
  self.user_bytes = self.user_bytes + flush.user_bytes
  self.largest = math.max(self.largest, flush.user_bytes)
  self.expiring = self.expiring + flush.expiring
  self.lives = self.lives + flush.expiring * flush.ttl_ms
  self:note_time(flush.to_ms)
  self.curve:flush(event, flush.writes, flush.distinct)
  return flush
end

-- Writes that have not expired, where all of them do and the record is older
-- than they live.
function Record:alive(now_ms)
  local times = self.times
  if self.expiring == 0 or self.lasting > 0 or #times == 0 then return nil end
  local since = now_ms - self.lives / self.expiring
  if since <= times[1].ms then return nil end
  while #times > 2 and times[2].ms <= since do table.remove(times, 1) end
  return self.writes - times[1].writes
end

-- Flushes as far back as entries live; of many every second one is enough.
function Record:note_time(to_ms)
  local times = self.times
  times[#times + 1] = { ms = to_ms, writes = self.writes }
  if #times > TIMES then
    local kept = {}
    for i = 1, #times, 2 do kept[#kept + 1] = times[i] end
    self.times = kept
  end
end

-- An opening that finds what no flush has told of.
local function finds_more(event, flushes)
  return event.kind == "open" and (event.recovered.batches > 0
    or flushes == 0 and #event.tree > 0)
end

--- Takes the next event. Where numbers are missing, from 1 on, so are events.
-- @tparam table event
-- @treturn ?table what a flush had: writes, distinct, to_ms, gone and lasting
-- (shares of the writes that delete, and that never expire), user_bytes,
-- ttl_ms, min_key, max_key
function Record:add(event)
  self.missing = self.missing + event.number - self.number - 1
  if event.number ~= self.number + 1 or finds_more(event, self.flushes) then
    self.curve.is_whole, self.is_late = false, true
  end
  local oldest = event.tree[#event.tree]
  self.oldest = oldest and oldest.entries or 0
  self.number = event.number
  self.curve.alive = self:alive(event.time_ms)
  if event.code then return nil end
  if event.kind == "flush" then return self:add_flush(event) end
  if event.kind == "merge" then
    self.curve:merge(event, 1 - self.gone / math.max(1, self.writes),
      self.expiring > 0)
  elseif event.kind == "move" then
    self.curve:move(event)
  elseif event.kind == "drop" then
    self.curve:drop(event)
  elseif event.kind == "open" then
    self.now_ms = self.now_ms or event.time_ms
  end
end

--- What one write is like, over all of them.
-- @treturn table key_bytes, value_bytes, ttl_ms, delete_share
function Record:means()
  local key_bytes = self.bounds > 0 and self.bound_bytes / self.bounds or 1
  local gone = self:is_queue() and self.deletes or self.gone
  local share = gone / self.writes
  local value = share < 1
    and (self.user_bytes / self.writes - key_bytes) / (1 - share) or 0
  return {
    key_bytes = math.max(1, (key_bytes + 0.5) // 1 | 0),
    value_bytes = math.max(0, value + 0.5) // 1 | 0,
    ttl_ms = self.expiring > 0 and self.lives / self.expiring // 1 | 0 or 0,
    delete_share = share,
  }
end

--- @treturn table a record of nothing; flushes, writes, missing (events),
-- curve, largest (user bytes of a flush)
function M.new()
  return setmetatable({
    curve = curves.new(), number = 0, flushes = 0, writes = 0, missing = 0,
    gone = 0, deletes = 0, lasting = 0, user_bytes = 0, largest = 0,
    expiring = 0, lives = 0, bounds = 0, bound_bytes = 0,
    is_late = false, oldest = 0, times = {},
    steps = 0, climbs = 0, rises = 0, falls = 0, returns = 0,
  }, Record)
end

return M
