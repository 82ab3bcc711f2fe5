--- Several reports side by side: as text, as a picture, as a page.
-- @module grainstore.lab.compare

local captions = require "grainstore.lab.report.captions"
local output = require "grainstore.lab.report.output"
local page = require "grainstore.lab.page"
local panels = require "grainstore.lab.report.panels"
local report = require "grainstore.lab.report"
local svg = require "grainstore.lab.svg"
local text = require "grainstore.lab.report.text"

local M = {}

local Comparison = {}
Comparison.__index = Comparison
Comparison.__name = "grainstore.lab.comparison"

local function have_one_workload(reports)
  for _, one in ipairs(reports) do
    if one.workload ~= reports[1].workload then return false end
  end
  return true
end

-- Names that tell the reports apart, by number where nothing else does.
local function names_of(reports)
  local is_one, names, seen = have_one_workload(reports), {}, {}
  for i, one in ipairs(reports) do
    local name = one.label or one.policy
    if not is_one then
      name = ("%s on %s"):format(name, one.workload or "unnamed")
    end
    seen[name] = (seen[name] or 0) + 1
    names[i] = seen[name] == 1 and name or ("%s (%d)"):format(name, seen[name])
  end
  return names
end

--- A comparison.
-- @tparam table reports array of at least one report
-- @treturn table { reports =, names = } with methods
function M.new(reports)
  if type(reports) ~= "table" or not reports[1] then
    error("bad argument #1 to 'new' (an array of reports expected)", 2)
  end
  local copy = {}
  for i, one in ipairs(reports) do
    if not report.is_report(one) then
      error(("bad argument #1 to 'new' (element %d is no report)"):format(i), 2)
    end
    copy[i] = one
  end
  return setmetatable({ reports = copy, names = names_of(copy) }, Comparison)
end

--- A table of at most 100 columns with a row for each policy, the best figure
-- of each column marked; then bytes per level and reasons of stalls.
-- @treturn string
function Comparison:text()
  return text.comparison(self)
end

Comparison.__tostring = Comparison.text

--- Plots with a line for each policy, as one SVG file for light and dark.
-- @tparam ?string path file that is written; nil: none
-- @treturn string|boolean without a path the picture, else true; nil, message,
-- "io" if the file cannot be written
function Comparison:svg(path)
  return output.give("svg", path, function()
    return svg.picture(panels.of_comparison(self), {
      title = ("%d policies compared"):format(#self.reports),
      lines = captions.lines(self.reports[1], 140),
      legend = panels.legend(self),
    })
  end)
end

--- One HTML page that needs no other file, with a slider over the run: levels
-- and figures of each policy at that moment, curves, a table of the end.
-- Without JavaScript, and on paper, it shows the end of the run.
-- @tparam ?string path file that is written; nil: none
-- @treturn string|boolean as `svg`
function Comparison:html(path)
  return output.give("html", path, function() return page.make(self) end)
end

return M
