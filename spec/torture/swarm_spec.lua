-- Everything at once: random operations under random options, on a machine that
-- fails now and then and crashes every so often, again and again in one life.

local Life = require "grainstore.testing.life"
local Random = require "grainstore.testing.random"
local T = require "grainstore.testing"
local family = require "spec.support.family"
local trouble = require "spec.support.trouble"

local RUNS = 20000

local CRASHES = { "all", "synced", "prefix", "object", "random", "torn",
  "missing", "alone" }
local ERRORS = { "EIO", "ENOSPC", "EMFILE", "EACCES" }
local OPERATIONS = { "any", "write", "sync", "read", "open", "sync_dir",
  "remove" }

local CODES = {
  io = true, full = true, limit = true, readonly = true, busy = true,
}

local function options_of(random)
  return {
    durability = random:pick { "os", "batch", "sync", "memory" },
    memtable_bytes = random:pick { 4096, 8192, 32768 },
    block_bytes = random:pick { 256, 1024 },
    policy = random:pick { "leveled", "bounded_l0" },
    disk_reserve_bytes = 0,
    compression = random:pick { "none", "lz4", "zstd" },
  }
end

-- A machine that fails by chance; syncs fail so that a retry does not help, or
-- does.
local function disturb(life, random)
  life.env:fail {
    op = random:pick(OPERATIONS), nth = 1, times = 0,
    one_in = random:int(10, 120), errno = random:pick(ERRORS),
    sync_failure = random:pick { "clean", "pending" },
  }
end

local function crash(life, random)
  local env = life.env
  if env:pending() == 0 then
    life:crash { keep = random:pick { "all", "synced" } }
    return
  end
  local keep = random:pick(CRASHES)
  local count = math.max(1, env:choices(keep))
  life:crash { keep = keep, choice = random:below(math.min(count, 1 << 40)) }
end

local function new_life(seed)
  local random = Random.new(seed, 19)
  local kind = random:one_in(6) and "u32" or "bytes"
  local life = Life.new {
    env = T.env { seed = seed, sector = random:pick { 512, 512, 4096, 1 } },
    kind = kind, options = options_of(random),
  }
  local ops = T.script.random(seed, {
    kind = kind, steps = random:int(20, 90), keys = random:int(4, 40),
    weights = T.script.WRITES,
  })
  return life, ops, random
end

-- Opens after a crash; a machine that fails may need to be well first.
local function open_again(life)
  local done, code, message = trouble.attempt(life, { "reopen" })
  if not done then
    life.env:heal()
    done, code, message = trouble.attempt(life, { "reopen" })
  end
  if not done then
    error(("opening after a crash: %s (%s)"):format(message, code), 0)
  end
end

local function step(life, random, op, chances)
  if random:one_in(chances.crash) then
    crash(life, random)
    if chances.has_faults and random:one_in(2) then
      disturb(life, random)
    end
    open_again(life)
    if random:one_in(2) then
      life.env:heal()
    end
  elseif chances.has_faults and random:one_in(25) then
    disturb(life, random)
  end
  local done, code, message = trouble.attempt(life, op)
  if not done and not CODES[code] then
    error(("%s failed: %s (%s)"):format(op[1], message, code), 0)
  elseif not done and random:one_in(3) then
    life.env:heal()
    trouble.attempt(life, { "reopen" })
  end
end

local function live(seed)
  local life, ops, random = new_life(seed)
  local chances = {
    crash = random:int(8, 60), has_faults = random:one_in(2),
  }
  local ok, message = pcall(function()
    for i, op in ipairs(ops) do
      local well, wrong = pcall(step, life, random, op, chances)
      if not well then
        error(("operation %d: %s"):format(i, tostring(wrong)), 0)
      end
    end
    life.env:heal()
    crash(life, random)
    open_again(life)
    for _, op in ipairs { { "check" }, { "verify" }, { "put", 7, 7 } } do
      if op[1] ~= "put" or life.kind == "u32" then
        local done, code, why = trouble.attempt(life, op)
        if not done then
          error(("at the end, %s: %s (%s)"):format(op[1], why, code), 0)
        end
      end
    end
  end)
  local ended, why = pcall(trouble.finish, life)
  if not ok or not ended then
    error(ok and why or message, 0)
  end
end

describe("a life in a hostile world", function()
  family.it(19, "swarm", "lives with crashes and failures", function(f)
    for i = 1, f:count(RUNS) do
      local seed = Random.mix(family.seed, i) & 0xFFFFFFFF
      f:try(function() return ("seed %d"):format(seed) end, live, seed)
    end
  end)
end)
