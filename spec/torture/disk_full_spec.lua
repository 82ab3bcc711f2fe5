-- The disk is full from some byte on. Nothing acknowledged is lost; reads,
-- closing and opening again work while it is full, and writes go on by
-- themselves when there is space again.

local family = require "spec.support.family"
local trouble = require "spec.support.trouble"

local STEP, SCRIPT_STEPS, SWEEPS = 512, 120, 50

-- By which a call may say that there was no space. A store that could not
-- finish a write takes none until it knows what became of it.
local CODES = { full = true, readonly = true, busy = true }

-- All reads are right while nothing can be written.
local function check_full(life)
  if not life.store then
    return
  end
  local wrong = life:differs()
  if wrong then
    error("while full: " .. wrong, 0)
  end
end

-- What was open once can be closed and opened while the disk is full: for
-- writing, or where recovery finds no space to write to, for reading.
local function reopen_full(life)
  if life.store then
    trouble.attempt(life, { "reopen" })
  end
  local options = life.options
  if not life.store and life.was_open then
    life.options = { readonly = true }
    for name, value in pairs(options) do
      life.options[name] = value
    end
    local ok, code, message = trouble.attempt(life, { "reopen" })
    if not ok then
      error(("opening while full: %s (%s)"):format(tostring(message),
        tostring(code)), 0)
    end
    check_full(life)
    assert(life:close())
    life.options = options
  end
  check_full(life)
end

local function live(seed, quota, ops)
  local life = trouble.life(seed)
  life.env:capacity(quota)
  local ok, message = pcall(function()
    local failed = trouble.live(life, ops, CODES)
    check_full(life)
    if failed > 0 and (seed + quota // STEP) % 2 == 0 then
      reopen_full(life)
    end
    life.env:capacity(nil)
    trouble.recover(life)
  end)
  local ended, why = pcall(trouble.finish, life)
  if not ok then
    error(message, 0)
  elseif not ended then
    error(why, 0)
  end
end

-- How much space the script takes at its highest, to the next step.
local function full_size(seed, ops)
  local life, most = trouble.life(seed), 0
  for _, op in ipairs(ops) do
    trouble.attempt(life, op)
    most = math.max(most, life.env:used())
  end
  trouble.finish(life)
  return (most // STEP + 1) * STEP
end

local SETUP = 'local seed, quota = %d, %d -- of "live" in this file\n'

describe("a full disk", function()
  family.it(10, "disk-full", "lives with a quota", function(f)
    for sweep = 1, f:sweeps(SWEEPS) do
      local seed = family.seed + sweep - 1
      local ops = trouble.script(seed, SCRIPT_STEPS)
      for quota = STEP, full_size(seed, ops), STEP * f:stride(SWEEPS) do
        f:state()
        local ok, message = pcall(live, seed, quota, ops)
        if not ok then
          local text = f.failures < 3
            and trouble.shrunk(ops, function(less) live(seed, quota, less) end,
              SETUP:format(seed, quota)) or message
          f:fail("seed %d, quota %d: %s", seed, quota, text)
        end
      end
    end
  end)
end)

