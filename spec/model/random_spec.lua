-- Random operations on a store of small tables, beside a model of plain Lua.
-- GS_MODEL_OPS says how many, GS_MODEL_SEED which; the seed is in what a
-- failure says.

local grainstore = require "grainstore"
local Model = require "spec.support.model"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

local OPS = tonumber(os.getenv "GS_MODEL_OPS") or 20000
local SEED = tonumber(os.getenv "GS_MODEL_SEED") or os.time()

local random = math.random

-- ---- keys and values -------------------------------------------------------

local bytes_kind = { name = "bytes", open = grainstore.open_bytes }

function bytes_kind.universe()
  local keys = { "", "\0", "\0\0", "\255", "\255\255" }
  for i = 0, 99 do
    keys[#keys + 1] = ("a"):rep(i % 7) .. ("%02d"):format(i)
    keys[#keys + 1] = string.char(i * 2 + 30, 0, i)
  end
  table.sort(keys)
  return keys
end

function bytes_kind.value()
  local size = random(1, 20) == 1 and random(0, 6000) or random(0, 60)
  return string.char(random(0, 255)):rep(size)
end

local u32_kind = { name = "u32", open = grainstore.open_u32 }

function u32_kind.universe()
  local keys = { 0, 0xFFFFFFFF }
  for i = 1, 100 do
    keys[#keys + 1] = i * 3
    keys[#keys + 1] = i * 0x1010101
  end
  table.sort(keys)
  return keys
end

function u32_kind.value()
  return random(0, 0xFFFFFFFF)
end

-- ---- one run ---------------------------------------------------------------

local Run = {}
Run.__index = Run

local policies = {
  function() return "bounded_l0" end,
  function()
    return grainstore.policy.leveled {
      fanout = 3, l0_runs = 2, base_bytes = 16384,
    }
  end,
  function() return { name = "manual", pick = T.manual.pick } end,
}

local compressions = { "none", "lz4", "zstd" }

-- One of the policies, perhaps with codecs by level.
local function draw_policy()
  local policy = policies[random(#policies)]()
  if type(policy) == "table" and random(1, 2) == 1 then
    local first = random(3)
    function policy.layout(level)
      return { compression = compressions[(level + first) % 3 + 1] }
    end
  end
  return policy
end

function Run:open()
  self.store = assert(self.kind.open(self.path, {
    policy = draw_policy(), threads = random(0, 1),
    compression = compressions[random(3)],
    memtable_bytes = 32768, table_bytes = 8192, memory_bytes = 1 << 20,
    block_bytes = 512, durability = random(1, 4) == 1 and "os" or "batch",
  }))
end

function Run.new(kind)
  local run = setmetatable({ kind = kind, path = tmp.path() }, Run)
  run.universe = kind.universe()
  run.model = Model.new(run.universe, T.FUTURE_MS)
  run.snapshots = {}
  run:open()
  T.advance(run.store, T.FUTURE_MS)
  return run
end

function Run:key()
  -- A few keys are met more often than the others.
  local count = random(1, 3) == 1 and 12 or #self.universe
  return self.universe[random(count)]
end

function Run:range()
  local range = { reverse = random(1, 2) == 1 }
  if random(1, 2) == 1 then range.from = self:key() end
  if random(1, 2) == 1 then range.to = self:key() end
  if random(1, 3) == 1 then range.limit = random(0, 20) end
  return range
end

-- What is compared must be equal; `what` is worked out only if it is not.
local function check(expected, found, ...)
  if expected ~= found then
    error(("%s: expected %q, found %q"):format(
      table.concat({ ... }, " "), tostring(expected), tostring(found)), 0)
  end
end

local function check_pairs(expected, found, what)
  check(#expected, #found, what, "count")
  for i, pair in ipairs(expected) do
    check(pair[1], found[i][1], what, "key", i)
    check(pair[2], found[i][2], what, "value", i)
  end
end

-- ---- operations ------------------------------------------------------------

local ops = {}

local function expiry(run)
  local dice = random(1, 8)
  if dice == 1 then
    local at_ms = run.model.now_ms + random(0, 300)
    return { expires_at_ms = at_ms }, at_ms
  elseif dice == 2 then
    local ttl_ms = random(0, 300)
    return { ttl_ms = ttl_ms }, run.model.now_ms + ttl_ms
  end
end

function ops.put(run)
  local key, value = run:key(), run.kind.value()
  local options, at_ms = expiry(run)
  local seq = assert(run.store:put(key, value, options))
  assert(seq > (run.seq or 0))
  run.seq = seq
  run.model:put(key, value, at_ms)
end

function ops.delete(run)
  local key = run:key()
  assert(run.store:delete(key))
  run.model:delete(key)
end

function ops.get(run)
  local key = run:key()
  local value, meta = run.store:get(key, { meta = true })
  local entry = run.model:entry(key)
  check(entry and entry.value, value, "get", key)
  check(entry and entry.expires_at_ms, meta and meta.expires_at_ms, "meta", key)
  check(run.model:ttl(key), run.store:ttl(key), "ttl", key)
  check(entry ~= nil, run.store:contains(key), "contains", key)
end

function ops.get_many(run)
  local keys = {}
  for i = 1, random(0, 12) do keys[i] = run:key() end
  local values = run.store:get_many(keys)
  for i, key in ipairs(keys) do
    local value = run.model:get(key)
    check(value ~= nil and value or false, values[i], "get_many", key)
  end
end

function ops.batch(run)
  local batch <close> = run.store:batch()
  local now_ms
  if random(1, 2) == 1 then
    now_ms = run.model.now_ms + random(0, 40)
    run.model.now_ms = now_ms
  end
  for _ = 1, random(0, 20) do
    local key = run:key()
    if random(1, 4) == 1 then
      batch:delete(key)
      run.model:delete(key)
    else
      local value = run.kind.value()
      local options, at_ms = expiry(run)
      batch:put(key, value, options)
      run.model:put(key, value, at_ms)
    end
  end
  run.note = tostring(random(1000))
  assert(batch:commit { now_ms = now_ms, meta = run.note })
end

function ops.take(run)
  local key = run:key()
  check(run.model:get(key), run.store:take(key), "take", key)
  run.model:delete(key)
end

function ops.put_if(run)
  local key = run:key()
  local present = run.model:get(key)
  local expected = present
  if random(1, 3) == 1 then expected = run.kind.value() end
  if random(1, 6) == 1 then expected = nil end
  local value
  if random(1, 3) > 1 then value = run.kind.value() end
  local done, current = run.store:put_if(key, expected, value)
  check(expected == present, done, "put_if", key)
  if done and value then
    run.model:put(key, value)
  elseif done then
    run.model:delete(key)
  else
    check(present, current, "put_if current", key)
  end
end

function ops.expire(run)
  local key, ttl_ms = run:key(), random(0, 300)
  local entry = run.model:entry(key)
  check(entry ~= nil, run.store:expire(key, ttl_ms), "expire", key)
  if entry then
    run.model:put(key, entry.value, run.model.now_ms + ttl_ms)
  end
end

function ops.persist(run)
  local key = run:key()
  local entry = run.model:entry(key)
  check(entry ~= nil, run.store:persist(key), "persist", key)
  if entry then
    run.model:put(key, entry.value)
  end
end

function ops.scan(run)
  local range = run:range()
  check_pairs(run.model:scan(range), T.pairs_of(run.store, range), "scan")
end

function ops.count(run)
  local range = { from = run:key(), to = run:key() }
  check(#run.model:scan(range), run.store:count(range), "count")
end

-- A walk to and fro from a random key.
function ops.walk(run)
  local entries = run.model:scan()
  local cursor <close> = run.store:cursor()
  local key = run:key()
  local at = 1
  while entries[at] and entries[at][1] < key do at = at + 1 end
  local found, value = cursor:seek(key)
  for _ = 1, random(1, 30) do
    local expected = entries[at] or {}
    check(expected[1], found, "walk key")
    check(expected[2], value, "walk value")
    if not found then break end
    if random(1, 2) == 1 then
      found, value = cursor:next()
      at = at + 1
    else
      found, value = cursor:prev()
      at = at - 1
    end
  end
end

function ops.hold(run)
  if #run.snapshots < 3 then
    table.insert(run.snapshots, {
      handle = run.store:snapshot(), model = run.model:copy(),
    })
  end
end

function ops.look_back(run)
  local held = run.snapshots[random(3)]
  if not held then
    return
  end
  local key, range = run:key(), run:range()
  check(held.model:get(key), held.handle:get(key), "snapshot get", key)
  check(held.model:ttl(key), held.handle:ttl(key), "snapshot ttl", key)
  check_pairs(held.model:scan(range), T.pairs_of(held.handle, range),
    "snapshot scan")
end

function ops.let_go(run)
  local held = table.remove(run.snapshots, random(math.max(1, #run.snapshots)))
  if held then
    held.handle:close()
  end
end

function ops.flush(run)
  assert(run.store:flush())
end

function ops.compact(run)
  local range
  if random(1, 2) == 1 then
    range = { from = run:key(), to = run:key() }
  end
  assert(run.store:compact(range))
end

function ops.step(run)
  assert(run.store:step() ~= nil)
end

function ops.reopen(run)
  run.snapshots = {}
  assert(run.store:close())
  run:open()
  check(run.note, run.store:meta(), "note")
end

function ops.all(run)
  check_pairs(run.model:scan(), T.pairs_of(run.store), "all")
end

function ops.verify(run)
  assert(run.store:verify())
end

local weights = {
  put = 400, delete = 120, get = 200, get_many = 20, batch = 50, take = 20,
  put_if = 30, expire = 10, persist = 10, scan = 15, count = 10, walk = 15,
  hold = 8, look_back = 20, let_go = 8, flush = 2, compact = 1, step = 10,
  reopen = 0.5, all = 2, verify = 0.3,
}

-- The names of all operations, and how likely one up to each of them is.
local function wheel()
  local names, sums, sum = {}, {}, 0
  for name in pairs(ops) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    sum = sum + weights[name]
    sums[i] = sum
  end
  return function()
    local x, i = random() * sum, 1
    while sums[i] < x do i = i + 1 end
    return names[i]
  end
end

describe("random operations", function()
  for _, kind in ipairs { bytes_kind, u32_kind } do
    it("on a " .. kind.name .. " store do what they do on a table", function()
      math.randomseed(SEED)
      local run, draw = Run.new(kind), wheel()
      for step = 1, OPS // 2 do
        local name = draw()
        local ok, message = pcall(ops[name], run)
        if not ok then
          error(("GS_MODEL_SEED=%d GS_MODEL_OPS=%d: step %d, %s: %s"):format(
            SEED, OPS, step, name, tostring(message)), 0)
        end
      end
      ops.all(run)
      assert.is_true(run.store:close())
      print(("%s store: seed %d, %d operations, 0 differences"):format(
        kind.name, SEED, OPS // 2))
    end)
  end
end)
