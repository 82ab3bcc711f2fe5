-- The process may open few files, or no more from some moment on. Calls fail by
-- name, reads that succeed are right, and all is well when files can be opened
-- again.

local family = require "spec.support.family"
local trouble = require "spec.support.trouble"

local MOST_FILES, SCRIPT_STEPS, SWEEPS = 64, 80, 16

local CODES = { limit = true, readonly = true, busy = true }

-- Runs the script with a limit that `arm` sets and `lift` takes away. Returns
-- how many operations failed.
local function live(seed, ops, arm, lift)
  local life, failed = trouble.life(seed), nil
  local ok, message = pcall(function()
    arm(life.env)
    failed = trouble.live(life, ops, CODES)
    lift(life.env)
    local wrong = life.store and life:differs()
    if wrong then
      error("with files again: " .. wrong, 0)
    end
    trouble.recover(life)
  end)
  local ended, why = pcall(trouble.finish, life)
  if not ok or not ended then
    error(ok and why or message, 0)
  end
  return failed
end

local function lift_limit(env)
  env:open_files(nil)
end

local function heal(env)
  env:heal()
end

describe("too few descriptors", function()
  family.it(11, "descriptors", "lives with a limit on open files", function(f)
    local function try(text, seed, ops, arm, lift)
      local where = ("seed %d, %s"):format(seed, text)
      return f:try(where, live, seed, ops, arm, lift)
    end
    for sweep = 1, f:sweeps(SWEEPS) do
      local seed = family.seed + sweep - 1
      local ops = trouble.script(seed, SCRIPT_STEPS)
      for most = 1, MOST_FILES, f:stride(SWEEPS) do
        try(("at most %d files"):format(most), seed, ops, function(env)
          env:open_files(most)
        end, lift_limit)
      end
      for _, times in ipairs { 1, math.huge } do
        local nth, quiet = 1, 0
        -- One that no call reports was lived with; a row of them is the end.
        while quiet < 5 do
          local failed = try(("open %d fails, %s times"):format(nth, times),
            seed, ops, function(env)
              env:fail { op = "open", nth = nth, times = times,
                errno = "EMFILE" }
            end, heal)
          quiet = failed == 0 and quiet + 1 or 0
          nth = nth + f:stride(SWEEPS)
        end
      end
    end
  end)
end)
