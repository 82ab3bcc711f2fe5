-- Operations of a recovery fail, once or from then on. Opening then says so, or
-- succeeds all the same; what was there is there still, and when the machine is
-- well again the store opens with it.

local Life = require "grainstore.testing.life"
local Random = require "grainstore.testing.random"
local T = require "grainstore.testing"
local explore = require "grainstore.testing.explore"
local family = require "spec.support.family"
local grainstore = require "grainstore"
local subject = require "grainstore.testing.subject"

local STATES, POINTS = 10000, 8 -- operations of one recovery that fail

local ERRORS = { "EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EMFILE" }

local CODES = {
  io = true, full = true, limit = true, readonly = true, busy = true,
}

-- Opens and closes while something fails, and says so by the right name.
local function open(env, workload)
  local options = { env = env }
  for name, value in pairs(Life.SMALL) do
    options[name] = value
  end
  for name, value in pairs(workload.options) do
    options[name] = value
  end
  local opener = workload.kind == "u32" and "open_u32" or "open_bytes"
  local store, message, code = grainstore[opener]("/store", options)
  if store then
    store:close()
  elseif not CODES[code] then
    error(("opening failed with %s: %s"):format(code, message), 0)
  end
end

-- Operations of an undisturbed recovery, its closing among them.
local function count_ops(env, workload)
  local copy <close> = env:copy()
  local before = copy:ops()
  open(copy, workload)
  return copy:ops() - before
end

-- What a recovery that failed left behind is what it found.
local function disturb(f, env, workload, look, fault)
  local copy <close> = env:copy()
  copy:fail(fault)
  open(copy, workload)
  copy:heal()
  local ok, message = pcall(look, copy)
  f:state()
  if not ok then
    error(("%s, %s: %s"):format(workload.name, T.script.literal(fault),
      tostring(message)), 0)
  end
end

-- The subject of a script that, besides looking at what is left, disturbs its
-- recovery.
local function subject_of(f, workload, random)
  local plain = subject.script(workload.ops, {
    kind = workload.kind, options = workload.options,
  })
  local function look(env, life, trail)
    local before <close> = env:copy()
    local crash = trail[#trail]
    crash.found = plain.look(env, life, trail)
    local count = count_ops(before, workload)
    local again = table.move(trail, 1, #trail, 1, {})
    again[#again + 1] = { ops = 0, keep = "all", choice = 0 }
    for _ = 1, POINTS do
      disturb(f, before, workload, function(copy)
        plain.look(copy, life, again)
      end, {
        op = "any", nth = random:int(1, count), times = random:below(2),
        errno = random:pick(ERRORS),
      })
    end
    return crash.found
  end
  return { live = plain.live, look = look }
end

describe("a recovery on a failing machine", function()
  family.it(4, "recovery-faults", "recoveries with a failure", function(f)
    local each = math.ceil(f:count(STATES) / POINTS / #T.workloads)
    for i, workload in ipairs(T.workloads) do
      local ok, wrong = pcall(explore.explore, {
        subject = subject_of(f, workload, Random.new(family.seed, i)),
        machine = function() return T.env { seed = family.seed } end,
        limit = each, seed = family.seed,
      })
      if not ok then
        f:fail("%s", tostring(wrong))
      end
    end
  end)
end)
