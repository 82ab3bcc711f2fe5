--- Which plots there are of one report and of several; see `grainstore.lab.svg`
-- for what describes a plot.
-- @module grainstore.lab.report.panels

local captions = require "grainstore.lab.report.captions"
local levels = require "grainstore.lab.report.levels"
local palette = require "grainstore.lab.report.palette"
local units = require "grainstore.lab.report.units"
local words = require "grainstore.lab.report.words"

local M = {}

local MOST_POINTS = 400

--- Numbers 1 to count, or so many of them, evenly, with the last one.
-- @tparam number count
-- @tparam number most
-- @treturn table array
function M.thin(count, most)
  local chosen = {}
  local wanted = math.min(count, most)
  for i = 1, wanted do
    chosen[i] = i * count // wanted
  end
  return chosen
end

local function points_of(history, field)
  local points = {}
  for i, n in ipairs(M.thin(#history, MOST_POINTS)) do
    points[i] = { history[n].writes or 0, history[n][field] }
  end
  return points
end

--- The writes that an x axis goes to.
-- @tparam table reports
-- @treturn number
function M.last_x(reports)
  local last = 0
  for _, report in ipairs(reports) do
    last = math.max(last, captions.last(report).writes or 0)
  end
  return last
end

-- Where each series ends, for those who do not see it.
local function note_of(kind, series)
  local ends = {}
  for i, one in ipairs(series) do
    local last = one.points[#one.points]
    ends[i] = ("%s %s"):format(one.name, units[kind](last and last[2]))
  end
  return "Over the writes of the run. At the end: " .. table.concat(ends, "; ")
end

local function panel(title, kind, series, last_x)
  return {
    title = title, kind = kind, series = series, last_x = last_x,
    name_x = "writes", note = note_of(kind, series), has_legend = #series > 1,
  }
end

-- Plots of one report: title, kind, then name, field and shape of each series.
local ONE = {
  { "Amplification", "factor",
    { "write", "write_amp", "line" }, { "read", "read_amp", "line" },
    { "space", "space_amp", "line" } },
  { "Bytes on disk", "bytes",
    { "on disk", "disk_bytes", "line" }, { "live", "live_bytes", "area" } },
  { "Runs", "count", { "runs", "runs", "line" } },
  { "Time stalled", "time", { "stalled", "stalled_s", "line" } },
  { "Debt: bytes that wait to be merged", "bytes",
    { "debt", "debt_bytes", "line" } },
}

local function one_panel(report, from)
  local series = {}
  for i = 3, #from do
    local name, field, shape = table.unpack(from[i])
    series[i - 2] = {
      name = name, shape = shape, points = points_of(report.history, field),
      class = shape == "area" and "s1 soft" or palette.line(i - 2),
    }
  end
  return panel(from[1], from[2], series, M.last_x { report })
end

--- Bytes per level, one upon the other, the deepest at the bottom.
-- @tparam table report
-- @tparam string title
-- @tparam table rows see `levels.rows`
-- @tparam number last_x
-- @tparam ?number least_top the least end of the other axis
-- @treturn table
function M.levels(report, title, rows, last_x, least_top)
  local history, series = report.history, {}
  local chosen = M.thin(#history, MOST_POINTS)
  local below, now = {}, {}
  for i = #rows, 1, -1 do
    local points = {}
    for k, n in ipairs(chosen) do
      local _, _, bytes = levels.sum(history[n], rows[i])
      local base = below[k] or 0
      below[k] = base + bytes
      points[k] = { history[n].writes or 0, base + bytes, base }
    end
    series[i] = {
      name = rows[i].name, shape = "area", class = palette.level(i),
      points = points,
    }
    local _, _, last = levels.sum(captions.last(report), rows[i])
    now[i] = ("%s %s"):format(rows[i].name, units.bytes(last))
  end
  local made = panel(title, "bytes", series, last_x)
  made.least_top, made.has_legend = least_top, true
  made.note = "Stacked over the writes of the run. At the end: "
    .. table.concat(now, "; ")
  return made
end

--- The plots of one report.
-- @tparam table report
-- @treturn table array of panels
function M.of_report(report)
  local panels = {}
  for i, from in ipairs(ONE) do
    panels[i] = one_panel(report, from)
  end
  table.insert(panels, 2, M.levels(report, "Bytes per level",
    levels.rows { report }, M.last_x { report }))
  return panels
end

--- The levels of several reports in a plot each, all on the same scale.
-- @tparam table comparison
-- @tparam table rows see `levels.rows`
-- @treturn table array of panels
function M.of_levels(comparison, rows)
  local panels, top, last_x = {}, 0, M.last_x(comparison.reports)
  for _, report in ipairs(comparison.reports) do
    for _, sample in ipairs(report.history) do
      local sum = 0
      for _, level in ipairs(sample.levels or {}) do
        sum = sum + (level.bytes or 0)
      end
      top = math.max(top, sum)
    end
  end
  for i, report in ipairs(comparison.reports) do
    panels[i] = M.levels(report, words.fit(comparison.names[i], 44), rows,
      last_x, top)
  end
  return panels
end

-- Plots of several: title, kind, field, where the axis begins.
local MANY = {
  { "Write amplification", "factor", "write_amp", 0 },
  { "Space amplification", "factor", "space_amp", 1 },
  { "Read amplification: runs per point read", "factor", "read_amp", 0 },
  { "Bytes on disk", "bytes", "disk_bytes", 0 },
  { "Time stalled", "time", "stalled_s", 0 },
  { "Debt: bytes that wait to be merged", "bytes", "debt_bytes", 0 },
}

--- The names of several reports as series without points, for a legend.
-- @tparam table comparison
-- @treturn table array of series
function M.legend(comparison)
  local series = {}
  for i, name in ipairs(comparison.names) do
    series[i] = { name = name, class = palette.line(i), shape = "line" }
  end
  return series
end

--- The plots of several reports, each with a line for every policy.
-- @tparam table comparison
-- @treturn table array of panels
function M.of_comparison(comparison)
  local panels, last_x = {}, M.last_x(comparison.reports)
  for i, from in ipairs(MANY) do
    local series = M.legend(comparison)
    for k, report in ipairs(comparison.reports) do
      series[k].points = points_of(report.history, from[3])
    end
    panels[i] = panel(from[1], from[2], series, last_x)
    panels[i].base, panels[i].has_legend = from[4], false
  end
  return panels
end

return M
