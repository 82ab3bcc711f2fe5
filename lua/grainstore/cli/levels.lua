--- `grainstore levels`
-- @module grainstore.cli.levels

local kit = require "grainstore.cli.kit"

local M = { name = "levels", summary = "Runs, tables and bytes of each level." }

local function add(sum, run)
  sum.runs = sum.runs + 1
  sum.tables = sum.tables + #run.tables
  sum.bytes = sum.bytes + run.bytes
  sum.entries = sum.entries + run.entries
  sum.tombstones = sum.tombstones + run.tombstones
end

-- Sums by level, deepest last.
local function levels_of(tree)
  local by_level, list = {}, {}
  for _, run in ipairs(tree.runs) do
    local sum = by_level[run.level]
    if not sum then
      sum = { level = run.level, runs = 0, tables = 0, bytes = 0, entries = 0,
        tombstones = 0 }
      by_level[run.level] = sum
      list[#list + 1] = sum
    end
    add(sum, run)
  end
  table.sort(list, function(a, b) return a.level < b.level end)
  return list
end

function M.run(args)
  local store <close> = kit.read(args.path)
  local levels = levels_of(kit.check(store:tree()))
  if args.json then
    return kit.json(levels)
  end
  kit.print("%5s %6s %7s %14s %12s %11s", "level", "runs", "tables", "bytes",
    "entries", "tombstones")
  for _, l in ipairs(levels) do
    kit.print("%5d %6d %7d %14d %12d %11d", l.level, l.runs, l.tables, l.bytes,
      l.entries, l.tombstones)
  end
end

return M
