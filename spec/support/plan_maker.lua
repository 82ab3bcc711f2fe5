--- Plans by chance for a tree that was seen: some are good, most are not, some
-- are no plans at all.
--
-- A sight is what is remembered of a tree, as plain tables: runs, newest first,
-- with tables of id, min, max, busy, and dead.

local M = {}

local RING = 64

-- ---- seeing ----------------------------------------------------------------

local function remember(ring, random, id)
  ring[#ring < RING and #ring + 1 or random:int(1, RING)] = id
end

--- @tparam table tree as a policy sees it
-- @tparam table memory with tables and runs: ids of trees that are gone
-- @tparam table random
-- @treturn table
function M.look(tree, memory, random)
  local sight = { runs = {}, tables = {} }
  for i, run in ipairs(tree.runs) do
    local seen = { id = run.id, tables = {} }
    remember(memory.runs, random, run.id)
    for k, t in ipairs(run.tables) do
      seen.tables[k] = {
        id = t.id, run = i, min = t.min_key, max = t.max_key, busy = t.busy,
        dead = t.expiring == t.entries and t.max_expiry_ms <= tree.now_ms,
      }
      sight.tables[#sight.tables + 1] = seen.tables[k]
    end
    sight.runs[i] = seen
    remember(memory.tables, random, seen.tables[1].id)
  end
  return sight
end

-- ---- parts -----------------------------------------------------------------

local OPS = { "merge", "merge", "merge", "move", "move", "drop" }

local function aim(plan, sight, random, low)
  local dice = random:below(10)
  local run = sight.runs[dice < 7 and low or random:int(1, #sight.runs)]
  if dice < 5 then
    plan.into = run.id
  elseif dice < 9 then
    plan.above = run.id
  else
    plan.bottom = true
  end
  return plan
end

local function cuts_of(sight, random)
  local cuts, last = {}, ""
  for _, t in ipairs(sight.tables) do
    if t.min > last and random:one_in(2) then
      last = t.min
      cuts[#cuts + 1] = last
    end
  end
  if random:one_in(4) then cuts[#cuts + 1] = random:pick { "", "k", last } end
  return cuts
end

local function dress(plan, sight, random)
  plan.op = plan.op or random:pick(OPS)
  if plan.op == "drop" and not random:one_in(8) then
    plan.into, plan.above, plan.bottom = nil, nil, nil
  end
  if plan.op == "merge" then
    plan.table_bytes = not random:one_in(5) and 256 or nil
    plan.cuts = random:one_in(4) and cuts_of(sight, random) or nil
  end
  plan.level = random:one_in(3) and random:int(0, 63) or nil
  return plan
end

local function ids_where(sight, want)
  local ids = {}
  for _, t in ipairs(sight.tables) do
    if want(t) then ids[#ids + 1] = t.id end
  end
  if #ids == 0 then ids[1] = sight.tables[#sight.tables].id end
  return ids
end

-- ---- kinds of plans --------------------------------------------------------

local make = {}

-- Adjacent whole runs.
function make.runs(sight, random)
  local first = random:int(1, #sight.runs)
  local last = math.min(#sight.runs, first + random:below(4))
  return aim({
    op = random:one_in(4) and "move" or "merge",
    inputs = ids_where(sight, function(t)
      return t.run >= first and t.run <= last
    end),
  }, sight, random, last)
end

-- All that meets a range in adjacent runs.
function make.range(sight, random)
  local first = random:int(1, #sight.runs)
  local last = math.min(#sight.runs, first + random:below(3))
  local a, b = random:pick(sight.tables), random:pick(sight.tables)
  local low, high = a.min, random:one_in(2) and b.max or a.max
  return aim({
    inputs = ids_where(sight, function(t)
      return t.run >= first and t.run <= last and t.min <= high
        and low <= t.max
    end),
  }, sight, random, last)
end

function make.some(sight, random)
  local odds = random:int(2, 5)
  return aim({
    inputs = ids_where(sight, function() return random:one_in(odds) end),
  }, sight, random, random:int(1, #sight.runs))
end

function make.one(sight, random)
  local t = random:pick(sight.tables)
  return aim({ inputs = { t.id } }, sight, random,
    random:int(t.run, #sight.runs))
end

function make.move(sight, random)
  local plan = make.one(sight, random)
  plan.op = "move"
  return plan
end

function make.busy(sight, random)
  local odds = random:int(2, 6)
  return aim({
    inputs = ids_where(sight, function(t)
      return t.busy and random:one_in(2) or random:one_in(odds)
    end),
  }, sight, random, #sight.runs)
end

-- What is dead, or the oldest there is.
function make.drop(sight, random)
  local is_fair, last = not random:one_in(6), random:int(1, #sight.runs)
  return {
    op = "drop",
    inputs = ids_where(sight, function(t)
      return t.dead and not random:one_in(4)
        or not is_fair and t.run >= last
    end),
  }
end

function make.stale(sight, random, memory)
  local plan = make.some(sight, random)
  plan.inputs[#plan.inputs + 1] = random:pick(memory.tables)
  if plan.into then plan.into = random:pick(memory.runs) end
  if plan.above then plan.above = random:pick(memory.runs) end
  return plan
end

-- A plan that was made before, for the tree of that time.
function make.again(sight, random, memory)
  return memory.plan and {
    op = memory.plan.op, inputs = memory.plan.inputs, into = memory.plan.into,
    above = memory.plan.above, bottom = memory.plan.bottom,
    cuts = memory.plan.cuts, level = memory.plan.level,
  } or make.one(sight, random)
end

local function many(count, of)
  local list = {}
  for i = 1, count do list[i] = of(i) end
  return list
end

function make.huge(sight, random)
  local plan = make.runs(sight, random)
  local what, id = random:below(6), sight.tables[1].id
  if what == 0 then
    plan.inputs = many(random:int(4095, 5000), function(i) return i end)
  elseif what == 1 then
    plan.inputs = many(200, function() return id end)
  elseif what == 2 then
    plan.cuts = many(random:int(4095, 4100), function(i)
      return ("%06d"):format(i)
    end)
  elseif what == 3 then
    plan.cuts = { ("x"):rep(random:int(65534, 65537)) }
  elseif what == 4 then
    plan.level = random:pick { 64, 1 << 40, math.maxinteger }
  else
    plan.table_bytes = random:pick { 1, 255, 1 << 62, math.maxinteger }
  end
  return plan
end

-- ---- what is no plan -------------------------------------------------------

local broken = setmetatable({}, {
  __index = function() error("this table cannot be read", 0) end,
  __len = function() return "many" end,
  __tostring = function() error("nor shown", 0) end,
  __pairs = function() return nil end,
})

local JUNK = {
  0, 1, -1, 1.5, 0 / 0, 1 / 0, math.maxinteger, math.mininteger, "", "merge",
  "k003", "\0", true, false, {}, { 1 }, { {} }, { -1, 0 }, print, io.stdout,
  broken, coroutine.create(print), { "k9", "k1" }, { 1, "2" }, ("y"):rep(9999),
}

local FIELDS = {
  "op", "inputs", "into", "above", "bottom", "level", "table_bytes", "cuts",
  "why", "inputs", "cuts", "into",
}

function make.spoilt(sight, random)
  local plan = make.runs(sight, random)
  for _ = 1, random:int(1, 2) do
    plan[random:pick(FIELDS)] = random:pick(JUNK)
  end
  if random:one_in(6) then setmetatable(plan, getmetatable(broken)) end
  return plan
end

function make.cut(sight, random)
  local plan = make.runs(sight, random)
  plan.cuts = random:pick {
    { "k010", "k005" }, { "k005", "k005" }, { "k001", "k002", "k002" },
  }
  return plan
end

M.JUNK = JUNK

--- What may be said about a level, and of bytes a second.
M.LAYOUTS = {
  { table_bytes = 4096 }, { block_bytes = 256 }, {}, { table_bytes = 1 << 20 },
  { table_bytes = 8192, block_bytes = 65536 }, { table_bytes = 1 },
  { block_bytes = 0 }, { blocks = 1 }, { compression = "lz4" },
  { compression = "zstd", block_bytes = 1024 }, { compression = "none" },
  { compression = "best" }, { compression = 2 },
}
M.RATES = { 1, 1000, 1e6, 1e300, 0, -1, 0 / 0, math.huge, 1 << 62, 0.1 }

--- Kinds of plans that may be no plans.
M.SPOILT = { spoilt = true, huge = true, cut = true, empty = false }

--- Draws plans.
-- @tparam table random
-- @treturn function of a sight and a memory that gives a plan and its kind
function M.new(random)
  local wheel = random:wheel {
    runs = 26, range = 22, some = 8, one = 12, move = 10, busy = 7, drop = 10,
    stale = 6, again = 5, huge = 0.4, spoilt = 7, cut = 2,
  }
  return function(sight, memory)
    local kind = wheel()
    if #sight.runs == 0 then
      return { op = "merge", inputs = { 1 }, bottom = true }, "empty"
    end
    local plan = make[kind](sight, random, memory)
    if kind ~= "spoilt" and kind ~= "huge" and kind ~= "cut" then
      plan = dress(plan, sight, random)
      memory.plan = random:one_in(3) and plan or memory.plan
    end
    return plan, kind
  end
end

return M
