-- One bit of one file is wrong. Every read gives the right answer or a failure
-- that names file and place; verify notices every byte that means something.

local damage = require "spec.support.damage"
local family = require "spec.support.family"
local grainstore = require "grainstore"

local PATH = damage.PATH

-- Which bit of a byte a sweep turns over: eight sweeps take them all.
local function bit_of(byte, sweep)
  return byte * 8 + (byte * 5 + sweep) % 8
end

-- Whether verify of the directory says that this file is damaged.
local function is_noticed(env, path)
  local ok, message, code, detail = grainstore.verify(PATH, { env = env })
  if ok then
    return false, "verify finds nothing"
  elseif not damage.NAMED[code] then
    return false, ("verify says %s: %s"):format(code, message)
  elseif detail.path ~= path or not detail.offset then
    return false, "verify names another place: " .. message
  end
  return true
end

-- One bit of an image's file, looked at in every way.
local function try_flip(f, image, path, bit, is_dead)
  local env <close> = image.env:copy()
  env:flip(path, bit)
  f:state()
  local where = ("%s, byte %d, bit %d"):format(path, bit // 8, bit % 8)
  local noticed, why = is_noticed(env, path)
  if not noticed and not is_dead then
    f:fail("%s: %s", where, why)
    return
  end
  local wrong = damage.look(env, image, { file = path, offset = true })
  if wrong then
    f:fail("%s: %s", where, wrong)
  end
end

-- The last frame of a log is one that no sync is known to have covered, and
-- behind it nothing is used: damage there looks like a write cut short.
local function first_dead(image, path)
  if path:find "%.sst$" then
    return math.huge
  end
  local frames = damage.frames(image.env:read(path))
  return #frames > 0 and frames[#frames].offset or 0
end

local function sweep_files(f, image, is_wanted, sweep)
  for _, path in ipairs(damage.live(image)) do
    if is_wanted(path) then
      local size, dead = image.env:files()[path], first_dead(image, path)
      for byte = sweep % f:stride(), size - 1, f:stride() do
        try_flip(f, image, path, bit_of(byte, sweep), byte >= dead)
      end
    end
  end
end

local function is_any()
  return true
end

local function is_log(path)
  return not path:find "%.sst$"
end

local function is_table(path)
  return not is_log(path)
end

describe("a wrong bit", function()
  family.it(8, "bit-flip", "bytes with a wrong bit", function(f)
    for sweep = 1, f:sweeps() do
      local seed = family.seed + (sweep - 1) // 8
      sweep_files(f, damage.closed(seed), is_any, sweep)
      sweep_files(f, damage.closed(seed, sweep % 2 == 0 and "lz4" or "zstd"),
        is_table, sweep)
      sweep_files(f, damage.killed(seed), is_log, sweep)
    end
  end)
end)
