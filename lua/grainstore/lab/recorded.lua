--- A workload that is what a real store was given, from its journal.
--
--     lab.run { policy = "tiered", workload = lab.recorded {
--       journal = "state" } }
--
-- Each flush of the record is a flush of the lab: with as many writes and keys,
-- at its time, with its shares of deletes and of what never expires. Where the
-- record does not go back to the store's beginning, the lab begins with the
-- tree that its first event tells of (see seedling). Sizes and
-- the time to live are means over the record. Which keys were written is fitted
-- (see curve); where they came in order, they do so in the lab.
-- @module grainstore.lab.recorded

local core = require "grainstore.core"
local records = require "grainstore.lab.record"
local seedling = require "grainstore.lab.seedling"

local M = {}

local known = { journal = true, events = true, env = true }

local JOBS <const> = { flush = true, merge = true, move = true, drop = true }

-- Whether it has what a record reads.
local function is_event(event)
  return type(event) == "table" and type(event.kind) == "string"
    and type(event.number) == "number" and type(event.time_ms) == "number"
    and type(event.tree) == "table"
    and (not JOBS[event.kind] or event.code ~= nil
      or type(event.inputs) == "table" and type(event.outputs) == "table"
      and type(event.dropped) == "table")
end

local function check_options(options)
  if type(options) ~= "table" then
    error("lab.recorded takes a table of options, got a " .. type(options), 3)
  end
  for name in pairs(options) do
    if not known[name] then
      error(("lab.recorded has no option '%s'; there are env, events, journal")
        :format(tostring(name)), 3)
    end
  end
  if (options.journal == nil) == (options.events == nil) then
    error("lab.recorded takes either journal = a store's directory or events = "
      .. "an array, as store:journal() gives it", 3)
  end
  if options.events ~= nil and type(options.events) ~= "table" then
    error("option 'events' of lab.recorded takes an array of events, got a "
      .. type(options.events), 3)
  end
  for i, event in ipairs(options.events or {}) do
    if not is_event(event) then
      error(("option 'events' of lab.recorded: element %d is no event of a "
        .. "journal"):format(i), 3)
    end
  end
end

--- What a record makes of keys: the workload's kind, and what is fitted.
-- @tparam table record of one flush at least
-- @treturn table kind, keys, and where keys are random classes, fit_points,
-- fit_off (how far what was counted is from the fit, as a share) and fit_reach
-- (the most writes that were counted)
function M.fit(record)
  if record:is_queue() then
    return { kind = "queue", keys = record:length() }
  end
  if record:is_ordered() then
    return {
      kind = "sequence",
      keys = math.max(1, record:cycle() or record.writes),
    }
  end
  local points = record.curve:points()
  local classes, off = core.fit(points)
  local keys = 0
  for _, class in ipairs(classes) do keys = keys + class.keys end
  return {
    kind = "random", keys = math.max(1, keys), classes = classes,
    fit_points = #points, fit_off = off, fit_reach = record.curve.reach,
  }
end

-- Where nothing tells when the first memtable was begun, it was filled as fast
-- as all.
local function start_of(record, flushes, opened_ms)
  local first, last = flushes[1], flushes[#flushes]
  if opened_ms and opened_ms <= first.to_ms then return opened_ms end
  local span = last.to_ms - first.to_ms
  local rest = record.writes - first.writes
  return first.to_ms - (rest > 0 and span * first.writes / rest or 0)
end

local function events_of(options)
  if options.events then return options.events end
  return require "grainstore".journal(options.journal, { env = options.env })
end

-- What the first event left is what the lab begins with: a flush that it was is
-- in that tree.
local function gather(events)
  local record, flushes, opened_ms = records.new(), {}, nil
  local begins_with = events[1] and events[1].tree or {}
  for i, event in ipairs(events) do
    local flush = record:add(event)
    if i > 1 or #begins_with == 0 then flushes[#flushes + 1] = flush end
    if event.kind == "open" and #flushes == 0 then
      opened_ms = event.time_ms
    end
  end
  return record, flushes, opened_ms
end

-- Writes before a flush, by its sequence numbers.
local function seq_before(events)
  for _, event in ipairs(events) do
    local first = event.kind == "flush" and event.outputs
      and event.outputs[1]
    if first then return first.min_seq - 1 end
  end
  return 0
end

-- The tree at the record's beginning; not of a queue, whose runs hold keys of
-- both ends, which no event tells apart.
local function set_tree(made, record, events)
  local tree = events[1].tree
  if #tree == 0 or made.kind == "queue" then return end
  local values = math.max(1, record.writes - record.gone)
  local entries
  made.tree, entries = seedling.new(tree, {
    kind = made.kind, delete_share = made.delete_share, ttl_ms = made.ttl_ms,
    expiring_share = made.ttl_ms > 0
      and math.max(0, 1 - record.lasting / values) or 0,
  }, made.start_ms, seq_before(events))
  made.tree_keys = record:cycle() or entries
  if made.kind == "sequence" and not record:cycle() then
    made.keys = made.keys + entries
  end
end

--- @tparam table options journal, the directory of a store (with env, that of a
-- simulated machine), or events, as `store:journal()` gives them
-- @treturn table a workload
-- @return nil, message, code, detail where the journal cannot be read, or tells
-- of no flush ("missing")
function M.new(options)
  check_options(options)
  local events, message, code, detail = events_of(options)
  if not events then return nil, message, code, detail end
  local record, flushes, opened_ms = gather(events)
  if #flushes == 0 then
    return nil, ("the journal tells of no flush among %d events: there is "
      .. "nothing to replay"):format(#events), "missing", {}
  end
  local made = M.fit(record)
  for name, value in pairs(record:means()) do made[name] = value end
  made.name, made.writes, made.flushes = "recorded", 0, #flushes
  for _, flush in ipairs(flushes) do
    made.writes = made.writes + flush.writes
  end
  made.missing_events = record.missing
  made.start_ms = math.max(0, start_of(record, flushes, opened_ms)) // 1
  made.memtable_bytes = 2 * (record.largest
    + made.key_bytes + made.value_bytes) + 4096
  made.record = flushes
  set_tree(made, record, events)
  return made
end

return M
