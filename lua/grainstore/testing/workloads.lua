--- Twenty-four named lives of a store, each `{name=, kind=, options=, ops=}`:
-- what applications do, and what is hard. In all of them memtables, tables and
-- blocks are small, so that little data makes many files.
--
--     for _, workload in ipairs(T.workloads) do … end
--     T.workloads.queue.ops
-- @module grainstore.testing.workloads

local Random = require "grainstore.testing.random"
local script = require "grainstore.testing.script"

local workloads = {}

-- Every workload draws from its own seed, which is its place in the list.
local function add(name, options, build)
  local random = Random.new(#workloads + 1, 5)
  local ops = {}
  local function emit(...)
    for _, op in ipairs { ... } do
      ops[#ops + 1] = op
    end
  end
  build(emit, random)
  local kind = options.kind
  options.kind = nil
  local workload = {
    name = name, kind = kind or "bytes", options = options, ops = ops,
  }
  workloads[#workloads + 1] = workload
  workloads[name] = workload
end

local function key(i)
  return ("key%03d"):format(i)
end

-- ---- orders of keys --------------------------------------------------------

add("sequential", { durability = "os" }, function(emit)
  for i = 1, 200 do
    emit { "put", key(i), i }
  end
  emit { "flush" }
end)

add("backward", { durability = "batch" }, function(emit)
  for i = 200, 1, -1 do
    emit { "put", key(i), i }
  end
  emit { "compact" }
end)

add("overwrite", { durability = "os" }, function(emit, random)
  for i = 1, 220 do
    emit { "put", key(random:below(6)), i }
  end
end)

add("prefixes", { durability = "sync" }, function(emit, random)
  for i = 1, 150 do
    local name = ("a"):rep(random:below(12)) .. ("\0"):rep(random:below(3))
    emit { random:one_in(5) and "delete" or "put", name, i }
  end
end)

-- ---- what is written -------------------------------------------------------

add("deletes", { durability = "os" }, function(emit, random)
  for i = 1, 240 do
    local name = key(random:below(30))
    emit { random:one_in(2) and "delete" or "put", name, i }
    if i % 60 == 0 then
      emit { "compact" }
    end
  end
end)

add("emptied", { durability = "batch" }, function(emit)
  for round = 1, 3 do
    for i = 1, 30 do
      emit { "put", key(i), round * 100 + i }
    end
    emit { "flush" }
    for i = 1, 30 do
      emit { "delete", key(i) }
    end
    emit { "compact" }
  end
end)

add("large_values", { durability = "os" }, function(emit, random)
  for i = 1, 60 do
    emit { "put", key(random:below(12)), i, bytes = random:int(1, 9000) }
  end
end)

add("tiny_values", { durability = "sync" }, function(emit, random)
  for i = 1, 160 do
    emit { "put", key(random:below(80)), i, bytes = 0 }
  end
end)

add("conditional", { durability = "batch" }, function(emit, random)
  for i = 1, 160 do
    local name = key(random:below(10))
    if random:one_in(4) then
      emit { "take", name }
    else
      emit { "put_if", name, random:pick { true, true, false }, i }
    end
  end
end)

-- ---- batches ---------------------------------------------------------------

local function batch(random, size, number)
  local parts = {}
  for i = 1, size do
    local name = key(random:below(60))
    parts[i] = random:one_in(5) and { "delete", name }
      or { "put", name, number * 128 + i }
  end
  return { "batch", parts }
end

add("batches", { durability = "os" }, function(emit, random)
  for i = 1, 60 do
    local op = batch(random, random:int(2, 12), i)
    op.meta = i % 4 == 0 and ("note %d"):format(i) or nil
    emit(op)
  end
end)

add("batches_of_100", { durability = "sync" }, function(emit, random)
  for i = 1, 14 do
    emit(batch(random, 100, i), { "put", "single", i })
  end
end)

add("notes", { durability = "batch" }, function(emit, random)
  for i = 1, 90 do
    local op = batch(random, random:below(3), i)
    op.meta = ("note %d"):format(i)
    op.sync = i % 10 == 0 or nil
    emit(op)
    if i % 30 == 0 then
      emit { "reopen" }
    end
  end
end)

-- ---- time ------------------------------------------------------------------

add("ttl", { durability = "os" }, function(emit, random)
  for i = 1, 160 do
    local name = key(random:below(25))
    emit { "put", name, i, ttl_ms = random:int(1, 400) }
    if i % 4 == 0 then
      emit { "advance", random:int(1, 40) }
    end
    if i % 40 == 0 then
      emit { "compact" }
    end
  end
end)

add("sessions", { durability = "sync" }, function(emit, random)
  for i = 1, 110 do
    local name = key(random:below(12))
    local dice = random:below(6)
    if dice == 0 then
      emit { "expire", name, random:int(0, 100) }
    elseif dice == 1 then
      emit { "persist", name }
    elseif dice == 2 then
      emit { "advance", random:int(1, 30) }
    else
      emit { "put", name, i, ttl_ms = random:int(1, 200) }
    end
  end
end)

-- ---- shapes of applications ------------------------------------------------

add("queue", { durability = "sync" }, function(emit, random)
  local first, last = 1, 0
  for i = 1, 140 do
    if first > last or random:one_in(2) then
      last = last + 1
      emit { "put", key(last), i }
    else
      emit { "take", key(first) }
      first = first + 1
    end
  end
end)

add("counters", { durability = "batch" }, function(emit, random)
  for i = 1, 120 do
    emit { "put_if", key(random:below(4)), true, i }
    emit { "put", "total", i, sync = i % 20 == 0 or nil }
  end
end)

add("snapshots", { durability = "os" }, function(emit, random)
  for i = 1, 160 do
    local name = key(random:below(20))
    emit { random:one_in(4) and "delete" or "put", name, i }
    if i % 12 == 0 then
      emit { "snapshot", i // 12 % 3 }
    end
    if i % 50 == 0 then
      emit { "compact" }
    end
    if i % 75 == 0 then
      emit { "check" }
    end
  end
end)

-- ---- when things happen ----------------------------------------------------

add("sync_mix", { durability = "batch" }, function(emit, random)
  for i = 1, 180 do
    emit { "put", key(random:below(40)), i, sync = random:one_in(3) or nil }
    if random:one_in(20) then
      emit { "sync" }
    end
  end
end)

add("flush_often", { durability = "os" }, function(emit, random)
  for i = 1, 120 do
    emit { "put", key(random:below(30)), i }
    if i % 7 == 0 then
      emit { "flush" }
    end
    if i % 31 == 0 then
      emit { "step" }
    end
  end
end)

add("reopen_often", { durability = "os" }, function(emit, random)
  for i = 1, 120 do
    emit { random:one_in(5) and "delete" or "put", key(random:below(30)), i }
    if i % 9 == 0 then
      emit { "reopen" }
    end
  end
end)

add("slow_steps", { durability = "batch" }, function(emit, random)
  for i = 1, 160 do
    emit { "put", key(random:below(50)), i }
    if i % 3 == 0 then
      emit { "step", 0 }
    end
  end
  emit { "step" }
end)

add("without_log", { durability = "memory" }, function(emit, random)
  for i = 1, 160 do
    emit { random:one_in(6) and "delete" or "put", key(random:below(40)), i }
    if i % 40 == 0 then
      emit { "flush" }
    end
  end
end)

-- ---- the other kind of store, and everything at once -----------------------

add("u32", { kind = "u32", durability = "os" }, function(emit)
  local ops = script.random(23, {
    kind = "u32", steps = 200, keys = 50, weights = script.WRITES,
  })
  emit(table.unpack(ops))
end)

add("mixed", { durability = "batch" }, function(emit)
  local ops = script.random(24, { steps = 200, weights = script.WRITES })
  emit(table.unpack(ops))
end)

return workloads
