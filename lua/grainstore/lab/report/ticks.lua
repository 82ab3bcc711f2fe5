--- Axes: where the ticks stand, what they say, and where a value lies.
--
-- An axis is { first, last, ticks = { { value, text } }, place = function }; a
-- tick is a round number of a unit that fits the largest: 200 GiB, 400 GiB, not
-- 214748364800. `place` maps a value to 0 … 1.
-- @module grainstore.lab.report.ticks

local units = require "grainstore.lab.report.units"

local M = {}

local STEPS = { 1, 2, 5, 10 }
local MOST_DECADES = 6
local LEAST_SPAN = { bytes = 1024, time = 1, count = 1, factor = 1 }

-- The smallest of 1, 2 and 5 times a power of ten that is no less than x.
local function round_up(x)
  local power = 10.0 ^ math.floor(math.log(x, 10))
  for _, step in ipairs(STEPS) do
    if step * power >= x * (1 - 1e-9) then return step * power end
  end
  return 10 * power
end

local function unit_for(kind, most)
  local unit = units.scales[kind][1]
  for _, candidate in ipairs(units.scales[kind]) do
    if candidate[1] <= most then unit = candidate end
  end
  return unit
end

-- Digits behind the point that a multiple of a step needs.
local function digits_of(step)
  return math.max(0, math.ceil(-math.log(step, 10) - 1e-9))
end

local function label(value, unit, digits)
  if value == 0 then return "0" end
  local text = units.fixed(value / unit[1], digits)
  return unit[2] == "" and text or text .. " " .. unit[2]
end

--- An axis in equal steps.
-- @tparam string kind of the figures: bytes, count, time, factor
-- @tparam number first
-- @tparam number last
-- @tparam number about how many steps, at most
-- @tparam boolean is_tight whether it ends at `last`, not at a tick
-- @treturn table axis
function M.linear(kind, first, last, about, is_tight)
  if last <= first then last = first + LEAST_SPAN[kind] end
  local unit = unit_for(kind, math.max(math.abs(first), math.abs(last)))
  local step = round_up((last - first) / unit[1] / about)
  if unit[1] == 1 and (kind == "count" or kind == "bytes") then
    step = math.max(1, step)
  end
  local digits = digits_of(step)
  local low = math.floor(first / unit[1] / step + 1e-9)
  local high = math.ceil(last / unit[1] / step - 1e-9)
  local axis = {
    first = low * step * unit[1], last = high * step * unit[1], ticks = {},
  }
  if is_tight then axis.first, axis.last = first, last end
  for i = low, high do
    local value = i * step * unit[1]
    if value >= axis.first and value <= axis.last * (1 + 1e-9) then
      axis.ticks[#axis.ticks + 1] = { value, label(value, unit, digits) }
    end
  end
  local from, span = axis.first, axis.last - axis.first
  function axis.place(value)
    return math.min(1, math.max(0, (value - from) / span))
  end
  return axis
end

-- One, two and five in each decade where there are few decades.
local function in_decade(decades)
  return decades <= 2 and { 1, 2, 5 } or { 1 }
end

--- An axis in equal ratios, for ratios and counts.
-- @tparam number first above zero
-- @tparam number last
-- @treturn table axis
function M.log(first, last)
  local low = math.floor(math.log(first, 10) + 1e-9)
  local high = math.max(low + 1, math.ceil(math.log(last, 10) - 1e-9))
  local every = math.ceil((high - low) / MOST_DECADES)
  local axis = { first = 10.0 ^ low, last = 10.0 ^ high, ticks = {} }
  for power = low, high, every do
    for _, step in ipairs(in_decade(high - low)) do
      local value = step * 10.0 ^ power
      if value <= axis.last then
        axis.ticks[#axis.ticks + 1] = {
          value,
          label(value, unit_for("count", value), value < 1 and -low or 0),
        }
      end
    end
  end
  local from, span = math.log(axis.first), math.log(axis.last / axis.first)
  function axis.place(value)
    if value <= axis.first then return 0 end
    return math.min(1, (math.log(value) - from) / span)
  end
  return axis
end

return M
