--- Plots as SVG: a panel is one plot, a picture several of them.
--
-- A panel is described by a table:
--
--     { title = "Disk", note = "what it shows, in words",
--       kind = "bytes" | "count" | "time" | "factor",    of the values
--       base = 1,             where the axis begins, if no value is less; 0
--       least_top = 10,       how far it goes at least
--       last_x = 1e9,         the x axis goes from 0 to there
--       name_x = "writes", has_legend = true,
--       series = { { name =, class =, shape = "line" | "area",
--                    points = { { x, y [, lower edge of an area] }, … } } } }
--
-- Values that are no figures make gaps. Where the largest values of the series
-- lie far apart, the axis of a factor or count is logarithmic, and says so.
-- The same description gives the same bytes.
-- @module grainstore.lab.svg

local palette = require "grainstore.lab.report.palette"
local ticks = require "grainstore.lab.report.ticks"
local units = require "grainstore.lab.report.units"
local words = require "grainstore.lab.report.words"

local M = {}

--- Size of a panel, and its plot from the left to the right, in user units.
M.WIDTH, M.HEIGHT = 480, 264
M.LEFT, M.RIGHT = 62, 460

local TOP, BOTTOM, LINE = 30, 222, 17
local CHAR, GAP, SWATCH = 6.4, 14, 22
local STEPS_X, STEPS_Y = 5, 5
local FAR_APART = 40
local MARGIN, COLUMNS = 24, 2

local function at(value)
  return units.fixed(value, 1)
end

local function text(class, x, y, anchor, content)
  return ('<text class="%s" x="%s" y="%s" text-anchor="%s">%s</text>')
    :format(class, at(x), at(y), anchor, words.xml(content))
end

local function line(class, x1, y1, x2, y2)
  return ('<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>')
    :format(class, at(x1), at(y1), at(x2), at(y2))
end

-- ---- axes ------------------------------------------------------------------

-- The least and the most of all series; the most of the least one.
local function range(panel)
  local low, high, least_top = math.huge, -math.huge, math.huge
  for _, series in ipairs(panel.series) do
    local top = -math.huge
    for _, point in ipairs(series.points) do
      if units.is_figure(point[2]) then
        low, top = math.min(low, point[2]), math.max(top, point[2])
      end
    end
    high = math.max(high, top)
    if top > 0 then least_top = math.min(least_top, top) end
  end
  return low, high, least_top
end

local function axis_of(panel)
  local low, high, least_top = range(panel)
  local base = panel.base or 0
  if high < low then return ticks.linear(panel.kind, base, base, STEPS_Y) end
  local is_ratio = panel.kind == "factor" or panel.kind == "count"
  if is_ratio and high > FAR_APART * least_top then
    local least = low > 0 and low or math.min(1, least_top)
    return ticks.log(math.max(least, high / 1e12), high), true
  end
  if low < base then base = math.min(0, low) end
  return ticks.linear(panel.kind, base, math.max(high, panel.least_top or high),
    STEPS_Y)
end

local function draw_axes(out, panel, x_axis, y_axis, top)
  for _, tick in ipairs(y_axis.ticks) do
    local y = BOTTOM - (BOTTOM - top) * y_axis.place(tick[1])
    out[#out + 1] = line("grid", M.LEFT, y, M.RIGHT, y)
    out[#out + 1] = text("quiet", M.LEFT - 6, y + 4, "end", tick[2])
  end
  out[#out + 1] = line("axis", M.LEFT, BOTTOM, M.RIGHT, BOTTOM)
  for _, tick in ipairs(x_axis.ticks) do
    local x = M.LEFT + (M.RIGHT - M.LEFT) * x_axis.place(tick[1])
    out[#out + 1] = line("axis", x, BOTTOM, x, BOTTOM + 4)
    out[#out + 1] = text("quiet", x, BOTTOM + 17, "middle", tick[2])
  end
  out[#out + 1] = text("quiet", M.RIGHT, BOTTOM + 34, "end", panel.name_x)
end

-- ---- series ----------------------------------------------------------------

-- Stretches of points that are figures.
local function stretches(points)
  local found, open = {}, nil
  for _, point in ipairs(points) do
    if units.is_figure(point[2]) then
      open = open or {}
      open[#open + 1] = point
    elseif open then
      found[#found + 1], open = open, nil
    end
  end
  if open then found[#found + 1] = open end
  return found
end

local function draw_series(out, series, place_x, place_y)
  for _, points in ipairs(stretches(series.points)) do
    local upper, lower = {}, {}
    for i, point in ipairs(points) do
      local x = at(place_x(point[1]))
      upper[i] = x .. " " .. at(place_y(point[2]))
      lower[#points - i + 1] = x .. " " .. at(place_y(point[3] or 0))
    end
    if #points == 1 then
      out[#out + 1] = ('<circle class="dot %s" cx="%s" cy="%s" r="3"/>')
        :format(series.class, at(place_x(points[1][1])),
          at(place_y(points[1][2])))
    elseif series.shape == "area" then
      out[#out + 1] = ('<path class="area %s" d="M%sL%sZ"/>'):format(
        series.class, table.concat(upper, "L"), table.concat(lower, "L"))
    else
      out[#out + 1] = ('<path class="line %s" d="M%s"/>'):format(
        series.class, table.concat(upper, "L"))
    end
  end
end

--- A legend that fills lines from the left.
-- @tparam table series
-- @tparam number left
-- @tparam number right
-- @tparam number y of the first line
-- @treturn table pieces of SVG
-- @treturn number y below the last line
function M.legend(series, left, right, y)
  local out, x = {}, left
  for _, one in ipairs(series) do
    local name = words.fit(one.name, 32)
    local width = SWATCH + CHAR * utf8.len(name)
    if x > left and x + width > right then
      x, y = left, y + LINE
    end
    out[#out + 1] = one.shape == "area"
      and ('<rect class="area %s" x="%s" y="%s" width="14" height="10"/>')
        :format(one.class, at(x), at(y - 9))
      or line("line " .. one.class, x, y - 4, x + 16, y - 4)
    out[#out + 1] = text("quiet", x + SWATCH - 2, y, "start", name)
    x = x + width + GAP
  end
  return out, #series > 0 and y + LINE or y
end

-- ---- panels ----------------------------------------------------------------

local function is_empty(panel)
  for _, series in ipairs(panel.series) do
    if #stretches(series.points) > 0 then return false end
  end
  return true
end

local function draw(out, panel)
  local top = TOP
  if panel.has_legend then
    local legend
    legend, top = M.legend(panel.series, M.LEFT, M.RIGHT, TOP + 6)
    table.move(legend, 1, #legend, #out + 1, out)
  end
  local y_axis, is_log = axis_of(panel)
  local x_axis = ticks.linear("count", 0, panel.last_x, STEPS_X, true)
  draw_axes(out, panel, x_axis, y_axis, top)
  local function place_x(x)
    return M.LEFT + (M.RIGHT - M.LEFT) * x_axis.place(x)
  end
  local function place_y(y)
    return BOTTOM - (BOTTOM - top) * y_axis.place(y)
  end
  for _, series in ipairs(panel.series) do
    draw_series(out, series, place_x, place_y)
  end
  if is_empty(panel) then
    out[#out + 1] = text("quiet", (M.LEFT + M.RIGHT) / 2, (top + BOTTOM) / 2,
      "middle", "no samples")
  end
  out[#out + 1] = line("cursor", M.LEFT, top, M.LEFT, BOTTOM)
  local title = panel.title .. (is_log and " (logarithmic)" or "")
  out[#out + 1] = text("title", M.LEFT, 18, "start", title)
end

-- The open tag's end, the names for those who hear the picture, the drawing.
local function body(panel, id)
  local out = {
    (' role="img" aria-labelledby="%s-t %s-d">'):format(id, id),
    ('<title id="%s-t">%s</title>'):format(id, words.xml(panel.title)),
    ('<desc id="%s-d">%s</desc>'):format(id, words.xml(panel.note)),
  }
  draw(out, panel)
  return table.concat(out, "\n")
end

--- One panel for a page whose style has `palette.css`.
-- @tparam table panel
-- @tparam string id unique in the page
-- @treturn string an svg element
function M.panel(panel, id)
  return ('<svg class="panel" viewBox="0 0 %d %d"%s\n</svg>\n')
    :format(M.WIDTH, M.HEIGHT, body(panel, id))
end

--- A whole picture: a file that needs no other.
-- @tparam table panels
-- @tparam table head { title, lines (array), legend (series or nil) }
-- @treturn string
function M.picture(panels, head)
  local width = COLUMNS * M.WIDTH + 2 * MARGIN
  local out, y = {}, 34
  out[1] = text("head", MARGIN, y, "start", words.fit(head.title, 90))
  for _, said in ipairs(head.lines) do
    y = y + LINE
    out[#out + 1] = text("quiet", MARGIN, y, "start", said)
  end
  if head.legend then
    local legend
    legend, y = M.legend(head.legend, MARGIN, width - MARGIN, y + 24)
    table.move(legend, 1, #legend, #out + 1, out)
    y = y - LINE
  end
  y = y + MARGIN
  for i, panel in ipairs(panels) do
    local column, row = (i - 1) % COLUMNS, (i - 1) // COLUMNS
    out[#out + 1] = ('<g transform="translate(%d %d)"%s\n</g>'):format(
      MARGIN + column * M.WIDTH, y + row * M.HEIGHT, body(panel, "p" .. i))
  end
  local height = y + (#panels + COLUMNS - 1) // COLUMNS * M.HEIGHT + MARGIN
  return ([[
<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d"
  height="%d" role="group" aria-labelledby="t d">
<title id="t">%s</title>
<desc id="d">%s</desc>
<style>
%s
</style>
<rect class="ground" width="100%%" height="100%%"/>
%s
</svg>
]]):format(width, height, width, height, words.xml(head.title),
    words.xml(table.concat(head.lines, "; ")), palette.css,
    table.concat(out, "\n"))
end

return M
