--- A virtual tree that follows a store: it begins with the store's tree, and
-- each flush of the store is a flush of it. What is done to it in between is
-- another policy's affair.
--
-- Jobs take the time that the store's own took on average, byte by byte; of a
-- store without threads, which does its work inside calls, none.
--
-- A flush tells how much it holds, not which keys; those are fitted to what the
-- store's flushes and merges have told so far (see curve and recorded), anew
-- whenever their number has grown by an eighth. Before the first few flushes
-- nothing can be said of keys: until then they wait.
-- @module grainstore.lab.mirror

local records = require "grainstore.lab.record"
local recorded = require "grainstore.lab.recorded"
local rulers = require "grainstore.lab.ruler"
local tree = require "grainstore.tree"
local virtual = require "grainstore.lab.virtual"

local M = {}

local Mirror = {}
Mirror.__index = Mirror

local ENOUGH = 3       -- flushes, to tell keys in order from others
local ENDLESS = 2 ^ 43 -- keys in order that a store may ever write
local WRITES = 1e15
local GROWTH = 1.125   -- of the flushes until the next fit
local MEASURED_US = 1000 -- of work that tell a speed
local PACKED = 0.9     -- of what plain tables take
local ROW = 20         -- bytes of a table for each entry beside key and value
local BACKLOG = 64     -- flushes that may wait for decisions
local DENSE = 16       -- entries of a table that say how close keys lie

-- ---- the tree it begins with ------------------------------------------------

local facts = {
  "bytes", "entries", "tombstones", "expiring", "min_seq", "max_seq",
  "created_ms", "min_expiry_ms", "max_expiry_ms", "oldest_tombstone_ms",
  "min_key", "max_key", "id",
}

-- Plain tables with what is needed of a tree's, newest run first.
local function copy_tables(shape)
  local copied = {}
  for r, run in ipairs(shape.runs) do
    for _, t in ipairs(run.tables) do
      local copy = { run = r - 1, level = run.level }
      for _, name in ipairs(facts) do copy[name] = t[name] end
      copied[#copied + 1] = copy
    end
  end
  return copied
end

local function by_key(a, b) return a.min_key < b.min_key end

-- Tables in an order in which a ruler may learn from them: where keys are in
-- order all, else those of the run with the most entries.
local function to_learn(tables, is_ordered)
  local runs, largest = {}, {}
  if is_ordered then
    local all = table.move(tables, 1, #tables, 1, {})
    table.sort(all, by_key)
    return all
  end
  for _, t in ipairs(tables) do
    local run = runs[t.run] or { entries = 0 }
    runs[t.run] = run
    run[#run + 1], run.entries = t, run.entries + t.entries
    if run.entries > (largest.entries or 0) then largest = run end
  end
  return largest
end

-- Gives each table its part of the keys.
local function place(tables, ruler)
  for _, t in ipairs(tables) do ruler:learn { t } end -- stretches it
  for _, t in ipairs(tables) do t.lo, t.hi = ruler:span(t) end
end

-- The oldest run has lost what was deleted.
local function set_kept(tables, delete_share)
  local oldest = #tables > 0 and tables[#tables].run
  for _, t in ipairs(tables) do
    local is_clean = t.run == oldest and t.tombstones == 0
    t.kept = is_clean and math.max(0.01, 1 - delete_share) or 1
  end
end

-- ---- beginning --------------------------------------------------------------

local function settings_of(self, fit, means)
  local is_endless = fit.kind == "sequence" and not self.record:cycle()
  local s = self.settings
  return {
    kind = fit.kind, keys = is_endless and ENDLESS or fit.keys,
    classes = fit.classes, writes = WRITES,
    key_bytes = means.key_bytes, value_bytes = means.value_bytes,
    ttl_ms = means.ttl_ms, is_fed = true, asks_at_once = true, has_log = false,
    memtable_bytes = math.max(s.memtable_bytes,
      2 * (means.key_bytes + means.value_bytes) + 4096),
    table_bytes = s.table_bytes, block_bytes = s.block_bytes,
    workers = math.max(1, s.threads), read_bytes_per_s = self:speed(),
    write_bytes_per_s = self:speed(),
    may_lose = s.lossy, start_ms = self.began_ms, seed = 1,
  }
end

-- A queue's tables have all keys of their part at one end of it or both: those
-- that have the most for their width have all.
local function queue_span(tables, least)
  local most = least
  for _, t in ipairs(tables) do
    if t.entries >= DENSE then
      most = math.max(most, (t.entries - t.tombstones) / (t.hi - t.lo))
    end
  end
  return most
end

-- Of keys in order, how many the tree spans.
local function span_of(self, fit)
  local entries = 0
  for _, t in ipairs(self.tables) do entries = entries + t.entries end
  return self.record:cycle()
    or fit.kind == "queue" and queue_span(self.tables, fit.keys) or entries
end

-- A virtual tree that begins with self.tables.
function Mirror:begin(fit)
  local means = self:means()
  local is_ordered = fit.kind ~= "random"
  local ruler = is_ordered and rulers.new() or self.record.curve.ruler
  if fit.kind == "sequence" or fit.kind == "random" and #ruler.knots < 2 then
    ruler:learn(to_learn(self.tables, is_ordered))
  end
  place(self.tables, ruler)
  set_kept(self.tables, is_ordered and 0 or means.delete_share)
  self.virtual = virtual.new(settings_of(self, fit, means), self.policy)
  self.fit, self.fitted = fit, self.record.flushes
  self.virtual:plant(span_of(self, fit), self.tables)
  self.writes, self.tables = self.virtual:look().writes, nil
end

-- What a virtual tree has done, beside those before it.
local of_look = {
  "flushed_bytes", "merged_bytes", "read_bytes", "merges", "moves", "drops",
  "refused", "lapsed",
}
local of_virtual = { "decisions", "policy_errors", "policy_s" }

--- Sums over all that was done to the virtual tree.
-- @treturn table
function Mirror:sums()
  local sums, look = {}, self.virtual:look()
  for _, name in ipairs(of_look) do
    sums[name] = (self.before[name] or 0) + look[name]
  end
  for _, name in ipairs(of_virtual) do
    sums[name] = (self.before[name] or 0) + self.virtual[name]
  end
  return sums
end

-- Keys turn out to come in another order than it seemed: another virtual tree
-- goes on from this one.
function Mirror:begin_again(fit)
  local old, shape = self.virtual, self:tree()
  self.tables, self.began_ms = copy_tables(shape), shape.now_ms
  tree.close(shape)
  self.before = self:sums()
  self:begin(fit)
  self.virtual:inherit(old)
  old:close()
end

-- ---- following --------------------------------------------------------------

function Mirror:refit()
  local fit = recorded.fit(self.record)
  if fit.kind ~= self.fit.kind then return self:begin_again(fit) end
  self.fit, self.fitted = fit, self.record.flushes
  self.virtual:adapt(fit.classes, self:means(), self:speed())
end

-- What one write is like; where the store's tables are packed, with as much
-- less of a value as makes its tables as small as they are.
function Mirror:means()
  local means = self.record:means()
  local left = self.table_bytes / math.max(1, self.plain_bytes)
  if left < PACKED then
    local around = means.key_bytes + ROW
    local entry = around + means.value_bytes
    means.value_bytes = math.max(0, entry * left - around) // 1 | 0
  end
  return means
end

function Mirror:weigh(event)
  for _, t in ipairs(event.outputs or {}) do
    self.table_bytes = self.table_bytes + t.bytes
    self.plain_bytes = self.plain_bytes + t.data_bytes + ROW * t.entries
  end
end

-- Bytes a second that the store's jobs read and wrote.
function Mirror:speed()
  local is_known = self.settings.threads > 0 and self.job_us >= MEASURED_US
  return is_known and self.job_bytes * 1e6 / self.job_us or 0
end

function Mirror:time(event)
  if event.code or not event.written_bytes then return end
  local read = event.kind == "merge" and event.read_bytes or 0
  self.job_us = self.job_us + event.took_us
  self.job_bytes = self.job_bytes + read + event.written_bytes
end

function Mirror:replay(flush)
  if self.record.flushes > self.fitted * GROWTH then self:refit() end
  self.writes = self.writes + flush.writes
  self.virtual:feed(flush)
  self.is_there = false
end

local counted = { merge = "merges", move = "moves", drop = "drops" }

-- What the store itself did.
function Mirror:count(event)
  local real = self.real
  if event.kind == "flush" then
    real.flushes = real.flushes + 1
    real.user_bytes = real.user_bytes + event.read_bytes
    real.flushed_bytes = real.flushed_bytes + event.written_bytes
  elseif counted[event.kind] then
    local name = counted[event.kind]
    real[name] = real[name] + 1
    real.merged_bytes = real.merged_bytes + event.written_bytes
    real.read_bytes = real.read_bytes + event.read_bytes
  end
end

-- A flush that was in the tree already when it was taken.
function Mirror:is_in_tree(event)
  for _, t in ipairs(event.outputs) do
    if self.ids[t.id] then return true end
  end
  return false
end

--- Takes the next event of the store's journal.
-- @tparam table event
function Mirror:add(event)
  local flush = self.record:add(event)
  if event.code or event.kind == "flush" and self:is_in_tree(event) then
    return
  end
  self:count(event)
  self:time(event)
  self:weigh(event)
  if not flush or self.problem then return end
  self.waiting[#self.waiting + 1] = flush
end

-- Replays what waits, flush by flush. Until enough is known all wait.
local function go_on(self, most)
  if not self.virtual then
    if self.record.flushes < ENOUGH or #self.waiting == 0 then return false end
    self:begin(recorded.fit(self.record))
  end
  while true do
    if not self.is_there then
      local before = self.virtual.decisions
      self.is_there = self.virtual:run(self.writes, most)
      if not self.is_there then return true end
      most = most - (self.virtual.decisions - before)
    end
    if #self.waiting == 0 then return false end
    self:replay(table.remove(self.waiting, 1))
  end
end

--- Lets the virtual tree follow what was added. What it or its policy make
-- impossible ends the mirror, and is told as `problem`.
-- @tparam ?integer most decisions now; no bound where too many flushes wait
-- @treturn boolean whether more is to be done
function Mirror:work(most)
  if self.problem then return false end
  if not most or #self.waiting > BACKLOG then most = math.huge end
  local ok, more = pcall(go_on, self, most)
  if not ok then self.problem = tostring(more) end
  return ok and more
end

--- The virtual tree of now, as `store:tree()` gives one; nil while flushes
-- wait.
-- @treturn ?table
function Mirror:tree()
  if not self.virtual then return nil end
  return tree.new(assert(self.virtual:_shape()))
end

function Mirror:close()
  if self.virtual then self.virtual:close() end
  self.virtual, self.waiting = nil, {}
end

--- @tparam table options policy; history, events of the store up to now; tree,
-- the store's tree of now; settings, the store's memtable_bytes, table_bytes,
-- block_bytes, threads and lossy
-- @treturn table a mirror: real (sums of what the store did), record, virtual
-- (nil while flushes wait), fit, problem (why it follows no longer)
function M.new(options)
  local record, ids = records.new(), {}
  local tables = copy_tables(options.tree)
  for _, t in ipairs(tables) do ids[t.id] = true end
  local mirror = setmetatable({
    policy = options.policy, settings = options.settings, record = record,
    tables = tables, ids = ids, began_ms = options.tree.now_ms, waiting = {},
    is_there = true, before = {}, job_us = 0, job_bytes = 0,
    table_bytes = 0, plain_bytes = 0,
    real = {
      flushes = 0, user_bytes = 0, flushed_bytes = 0, merged_bytes = 0,
      read_bytes = 0, merges = 0, moves = 0, drops = 0,
    },
  }, Mirror)
  for _, event in ipairs(options.history) do
    record:add(event)
    mirror:time(event)
    mirror:weigh(event)
  end
  record.missing = 0
  return mirror
end

return M
