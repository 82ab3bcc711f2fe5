-- Reads and writes transfer less than they were asked for, or are interrupted:
-- once, always, or now and then. Nothing of it is to be seen: every call
-- succeeds, and the files are the same to the last byte.

local family = require "spec.support.family"
local trouble = require "spec.support.trouble"

local SCRIPT_STEPS, SWEEPS = 60, 80

-- What happens to an operation. An interruption that never ends is none.
local KINDS = {
  { op = "read", short = 1 }, { op = "read", short = 511 },
  { op = "read", short = 4095 }, { op = "write", short = 1 },
  { op = "write", short = 24 }, { op = "write", short = 511 },
  { op = "write", short = 4095 }, { op = "read", errno = "EINTR", once = true },
  { op = "write", errno = "EINTR", once = true },
  { op = "sync", errno = "EINTR", once = true },
  { op = "open", errno = "EINTR", once = true },
  { op = "allocate", errno = "EINTR", once = true },
  { op = "truncate", errno = "EINTR", once = true },
}

local function files_of(env)
  local files = {}
  for path in pairs(env:files()) do
    files[path] = env:read(path)
  end
  return files
end

-- How many operations of each name a trace tells of.
local function count_ops(trace)
  local counts = {}
  for name in trace:gmatch "%f[^\n\0]%d+ (%l+)" do
    counts[name] = (counts[name] or 0) + 1
  end
  return counts
end

-- The script from beginning to end on a machine, perhaps with a fault. Returns
-- the files it leaves, and without a fault how many operations of each name
-- there were.
local function live(seed, ops, fault)
  local life = trouble.life(seed)
  local files, counts
  local ok, message = pcall(function()
    if fault then
      life.env:fail(fault)
    else
      life.env:tracing(true)
    end
    trouble.live(life, ops, {})
    assert(life:close())
    counts = not fault and count_ops(life.env:trace())
    life.env:heal()
    files = files_of(life.env)
    trouble.recover(life)
  end)
  local ended, why = pcall(trouble.finish, life)
  if not ok or not ended then
    error(ok and why or message, 0)
  end
  return files, counts
end

local function expect_same(expected, found)
  for path, bytes in pairs(expected) do
    if found[path] ~= bytes then
      error(path .. " has other bytes than without the fault", 0)
    end
  end
  for path in pairs(found) do
    if not expected[path] then
      error(path .. " is there, and without the fault it is not", 0)
    end
  end
end

local function with(kind, more)
  local fault = { op = kind.op, short = kind.short, errno = kind.errno }
  for name, value in pairs(more) do
    fault[name] = value
  end
  return fault
end

local function text_of(fault)
  return ("%s, %s, from number %d on %s times, one in %d"):format(fault.op,
    fault.errno or ("%d bytes"):format(fault.short), fault.nth, fault.times,
    fault.one_in or 1)
end

describe("interrupted and short transfers", function()
  family.it(12, "interruption", "lives with such a transfer", function(f)
    local function try(seed, ops, expected, fault)
      f:try(function()
        return ("seed %d: %s"):format(seed, text_of(fault))
      end, function()
        local found = live(seed, ops, fault)
        if not fault.one_in then
          expect_same(expected, found)
        end
      end)
    end
    for sweep = 1, f:sweeps(SWEEPS) do
      local seed = family.seed + sweep - 1
      local ops = trouble.script(seed, SCRIPT_STEPS)
      local expected, counts = live(seed, ops)
      for _, kind in ipairs(KINDS) do
        for nth = 1, counts[kind.op] or 0, f:stride(SWEEPS) do
          try(seed, ops, expected, with(kind, { nth = nth, times = 1 }))
        end
        local often = kind.once and 2 or nil
        try(seed, ops, expected,
          with(kind, { nth = 1, times = math.huge, one_in = often }))
        try(seed, ops, expected,
          with(kind, { nth = 1, times = math.huge, one_in = 3 }))
      end
    end
  end)
end)
