--- A comparison as one HTML page that needs no other file and no network.
--
-- All that it shows stands in it as HTML and SVG, at the end of the run; so it
-- is whole on paper and without JavaScript. With it, a script moves texts,
-- bars and cursors to any of the moments that the page holds as JSON (at most
-- 240, whatever the history's length).
-- @module grainstore.lab.page

local captions = require "grainstore.lab.report.captions"
local frames = require "grainstore.lab.report.frames"
local json = require "grainstore.lab.report.json"
local palette = require "grainstore.lab.report.palette"
local panels = require "grainstore.lab.report.panels"
local script = require "grainstore.lab.report.page_script"
local style = require "grainstore.lab.report.page_style"
local svg = require "grainstore.lab.svg"
local text = require "grainstore.lab.report.text"
local units = require "grainstore.lab.report.units"
local words = require "grainstore.lab.report.words"

local M = {}

local xml = words.xml
local BIG = 3 -- of a card's figures, so many stand large

-- ---- cards -----------------------------------------------------------------

local function swatch(index)
  return ('<svg class="swatch" viewBox="0 0 28 10" aria-hidden="true">'
    .. '<line class="line %s" x1="0" y1="5" x2="28" y2="5"/></svg>')
    :format(palette.line(index))
end

local function figure_list(frame)
  local out = {}
  for i, figure in ipairs(frames.figures) do
    out[i] = ('<div%s><dt>%s</dt><dd data-text>%s</dd></div>'):format(
      i <= BIG and ' class="big"' or "", xml(figure[1]), xml(frame.texts[i]))
  end
  return "<dl>\n" .. table.concat(out, "\n") .. "\n</dl>"
end

local function level_row(frame, rows, i)
  local width, pieces = table.unpack(frame.bars[i])
  local first = #frames.figures + 2 * i - 1
  return ('<tr><th scope="row">%s</th><td class="bar"><i class="%s" data-bar '
    .. 'style="width:%s%%;--n:%d"></i></td><td data-text>%s</td>'
    .. '<td data-text>%s</td></tr>'):format(xml(rows[i].name),
    palette.level(i), units.fixed(width, 1), pieces,
    xml(frame.texts[first]), xml(frame.texts[first + 1]))
end

local function level_table(frame, made)
  if not made.rows[1] then return '<p class="note">no levels</p>' end
  local out = {}
  for i in ipairs(made.rows) do out[i] = level_row(frame, made.rows, i) end
  local ticks = {}
  for i, tick in ipairs(made.ticks) do
    ticks[i] = ('<b style="left:%s%%">%s</b>'):format(
      units.fixed(tick[1], 1), xml(tick[2]))
  end
  return ('<table class="levels">\n<caption>Bytes per level, logarithmic; a '
    .. 'piece is a run</caption>\n<tbody>\n%s\n</tbody>\n<tfoot '
    .. 'aria-hidden="true"><tr><td></td><td class="bar">%s</td><td></td>'
    .. '<td></td></tr></tfoot>\n</table>'):format(table.concat(out, "\n"),
    table.concat(ticks))
end

local function cards(comparison, made)
  local out = {}
  for i, name in ipairs(comparison.names) do
    local moments = made.policies[i]
    local frame = moments[#moments] or frames.empty(made)
    out[i] = ("<article>\n<h2>%s%s</h2>\n%s\n%s\n</article>"):format(
      swatch(i), xml(words.fit(name, 60)), figure_list(frame),
      level_table(frame, made))
  end
  return ('<section class="cards" aria-label="Policies">\n%s\n</section>')
    :format(table.concat(out, "\n"))
end

-- Lines behind the bars where the ticks are.
local function tick_style(made)
  if not made.ticks[1] then return "" end
  local images, places = {}, {}
  for i, tick in ipairs(made.ticks) do
    images[i] = "linear-gradient(var(--grid), var(--grid))"
    places[i] = units.fixed(tick[1], 1) .. "% 0"
  end
  return ("\n.levels tbody .bar { background-image: %s;\n"
    .. "  background-position: %s }"):format(table.concat(images, ", "),
    table.concat(places, ", "))
end

-- ---- plots -----------------------------------------------------------------

local function plots_of(title, chosen, id, above)
  local out = {}
  for i, panel in ipairs(chosen) do
    out[i] = svg.panel(panel, ("%s%d"):format(id, i))
  end
  return ('<section>\n<h2>%s</h2>\n%s<div class="plots">\n%s</div>\n</section>')
    :format(title, above or "", table.concat(out))
end

local function legend(comparison)
  local out = {}
  for i, name in ipairs(comparison.names) do
    out[i] = ("<li>%s%s</li>"):format(swatch(i), xml(words.fit(name, 60)))
  end
  return ('<ul class="legend">%s</ul>\n'):format(table.concat(out))
end

local function plots(comparison, made)
  local reports = comparison.reports
  if #reports == 1 then
    return plots_of("Over the run", panels.of_report(reports[1]), "p")
  end
  return plots_of("Over the run", panels.of_comparison(comparison), "p",
    legend(comparison)) .. "\n" .. plots_of("Bytes per level",
    panels.of_levels(comparison, made.rows), "s")
end

-- ---- the table and the whole -----------------------------------------------

local function figure_table(comparison)
  local cells, heads, rows = text.cells(comparison.reports), {}, {}
  for c, column in ipairs(text.columns) do
    heads[c] = ('<th scope="col">%s</th>'):format(xml(column[5] or column[1]))
  end
  for i, name in ipairs(comparison.names) do
    local row = {}
    for c in ipairs(text.columns) do
      local shown, is_best = table.unpack(cells[c][i])
      row[c] = ("<td%s>%s</td>"):format(is_best and ' class="best"' or "",
        xml(shown))
    end
    rows[i] = ('<tr><th scope="row">%s</th>%s</tr>'):format(
      xml(words.fit(name, 60)), table.concat(row))
  end
  return ('<section>\n<h2>At the end of the run</h2>\n<div class="wide">'
    .. '<table class="figures">\n<thead><tr><th scope="col">policy</th>%s</tr>'
    .. '</thead>\n<tbody>\n%s\n</tbody>\n</table></div>\n%s</section>'):format(
    table.concat(heads), table.concat(rows, "\n"), #comparison.reports > 1
      and '<p class="note">* the best of its column</p>\n' or "")
end

local function head(comparison)
  local lines = captions.lines(comparison.reports[1], 1000)
  for i, line in ipairs(lines) do lines[i] = "<p>" .. xml(line) .. "</p>" end
  local title = #comparison.names == 1 and comparison.names[1]
    or ("%d policies compared"):format(#comparison.names)
  return xml(words.fit(title, 80)), table.concat(lines, "\n")
end

local PLAYER = [[
<form class="player" id="player" hidden>
<button type="button" id="play">Play</button>
<input type="range" id="at" min="0" max="%d" value="%d"
  aria-label="Moment of the run">
<output id="now" for="at">%s</output>
</form>
<noscript><p class="note">The end of the run.</p></noscript>]]

local PAGE = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';
  style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>%s</title>
<style>
%s
</style>
</head>
<body%s>
<header>
<h1>%s</h1>
%s
</header>
<main>
%s
</main>
<script type="application/json" id="data">%s</script>
<script>
%s</script>
</body>
</html>
]]

--- The page of a comparison of one or more reports.
-- @tparam table comparison { reports, names }
-- @treturn string
function M.make(comparison)
  local made = frames.make(comparison)
  local title, said = head(comparison)
  local count = #made.moments
  local parts = {
    PLAYER:format(math.max(0, count - 1), math.max(0, count - 1),
      xml(made.moments[count] or "")),
    cards(comparison, made), plots(comparison, made), figure_table(comparison),
  }
  local data = json.encode {
    moments = made.moments, x = made.x, policies = made.policies,
  }
  return PAGE:format(title, style .. tick_style(made),
    (' class="n%d"'):format(#comparison.reports), title, said,
    table.concat(parts, "\n"), data, script)
end

return M
