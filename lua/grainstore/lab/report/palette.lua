--- Colours of plots and pages, for light and dark, and the style of a plot.
--
-- Lines have four colours that keep apart for every kind of colour blindness
-- (after Okabe and Ito), then the same ones dashed, then dotted. Levels are in
-- order, so theirs are too: by lightness, which no eye confuses.
-- @module grainstore.lab.report.palette

local M = {}

local LINES = 4
local DASHES = 3

--- Colours by name: for light, for dark.
M.colors = {
  ground = { "#ffffff", "#14171c" },
  card = { "#f5f6f8", "#1d2128" },
  ink = { "#1b1f24", "#e8eaed" },
  quiet = { "#59616b", "#a3abb5" },
  grid = { "#dde1e6", "#343a43" },
  s1 = { "#0072b2", "#56b4e9" },
  s2 = { "#d55e00", "#f0883e" },
  s3 = { "#008766", "#2fc79b" },
  s4 = { "#a8468a", "#e79ac8" },
  v1 = { "#b5d334", "#d3ec6a" },
  v2 = { "#6fc75c", "#8fdc7a" },
  v3 = { "#36b37c", "#52c896" },
  v4 = { "#1f9d8b", "#35b3a4" },
  v5 = { "#27808f", "#3f9bb0" },
  v6 = { "#32658f", "#4f82b8" },
  v7 = { "#40478a", "#6468bb" },
  v8 = { "#47286f", "#7a4aa3" },
}

--- The style of a number of a series: a colour class and a dash class.
-- @tparam number index from 1
-- @treturn string such as "s1 d1"
function M.line(index)
  local dash = (index - 1) // LINES % DASHES + 1
  return ("s%d d%d"):format((index - 1) % LINES + 1, dash)
end

--- The style of a row of levels.
-- @tparam number index from 1, at most 8
-- @treturn string
function M.level(index)
  return ("v%d"):format(index)
end

local PLOT = [[
text { font: 12px system-ui, "Segoe UI", Roboto, sans-serif; fill: %ink }
text.title { font-weight: 600; font-size: 13px }
text.head { font-weight: 600; font-size: 18px }
text.quiet, .tick text { fill: %quiet; font-size: 11px }
.ground { fill: %ground }
.grid, .axis { fill: none; stroke: %grid; stroke-width: 1 }
.axis { stroke: %quiet }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.area { stroke: none; fill-opacity: 0.92 }
.soft { fill-opacity: 0.25 }
.cursor { stroke: %ink; stroke-width: 1; visibility: hidden }
.d2 { stroke-dasharray: 7 4 }
.d3 { stroke-dasharray: 2 3 }]]

-- A template with colours of one of the two schemes.
local function colored(template, scheme)
  return (template:gsub("%%(%w+)", function(name)
    return M.colors[name][scheme]
  end))
end

local function classes(scheme)
  local lines = {}
  for i = 1, LINES do
    local color = M.colors["s" .. i][scheme]
    lines[i] = (".line.s%d { stroke: %s } .area.s%d, .dot.s%d { fill: %s }")
      :format(i, color, i, i, color)
  end
  for i = 1, 8 do
    lines[#lines + 1] = (".v%d { fill: %s }"):format(i,
      M.colors["v" .. i][scheme])
  end
  return table.concat(lines, "\n")
end

-- Of a style only what has a colour, to say it once more for the dark.
local DARK = [[
text { fill: %ink } text.quiet, .tick text { fill: %quiet }
.ground { fill: %ground } .grid { stroke: %grid }
.axis { stroke: %quiet } .cursor { stroke: %ink }]]

--- The style sheet of plots, in a picture or in a page. Colours are written out
-- because many programs that show SVG know no variables. Paper is light.
M.css = ("%s\n%s\n@media screen and (prefers-color-scheme: dark) {\n%s\n%s\n}")
  :format(colored(PLOT, 1), classes(1), colored(DARK, 2), classes(2))

--- All colours as custom properties of a scheme: "--ink: #…; …".
-- @tparam number scheme 1 light, 2 dark
-- @treturn string
function M.properties(scheme)
  local names = {}
  for name in pairs(M.colors) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    names[i] = ("--%s: %s;"):format(name, M.colors[name][scheme])
  end
  return table.concat(names, " ")
end

return M
