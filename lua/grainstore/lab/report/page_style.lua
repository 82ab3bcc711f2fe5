--- The style sheet of a page; plots in it have `palette.css`.
-- @module grainstore.lab.report.page_style

local palette = require "grainstore.lab.report.palette"

local LAYOUT = [[
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.25rem; max-width: 92rem;
  font: .94rem/1.45 system-ui, "Segoe UI", Roboto, sans-serif;
  background: var(--ground); color: var(--ink) }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere }
header p, caption, .note { color: var(--quiet); margin: 0; font-size: .87rem }
section { margin-top: 1.75rem }
section > h2 { margin-bottom: .75rem }
.player { position: sticky; top: 0; z-index: 1; display: flex; gap: .75rem;
  flex-wrap: wrap; align-items: center; margin-top: 1rem; padding: .6rem 0;
  background: var(--ground); border-bottom: 1px solid var(--grid) }
.player[hidden] { display: none }
.player input { flex: 1 1 14rem; min-width: 0; accent-color: var(--s1) }
.player output { flex: 0 1 27rem; font-variant-numeric: tabular-nums }
button { font: inherit; min-width: 5.5rem; padding: .3rem .8rem;
  color: var(--ink); background: var(--card); border: 1px solid var(--quiet);
  border-radius: .4rem; cursor: pointer }
:focus-visible { outline: 2px solid var(--s1); outline-offset: 2px }
.cards { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)) }
.n1 .cards { max-width: 48rem }
@media (min-width: 50rem) { .n2 .cards, .n4 .cards {
  grid-template-columns: 1fr 1fr } }
@media (min-width: 86rem) { .n4 .cards {
  grid-template-columns: repeat(4, minmax(0, 1fr)) } }
article { background: var(--card); border-radius: .6rem; padding: 1rem;
  min-width: 0; break-inside: avoid }
article h2 { display: flex; gap: .6rem; align-items: center }
.swatch { flex: none; width: 28px; height: 10px }
.swatch line { stroke-width: 4 }
dl { display: grid; gap: .6rem .75rem; margin: .8rem 0 0;
  grid-template-columns: repeat(12, 1fr) }
dl div { grid-column: span 3; display: flex; justify-content: flex-end;
  flex-direction: column-reverse; min-width: 0 }
dl .big { grid-column: span 4 }
dt { color: var(--quiet); font-size: .78rem; line-height: 1.2 }
dd { margin: 0; font-variant-numeric: tabular-nums; white-space: nowrap }
dl .big dd { font-size: 1.45rem; font-weight: 600; line-height: 1.2 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
caption { text-align: left; padding-bottom: .3rem }
.levels { width: 100%; margin-top: .9rem; table-layout: fixed }
.levels th { font-weight: 600; text-align: left; padding: 0 }
.levels th, .levels tfoot td:first-child { width: 2.4rem }
.levels td { padding: 2px 0; white-space: nowrap }
.levels td[data-text] { width: 5.2rem; text-align: right; font-size: .87rem }
.levels td[data-text] + td { width: 4rem; color: var(--quiet) }
.levels tfoot td { color: var(--quiet); font-size: .75rem; height: 1.3rem }
.bar { position: relative; background-repeat: no-repeat;
  background-size: 1px 100% }
.bar i { display: block; height: 1.05rem; border-radius: 1px;
  background-image: linear-gradient(to right, transparent calc(100% - 1.5px),
    var(--card) 0);
  background-size: calc(100% / var(--n, 1)) 100%;
  print-color-adjust: exact; -webkit-print-color-adjust: exact }
.bar b { position: absolute; top: 0; font-weight: 400; padding-left: .25rem;
  border-left: 1px solid var(--grid) }
.plots { display: grid; gap: .5rem 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)) }
.panel { width: 100%; height: auto; display: block; break-inside: avoid }
.plots.live .panel { cursor: crosshair }
.plots.live .cursor { visibility: visible }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0;
  margin: 0 0 .75rem; list-style: none; font-size: .87rem }
.legend li { display: flex; gap: .4rem; align-items: center }
.wide { overflow-x: auto }
.figures { width: 100% }
.figures th, .figures td { padding: .35rem .6rem; text-align: right;
  white-space: nowrap; border-bottom: 1px solid var(--grid) }
.figures th:first-child { text-align: left; padding-left: 0 }
.figures thead th { color: var(--quiet); font-weight: 400; font-size: .87rem }
.figures tbody th { font-weight: 400; max-width: 20rem; overflow: hidden;
  text-overflow: ellipsis }
.figures .best { font-weight: 700 }
.figures .best::after { content: "*" }
.figures td:not(.best)::after { content: "*"; visibility: hidden }
@media screen and (max-width: 30rem) { body { padding: .75rem }
  article { padding: .75rem } dl div { grid-column: span 4 }
  .levels td[data-text] { width: 4.6rem }
  .levels td[data-text] + td { width: 3.5rem }
  .bar b:nth-child(even) { color: transparent }
  .panel { overflow: visible } svg.panel text { font-size: 14px }
  svg.panel text.title { font-size: 16px } }
@media print { html { font-size: 11px } body { max-width: none; padding: 0 }
  .player { position: static; border: 0 } .player > * { display: none }
  .player output { display: block; flex: 1; font-weight: 600 }
  section > h2, .legend { break-after: avoid } .plots { display: block }
  .n1 .cards, .cards { grid-template-columns: 1fr 1fr }
  .figures th, .figures td { padding: .2rem .3rem; font-size: .85rem }
  .wide { overflow: visible }
  .panel { width: 49%; display: inline-block } }]]

-- Bars have the colours of the levels in the plots.
local function bars()
  local rules = {}
  for i = 1, 8 do
    rules[i] = (".bar .v%d { background-color: var(--v%d) }"):format(i, i)
  end
  return table.concat(rules, "\n")
end

return table.concat({
  (":root { color-scheme: light dark; %s }"):format(palette.properties(1)),
  ("@media screen and (prefers-color-scheme: dark) { :root { %s } }")
    :format(palette.properties(2)),
  palette.css, LAYOUT, bars(),
}, "\n")
