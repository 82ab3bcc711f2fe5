--- Figures as people read them: three digits and a unit. What is absent or no
-- number at all is a dash. Nothing here depends on the locale.
-- @module grainstore.lab.report.units

local M = {}

local NONE = "–"

--- The units of each kind of figure, smallest first: { size, name }.
M.scales = {
  bytes = {
    { 1, "B" }, { 2^10, "KiB" }, { 2^20, "MiB" }, { 2^30, "GiB" },
    { 2^40, "TiB" }, { 2^50, "PiB" },
  },
  time = {
    { 1e-6, "µs" }, { 1e-3, "ms" }, { 1, "s" }, { 60, "min" }, { 3600, "h" },
  },
  count = {
    { 1, "" }, { 1e3, "k" }, { 1e6, "M" }, { 1e9, "G" }, { 1e12, "T" },
    { 1e15, "P" }, { 1e18, "E" },
  },
  factor = { { 1, "" } },
}

--- Whether a value is a number that can be shown.
function M.is_figure(x)
  return type(x) == "number" and x == x and math.abs(x) ~= math.huge
end

--- A finite number with so many digits behind the point.
function M.fixed(x, digits)
  local text = ("%.*f"):gsub("%*", digits):format(x)
  return (text:gsub("[^%d%-]", "."):gsub("^%-([0.]+)$", "%1"))
end

-- Three digits: 1.23, 12.3, 123. More where the number has more.
local function three(x)
  local size = math.abs(x)
  local digits = size < 9.995 and 2 or size < 99.95 and 1 or 0
  return M.fixed(x, digits)
end

local function grouped(x)
  local digits = M.fixed(x, 0)
  local count
  repeat
    digits, count = digits:gsub("^(%-?%d+)(%d%d%d)", "%1,%2")
  until count == 0
  return digits
end

-- The last unit of which there is at least one, by what will be printed.
local function unit_of(scale, x)
  local size, unit = math.abs(x), scale[1]
  for i = 2, #scale do
    if size < scale[i][1] * 0.9995 then break end
    unit = scale[i]
  end
  return unit
end

--- Bytes: "512 B", "64.0 MiB", "1.02 PiB".
function M.bytes(x)
  if not M.is_figure(x) then return NONE end
  local unit = unit_of(M.scales.bytes, x)
  if unit[1] == 1 then return M.fixed(x, 0) .. " B" end
  return three(x / unit[1]) .. " " .. unit[2]
end

--- Seconds: "0 s", "1.50 ms", "90.0 s", "2.50 h". Minutes from two on.
function M.time(x)
  if not M.is_figure(x) then return NONE end
  if x == 0 then return "0 s" end
  local scale = M.scales.time
  local unit = unit_of(scale, x)
  if unit[1] >= 60 and math.abs(x) < 119.95 then
    unit = scale[3]
  end
  local value = x / unit[1]
  local text = math.abs(value) < 999.5 and three(value) or grouped(value)
  return text .. " " .. unit[2]
end

--- How many: exact below 100,000, then "100 k", "1.00 G".
function M.count(x)
  if not M.is_figure(x) then return NONE end
  if math.abs(x) < 99999.5 then return grouped(x) end
  local unit = unit_of(M.scales.count, x)
  return three(x / unit[1]) .. " " .. unit[2]
end

--- A ratio such as an amplification: "1.12", "12.4", "124", "1,240".
function M.factor(x)
  if not M.is_figure(x) then return NONE end
  return math.abs(x) < 999.5 and three(x) or M.count(x)
end

--- A part of a whole in percent.
function M.share(part, whole)
  if not (M.is_figure(part) and M.is_figure(whole)) or whole <= 0 then
    return NONE
  end
  return M.fixed(100 * part / whole, 1) .. " %"
end

return M
