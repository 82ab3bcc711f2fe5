--- What a run in the lab found: plain data that prints itself, as text, as a
-- picture and as a page.
--
--     { policy = "leveled/1",      name of the policy
--       label = "leveled 4",       name in comparisons; the policy's if absent
--       workload = "zipf", seed = 1,
--       parameters = { keys = 1000000, … },   strings, numbers, booleans
--       history = { sample, … },   equally spaced in writes, about 200
--       amp = { write =, space =, read = },   over the whole run
--       stalls = { count =, total_s =, longest_s =,
--                  by_reason = { memtable = 1.5, … } },   seconds
--       decisions =, refused =,    asked, and plans that were refused
--       policy_s =,                seconds inside the policy
--       took_s = }                 seconds of the run itself
--
-- A sample is what was true after so many writes, sums since the beginning:
--
--     { writes =, time_s =, user_bytes =, flushed_bytes =, merged_bytes =,
--       read_bytes =,              by merges
--       live_bytes =,              what a perfect store would hold
--       disk_bytes =, runs =, tables =,
--       levels = { { level =, runs =, tables =, bytes = }, …, deepest last },
--       write_amp =, space_amp =,
--       read_amp =,                runs that a read of a present key looks at
--       stalled_s =, debt_bytes =, tombstones =, expired = }
--
-- Figures of samples that are absent, infinite or not a number are left out of
-- what is shown. The methods change nothing, and the same data always gives the
-- same bytes.
-- @module grainstore.lab.report

local captions = require "grainstore.lab.report.captions"
local output = require "grainstore.lab.report.output"
local panels = require "grainstore.lab.report.panels"
local svg = require "grainstore.lab.svg"
local text = require "grainstore.lab.report.text"

local M = {}

local Report = {}
Report.__index = Report
Report.__name = "grainstore.lab.report"

local needed = { policy = "string", history = "table" }

--- Gives plain data the methods of a report. What is missing is empty.
-- @tparam table data see above; at least policy and history
-- @treturn table the same table
function M.new(data)
  if type(data) ~= "table" then
    error(("bad argument #1 to 'new' (table expected, got %s)")
      :format(type(data)), 2)
  end
  for name, kind in pairs(needed) do
    if type(data[name]) ~= kind then
      error(("bad argument #1 to 'new' (%s is a %s, not a %s)")
        :format(name, type(data[name]), kind), 2)
    end
  end
  data.parameters = data.parameters or {}
  data.amp = data.amp or {}
  data.stalls = data.stalls or { count = 0, by_reason = {} }
  return setmetatable(data, Report)
end

--- Whether a value is a report.
-- @param value
-- @treturn boolean
function M.is_report(value)
  return getmetatable(value) == Report
end

--- The report as a table of at most 100 columns: each figure at the end and its
-- course over the run, bytes per level, stalls, decisions.
-- @treturn string
function Report:text()
  return text.report(self)
end

Report.__tostring = Report.text

--- Plots over the writes of the run, as one SVG file for light and dark.
-- @tparam ?string path file that is written; nil: none
-- @treturn string|boolean without a path the picture, else true; nil, message,
-- "io" if the file cannot be written
function Report:svg(path)
  return output.give("svg", path, function()
    return svg.picture(panels.of_report(self), {
      title = self.policy, lines = captions.lines(self, 140),
    })
  end)
end

--- One HTML page that needs no other file: levels and figures at each moment of
-- the run, with a slider, and the plots.
-- @tparam ?string path file that is written; nil: none
-- @treturn string|boolean as `svg`
function Report:html(path)
  return output.give("html", path, function()
    return require "grainstore.lab.compare".new { self }:html()
  end)
end

return M
