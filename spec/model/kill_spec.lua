-- A writer on a real directory is killed again and again. What it had
-- acknowledged is there, in order and without holes; what it never wrote is
-- not. GS_KILL_ROUNDS says how often.

local family = require "spec.support.family"
local grainstore = require "grainstore"
local process = require "spec.support.process"
local tmp = require "grainstore.testing.tmp"
local workload = require "spec.support.workload"

local tally = family.new(25, "kill", "writers killed at work")
local ROUNDS = tonumber(os.getenv "GS_KILL_ROUNDS") or tally:count(500)

-- Writes from number `first` on and prints the number of each write that
-- returned.
local WRITER = [[
local path, first, durability, threads = ...
local workload = require "spec.support.workload"
local store = assert(grainstore.open_bytes(path, {
  durability = durability, threads = math.tointeger(threads),
  memtable_bytes = 32768, table_bytes = 16384, memory_bytes = 1 << 20,
  policy = grainstore.policy.leveled { l0_runs = 2, base_bytes = 65536 },
}))
print(pid)
for i = math.tointeger(first), math.maxinteger do
  assert(workload.write(store, i))
  print(i)
end
]]

describe("a killed writer", function()
  teardown(function() tally:finish() end)
  -- Runs the writer until it acknowledged `patience` writes more, or a bit
  -- later. Returns the number of the last one it acknowledged.
  local function write_and_kill(path, done, patience, durability, threads)
    local child = process.child(WRITER, path, done + 1, durability, threads)
    local pid = child:line()
    assert(tonumber(pid), pid)
    local acked = done
    for _ = 1, patience do
      local line = child:line()
      acked = assert(tonumber(line), line)
    end
    for number in child:kill(pid):gmatch "(%d+)\n" do
      acked = tonumber(number)
    end
    return acked
  end

  local function differs(model, found)
    for key, value in pairs(model) do
      if found[key] ~= value then
        return key
      end
    end
    for key in pairs(found) do
      if model[key] == nil then
        return key
      end
    end
  end

  -- The store holds the first `acked` writes, or one more that was on its way.
  local function check(path, model, acked)
    local store <close> = assert(grainstore.open_bytes(path))
    assert.is_true(store:verify())
    local found = {}
    for key, value in store:scan() do
      found[key] = value
    end
    if not differs(model, found) then
      return acked
    end
    workload.apply(model, acked + 1)
    local key = differs(model, found)
    assert(not key, ("after write %d key %s is %s, not %s"):format(acked, key,
      found[key], model[key]))
    return acked + 1
  end

  local function run_rounds(count, durability, threads)
    local path, model, done = tmp.path(), {}, 0
    math.randomseed(count)
    for _ = 1, count do
      local patience = math.random(1, math.random(1, 10) == 1 and 3000 or 300)
      local acked = write_and_kill(path, done, patience, durability, threads)
      for i = done + 1, acked do
        workload.apply(model, i)
      end
      done = check(path, model, acked)
      tally:state()
    end
    assert.is_true(done >= count)
    print(("%s: %d rounds, %d batches acknowledged, all there"):format(
      durability, count, done))
  end

  local function rounds(...)
    local is_right, problem = pcall(run_rounds, ...)
    if not is_right then
      tally:fail("%s", tostring(problem))
      error(problem, 0)
    end
  end

  it("loses nothing that it acknowledged", function()
    rounds(ROUNDS, "batch", 1)
  end)

  it("nor when each write waits for the device", function()
    rounds(math.max(1, ROUNDS // 4), "sync", 1)
  end)

  it("nor when the work is done inside its calls", function()
    rounds(math.max(1, ROUNDS // 4), "os", 0)
  end)
end)
