--- What a store did and why, as text.
--
-- An event is a plain table: number (rises over all openings; gaps are events
-- that were lost), time_ms, kind, count (equal ones close to it are one),
-- took_us, longest_us, why, and where something went wrong code and message.
-- Of jobs: job, inputs (ids), outputs (tables; outputs_left_out: how many did
-- not fit), read_bytes, written_bytes, dropped = { covered, tombstones,
-- expired }, and the plan's op, into, above, bottom, level. Of a refused plan:
-- inputs, the tables concerned. Of an opening: recovered = { batches,
-- torn_bytes, bits }. tree is the tree when the event was noted: an array of
-- { id, level, tables, bytes, entries }, newest run first; runs is the same as
-- text.
-- @module grainstore.journal

local expect = require "grainstore.blame".expect

local M = {}

--- The kinds of events.
M.kinds = {
  "flush", "merge", "move", "drop", "stall", "refused", "policy_error",
  "open", "close", "resume",
}

local function is_event(value)
  return type(value) == "table" and type(value.kind) == "string"
    and math.type(value.count) == "integer" and type(value.tree) == "table"
end

local UNITS = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" }

--- A number of bytes for people: "512 B", "1.5 MiB".
-- @tparam number bytes
-- @treturn string
function M.size(bytes)
  expect(type(bytes) == "number", 1, "size", "a number", bytes)
  local unit = 1
  while bytes >= 1024 and unit < #UNITS do
    bytes, unit = bytes / 1024, unit + 1
  end
  return (unit == 1 and "%.0f %s" or "%.1f %s"):format(bytes, UNITS[unit])
end

--- Microseconds for people: "40 us", "1.5 ms", "2.0 s".
-- @tparam number us
-- @treturn string
function M.duration(us)
  expect(type(us) == "number", 1, "duration", "a number", us)
  if us < 1000 then return ("%.0f us"):format(us) end
  if us < 1000000 then return ("%.1f ms"):format(us / 1000) end
  return ("%.1f s"):format(us / 1000000)
end

local function several(count, word)
  return count == 1 and "1 " .. word or ("%d %ss"):format(count, word)
end

local function runs_text(tree)
  local lines = {}
  for i, run in ipairs(tree) do
    lines[i] = ("run %d L%d: %s, %s, %d entries"):format(run.id, run.level,
      several(run.tables, "table"), M.size(run.bytes), run.entries)
  end
  return table.concat(lines, "\n")
end

local function expect_events(name, events)
  if type(events) ~= "table" then
    error(("bad argument #1 to '%s' (an array of events expected, got %s)")
      :format(name, type(events)), 3)
  end
  for i, event in ipairs(events) do
    if not is_event(event) then
      error(("bad argument #1 to '%s' (element %d is no event of a journal)")
        :format(name, i), 3)
    end
  end
end

--- Adds the trees as text.
-- @tparam table events
-- @treturn table the same array
function M.new(events)
  expect_events("new", events)
  for _, event in ipairs(events) do
    event.runs = runs_text(event.tree)
  end
  return events
end

local function target_text(event)
  return event.into and " into run " .. event.into
    or event.above and " above run " .. event.above
    or event.bottom and " to the bottom" or ""
end

local function dropped_text(dropped)
  local parts = {}
  for _, reason in ipairs { "covered", "tombstones", "expired" } do
    if (dropped[reason] or 0) > 0 then
      parts[#parts + 1] = ("%d %s"):format(dropped[reason], reason)
    end
  end
  return #parts > 0 and "; left out " .. table.concat(parts, ", ") or ""
end

local function outputs_of(event)
  return #event.outputs + (event.outputs_left_out or 0)
end

-- What is told of an event of each kind, and its type.
local TOLD = {
  flush = {
    { "read_bytes", "number" }, { "written_bytes", "number" },
    { "outputs", "table" }, { "dropped", "table" },
  },
  merge = {
    { "inputs", "table" }, { "outputs", "table" }, { "dropped", "table" },
    { "read_bytes", "number" }, { "written_bytes", "number" },
  },
  move = { { "inputs", "table" } },
  drop = { { "inputs", "table" } },
  stall = { { "took_us", "number" }, { "longest_us", "number" } },
  open = { { "recovered", "table" } },
}

-- Blames the caller of its caller for an event that nothing can be told of.
local function expect_told(name, event)
  for _, field in ipairs(TOLD[event.kind] or {}) do
    local value = event[field[1]]
    if type(value) ~= field[2] then
      error(("bad argument #1 to '%s' (an event of kind '%s' has '%s', a %s; "
        .. "got %s)"):format(name, event.kind, field[1], field[2], type(value)),
        3)
    end
  end
end

local tellers = {}

function tellers.flush(event)
  return ("%s of memory became %s, %s%s"):format(M.size(event.read_bytes),
    several(outputs_of(event), "table"), M.size(event.written_bytes),
    dropped_text(event.dropped))
end

function tellers.merge(event)
  return ("%s%s became %s; read %s, wrote %s%s"):format(
    several(#event.inputs, "table"), target_text(event),
    several(outputs_of(event), "table"), M.size(event.read_bytes),
    M.size(event.written_bytes), dropped_text(event.dropped))
end

function tellers.move(event)
  return several(#event.inputs, "table") .. target_text(event)
end

function tellers.drop(event)
  return several(#event.inputs, "table") .. " went"
end

function tellers.stall(event)
  return ("%s waited %s, %s at most"):format(several(event.count, "writer"),
    M.duration(event.took_us), M.duration(event.longest_us))
end

function tellers.refused(event)
  return "a " .. (event.op or "plan")
end

function tellers.open(event)
  local recovered = event.recovered
  local text = several(#event.tree, "run")
  local batches, bits = recovered.batches or 0, recovered.bits or 0
  local torn_bytes = recovered.torn_bytes or 0
  if batches > 0 then
    text = text .. ", " .. several(batches, "write") .. " of the log"
  end
  if torn_bytes > 0 then
    text = text .. (", a torn end of %d bytes"):format(torn_bytes)
  end
  if bits > 0 then
    text = text .. ", " .. several(bits, "wrong bit")
  end
  return text
end

--- One event in one line, without number and time.
-- @tparam table event
-- @treturn string
function M.describe(event)
  expect(is_event(event), 1, "describe", "an event of a journal", event)
  local is_job = event.written_bytes ~= nil
  local text = event.kind
  local tell = tellers[event.kind]
  if tell and not (is_job and event.code) then
    expect_told("describe", event)
    text = text .. ": " .. tell(event)
  end
  if event.code then
    text = ("%s: %s (%s)"):format(text, event.message or "failed", event.code)
  end
  if event.count > 1 and event.kind ~= "stall" then
    text = ("%s, %d times"):format(text, event.count)
  end
  return event.why and ("%s; why: %s"):format(text, event.why) or text
end

local function holds(t, key)
  return t.min_key <= key and key <= t.max_key
end

--- Which events touched tables that can hold a key: those that made one, and
-- those that took one in that an event of the list made.
-- @tparam table events oldest first
-- @tparam string|integer key
-- @treturn table array of events
function M.touching(events, key)
  expect_events("touching", events)
  if math.type(key) == "float" then key = math.tointeger(key) or key end
  expect(type(key) == "string" or math.type(key) == "integer", 2, "touching",
    "a key", key)
  local found, ids = {}, {}
  for _, event in ipairs(events) do
    local touches = false
    for _, id in ipairs(event.inputs or {}) do
      touches = touches or ids[id] == true
    end
    for _, t in ipairs(event.outputs or {}) do
      expect(type(t.min_key) == type(key), 2, "touching",
        "a key of the store's kind", key)
      if holds(t, key) then
        ids[t.id], touches = true, true
      end
    end
    if touches then
      found[#found + 1] = event
    end
  end
  return found
end

return M
