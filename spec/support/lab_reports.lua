-- Reports such as the lab makes, for specs of what is made of them.

local report = require "grainstore.lab.report"

local M = {}

local SAMPLES = 200
local ENTRY_BYTES, MEMTABLE = 128, 64 << 20

-- A tree that fills up: level n holds at most `fanout` to the n memtables times
-- `runs`; what is beyond goes deeper. Sawteeth come from what is on its way.
local function levels_at(bytes, shape, i)
  local levels, level, room = {}, 0, MEMTABLE * shape.width
  while bytes > 0 do
    local part = math.min(bytes, room)
    if part < bytes then
      part = part * (3 + (i * (level + 3)) % 7) // 10
    end
    local runs = (level == 0 or shape.is_tiered)
      and 1 + (i + level) % shape.width or 1
    levels[#levels + 1] = {
      level = level, runs = runs, tables = math.max(runs, part // MEMTABLE),
      bytes = part,
    }
    bytes, room, level = bytes - part, room * shape.fanout, level + 1
  end
  return levels
end

local function sample_at(shape, i, writes)
  local user = writes * ENTRY_BYTES
  local live = math.min(user, shape.live_bytes)
  local disk = math.floor(live * (shape.space + (i % 9) / 60))
  local levels = levels_at(disk, shape, i)
  local runs, tables = 0, 0
  for _, level in ipairs(levels) do
    runs, tables = runs + level.runs, tables + level.tables
  end
  local grown = math.log(1 + user / MEMTABLE, 10)
  local merged = math.floor(user * grown * shape.write / 5)
  return {
    writes = writes, time_s = user / 100e6 * (1 + shape.stalled),
    user_bytes = user, flushed_bytes = user, merged_bytes = merged,
    read_bytes = merged + merged // 4, live_bytes = live, disk_bytes = disk,
    runs = runs, tables = tables, levels = levels,
    write_amp = (user + merged) / user, space_amp = disk / live,
    read_amp = 1 + (runs - 1) * 0.4, stalled_s = shape.stalled * user / 100e6,
    debt_bytes = (i * 37 % 11) * MEMTABLE * shape.width // 2,
    tombstones = writes // 20, expired = 0,
  }
end

local shapes = {
  ["leveled/1"] = { fanout = 10, width = 4, write = 5, space = 1.11,
    stalled = 0.1 },
  ["tiered/1"] = { fanout = 4, width = 4, write = 1.2, space = 1.9,
    stalled = 0, is_tiered = true },
  ["lazy_leveled/1"] = { fanout = 5, width = 4, write = 2.4, space = 1.2,
    stalled = 0.02 },
  ["universal/1"] = { fanout = 4, width = 8, write = 1.6, space = 1.6,
    stalled = 0.05, is_tiered = true },
}

--- Plain data of a run.
-- @tparam string policy leveled/1, tiered/1, lazy_leveled/1 or universal/1
-- @tparam ?table options writes, samples, live_bytes, name
function M.data(policy, options)
  local o = options or {}
  local shape = setmetatable({ live_bytes = o.live_bytes or 1 << 40 },
    { __index = shapes[policy] })
  local writes, count = o.writes or 20000000000, o.samples or SAMPLES
  local history = {}
  for i = 1, count do
    history[i] = sample_at(shape, i, writes * i // count)
  end
  local last = history[count]
    or { write_amp = 0, space_amp = 0, read_amp = 0, stalled_s = 0.0 }
  local stalled = last.stalled_s
  return {
    policy = o.name or policy, workload = "zipf", seed = 1,
    parameters = { keys = 8589934592, writes = writes, value_bytes = 112,
      skew = 0.99, device = "500 MB/s" },
    history = history,
    amp = { write = last.write_amp, space = last.space_amp,
      read = last.read_amp },
    stalls = {
      count = stalled > 0 and math.max(1, writes // 70000000) or 0,
      total_s = stalled, longest_s = stalled / 40,
      by_reason = stalled > 0
        and { memtable = stalled / 4, runs = 3 * stalled / 4 } or {},
    },
    decisions = math.max(1, writes // 500000), refused = 3,
    policy_s = 0.42, took_s = 11.5,
  }
end

--- The same with the methods of a report.
function M.new(policy, options)
  return report.new(M.data(policy, options))
end

--- One of each shipped shape.
function M.four(options)
  return {
    M.new("leveled/1", options), M.new("tiered/1", options),
    M.new("lazy_leveled/1", options), M.new("universal/1", options),
  }
end

return M
