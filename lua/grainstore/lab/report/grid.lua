--- Rows of text in columns, and curves of one line.
-- @module grainstore.lab.report.grid

local units = require "grainstore.lab.report.units"
local words = require "grainstore.lab.report.words"

local M = {}

local LEAST_NAME, LONGEST_NAME = 16, 40
local BLOCKS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }

--- Lines with columns as wide as their widest cell, numbers to the right.
-- @tparam table rows arrays of texts of equal length, the first one the heads
-- @tparam table left column number -> true: these stand to the left
-- @tparam ?string gap between columns, two spaces if nil
-- @treturn table array of lines
function M.lines(rows, left, gap)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, utf8.len(cell))
    end
  end
  local lines = {}
  for n, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      cells[i] = words.pad(cell, widths[i], left[i])
    end
    lines[n] = table.concat(cells, gap or "  "):gsub("%s+$", "")
  end
  return lines
end

--- The same for rows that begin with names of any length: these are cut so that
-- no line is wider than `width`.
-- @tparam table rows their first cells are changed
-- @tparam number width
-- @tparam table left
-- @tparam ?string gap
-- @treturn table array of lines
function M.named(rows, width, left, gap)
  local names, widest = {}, 0
  for i, row in ipairs(rows) do names[i], row[1] = row[1], "" end
  for _, line in ipairs(M.lines(rows, left, gap)) do
    widest = math.max(widest, utf8.len(line))
  end
  local room = math.min(LONGEST_NAME, math.max(LEAST_NAME, width - widest))
  for i, row in ipairs(rows) do row[1] = words.fit(names[i], room) end
  return M.lines(rows, left, gap)
end

-- The largest figure of a stretch, nil if there is none.
local function largest(values, first, last)
  local most
  for i = first, last do
    local value = values[i]
    if units.is_figure(value) and not (most and most >= value) then
      most = value
    end
  end
  return most
end

--- A curve of one line: each character is the largest value of its stretch, the
-- highest block the largest of all; what is no figure is a blank.
-- @tparam table values array; n: its length where values may be missing
-- @tparam number width
-- @treturn string
function M.spark(values, width)
  local count = values.n or #values
  local columns = math.min(width, count)
  local top = math.max(largest(values, 1, count) or 0, 0)
  local parts = {}
  for i = 1, columns do
    local value = largest(values, (i - 1) * count // columns + 1,
      i * count // columns)
    local height = top > 0 and value and math.ceil(value / top * #BLOCKS) or 1
    parts[i] = value and BLOCKS[math.max(1, height)] or " "
  end
  return table.concat(parts)
end

return M
