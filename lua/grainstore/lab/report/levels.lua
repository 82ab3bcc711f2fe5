--- The levels of a history as rows that stay the same over the whole run. A
-- level is a label, so there may be many; the deepest then share a row.
-- @module grainstore.lab.report.levels

local M = {}

--- At most so many rows.
M.MOST = 8

--- The rows of one or more reports.
-- @tparam table reports
-- @treturn table array, top level first: { name, from, to }
function M.rows(reports)
  local seen, labels = {}, {}
  for _, report in ipairs(reports) do
    for _, sample in ipairs(report.history) do
      for _, level in ipairs(sample.levels or {}) do
        if not seen[level.level] then
          seen[level.level] = true
          labels[#labels + 1] = level.level
        end
      end
    end
  end
  table.sort(labels)
  local rows = {}
  for i, label in ipairs(labels) do
    local name = ("L%d"):format(label)
    if i < M.MOST or i == M.MOST and #labels == M.MOST then
      rows[i] = { name = name, from = label, to = label }
    elseif i == M.MOST then
      rows[i] = { name = name .. "+", from = label, to = math.huge }
    end
  end
  return rows
end

--- What a sample holds in a row.
-- @tparam ?table sample
-- @tparam table row
-- @treturn number runs
-- @treturn number tables
-- @treturn number bytes
function M.sum(sample, row)
  local runs, tables, bytes = 0, 0, 0
  for _, level in ipairs(sample and sample.levels or {}) do
    if level.level >= row.from and level.level <= row.to then
      runs = runs + (level.runs or 0)
      tables = tables + (level.tables or 0)
      bytes = bytes + (level.bytes or 0)
    end
  end
  return runs, tables, bytes
end

return M
