--- A shadow's report as text: two columns, and what went wrong.
-- @module grainstore.shadow_text

local journal = require "grainstore.journal"

local M = {}

local Report = {}
Report.__index = Report
Report.__name = "grainstore.shadow.report"

local function ratio(value) return ("%.2f"):format(value) end
local function count(value) return ("%d"):format(value) end

local rows = {
  { "write amplification", "write_amp", ratio },
  { "space amplification", "space_amp", ratio },
  { "read amplification", "read_amp", ratio },
  { "flushed", "flushed_bytes", journal.size },
  { "merged", "merged_bytes", journal.size },
  { "on disk", "disk_bytes", journal.size },
  { "runs", "runs", count },
  { "merges", "merges", count },
  { "moves", "moves", count },
  { "drops", "drops", count },
}

local function said(side, row)
  return side and side[row[2]] and row[3](side[row[2]]) or "-"
end

local function add_remarks(lines, report)
  local function add(form, ...) lines[#lines + 1] = form:format(...) end
  local shadow = report.shadow
  if not shadow then add "the shadow waits for more flushes" end
  if shadow and shadow.refused > 0 then
    add("%d plans were refused", shadow.refused)
  end
  if report.missing_events > 0 then
    add("%d events were lost before they were read", report.missing_events)
  end
  if report.policy_error then
    add("%d decisions went wrong: %s", shadow and shadow.policy_errors or 0,
      report.policy_error)
  end
  if report.policy_aside then add "the policy was set aside" end
  if report.problem then add("it ended: %s", report.problem) end
end

function Report:__tostring()
  local lines = {
    ("%s after %d flushes, %s written"):format(self.policy, self.flushes,
      journal.size(self.user_bytes)),
    ("%-20s %14s %14s"):format("", "store", "shadow"),
  }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("%-20s %14s %14s"):format(row[1],
      said(self.store, row), said(self.shadow, row))
  end
  add_remarks(lines, self)
  return table.concat(lines, "\n")
end

--- @tparam table data see grainstore.shadow
-- @treturn table the same, which prints itself
function M.new(data)
  return setmetatable(data, Report)
end

return M
