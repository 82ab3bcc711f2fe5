--- What a store may hold, and what it must, at every moment of its life.
--
-- The commits that were acknowledged make a *line* of states: state k is what
-- the first k of them left. Every commit knows at which operation of the
-- machine it was issued and acknowledged, and *marks* say up to which state the
-- device was promised to hold all by then. A commit that failed hangs on the
-- state it met: until something later settles it, it may turn up on that state
-- and on no other.
--
--     line    0 ---- 1 ---- 2 ---- 3 ---- 4      acknowledged
--                    ^ mark        |      |
--                                  + x    + y    failed: x is settled by 4
--
-- After a crash at operation i a store holds one of
--
-- - the states from *low*, the last one promised by then, to *high*, the last
--   one issued by then (P1, P2; a deletion among them never comes undone, P10);
-- - a failed commit that was not yet settled, on its state (P5).
-- @module grainstore.testing.oracle

local Model = require "grainstore.testing.model"
local compare = require "grainstore.testing.compare"

local Oracle = {}
Oracle.__index = Oracle

--- @tparam[opt] table options durability ("batch"); history (true): false for
-- an oracle that knows the present only
function Oracle.new(options)
  options = options or {}
  return setmetatable({
    durability = options.durability or "batch",
    keeps_history = options.history ~= false,
    model = Model.new(),
    line = { [0] = { seq = 0, issued = 0, acked = 0, changes = {} } },
    count = 0,
    failed = {},
    open_from = 1, -- the first failed commit that is not settled
    has_expiry = false, -- of any entry there ever was
    marks = { [0] = { ops = 0, at = 0 } },
  }, Oracle)
end

-- ---- what happens ----------------------------------------------------------

--- A commit is about to be asked for.
-- @tparam integer ops operations of the machine so far
-- @tparam table changes
-- @tparam[opt] string note
function Oracle:issue(ops, changes, note)
  self.pending = { issued = ops, changes = changes, note = note }
  for i = 2, #changes, 2 do
    if changes[i] and changes[i].expires_at_ms then
      self.has_expiry = true
    end
  end
end

local function settle_failed(self, ops)
  for i = self.open_from, #self.failed do
    self.failed[i].settled = ops
  end
  self.open_from = #self.failed + 1
end

local function append(self, commit, ops, seq)
  local last = self.line[self.count]
  commit.acked, commit.state = ops, nil
  -- A note alone takes no number: it stands behind the last one that did.
  commit.seq = #commit.changes > 0 and seq or math.floor(last.seq) + 0.5
  self.model:apply(commit.changes, commit.note)
  if self.keeps_history then
    self.count = self.count + 1
    self.line[self.count] = commit
  end
end

--- What was issued last was acknowledged.
-- @tparam integer ops
-- @tparam integer seq its last sequence number
-- @tparam[opt] boolean is_sync whether the device was asked for, which means
-- nothing to a store without a log
function Oracle:ack(ops, seq, is_sync)
  append(self, self.pending, ops, seq)
  settle_failed(self, ops)
  local durability = self.durability
  if durability == "sync" or is_sync and durability ~= "memory" then
    self:promise(ops)
  end
end

--- What was issued last failed: it may have happened all the same.
-- @tparam integer ops
function Oracle:fail(ops)
  local commit = self.pending
  commit.base = self.count
  commit.failed = ops
  self.failed[#self.failed + 1] = commit
end

local function mark(self, ops, at)
  local last = self.marks[#self.marks]
  if at > last.at then
    self.marks[#self.marks + 1] = { ops = ops, at = at }
  end
end

--- All that was acknowledged is promised to be on the device.
-- @tparam integer ops
function Oracle:promise(ops)
  mark(self, ops, self.count)
end

-- The last index from 0 to count whose row passes; the rows that do come first.
local function last_that(count, passes)
  local low, high = 0, count
  while low < high do
    local middle = (low + high + 1) // 2
    if passes(middle) then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

--- The store says what is on the device.
-- @tparam integer ops
-- @tparam integer seq
function Oracle:durable(ops, seq)
  if seq == self.durable_seq or not self.keeps_history then
    return
  end
  self.durable_seq = seq
  mark(self, ops, last_that(self.count, function(k)
    return self.line[k].seq <= seq
  end))
end

--- A store that was opened again was found in a state that `check` gave. It
-- stays in it (P4), and failed commits are settled.
-- @tparam integer ops
-- @tparam integer seq
-- @tparam table state
function Oracle:settle(ops, seq, state)
  if state.commit then
    append(self, state.commit, ops, seq)
  elseif state.index < self.count then
    self.count = state.index
    self.model = Model.new()
    for k = 1, self.count do
      self.model:apply(self.line[k].changes, self.line[k].note)
    end
  end
  settle_failed(self, ops)
  self:promise(ops)
end

-- ---- states ----------------------------------------------------------------

-- The place of a key in a sorted array, or where it would be.
local function place_of(keys, key)
  local low, high = 1, #keys + 1
  while low < high do
    local middle = (low + high) // 2
    if keys[middle] < key then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

local function change(state, key, entry)
  local keys, entries = state.keys, state.entries
  local at = place_of(keys, key)
  local is_there = keys[at] == key
  if entry and not is_there then
    table.insert(keys, at, key)
    table.insert(entries, at, entry)
  elseif entry then
    entries[at] = entry
  elseif is_there then
    table.remove(keys, at)
    table.remove(entries, at)
  end
end

local function state_after(state, commit)
  local next = {
    keys = table.move(state.keys, 1, #state.keys, 1, {}),
    entries = table.move(state.entries, 1, #state.entries, 1, {}),
    note = commit.note or state.note,
  }
  for i = 1, #commit.changes, 2 do
    change(next, commit.changes[i], commit.changes[i + 1])
  end
  return next
end

--- State k of the line.
function Oracle:state(k)
  local commit = self.line[k]
  if not commit.state then
    if k == 0 then
      commit.state = { keys = {}, entries = {} }
    else
      commit.state = state_after(self:state(k - 1), commit)
    end
    commit.state.index = k
    commit.state.seq = commit.seq
  end
  return commit.state
end

local function state_of_failed(self, commit)
  if not commit.state then
    commit.state = state_after(self:state(commit.base), commit)
    commit.state.index = commit.base
    commit.state.commit = commit
  end
  return commit.state
end

--- Live keys and values of a state at a time. The arrays belong to the state.
function Oracle.live(state, now_ms)
  if state.live_ms == now_ms then
    return state.live_keys, state.values
  end
  local keys, values, count = {}, {}, 0
  for i, key in ipairs(state.keys) do
    local entry = state.entries[i]
    local at_ms = entry.expires_at_ms
    if not at_ms or at_ms > now_ms then
      count = count + 1
      keys[count], values[count] = key, entry.value
    end
  end
  state.live_ms, state.live_keys, state.values = now_ms, keys, values
  return keys, values
end

--- The states in which a crash may leave the store.
-- @tparam table crash ops: operations done by then; keep: the model, "all"
-- where only the process died
-- @treturn table low, high: of the line; failed: commits that may have happened
function Oracle:allowed(crash)
  local ops = crash.ops
  local is_kept = crash.keep == "all" and self.durability ~= "memory"
  local high = last_that(self.count, function(k)
    return self.line[k].issued <= ops
  end)
  local low = self.marks[last_that(#self.marks, function(i)
    return self.marks[i].ops <= ops
  end)].at
  if is_kept then
    low = math.max(low, last_that(self.count, function(k)
      return self.line[k].acked <= ops
    end))
  end
  local failed = {}
  for _, commit in ipairs(self.failed) do
    local is_open = not commit.settled or ops < commit.settled
    if commit.issued <= ops and is_open and commit.base >= low then
      failed[#failed + 1] = commit
    end
  end
  return { low = math.min(low, self.count), high = high, failed = failed }
end

-- ---- looking ---------------------------------------------------------------

local keys_found, values_found = {}, {}

local function is_same(state, now_ms, count)
  local keys, values = Oracle.live(state, now_ms)
  if #keys ~= count then
    return false
  end
  for i = 1, count do
    if keys[i] ~= keys_found[i] or values[i] ~= values_found[i] then
      return false
    end
  end
  return true
end

-- Whether the store's entries, known to be those of the state, end when they
-- should. Raises where that cannot be read.
local function expires_alike(store, state, now_ms)
  for i, key in ipairs(state.keys) do
    local at_ms = state.entries[i].expires_at_ms or math.huge
    if at_ms > now_ms
        and compare.succeed("ttl", store:ttl(key)) ~= at_ms - now_ms then
      return false
    end
  end
  return true
end

-- States of the range that hold what was read, the likely one first.
local function find(self, allowed, count, look)
  local function fits(state)
    return (state.note or false) == look.note
      and is_same(state, look.now_ms, count)
      and (not self.has_expiry
        or expires_alike(look.store, state, look.now_ms))
      and state or nil
  end
  for k = allowed.high, allowed.low, -1 do
    local seq = self.line[k].seq
    local is_likely = seq == look.seq or seq == look.seq + 0.5
    local state = is_likely and fits(self:state(k))
    if state then
      return state
    end
  end
  for k = allowed.high, allowed.low, -1 do
    local state = fits(self:state(k))
    if state then
      return state
    end
  end
  for _, commit in ipairs(allowed.failed or {}) do
    local state = fits(state_of_failed(self, commit))
    if state then
      return state
    end
  end
end

local function describe(self, allowed, count, look)
  local range = ("allowed: %d to %d"):format(allowed.low, allowed.high)
  if #(allowed.failed or {}) > 0 then
    range = ("%s, and %d that failed"):format(range, #allowed.failed)
  end
  local everything = { low = 0, high = self.count, failed = self.failed }
  local state = find(self, everything, count, look)
  if state then
    return ("the store is in state %d%s (%s)"):format(state.index,
      state.commit and " with a commit that failed" or "", range)
  end
  local keys, values = Oracle.live(self:state(allowed.high), look.now_ms)
  local what = compare.lists("scan", keys, values, keys_found, values_found,
    count) or ("the note is %s, or an expiry differs"):format(
    compare.show(look.note))
  return ("the store is in a state that never was (%s); of state %d: %s")
    :format(range, allowed.high, what)
end

--- Looks at an open store. Raises an object with a code where a read fails.
-- @param store
-- @tparam table allowed low, high, failed; as `allowed` gives it
-- @tparam integer now_ms the store's clock
-- @tparam[opt] boolean is_quick one scan only
-- @treturn table the state, or nil and what is wrong
function Oracle:check(store, allowed, now_ms, is_quick)
  local count = compare.read(store, keys_found, values_found)
  local note = compare.succeed("meta", store:meta()) or false
  local look = {
    store = store, now_ms = now_ms, note = note, seq = store:seq(),
  }
  local state = find(self, allowed, count, look)
  if not state then
    return nil, describe(self, allowed, count, look)
  end
  if is_quick then
    return state
  end
  local keys, values = Oracle.live(state, now_ms)
  local wrong = compare.rest(store, keys, values, self.model:universe())
  if wrong then
    return nil, wrong
  end
  return state
end

--- What `check` takes so that only this state passes.
function Oracle.only(state)
  if state.commit then
    return { low = 1, high = 0, failed = { state.commit } }
  end
  return { low = state.index, high = state.index, failed = {} }
end

return Oracle
