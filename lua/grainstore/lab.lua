--- The lab: a policy tried on terabytes in seconds.
--
-- A run has a workload, a policy and a machine, but no bytes: tables have true
-- metadata, and what they hold are expected values. Plans pass the engine's own
-- check, and the policy is the same file as in a store.
--
--     local lab = require "grainstore.lab"
--     local report = lab.run { policy = "tiered",
--       workload = lab.zipf { keys = 1e9, writes = 1e10 }, seed = 1 }
--     print(report)
--
-- @module grainstore.lab

local compare = require "grainstore.lab.compare"
local driver = require "grainstore.driver"
local check = require "grainstore.lab.options"
local recorded = require "grainstore.lab.recorded"
local reports = require "grainstore.lab.report"
local virtual = require "grainstore.lab.virtual"
local workload = require "grainstore.lab.workload"

local M = {}

for _, name in ipairs(workload.names) do M[name] = workload[name] end

M.recorded = recorded.new

local MIB = 1 << 20
local START_MS = 1700000000000

local DEFAULTS = {
  seed = 1, memtable_bytes = 32 * MIB, table_bytes = 64 * MIB,
  block_bytes = 4096, max_stall_ms = 1000, workers = 1, disk_bytes = 0,
  read_bytes_per_s = 1000 * MIB, write_bytes_per_s = 500 * MIB,
  start_ms = START_MS, samples = 200, ratio = 1,
}

local SWITCHES = {
  log = true, lossy = false, threaded = false, instant = false,
}

-- What the core would round, or take for an option that was not given.
local LEAST = {
  seed = 0, memtable_bytes = 1, table_bytes = 1, block_bytes = 1,
  max_stall_ms = 1, workers = 1, samples = 1,
}

local IS_WHOLE = { seed = true, workers = true, samples = true }

local function check_range(o, level)
  for name, least in pairs(LEAST) do
    if o[name] < least or IS_WHOLE[name] and o[name] % 1 ~= 0 then
      error(("option '%s' of the lab takes %s from %d, got %s"):format(name,
        IS_WHOLE[name] and "an integer" or "a number", least, o[name]),
        level + 1)
    end
  end
  if o.ratio == 0 then
    error("option 'ratio' of the lab takes a number above 0, got 0", level + 1)
  end
end

local function split(options, level)
  local numbers, switches = {}, {}
  for name, default in pairs(SWITCHES) do switches[name] = default end
  for name, value in pairs(options) do
    if SWITCHES[name] ~= nil then
      if type(value) ~= "boolean" then
        error(("option '%s' of the lab takes a boolean, got %s"):format(name,
          tostring(value)), level + 1)
      end
      switches[name] = value
    elseif name ~= "policy" and name ~= "workload" then
      numbers[name] = value
    end
  end
  local o = check("the lab", numbers, DEFAULTS, level + 2)
  check_range(o, level + 1)
  if switches.instant then o.read_bytes_per_s, o.write_bytes_per_s = 0, 0 end
  return o, switches
end

local function check_workload(w, level)
  local wrong = workload.problem(w)
  if wrong then
    error("option 'workload'" .. wrong, level + 1)
  end
  return w
end

-- What the core is told.
local function settings(w, o, switches)
  local all = {}
  for name, value in pairs(w) do all[name] = value end
  for name, value in pairs(o) do all[name] = value end
  all.has_log, all.may_lose = switches.log, switches.lossy
  all.asks_at_once, all.is_fed = switches.threaded, w.record ~= nil
  all.writes = w.writes + 2 * (w.tree_keys or 0) -- keys in order go on behind
  return all
end

local function ratio(above, below)
  return below > 0 and above / below or 0
end

-- A look at the virtual store as a sample of a report.
local function sample_of(look)
  return {
    writes = look.writes, time_s = look.time_s, user_bytes = look.user_bytes,
    flushed_bytes = look.flushed_bytes, merged_bytes = look.merged_bytes,
    read_bytes = look.read_bytes, live_bytes = look.live_bytes,
    disk_bytes = look.disk_bytes, runs = look.runs, tables = look.tables,
    levels = look.levels, debt_bytes = look.debt_bytes,
    tombstones = look.tombstones, expired = look.expired,
    write_amp = ratio(look.flushed_bytes + look.merged_bytes,
      look.flushed_data),
    space_amp = ratio(look.disk_bytes, look.live_bytes),
    read_amp = look.read_amp,
    stalled_s = look.flush_stalled_s + look.run_stalled_s,
  }
end

-- Means over the later half of a run, when what was there at first is gone.
local function later_mean(history, name)
  local sum, count = 0, 0
  for i = #history // 2 + 1, #history do
    sum, count = sum + history[i][name], count + 1
  end
  return ratio(sum, count)
end

local function stalls_of(look)
  local by_reason = {}
  if look.flush_stalled_s > 0 then by_reason.flush = look.flush_stalled_s end
  if look.run_stalled_s > 0 then by_reason.runs = look.run_stalled_s end
  return {
    count = look.flush_stalls + look.run_stalls,
    total_s = look.flush_stalled_s + look.run_stalled_s,
    longest_s = look.longest_stall_s, by_reason = by_reason,
  }
end

-- Of a workload what is no list.
local function parameters_of(w, o, switches)
  local all = {}
  for name, value in pairs(w) do
    if type(value) ~= "table" then all[name] = value end
  end
  for name, value in pairs(o) do all[name] = value end
  for name, value in pairs(switches) do all[name] = value end
  all.name, all.kind, all.seed = nil, nil, nil
  return all
end

-- What a record says of the machine is not another's to choose.
local function check_recorded(w, options, level)
  for _, name in ipairs { "memtable_bytes", "start_ms" } do
    if w.record and options[name] ~= nil then
      error(("option '%s' of the lab is the record's: its flushes are "
        .. "replayed as they were"):format(name), level + 1)
    end
  end
end

-- Runs the writes, and looks at about so many moments.
local function play(v, w, samples)
  local history = {}
  for i = 1, math.max(1, samples // 1) do
    v:run(w.writes * i / samples)
    history[i] = sample_of(v:look())
  end
  return history
end

-- The same flush by flush.
local function replay(v, w, samples)
  if w.tree then v:plant(w.tree_keys, w.tree) end
  local history, writes, count = {}, v:look().writes, #w.record
  for i, flush in ipairs(w.record) do
    writes = writes + flush.writes
    v:feed(flush)
    v:run(writes)
    if i * samples // count > (i - 1) * samples // count or i == count then
      history[#history + 1] = sample_of(v:look())
    end
  end
  return history
end

-- The caller to blame is so many levels up, as for error.
local function run(options, level)
  local w = check_workload(options.workload, level)
  local policy = driver.resolve(options.policy, level + 1)
  local o, switches = split(options, level)
  check_recorded(w, options, level)
  if policy.loses and not switches.lossy then
    error(("policy '%s' drops what is live: give lossy = true"):format(
      tostring(policy.name)), level)
  end
  if w.record then
    o.memtable_bytes, o.start_ms = w.memtable_bytes, w.start_ms
  end
  local began = os.clock()
  local v <close> = virtual.new(settings(w, o, switches), policy, level + 1)
  local history = (w.record and replay or play)(v, w, o.samples)
  local look = v:look()
  return reports.new {
    policy = policy.name or "unnamed", workload = w.name, seed = o.seed,
    parameters = parameters_of(w, o, switches), history = history,
    amp = {
      write = history[#history].write_amp,
      space = later_mean(history, "space_amp"),
      read = later_mean(history, "read_amp"),
    },
    stalls = stalls_of(look), decisions = v.decisions, refused = look.refused,
    policy_errors = v.policy_errors, policy_error = v.policy_error,
    policy_aside = v.is_aside or false,
    jobs = {
      flushes = look.flushes, merges = look.merges, moves = look.moves,
      drops = look.drops, lapsed = look.lapsed,
    },
    policy_s = v.policy_s, took_s = os.clock() - began,
  }
end

--- Runs a policy through a workload.
-- @tparam table options policy (a name or a table, as in a store), workload
-- (memtables and times of a recorded one are the record's), and any of: seed;
-- memtable_bytes, table_bytes, block_bytes, max_stall_ms, lossy; ratio (what is
-- left of blocks on levels for which layout names a compression, whichever it
-- is); workers, read_bytes_per_s, write_bytes_per_s, disk_bytes, log (writes go
-- through the device first); instant (the device has no bounds, and jobs take
-- no time); threaded (decisions do not wait for the writer); start_ms; samples
-- @treturn table a report
function M.run(options)
  if type(options) ~= "table" then
    error("lab.run takes a table of options, got a " .. type(options), 2)
  end
  local report = run(options, 3)
  return report
end

-- Blames the caller of its caller.
local function check_list(list)
  if type(list) ~= "table" then
    error("lab.compare takes an array of reports or of options, got a "
      .. type(list), 3)
  end
  if list[1] == nil then
    error("lab.compare takes at least one report", 3)
  end
  for i, one in ipairs(list) do
    if type(one) ~= "table" then
      error(("lab.compare: element %d is a %s, neither a report nor a table of "
        .. "options"):format(i, type(one)), 3)
    end
  end
end

--- Several policies or runs side by side.
-- @tparam table list of reports, or of options of `run`
-- @treturn table a comparison with text, svg and html
function M.compare(list)
  check_list(list)
  local all = {}
  for i, one in ipairs(list) do
    all[i] = reports.is_report(one) and one or run(one, 3)
  end
  return compare.new(all)
end

return M
