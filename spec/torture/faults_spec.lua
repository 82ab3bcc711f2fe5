-- Every operation of the machine fails, once or from then on. Nothing that was
-- acknowledged is lost, nothing that was refused turns up later, reads stay
-- right, and when the machine is well again the store is too.

local Life = require "grainstore.testing.life"
local T = require "grainstore.testing"
local family = require "spec.support.family"
local trouble = require "spec.support.trouble"

local STATES = 50000
local STEPS = 70 -- of each workload; then what makes it work
local WORK = { { "flush" }, { "compact" }, { "reopen" }, { "step" } }

local ERRORS = { "EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EMFILE" }
local TIMES = { 1, 0 }

-- The names by which a call may say that the machine failed.
local CODES = {
  io = true, full = true, limit = true, readonly = true, busy = true,
}

local function ops_of(workload)
  local ops = table.move(workload.ops, 1, STEPS, 1, {})
  return table.move(WORK, 1, #WORK, #ops + 1, ops)
end

local function new_life(workload)
  return Life.new {
    env = T.env { seed = family.seed }, kind = workload.kind,
    options = workload.options,
  }
end

-- What is open shows the last acknowledged state, however much failed.
local function check_open(life)
  local wrong = life.store and life:differs()
  if wrong then
    error("with the machine well again: " .. wrong, 0)
  end
end

local function live(workload, ops, fault)
  local life = new_life(workload)
  local ok, message = pcall(function()
    life.env:fail(fault)
    trouble.live(life, ops, CODES)
    life.env:heal()
    check_open(life)
    for _, op in ipairs {
      { "reopen" }, { "check" }, { "verify" }, { "put", 7, 7 }, { "reopen" },
      { "check" },
    } do
      if op[1] == "put" and workload.kind ~= "u32" then
        op = { "put", "after", 7 }
      end
      local done, code, why = trouble.attempt(life, op)
      -- Closing may report once more what failed before.
      if not done and not (op[1] == "reopen" and life.store) then
        error(("afterwards, %s: %s (%s)"):format(op[1], why, code), 0)
      end
    end
  end)
  local ended, why = pcall(trouble.finish, life)
  if not ok or not ended then
    error(ok and why or message, 0)
  end
end

local function count_ops(workload, ops)
  local life = new_life(workload)
  trouble.live(life, ops, {})
  local count = life:ops()
  trouble.finish(life)
  return count
end

local function try(f, workload, ops, fault)
  f:state()
  local ok, message = pcall(live, workload, ops, fault)
  if ok then
    return
  end
  local setup = ("-- %s, fault %s\n"):format(workload.name,
    T.script.literal(fault))
  f:fail("%s%s", setup, f.failures < 3
    and trouble.shrunk(ops, function(less) live(workload, less, fault) end,
      setup) or tostring(message))
end

describe("a failing machine", function()
  family.it(3, "faults", "lives in which an operation failed", function(f)
    local each, begin = f:count(STATES) / #T.workloads, family.seed
    for _, workload in ipairs(T.workloads) do
      local ops = ops_of(workload)
      local kinds = #ERRORS * #TIMES
      local total = count_ops(workload, ops) * kinds
      local step = math.max(1, math.floor(total / each))
      -- A step that shares no divisor with the kinds meets them all.
      while step > 1 and (step % 2 == 0 or step % 3 == 0) do
        step = step - 1
      end
      for i = begin % step, math.tointeger(total) - 1, step do
        local kind = i % kinds
        try(f, workload, ops, {
          op = "any", nth = 1 + i // kinds, errno = ERRORS[1 + kind // #TIMES],
          times = TIMES[1 + kind % #TIMES],
        })
      end
    end
  end)
end)
