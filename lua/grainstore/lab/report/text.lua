--- Reports as text for a terminal: 100 columns at most.
-- @module grainstore.lab.report.text

local captions = require "grainstore.lab.report.captions"
local grid = require "grainstore.lab.report.grid"
local levels = require "grainstore.lab.report.levels"
local units = require "grainstore.lab.report.units"
local words = require "grainstore.lab.report.words"

local M = {}

local WIDTH, SPARK, REASONS = 100, 50, 62
local INDENT = "             "

-- ---- one report ------------------------------------------------------------

local FIGURES = {
  { "write amp", "write_amp", "factor" },
  { "space amp", "space_amp", "factor" },
  { "read amp", "read_amp", "factor" },
  { "on disk", "disk_bytes", "bytes" }, { "live", "live_bytes", "bytes" },
  { "runs", "runs", "count" }, { "tables", "tables", "count" },
  { "flushed", "flushed_bytes", "bytes" },
  { "merged", "merged_bytes", "bytes" },
  { "read by merges", "read_bytes", "bytes" },
  { "debt", "debt_bytes", "bytes" }, { "stalled", "stalled_s", "time" },
  { "tombstones", "tombstones", "count" }, { "expired", "expired", "count" },
}

local function history_lines(report)
  local last = captions.last(report)
  local rows = { { "", "at the end", "most", "over the run" } }
  for _, figure in ipairs(FIGURES) do
    local name, field, kind = table.unpack(figure)
    local values, most = { n = #report.history }, nil
    for i, sample in ipairs(report.history) do
      local value = sample[field]
      values[i] = value
      if units.is_figure(value) then most = math.max(most or value, value) end
    end
    if most then
      rows[#rows + 1] = {
        name, units[kind](last[field]), units[kind](most),
        grid.spark(values, SPARK),
      }
    end
  end
  return #rows > 1 and grid.lines(rows, { true, false, false, true })
    or { "no samples" }
end

local function level_lines(report)
  local last, rows = captions.last(report), {}
  local all = 0
  for _, level in ipairs(last.levels or {}) do
    all = all + (level.bytes or 0)
  end
  for i, row in ipairs(levels.rows { report }) do
    local runs, tables, bytes = levels.sum(last, row)
    rows[i] = {
      row.name, units.count(runs), units.count(tables), units.bytes(bytes),
      units.share(bytes, all),
    }
  end
  if not rows[1] then return {} end
  table.insert(rows, 1, { "level", "runs", "tables", "bytes", "share" })
  return grid.lines(rows, { true })
end

-- Reasons of stalls, the longest wait first: { "debt 4.10 s", … }.
local function reasons(stalls)
  local names, said = {}, {}
  local waited = stalls and stalls.by_reason or {}
  for name in pairs(waited) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    if waited[a] ~= waited[b] then return waited[a] > waited[b] end
    return a < b
  end)
  for i, name in ipairs(names) do
    said[i] = words.fit(name, 30) .. " " .. units.time(waited[name])
  end
  return said
end

local function add_wrapped(lines, head, said, separator)
  local width = WIDTH - #INDENT
  for i, line in ipairs(words.wrap(said, separator, width)) do
    lines[#lines + 1] = (i == 1 and words.pad(head, #INDENT, true) or INDENT)
      .. line
  end
end

local function stall_words(stalls)
  if (stalls.count or 0) == 0 then return { "none" } end
  local said = reasons(stalls)
  table.insert(said, 1, ("%s, %s in all, the longest %s"):format(
    units.count(stalls.count), units.time(stalls.total_s),
    units.time(stalls.longest_s)))
  return said
end

local function add(lines, more, is_apart)
  if is_apart and #more > 0 then lines[#lines + 1] = "" end
  table.move(more, 1, #more, #lines + 1, lines)
end

--- One report.
-- @tparam table report
-- @treturn string
function M.report(report)
  local lines = { words.fit("policy " .. report.policy, WIDTH) }
  add(lines, captions.lines(report, WIDTH))
  add(lines, history_lines(report), true)
  add(lines, level_lines(report), true)
  lines[#lines + 1] = ""
  add_wrapped(lines, "stalls", stall_words(report.stalls), "; ")
  add_wrapped(lines, "decisions", {
    ("%s, %s refused, %s in the policy; the run took %s"):format(
      units.count(report.decisions), units.count(report.refused),
      units.time(report.policy_s), units.time(report.took_s)),
  }, " ")
  if report.policy_error then
    add_wrapped(lines, "policy", {
      report.policy_aside and "was set aside for the engine's own:" or "erred:",
      report.policy_error,
    }, " ")
  end
  return table.concat(lines, "\n")
end

-- ---- several reports -------------------------------------------------------

--- The columns in which policies are compared: { head, kind, figure, whether
-- less is better, head where there is room }.
M.columns = {
  { "write", "factor", function(r) return r.amp.write end, true, "write amp" },
  { "space", "factor", function(r) return r.amp.space end, true, "space amp" },
  { "read", "factor", function(r) return r.amp.read end, true, "read amp" },
  { "on disk", "bytes",
    function(r) return captions.last(r).disk_bytes end, true },
  { "stalls", "count", function(r) return r.stalls.count end, true },
  { "total", "time", function(r) return r.stalls.total_s end, true,
    "stalled in all" },
  { "longest", "time", function(r) return r.stalls.longest_s end, true,
    "longest stall" },
  { "decided", "count", function(r) return r.decisions end, false,
    "decisions" },
  { "policy", "time", function(r) return r.policy_s end, true,
    "policy time" },
}

-- Which texts of a column are the best ones; none where all are the same.
local function best_of(reports, column, shown)
  local least, best, is_told = math.huge, nil, false
  for i, report in ipairs(reports) do
    local value = column[3](report)
    if units.is_figure(value) and value < least then
      least, best = value, shown[i]
    end
    is_told = is_told or shown[i] ~= shown[1]
  end
  return column[4] and is_told and best or nil
end

--- The cells of a comparison.
-- @tparam table reports
-- @treturn table by column, by report: { text, is_best }
function M.cells(reports)
  local cells = {}
  for c, column in ipairs(M.columns) do
    local shown = {}
    for i, report in ipairs(reports) do
      shown[i] = units[column[2]](column[3](report))
    end
    local best = best_of(reports, column, shown)
    for i, text in ipairs(shown) do shown[i] = { text, text == best } end
    cells[c] = shown
  end
  return cells
end

local function figure_lines(comparison)
  local cells, is_marked = M.cells(comparison.reports), false
  local rows = { { "amplification" } }
  for c, column in ipairs(M.columns) do
    rows[1][c + 1] = column[1] .. " "
    for i, name in ipairs(comparison.names) do
      local row = rows[i + 1] or { name }
      local text, is_best = table.unpack(cells[c][i])
      row[c + 1] = text .. (is_best and "*" or " ")
      rows[i + 1], is_marked = row, is_marked or is_best
    end
  end
  local lines = grid.named(rows, WIDTH, { true }, " ")
  if is_marked then lines[#lines + 1] = "* the best of its column" end
  return lines
end

local function byte_lines(comparison)
  local level_rows = levels.rows(comparison.reports)
  if not level_rows[1] then return {} end
  local rows = { { "bytes per level" } }
  for c, level in ipairs(level_rows) do
    rows[1][c + 1] = level.name
    for i, report in ipairs(comparison.reports) do
      local row = rows[i + 1] or { comparison.names[i] }
      local _, _, bytes = levels.sum(captions.last(report), level)
      row[c + 1] = bytes > 0 and units.bytes(bytes) or "–"
      rows[i + 1] = row
    end
  end
  return grid.named(rows, WIDTH, { true })
end

local function reason_lines(comparison)
  local rows = {}
  for i, report in ipairs(comparison.reports) do
    local said = table.concat(reasons(report.stalls), "; ")
    if said ~= "" then
      rows[#rows + 1] = { comparison.names[i], words.fit(said, REASONS) }
    end
  end
  if not rows[1] then return {} end
  table.insert(rows, 1, { "stalled by", "" })
  return grid.named(rows, WIDTH, { true, true })
end

--- Several reports side by side.
-- @tparam table comparison see `grainstore.lab.compare`
-- @treturn string
function M.comparison(comparison)
  local lines = captions.lines(comparison.reports[1], WIDTH)
  add(lines, figure_lines(comparison), true)
  add(lines, byte_lines(comparison), true)
  add(lines, reason_lines(comparison), true)
  return table.concat(lines, "\n")
end

return M
