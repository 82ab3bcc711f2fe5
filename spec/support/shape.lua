--- Shapes of trees as text, for policies: a line per run, newest first; a
-- level, then tables as bounds and a size in bytes, `*` for one that is busy.
--
--     L0 a-m:100 n-z:100
--     L1 a-z:1000*

local tree = require "grainstore.tree"

local shape = {}

--- Makes a tree from text. Tables are numbered from 1, runs from 101.
-- @tparam string text
-- @tparam[opt] table facts fields of the tree besides runs
-- @treturn table
function shape.of(text, facts)
  local runs, id = {}, 0
  for line in text:gmatch "[^\n]+" do
    local level = line:match "^%s*L(%d+)"
    if level then
      local run = {
        id = 101 + #runs, level = math.tointeger(level), bytes = 0, entries = 0,
        tombstones = 0, expiring = 0, tables = {},
      }
      for low, high, bytes, mark in line:gmatch "(%w+)%-(%w+):(%d+)(%*?)" do
        id = id + 1
        run.tables[#run.tables + 1] = {
          id = id, run = run.id, level = run.level, min_key = low,
          max_key = high, bytes = math.tointeger(bytes), busy = mark == "*",
        }
        run.bytes = run.bytes + math.tointeger(bytes)
      end
      runs[#runs + 1] = run
    end
  end
  local made = { runs = runs, running = 0, refused = {}, reason = "flush" }
  for name, value in pairs(facts or {}) do
    made[name] = value
  end
  return tree.new(made)
end

--- A plan as text: "merge 1 2 3 into 101 as L1".
-- @treturn string "nothing" for nil
function shape.text(plan)
  if plan == nil then
    return "nothing"
  end
  local inputs = { table.unpack(plan.inputs) }
  table.sort(inputs)
  local target = plan.into and "into " .. plan.into
    or plan.above and "above " .. plan.above
    or plan.bottom and "at the bottom" or "nowhere"
  return ("%s %s %s as L%s"):format(plan.op, table.concat(inputs, " "), target,
    plan.level)
end

return shape
