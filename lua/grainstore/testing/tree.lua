--- Shapes of trees as text, for specs of policies: shape in, plans out, and no
-- store. `grainstore.tree_text` says how the text is written; a store's tree
-- prints itself in it.
--
--     local tree = T.tree [[
--       L0 a-m:100 n-z:100
--       L1 a-z:1000*
--     ]]
--     assert.equal("nothing", T.plan_text(T.pick("leveled", tree)))
-- @module grainstore.testing.tree

local driver = require "grainstore.driver"
local tree = require "grainstore.tree"
local tree_text = require "grainstore.tree_text"

local M = {}

-- ---- trees that could be ---------------------------------------------------

local function impossible(text, ...)
  error("no store has such a tree: " .. text:format(...), 0)
end

local function check_table(t)
  if math.type(t.min_key) ~= math.type(t.max_key) then
    impossible("table %d has a key that is a number and one that is a string",
      t.id)
  elseif t.max_key < t.min_key then
    impossible("table %d ends before it begins", t.id)
  elseif t.entries > 0 and t.tombstones + t.expiring > t.entries then
    impossible("table %d has %d entries, and %d of them are tombstones or "
      .. "expire", t.id, t.entries, t.tombstones + t.expiring)
  elseif t.min_expiry_ms and t.max_expiry_ms < t.min_expiry_ms then
    impossible("the last entry of table %d expires before the first", t.id)
  end
end

-- Each number once, keys of one kind, and in a run one table after the other.
local function check_runs(runs)
  local seen, kind = { run = {}, table = {} }, nil
  local function check_number(what, id)
    if seen[what][id] then
      impossible("there are two %ss %d", what, id)
    end
    seen[what][id] = true
  end
  for _, run in ipairs(runs) do
    check_number("run", run.id)
    for i, t in ipairs(run.tables) do
      check_number("table", t.id)
      check_table(t)
      kind = kind or type(t.min_key)
      local before = run.tables[i - 1]
      if type(t.min_key) ~= kind then
        impossible "some keys are numbers and some are strings"
      elseif before and t.min_key <= before.max_key then
        impossible("table %d of run %d does not begin behind table %d", t.id,
          run.id, before.id)
      end
    end
  end
end

local function read(text)
  local runs = tree_text.parse(text)
  check_runs(runs)
  return runs
end

--- A tree as a policy sees it.
-- @tparam string text raises for what does not parse, and for what no store
-- could have
-- @tparam[opt] table facts fields of the tree besides runs
-- @treturn table see grainstore.tree
function M.tree(text, facts)
  if type(text) ~= "string" then
    error(("bad argument #1 to 'tree' (string expected, got %s)"):format(
      type(text)), 2)
  elseif facts ~= nil and type(facts) ~= "table" then
    error(("bad argument #2 to 'tree' (table expected, got %s)"):format(
      type(facts)), 2)
  end
  local ok, runs = pcall(read, text)
  if not ok then
    error(runs, 2)
  end
  local made = {
    runs = runs, running = 0, refused = {}, reason = "flush", version = 1,
    now_ms = 0,
    memtable = {
      bytes = 0, entries = 0, tombstones = 0, age_ms = 0, sealed = 0,
      budget_bytes = 1 << 20,
    },
    wal = { bytes = 0 }, disk = { free_bytes = 1 << 40, used_bytes = 0 },
    amp = { write = 0, space = 0, read = #runs },
  }
  for name, value in pairs(facts or {}) do
    made[name] = value
  end
  return tree.new(made)
end

-- ---- what a policy answers -------------------------------------------------

-- A policy gets a tree of its own each time, as from a store.
local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for name, field in pairs(value) do
    made[name] = copy(field)
  end
  return setmetatable(made, getmetatable(value))
end

-- Why the engine would refuse the plan whatever the data is, or nil.
local function refusal(plan, tables, claimed)
  if type(plan) ~= "table" or type(plan.inputs) ~= "table"
      or #plan.inputs == 0 then
    return "bad_plan", "a plan is a table with inputs"
  elseif plan.op ~= "merge" and plan.op ~= "move" and plan.op ~= "drop" then
    return "bad_plan", 'op is "merge", "move" or "drop"'
  end
  for _, id in ipairs(plan.inputs) do
    if not tables[id] then
      return "unknown_table", ("there is no table %s"):format(tostring(id))
    elseif tables[id].busy then
      return "busy_table", ("table %d is at work"):format(id)
    elseif claimed[id] then
      return "claimed", ("table %d is in an earlier plan"):format(id)
    end
  end
end

--- What a policy answers to a tree.
-- @param policy a name, or a table with a function pick
-- @tparam table shape
-- @treturn {plan,...} in the policy's order
-- @treturn table those among them that the engine would refuse at a glance:
-- array of { plan=, code=, message= }
function M.pick(policy, shape)
  if type(shape) ~= "table" or not shape.runs then
    error(("bad argument #2 to 'pick' (a tree expected, got %s)"):format(
      type(shape)), 2)
  end
  local ok, resolved = pcall(driver.resolve, policy)
  if not ok then
    error(resolved, 2)
  end
  local answer = resolved.pick(copy(shape))
  if answer ~= nil and type(answer) ~= "table" then
    error("pick returns nil or an array of plans, got a " .. type(answer), 2)
  end
  local plans = answer and answer.op ~= nil and { answer } or answer or {}
  local tables, claimed, refusals = {}, {}, {}
  for _, run in ipairs(shape.runs) do
    for _, t in ipairs(run.tables) do tables[t.id] = t end
  end
  for _, plan in ipairs(plans) do
    local code, message = refusal(plan, tables, claimed)
    if code then
      refusals[#refusals + 1] = { plan = plan, code = code, message = message }
    else
      for _, id in ipairs(plan.inputs) do claimed[id] = true end
    end
  end
  return plans, refusals
end

-- ---- plans as text ---------------------------------------------------------

local function one_text(plan)
  local inputs = { table.unpack(plan.inputs) }
  table.sort(inputs)
  local target = plan.into and " into " .. plan.into
    or plan.above and " above " .. plan.above
    or plan.bottom and " at the bottom" or ""
  local level = plan.level and " as L" .. plan.level or ""
  return ("%s %s%s%s"):format(plan.op, table.concat(inputs, " "), target, level)
end

--- Plans as text, a line for each: "merge 1 2 3 into 101 as L1".
-- @tparam table plans an array of plans, or one plan, or nil
-- @treturn string "nothing" for none
function M.plan_text(plans)
  if plans == nil or plans.op == nil and #plans == 0 then
    return "nothing"
  elseif plans.op ~= nil then
    return one_text(plans)
  end
  local lines = {}
  for i, plan in ipairs(plans) do
    lines[i] = one_text(plan)
  end
  return table.concat(lines, "\n")
end

return M
