--- What a run was, in words.
-- @module grainstore.lab.report.captions

local units = require "grainstore.lab.report.units"
local words = require "grainstore.lab.report.words"

local M = {}

local function value_text(name, value)
  if type(value) == "number" and name:find "_bytes%f[_\0]" then
    return units.bytes(value)
  elseif type(value) == "number" and math.tointeger(value) then
    local digits = ("%d"):format(value)
    return math.abs(value) < 100000 and digits or units.count(value)
  elseif type(value) == "number" then
    return (("%.6g"):format(value):gsub("[^%w%-+]", "."))
  end
  return words.fit(tostring(value), 40)
end

--- The parameters of a run, in the order of their names: "keys 1.00 G".
-- @tparam table report
-- @treturn table array of texts
function M.parameters(report)
  local said = {}
  for name, value in pairs(report.parameters or {}) do
    local kind = type(value)
    name = tostring(name)
    if kind == "number" or kind == "string" or kind == "boolean" then
      said[#said + 1] = words.fit(name, 40) .. " " .. value_text(name, value)
    end
  end
  table.sort(said)
  return said
end

--- What was run: "workload zipf, seed 1".
-- @tparam table report
-- @treturn string
function M.run(report)
  return words.fit(("workload %s, seed %s"):format(
    report.workload or "unnamed", tostring(report.seed or "none")), 50)
end

--- A moment: "2.00 G writes, 1.02 TiB of user data, 3.20 h".
-- @tparam table sample
-- @treturn string
function M.moment(sample)
  local said = { units.count(sample.writes) .. " writes" }
  if sample.user_bytes then
    said[#said + 1] = units.bytes(sample.user_bytes) .. " of user data"
  end
  if sample.time_s then said[#said + 1] = units.time(sample.time_s) end
  return table.concat(said, ", ")
end

--- The last sample of a report; without one, an empty one.
-- @tparam table report
-- @treturn table
function M.last(report)
  return report.history[#report.history] or { levels = {} }
end

--- The lines below a title: what was run, how long, with what parameters.
-- @tparam table report
-- @tparam number width
-- @treturn table array of texts
function M.lines(report, width)
  local first = M.run(report)
  if report.history[1] then
    first = first .. ": " .. M.moment(M.last(report))
  end
  local lines = words.wrap(M.parameters(report), ", ", width)
  table.insert(lines, 1, first)
  return lines
end

return M
