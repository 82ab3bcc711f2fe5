--- What is made of samples: medians, paired differences and ratios, tables.

local M = {}

--- The middle of a list; of an even number the mean of the two in the middle.
function M.median(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local half = #sorted // 2
  if #sorted % 2 == 1 then
    return sorted[half + 1]
  end
  return (sorted[half] + sorted[half + 1]) / 2
end

-- Samples that were taken one after the other share the noise of that moment:
-- so they are combined first, and the middle is taken of what comes out.
local function paired(a, b, combine)
  assert(#a == #b and #a > 0, "pairs need as many samples on both sides")
  local list = {}
  for i = 1, #a do
    list[i] = combine(a[i], b[i])
  end
  return M.median(list)
end

--- Median of a[i] - b[i].
function M.difference(a, b)
  return paired(a, b, function(x, y) return x - y end)
end

--- Median of a[i] / b[i].
function M.ratio(a, b)
  return paired(a, b, function(x, y) return x / y end)
end

--- A number as a table shows it: three digits that count.
function M.text(value)
  if value == nil then
    return "–"
  end
  local size = math.abs(value)
  return (size >= 100 and "%.0f" or size >= 10 and "%.1f" or "%.2f")
    :format(value)
end

--- Rows of cells, the first of them the heads, as a Markdown table.
function M.markdown(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    lines[#lines + 1] = "| " .. table.concat(row, " | ") .. " |"
    if i == 1 then
      lines[#lines + 1] = "|" .. ("---|"):rep(#row)
    end
  end
  return table.concat(lines, "\n")
end

--- The same rows as comma-separated values; what needs quotes gets them.
function M.csv(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for j, cell in ipairs(row) do
      cells[j] = cell:find '[,"\n]' and '"' .. cell:gsub('"', '""') .. '"'
        or cell
    end
    lines[i] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
