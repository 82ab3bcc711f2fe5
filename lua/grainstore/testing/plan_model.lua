--- Plans on trees without a store: which are valid, and the tree they leave.
--
-- The rules are the engine's own, said again in the plainest way ("Which plans
-- are valid" in core/DESIGN.md); the bytes that a merge writes are a guess.
-- Keys are integers.
-- @module grainstore.testing.plan_model

local tree = require "grainstore.tree"

local M = {}

local MAX_INPUTS, MAX_RUNS, MIN_TABLE_BYTES = 4096, 64, 256

local function overlap(t, u)
  return t.min_key <= u.max_key and u.min_key <= t.max_key
end

-- ---- which plans are valid -------------------------------------------------

-- The position of the target: 2i + 1 is run i of n, counted from 0; 2i the gap
-- above it, 2n the gap below all.
local function position(shape, plan)
  if plan.bottom then return 2 * #shape.runs end
  for i, run in ipairs(shape.runs) do
    if run.id == plan.into then return 2 * i - 1 end
    if run.id == plan.above then return 2 * i - 2 end
  end
end

-- The inputs as { table, run } with run from 0, newest first; a set of ids.
local function find_inputs(shape, plan)
  local chosen, list, seen, named = {}, {}, 0, 0
  for _, id in ipairs(plan.inputs) do
    named = named + (chosen[id] and 0 or 1)
    chosen[id] = true
  end
  for i, run in ipairs(shape.runs) do
    for _, t in ipairs(run.tables) do
      if chosen[t.id] then
        seen = seen + 1
        if t.busy then return nil, "busy_table" end
        list[seen] = { table = t, run = i - 1 }
      end
    end
  end
  if seen < named then return nil, "unknown_table" end
  if named < #plan.inputs then return nil, "bad_plan" end
  return list, chosen
end

-- Whether a table stays in the way of an input down to a position.
local function is_blocked(shape, inputs, chosen, last)
  for _, input in ipairs(inputs) do
    for j = input.run + 1, #shape.runs - 1 do
      for _, u in ipairs(2 * j + 1 <= last and shape.runs[j + 1].tables or {})
      do
        if not chosen[u.id] and overlap(input.table, u) then return true end
      end
    end
  end
  return false
end

local function is_dead(t, now_ms)
  return t.expiring == t.entries and t.max_expiry_ms
    and t.max_expiry_ms <= now_ms
end

local function check_drop(shape, inputs, chosen)
  for _, input in ipairs(inputs) do
    if not shape.lossy and not is_dead(input.table, shape.now_ms) then
      return "not_dead"
    end
  end
  return is_blocked(shape, inputs, chosen, math.huge) and "path_blocked" or nil
end

local function check_cuts(plan)
  for i, cut in ipairs(plan.cuts or {}) do
    if i > 1 and plan.cuts[i - 1] >= cut then return "bad_cut" end
  end
  if plan.cuts and (plan.op ~= "merge" or #plan.cuts > MAX_INPUTS) then
    return "bad_cut"
  end
end

local function has_meeting(inputs)
  for i, a in ipairs(inputs) do
    for j = i + 1, #inputs do
      if a.run ~= inputs[j].run and overlap(a.table, inputs[j].table) then
        return true
      end
    end
  end
  return false
end

local function empties_a_run(shape, chosen)
  for _, run in ipairs(shape.runs) do
    local is_emptied = true
    for _, t in ipairs(run.tables) do
      is_emptied = is_emptied and chosen[t.id]
    end
    if is_emptied then return true end
  end
  return false
end

local function check_numbers(plan)
  local targets = (plan.into and 1 or 0) + (plan.above and 1 or 0)
    + (plan.bottom and 1 or 0)
  if plan.op ~= "merge" and plan.op ~= "move" and plan.op ~= "drop"
    or targets ~= (plan.op == "drop" and 0 or 1)
    or #plan.inputs == 0 or #plan.inputs > MAX_INPUTS
    or plan.table_bytes and plan.table_bytes < MIN_TABLE_BYTES
    or plan.level and (plan.level < 0 or plan.level > 63) then
    return "bad_plan"
  end
end

--- Why the engine would refuse a plan.
-- @tparam table shape a tree, no job running on it
-- @tparam table plan
-- @treturn ?string the name of the refusal, nil where it would not
function M.refusal(shape, plan)
  local wrong = check_numbers(plan)
  if wrong then return wrong end
  local last = position(shape, plan)
  if plan.op ~= "drop" and not last then return "bad_plan" end
  wrong = check_cuts(plan)
  if wrong then return wrong end
  local inputs, chosen = find_inputs(shape, plan)
  if not inputs then return chosen end
  if plan.op == "drop" then return check_drop(shape, inputs, chosen) end
  if last < 2 * inputs[#inputs].run then return "upward" end
  if is_blocked(shape, inputs, chosen, last) then return "path_blocked" end
  if plan.op == "move" and has_meeting(inputs) then return "needs_rewrite" end
  if last % 2 == 0 and #shape.runs >= MAX_RUNS
    and not empties_a_run(shape, chosen) then
    return "too_many"
  end
end

-- ---- what they leave -------------------------------------------------------

-- Where output tables may begin or end: every bound of an input, and where they
-- must begin: cuts, and tables that stay in the target.
local function bounds_of(inputs, forced)
  local points = {}
  for _, input in ipairs(inputs) do
    points[input.table.min_key] = true
    points[input.table.max_key + 1] = true
  end
  for key in pairs(forced) do points[key] = true end
  local sorted = {}
  for key in pairs(points) do sorted[#sorted + 1] = key end
  table.sort(sorted)
  return sorted
end

-- Bytes of inputs between two neighbouring points, spread evenly.
local function bytes_between(inputs, from, to)
  local bytes = 0
  for _, input in ipairs(inputs) do
    local t = input.table
    if t.min_key <= from and to <= t.max_key + 1 then
      bytes = bytes + t.bytes * (to - from) / (t.max_key - t.min_key + 1)
    end
  end
  return bytes
end

-- Pieces { from, to, bytes } that are at most a table large where keys allow.
local function each_piece(inputs, forced, table_bytes, share, visit)
  local points = bounds_of(inputs, forced)
  for i = 1, #points - 1 do
    local from, to = points[i], points[i + 1]
    local bytes = bytes_between(inputs, from, to) * share
    local count = math.min(to - from, math.ceil(bytes / table_bytes))
    for k = 1, count do
      visit(from + (to - from) * (k - 1) // count,
        from + (to - from) * k // count, bytes / count)
    end
  end
end

local function cut_tables(inputs, forced, table_bytes, share)
  local out, now = {}, nil
  each_piece(inputs, forced, table_bytes, share, function(from, to, bytes)
    if now and (now.bytes + bytes > table_bytes or forced[from]
      or now.passed ~= from and next(forced)) then
      now = nil
    end
    if not now then
      now = { min_key = from, bytes = 0 }
      out[#out + 1] = now
    end
    now.max_key, now.passed, now.bytes = to - 1, to, now.bytes + bytes
  end)
  return out
end

local sums = { "bytes", "entries", "tombstones", "expiring" }

local function earlier(a, b)
  return a and b and math.min(a, b) or a or b
end

-- What is known of all the inputs together.
local function facts_of(inputs)
  local facts = { bytes = 0, entries = 0, tombstones = 0, expiring = 0 }
  for _, input in ipairs(inputs) do
    local t = input.table
    for _, name in ipairs(sums) do facts[name] = facts[name] + t[name] end
    facts.min_expiry_ms = earlier(facts.min_expiry_ms, t.min_expiry_ms)
    facts.max_expiry_ms = math.max(facts.max_expiry_ms or 0,
      t.max_expiry_ms or 0)
    facts.oldest_tombstone_ms = earlier(facts.oldest_tombstone_ms,
      t.oldest_tombstone_ms)
  end
  return facts
end

-- Whether older tables that stay may hold keys of the inputs.
local function is_bottom(shape, inputs, chosen, last)
  for j = (last + 1) // 2, #shape.runs - 1 do
    for _, u in ipairs(shape.runs[j + 1].tables) do
      for _, input in ipairs(inputs) do
        if not chosen[u.id] and overlap(u, input.table) then return false end
      end
    end
  end
  return true
end

-- Leaves out what a merge to the bottom leaves out.
local function clean(facts, now_ms)
  local gone = facts.tombstones
  facts.tombstones, facts.oldest_tombstone_ms = 0, nil
  if facts.expiring > 0 and facts.max_expiry_ms <= now_ms then
    gone, facts.expiring = gone + facts.expiring, 0
  elseif facts.expiring > 0 then
    facts.min_expiry_ms = math.max(facts.min_expiry_ms, now_ms + 1)
  end
  return math.max(0, 1 - gone / facts.entries)
end

local function dress(t, facts, share, shape)
  local part = t.bytes / (facts.bytes * share)
  t.bytes = math.max(1, math.floor(t.bytes))
  t.entries = math.max(1, math.floor(facts.entries * share * part))
  t.tombstones = math.min(t.entries, math.ceil(facts.tombstones * part))
  t.expiring = facts.expiring == facts.entries and t.entries
    or math.min(t.entries - t.tombstones, math.ceil(facts.expiring * part))
  if t.expiring > 0 then
    t.min_expiry_ms, t.max_expiry_ms = facts.min_expiry_ms, facts.max_expiry_ms
  end
  t.oldest_tombstone_ms = t.tombstones > 0 and facts.oldest_tombstone_ms or nil
  t.created_ms, t.min_seq, t.max_seq, t.busy = shape.now_ms, 1, 1, false
  t.passed, t.id, shape.next_id = nil, shape.next_id, shape.next_id + 1
end

local function merge(shape, plan, inputs, chosen, luck)
  local forced, last = {}, position(shape, plan)
  for _, cut in ipairs(plan.cuts or {}) do forced[cut] = true end
  if plan.into then
    for _, u in ipairs(shape.runs[(last + 1) // 2].tables) do
      if not chosen[u.id] then forced[u.min_key] = true end
    end
  end
  local facts = facts_of(inputs)
  local share = inputs[1].run < inputs[#inputs].run and luck.share or 1
  if not luck.is_held and is_bottom(shape, inputs, chosen, last) then
    share = share * clean(facts, shape.now_ms)
  end
  local out = share > 0 and cut_tables(inputs, forced,
    plan.table_bytes or shape.table_bytes, share) or {}
  for _, t in ipairs(out) do dress(t, facts, share, shape) end
  return out
end

--- Sums of a run and of a tree, from its tables.
-- @tparam table shape
function M.complete(shape)
  local used = 0
  for _, run in ipairs(shape.runs) do
    for _, name in ipairs(sums) do run[name] = 0 end
    table.sort(run.tables, function(a, b) return a.min_key < b.min_key end)
    for _, t in ipairs(run.tables) do
      t.run, t.level = run.id, run.level
      for _, name in ipairs(sums) do run[name] = run[name] + t[name] end
    end
    used = used + run.bytes
  end
  shape.disk.used_bytes, shape.amp.read = used, #shape.runs
  return tree.new(shape)
end

local function deepest(shape, inputs)
  local level = 0
  for _, input in ipairs(inputs) do
    level = math.max(level, shape.runs[input.run + 1].level)
  end
  return level
end

local function target_run(shape, plan, inputs)
  local last = position(shape, plan)
  if plan.into then
    local run = shape.runs[(last + 1) // 2]
    run.level = plan.level or run.level
    return run
  end
  local run = {
    id = shape.next_id, level = plan.level or deepest(shape, inputs),
    tables = {},
  }
  shape.next_id = shape.next_id + 1
  table.insert(shape.runs, last // 2 + 1, run)
  return run
end

local function remove(shape, chosen)
  for i = #shape.runs, 1, -1 do
    local run, stays = shape.runs[i], {}
    for _, t in ipairs(run.tables) do
      if not chosen[t.id] then stays[#stays + 1] = t end
    end
    run.tables = stays
  end
end

--- Does to a tree what a valid plan does.
-- @tparam table shape with next_id and table_bytes; it is changed
-- @tparam table plan
-- @tparam table luck share: of the bytes of several runs that a merge keeps;
-- is_held: a view keeps what could go
-- @treturn integer bytes written
function M.apply(shape, plan, luck)
  local inputs, chosen = find_inputs(shape, plan)
  local out, written = {}, 0
  if plan.op == "merge" then
    out = merge(shape, plan, inputs, chosen, luck)
    for _, t in ipairs(out) do written = written + t.bytes end
  elseif plan.op == "move" then
    for i, input in ipairs(inputs) do out[i] = input.table end
  end
  local run = #out > 0 and target_run(shape, plan, inputs)
  remove(shape, chosen)
  for _, t in ipairs(out) do run.tables[#run.tables + 1] = t end
  for i = #shape.runs, 1, -1 do
    if #shape.runs[i].tables == 0 then table.remove(shape.runs, i) end
  end
  shape.version = shape.version + 1
  M.complete(shape)
  return written
end

return M
