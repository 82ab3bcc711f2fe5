--- Counters of a store: nested tables of numbers that print as a table.
-- @module grainstore.stats

local M = {}

local Stats = {}
Stats.__index = Stats
Stats.__name = "grainstore.stats"

-- What counts up, group by group; the rest is the state of one moment.
local counted = {
  ops = { "puts", "deletes", "gets", "hits", "scans", "batches", "commits" },
  bytes = { "user", "wal", "flush", "merge_written", "merge_read" },
  jobs = { "flushes", "merges", "moves", "drops", "refused", "failed" },
  dropped = { "covered", "tombstones", "expired" },
  wal = { "syncs", "sync_waits" },
  cache = { "loads", "evictions" },
  stalls = { "count", "total_ms" },
  journal = { "events", "lost" },
  policy = { "decisions", "errors", "time_us" },
}

local function ratio(above, below)
  return below > 0 and above / below or 0
end

--- Gives plain counters their methods and derived figures.
-- @tparam table counters
-- @treturn table the same table, with amp.write (bytes written to log and
-- tables per byte of user data) and amp.tables (to tables alone)
function M.new(counters)
  local b = counters.bytes
  counters.amp = {
    write = ratio(b.wal + b.flush + b.merge_written, b.user),
    tables = ratio(b.flush + b.merge_written, b.user),
  }
  return setmetatable(counters, Stats)
end

-- Waits by reason are groups within a group.
local function reasons_delta(now, earlier)
  local out = {}
  for reason, waits in pairs(now) do
    out[reason] = {
      count = waits.count - earlier[reason].count,
      total_ms = waits.total_ms - earlier[reason].total_ms,
      max_ms = waits.max_ms,
    }
  end
  return out
end

--- What was counted since an earlier look.
-- @tparam table earlier
-- @treturn table counters as differences, states as they are now
function Stats:delta(earlier)
  if getmetatable(earlier) ~= Stats then
    error(("bad argument #1 to 'delta' (stats expected, got %s)")
      :format(type(earlier)), 2)
  end
  local out = {}
  for group, fields in pairs(self) do
    local copy = {}
    for name, value in pairs(fields) do copy[name] = value end
    for _, name in ipairs(counted[group] or {}) do
      copy[name] = copy[name] - earlier[group][name]
    end
    out[group] = copy
  end
  if out.stalls then
    out.stalls.by_reason =
      reasons_delta(self.stalls.by_reason, earlier.stalls.by_reason)
  end
  return M.new(out)
end

local order = {
  "ops", "bytes", "amp", "jobs", "dropped", "memory", "cache", "tables", "wal",
  "stalls", "views", "recovery", "policy",
}

-- "flush 2, runs 1": those that there were
local function reasons_text(reasons)
  local parts = {}
  for _, reason in ipairs { "flush", "runs", "throttle" } do
    if reasons[reason].count > 0 then
      parts[#parts + 1] = reason .. " " .. reasons[reason].count
    end
  end
  return #parts > 0 and table.concat(parts, " ") or "-"
end

-- "0 1200 of 4000 1 …": what is stored of how much, level by level.
local function levels_text(levels)
  local parts = {}
  for i, at in ipairs(levels) do
    parts[i] = ("%d %d of %d"):format(at.level, at.bytes, at.data)
  end
  return #parts > 0 and table.concat(parts, " ") or "-"
end

function Stats:__tostring()
  local lines = {}
  for _, group in ipairs(order) do
    local names = {}
    for name in pairs(self[group]) do names[#names + 1] = name end
    table.sort(names)
    local parts = {}
    for i, name in ipairs(names) do
      local value = self[group][name]
      if name == "by_reason" then
        value = reasons_text(value)
      elseif name == "levels" then
        value = levels_text(value)
      end
      local text = math.type(value) == "float" and ("%.2f"):format(value)
      parts[i] = name .. " " .. (text or tostring(value))
    end
    lines[#lines + 1] = ("%-9s %s"):format(group, table.concat(parts, ", "))
  end
  return table.concat(lines, "\n")
end

return M
