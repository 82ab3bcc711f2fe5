--- Random trees: shapes such as policies leave them, and shapes that none does.
-- @module grainstore.testing.shapes

local model = require "grainstore.testing.plan_model"

local M = {}

local KEYS = 1000000
local DAY_MS = 24 * 60 * 60 * 1000

--- When the trees are looked at first; their entries expire from BEGIN_MS on.
M.BEGIN_MS = 1800000000000
M.NOW_MS = M.BEGIN_MS + 4 * DAY_MS

-- Tables in key order: bounds are drawn, sorted and taken in pairs.
local function draw_tables(random, count)
  local low, high = 1, KEYS
  if random:one_in(3) then
    low = random:int(1, KEYS - 200)
    high = random:int(low + 100, KEYS)
  end
  count = math.min(count, (high - low) // 4)
  local taken, keys = {}, {}
  while #keys < 2 * count do
    local key = random:int(low, high)
    if not taken[key] then
      taken[key], keys[#keys + 1] = true, key
    end
  end
  table.sort(keys)
  local tables = {}
  for i = 1, count do
    tables[i] = { min_key = keys[2 * i - 1], max_key = keys[2 * i] }
  end
  return tables
end

-- Entries, and how many of them are gone or will be.
local function fill(shape, random, t, bytes)
  local now_ms = shape.now_ms
  t.id, shape.next_id = shape.next_id, shape.next_id + 1
  t.bytes = math.max(300, bytes)
  t.entries = math.max(2, t.bytes // 100)
  t.tombstones, t.expiring, t.busy = 0, 0, false
  t.created_ms = now_ms - random:below(3 * DAY_MS)
  t.min_seq, t.max_seq = 1, 1
  local kind = random:below(6)
  if kind == 0 then
    t.tombstones = random:int(1, t.entries)
    t.oldest_tombstone_ms = t.created_ms - random:below(DAY_MS)
  elseif kind <= 2 then
    t.expiring = kind == 1 and t.entries or random:int(1, t.entries - 1)
    t.min_expiry_ms = t.created_ms + random:below(2 * DAY_MS)
    t.max_expiry_ms = t.min_expiry_ms + random:below(DAY_MS)
  end
end

local function add_run(shape, random, level, count, bytes)
  local run = { id = shape.next_id, level = level }
  shape.next_id = shape.next_id + 1
  run.tables = draw_tables(random, count)
  for _, t in ipairs(run.tables) do
    fill(shape, random, t, math.floor(bytes / #run.tables))
  end
  shape.runs[#shape.runs + 1] = run
end

--- A random tree.
-- @tparam table random
-- @treturn table see grainstore.tree; also next_id, table_bytes, flush_bytes
function M.new(random)
  local flush_bytes = 1 << random:int(12, 26)
  local shape = {
    runs = {}, running = 0, refused = {}, reason = "flush", version = 1,
    now_ms = M.NOW_MS, next_id = 1, flush_bytes = flush_bytes,
    memtable = {
      bytes = 0, entries = 0, tombstones = 0, age_ms = 0, sealed = 0,
      budget_bytes = flush_bytes,
    },
    wal = { bytes = 0 }, disk = { free_bytes = 1 << 50, used_bytes = 0 },
    amp = { write = 0, space = 0, read = 0 },
  }
  local level, bytes, growth = 0, flush_bytes, random:pick { 1, 1.5, 3, 8 }
  local is_wild, total = random:one_in(4), 0
  for _ = 1, random:int(0, 14) do
    if level == 0 and random:one_in(3) or level > 0 and random:one_in(2) then
      level = level + 1
      bytes = math.min(bytes * growth, 1 << 38)
    end
    local count = level == 0 and 1 or random:int(1, 12)
    if is_wild then count = random:int(1, 30) end
    local size = bytes * random:int(30, 200) // 100
    if is_wild then size = flush_bytes << random:int(0, 8) end
    add_run(shape, random, level, count, size)
    total = total + size
  end
  local fair = random:pick { 64 << 20, 4 * flush_bytes }
  shape.table_bytes = math.max(fair, math.floor(total / 100), 4096)
  return model.complete(shape)
end

--- A flush onto a tree, some time after what came before.
-- @tparam table shape it is changed
-- @tparam table random
function M.flush(shape, random)
  local below = shape.runs
  shape.now_ms = shape.now_ms
    + random:pick { 1000, 60000, 60 * 60 * 1000, DAY_MS }
  shape.runs = {}
  add_run(shape, random, 0, 1, shape.flush_bytes * random:int(30, 110) // 100)
  local t = shape.runs[1].tables[1]
  if t.oldest_tombstone_ms then t.oldest_tombstone_ms = shape.now_ms end
  t.created_ms = shape.now_ms
  table.move(below, 1, #below, 2, shape.runs)
  shape.version = shape.version + 1
  model.complete(shape)
end

return M
