-- Every sync fails, as file systems fail: pages clean and lost (S1), pages
-- taken back (S2), a failure told one sync too late (S3), pages still to be
-- written (S4). Then the process goes on, or opens the store again, or the
-- power goes. Under S3 an acknowledgement was a lie of the machine: there only
-- a wrong answer is forbidden, a loss or an error is not.

local Life = require "grainstore.testing.life"
local T = require "grainstore.testing"
local family = require "spec.support.family"
local trouble = require "spec.support.trouble"

local STATES = 30000
local STEPS = 120

local MODELS = { "clean", "revert", "late", "pending" }
local WAYS = { "goes on", "opens again", "crashes" }

local CODES = {
  io = true, full = true, limit = true, readonly = true, busy = true,
}

local function new_life(workload)
  return Life.new {
    env = T.env { seed = family.seed }, kind = workload.kind,
    options = workload.options,
  }
end

-- What a machine took back or lost behind the engine's back may be missed by
-- the next opening: everything that was not on the device.
local function may_lose(life, model)
  if model == "revert" or model == "late" then
    life.crashed_with = "synced"
  end
end

-- The life goes on with the rest of its operations.
local function continue(life, model, way, ops)
  local has_failed = false
  for i, op in ipairs(ops) do
    if op[1] == "reopen" or not life.store then
      may_lose(life, model)
    end
    local done, code, message = trouble.attempt(life, op)
    if op[1] == "reopen" and done then
      has_failed = false
    end
    if not done and not CODES[code] then
      error(("operation %d, %s: %s (%s)"):format(i, op[1], message, code), 0)
    elseif not done and not has_failed then
      has_failed = true
      if way == "crashes" then
        life:crash { keep = "synced" }
      elseif way == "opens again" then
        may_lose(life, model)
        trouble.attempt(life, { "reopen" })
      end
    end
  end
end

-- Under S3 an opening may refuse what was lost, or find less; where it finds
-- what never was, the life raises.
local function is_excused(model, message)
  return model == "late" and (message:find("corrupt", 1, true)
    or message:find("the store is in state", 1, true)
    or message:find("missing", 1, true))
end

local function live(workload, ops, model, way, nth)
  local life = new_life(workload)
  life.env:fail { op = "sync", nth = nth, sync_failure = model }
  local ok, message = pcall(function()
    continue(life, model, way, ops)
    life.env:heal()
    may_lose(life, model)
    for _, op in ipairs { { "reopen" }, { "check" }, { "verify" } } do
      local done, code, why = trouble.attempt(life, op)
      if not done and not (op[1] == "reopen" and life.store) then
        error(("afterwards, %s: %s (%s)"):format(op[1], why, code), 0)
      end
    end
  end)
  local ended, why = pcall(trouble.finish, life)
  message = tostring(ok and why or message)
  if not (ok and ended) and not is_excused(model, message) then
    error(message, 0)
  end
end

-- Every sync succeeds: how many there were.
local function count_syncs(workload, ops)
  local life = new_life(workload)
  life.env:tracing(true)
  local count = 0
  for _, op in ipairs(ops) do
    trouble.attempt(life, op)
  end
  for _ in life.env:trace():gmatch "%f[%w]sync /" do
    count = count + 1
  end
  trouble.finish(life)
  return count
end

describe("a failing sync", function()
  family.it(5, "fsync", "lives in which a sync failed", function(f)
    local ways = #MODELS * #WAYS
    local each = f:count(STATES) / #T.workloads
    for _, workload in ipairs(T.workloads) do
      local ops = table.move(workload.ops, 1, STEPS, 1, {})
      local total = count_syncs(workload, ops) * ways
      local step = math.max(1, math.floor(total / each))
      while step > 1 and (step % 2 == 0 or step % 3 == 0) do
        step = step - 1
      end
      for i = family.seed % step, total - 1, step do
        local model = MODELS[1 + i % ways // #WAYS]
        local way = WAYS[1 + i % #WAYS]
        f:try(function()
          return ("%s, sync %d, %s, the process %s"):format(workload.name,
            1 + i // ways, model, way)
        end, live, workload, ops, model, way, 1 + i // ways)
      end
    end
  end)
end)
