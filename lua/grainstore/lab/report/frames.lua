--- What a page shows at each moment of a run, worked out beforehand: the page's
-- script puts texts and widths where they belong and computes nothing.
-- @module grainstore.lab.report.frames

local captions = require "grainstore.lab.report.captions"
local levels = require "grainstore.lab.report.levels"
local panels = require "grainstore.lab.report.panels"
local svg = require "grainstore.lab.svg"
local units = require "grainstore.lab.report.units"

local M = {}

local MOST_MOMENTS = 240
local LEAST_BITS = 4
-- A bar shows its runs as pieces where each is at least so wide, in percent.
local LEAST_PIECE = 2.5

--- Figures of a card: name, field, kind.
M.figures = {
  { "write amplification", "write_amp", "factor" },
  { "space amplification", "space_amp", "factor" },
  { "runs per point read", "read_amp", "factor" },
  { "on disk", "disk_bytes", "bytes" }, { "live", "live_bytes", "bytes" },
  { "debt", "debt_bytes", "bytes" }, { "stalled", "stalled_s", "time" },
}

-- The numbers of writes at which any report has a sample.
local function moments_of(reports)
  local seen, moments = {}, {}
  for _, report in ipairs(reports) do
    for _, sample in ipairs(report.history) do
      local writes = sample.writes or 0
      if not seen[writes] then
        seen[writes], moments[#moments + 1] = true, writes
      end
    end
  end
  table.sort(moments)
  local chosen = panels.thin(#moments, MOST_MOMENTS)
  for i, n in ipairs(chosen) do chosen[i] = moments[n] end
  return chosen
end

-- ---- the length of bars ----------------------------------------------------

local TICK_BITS = { 1, 2, 5, 10, 20, 40 }

-- Lengths go by the logarithm of the bytes, from half of the least that a level
-- ever holds to the most: levels grow by factors.
local function bar_scale(reports, rows)
  local low, high = math.huge, 0
  for _, report in ipairs(reports) do
    for _, sample in ipairs(report.history) do
      for _, row in ipairs(rows) do
        local _, _, bytes = levels.sum(sample, row)
        if bytes > 0 then
          low, high = math.min(low, bytes), math.max(high, bytes)
        end
      end
    end
  end
  if high == 0 then return { low = 0, bits = LEAST_BITS, ticks = {} } end
  low = math.log(low, 2) - 1
  local scale = {
    low = low, bits = math.max(LEAST_BITS, math.log(high, 2) - low), ticks = {},
  }
  local step = TICK_BITS[#TICK_BITS]
  for i = #TICK_BITS, 1, -1 do
    if TICK_BITS[i] * 4 >= scale.bits then step = TICK_BITS[i] end
  end
  for bits = math.ceil(low / step) * step, low + scale.bits, step do
    local place = 100 * (bits - low) / scale.bits
    if place <= 92 then
      scale.ticks[#scale.ticks + 1] = {
        place, (units.bytes(2.0 ^ bits):gsub("%.0+ ", " ")),
      }
    end
  end
  return scale
end

local function width_of(scale, bytes)
  if bytes <= 0 then return 0 end
  local width = 100 * (math.log(bytes, 2) - scale.low) / scale.bits
  return math.floor(10 * math.max(0, math.min(100, width)) + 0.5) / 10
end

-- ---- frames ----------------------------------------------------------------

local function runs_text(runs)
  return runs == 1 and "1 run" or units.count(runs) .. " runs"
end

-- Texts in the order in which the page has places for them, and bars as width
-- and pieces.
local function frame_of(sample, rows, scale)
  local frame = { texts = {}, bars = {} }
  for i, figure in ipairs(M.figures) do
    frame.texts[i] = units[figure[3]](sample[figure[2]])
  end
  for i, row in ipairs(rows) do
    local runs, _, bytes = levels.sum(sample, row)
    local width = width_of(scale, bytes)
    local pieces = runs > 1 and width / runs >= LEAST_PIECE and runs or 1
    frame.bars[i] = { width, pieces }
    frame.texts[#frame.texts + 1] = bytes > 0 and units.bytes(bytes) or "–"
    frame.texts[#frame.texts + 1] = runs > 0 and runs_text(runs) or "–"
  end
  return frame
end

local function frames_of(report, moments, rows, scale)
  local history, frames, at = report.history, {}, 0
  for i, writes in ipairs(moments) do
    while history[at + 1] and (history[at + 1].writes or 0) <= writes do
      at = at + 1
    end
    frames[i] = frame_of(history[at] or {}, rows, scale)
  end
  return frames
end

-- What the longest report says of a moment.
local function captions_of(reports, moments)
  local longest = reports[1]
  for _, report in ipairs(reports) do
    local writes = captions.last(report).writes or 0
    if writes > (captions.last(longest).writes or 0) then longest = report end
  end
  local said, at = {}, 1
  for i, writes in ipairs(moments) do
    local history = longest.history
    while history[at + 1] and (history[at + 1].writes or 0) <= writes do
      at = at + 1
    end
    said[i] = captions.moment(history[at])
  end
  return said
end

--- All that moves in a page.
-- @tparam table comparison
-- @treturn table { rows, ticks (of the bars), moments (captions), x (of the
-- cursor in every plot), policies (for each an array of frames) }
function M.make(comparison)
  local reports = comparison.reports
  local moments = moments_of(reports)
  local rows = levels.rows(reports)
  local scale = bar_scale(reports, rows)
  local made = {
    rows = rows, ticks = scale.ticks, x = {}, policies = {},
    moments = captions_of(reports, moments),
  }
  local last_x = math.max(1, panels.last_x(reports))
  for i, writes in ipairs(moments) do
    local x = svg.LEFT + (svg.RIGHT - svg.LEFT) * writes / last_x
    made.x[i] = math.floor(10 * x + 0.5) / 10
  end
  for i, report in ipairs(reports) do
    made.policies[i] = frames_of(report, moments, rows, scale)
  end
  return made
end

--- What a page shows where there is no moment at all.
-- @tparam table made by `make`
-- @treturn table frame
function M.empty(made)
  return frame_of({}, made.rows, { low = 0, bits = LEAST_BITS })
end

return M
