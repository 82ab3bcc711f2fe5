--- A store with the shape of a tree, to ask the engine about plans.
--
-- The least there can be: of every table the first and the last key, in a u32
-- store on a simulated machine. Tables that expire as a whole do so here too.
-- @module grainstore.testing.real_tree

local env = require "grainstore.testing.env"
local grainstore = require "grainstore"
local shapes = require "grainstore.testing.shapes"

local M = {}

local Real = {}
Real.__index = Real
Real.__name = "grainstore.testing.real_tree"

local function put_table(batch, t)
  local is_dying = t.expiring == t.entries
  batch:put(t.min_key, 1, is_dying and { expires_at_ms = t.min_expiry_ms }
    or nil)
  if t.max_key > t.min_key then
    batch:put(t.max_key, 1, is_dying and { expires_at_ms = t.max_expiry_ms }
      or nil)
  end
end

-- One run on top of what is there: a flush, then a cut where tables begin.
local function add_run(store, run)
  local batch <close> = store:batch()
  for _, t in ipairs(run.tables) do put_table(batch, t) end
  assert(batch:commit())
  assert(store:flush())
  local made, cuts = store:tree().runs[1], {}
  for i = 2, #run.tables do cuts[#cuts + 1] = run.tables[i].min_key end
  assert(store:plan {
    op = "merge", inputs = { made.tables[1].id }, into = made.id,
    level = run.level, cuts = cuts,
  })
  while store:tree().running > 0 do store:step() end
end

-- What the shape calls by which name is something else in the store.
local function match_names(shape, found)
  local tables, runs = {}, {}
  for i, run in ipairs(shape.runs) do
    runs[run.id] = found.runs[i].id
    for k, t in ipairs(run.tables) do
      local made = found.runs[i].tables[k]
      assert(made.min_key == t.min_key and made.max_key == t.max_key,
        "a store of the shape's shape")
      tables[t.id] = made.id
    end
  end
  return tables, runs
end

--- Builds the store.
-- @tparam table shape of `grainstore.testing.shapes`
-- @treturn table with try(plan), close()
function M.build(shape)
  local machine = env.env { seed = 1, wall_ms = shapes.BEGIN_MS }
  local store = assert(grainstore.open_u32("db", {
    lossy = shape.lossy,
    env = machine, threads = 0, durability = "memory", policy = "manual",
  }))
  for i = #shape.runs, 1, -1 do add_run(store, shape.runs[i]) end
  machine.clock:advance(shape.now_ms - shapes.BEGIN_MS)
  local tables, runs = match_names(shape, store:tree())
  return setmetatable({
    machine = machine, store = store, tables = tables, runs = runs,
  }, Real)
end

--- Asks the engine about a plan.
-- @tparam table plan in the shape's names
-- @treturn boolean whether it would be carried out
-- @return message, name of the refusal
function Real:try(plan)
  local inputs = {}
  for i, id in ipairs(plan.inputs) do inputs[i] = self.tables[id] or id end
  return self.store:plan({
    op = plan.op, inputs = inputs, into = self.runs[plan.into],
    above = self.runs[plan.above], bottom = plan.bottom, level = plan.level,
    cuts = plan.cuts, table_bytes = plan.table_bytes,
  }, { dry_run = true })
end

function Real:close()
  self.store:close()
  self.machine:close()
end

Real.__close = Real.close

return M
