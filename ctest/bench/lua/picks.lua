--- What a decision of each shipped policy costs where there are very many
-- tables: five sorted runs, cut into as many tables as asked for.

local figures = require "figures"
local grainstore = require "grainstore"
local policy = require "grainstore.policy"
local tree = require "grainstore.tree"

local M = {}

local RUNS <const> = 5
local TURNS <const> = 51

-- A run on top of what is there: a flush, then a cut where tables begin.
local function add_run(store, level, tables)
  local batch <close> = store:batch()
  for i = 1, tables do
    batch:put(("%08d first"):format(i), "value")
    batch:put(("%08d last"):format(i), "value")
  end
  assert(batch:commit())
  assert(store:flush())
  local made, cuts = store:tree().runs[1], {}
  for i = 2, tables do cuts[#cuts + 1] = ("%08d first"):format(i) end
  assert(store:plan {
    op = "merge", inputs = { made.tables[1].id }, into = made.id,
    level = level, cuts = cuts,
  })
  while store:tree().running > 0 do store:step() end
end

-- Nanoseconds and bytes of Lua's memory of one pick.
local function pick(store, chosen, now)
  local shape <close> = setmetatable({ store:_shape() }, {
    __close = function(held) held[1].shape:close() end,
  })
  local shown = tree.new(shape[1])
  shown.refused = {}
  collectgarbage()
  collectgarbage "stop"
  local bytes, start = collectgarbage "count", now()
  chosen.pick(shown)
  local ns = now() - start
  local taken = (collectgarbage "count" - bytes) * 1024
  collectgarbage "restart"
  return ns, taken
end

local function measure(store, name, now)
  local chosen, times, most = policy[name](), {}, 0
  for i = 1, TURNS do
    local ns, bytes = pick(store, chosen, now)
    times[i], most = ns, math.max(most, bytes)
  end
  table.sort(times)
  return { name, figures.text(times[TURNS // 2 + 1] / 1000),
    figures.text(most / 1024) }
end

--- @tparam table options dir, tables, policies (nil: all)
-- @tparam function now nanoseconds of the clock on the wall
-- @treturn table rows of cells, heads first
-- @treturn integer tables in all
function M.run(options, now)
  local path = options.dir .. "/picks"
  grainstore.destroy(path)
  local count = 0
  local rows = { { "policy", "us", "KiB" } }
  do
    local store <close> = assert(grainstore.open(path, {
      policy = policy.manual(), threads = 0,
    }))
    for level = RUNS, 1, -1 do
      add_run(store, level, options.tables // RUNS)
    end
    for _, run in ipairs(store:tree().runs) do count = count + #run.tables end
    for _, name in ipairs(options.policies or policy.names) do
      rows[#rows + 1] = measure(store, name, now)
    end
  end
  grainstore.destroy(path)
  return rows, count
end

return M
