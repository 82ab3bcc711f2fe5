--- Lives of a store that go on while operations of the machine fail, with the
-- oracle beside them.

local Life = require "grainstore.testing.life"
local machines = require "grainstore.testing.env"
local script = require "grainstore.testing.script"

local trouble = {}

--- What scripts do: writes, work, and reads that look at everything.
trouble.WEIGHTS = {
  put = 420, delete = 110, batch = 120, take = 20, put_if = 30, snapshot = 10,
  release = 10, sync = 20, flush = 25, compact = 10, step = 30, reopen = 15,
  get = 60, scan = 20, check = 10,
}

local MODES = { "os", "sync", "batch", "memory" }

--- A durability that follows from the seed.
function trouble.mode(seed)
  return MODES[1 + seed % #MODES]
end

--- A random script for a store of that mode. Without a log there is nothing
-- that a write could be synced to.
-- @tparam integer seed
-- @tparam integer steps
function trouble.script(seed, steps)
  local ops =
    script.random(seed, { steps = steps, weights = trouble.WEIGHTS })
  for _, op in ipairs(trouble.mode(seed) == "memory" and ops or {}) do
    op.sync = nil
  end
  return ops
end

--- A life that has not begun, on a machine of its own, in the seed's mode.
-- @tparam integer seed
function trouble.life(seed)
  return Life.new {
    env = machines.env { seed = seed },
    options = {
      table_bytes = 4096, durability = trouble.mode(seed),
      disk_reserve_bytes = 0,
    },
  }
end

-- The code in a complaint about a read that failed: "scan failed: ... (limit)".
local function code_of(complaint)
  return complaint:match " failed: .*%((%l+)%)$"
end

-- One operation as true, or nil and a code; a wrong answer raises. Loops raise
-- what failed in the world as an object. A store that was opened and could not
-- be read is closed, to be opened by the next operation.
local function attempt(life, op)
  local was_open = life.store ~= nil
  local ok, result, message, code = pcall(life.perform, life, op)
  if ok and result then
    return true
  elseif ok then
    return nil, code, message
  elseif type(result) == "table" then
    return nil, result.code, result.message
  elseif not code_of(result) then
    error(result, 0)
  end
  if op[1] == "reopen" or not was_open then
    life:close()
  end
  return nil, code_of(result), result
end

trouble.attempt = attempt

--- Does all operations, whatever fails.
-- @tparam table codes by which a failure may be named
-- @treturn integer how many failed
function trouble.live(life, ops, codes)
  local failed = 0
  for i, op in ipairs(ops) do
    local ok, done, code, message = pcall(attempt, life, op)
    if not ok then
      error(("operation %d, %s: %s"):format(i, op[1], tostring(done)), 0)
    elseif not done and not codes[code] then
      error(("operation %d, %s, failed with %s: %s"):format(i, op[1],
        tostring(code), tostring(message)), 0)
    elseif not done then
      failed = failed + 1
    end
  end
  return failed
end

--- What the store should still do when the trouble is over: open, hold what it
-- may hold, take a write without being told to, close, and be whole.
function trouble.recover(life)
  local function must(what, ok, code, message)
    if not ok then
      error(("afterwards, %s: %s (%s)"):format(what, tostring(message),
        tostring(code)), 0)
    end
  end
  if life.store then
    must("a write", attempt(life, { "put", "after", 1 }))
  end
  for _, op in ipairs {
    { "reopen" }, { "check" }, { "verify" }, { "put", "again", 2 },
    { "flush" }, { "reopen" }, { "check" }, { "verify" },
  } do
    must(op[1], attempt(life, op))
  end
end

--- The life ends; all memory comes back.
function trouble.finish(life)
  if life.store then
    life:close()
  end
  local bytes = life.env:allocated()
  life.env:close()
  if bytes ~= 0 then
    error(("%d bytes of memory did not come back"):format(bytes), 0)
  end
end

--- A failing script in fewer operations, as a spec to paste.
-- @tparam {op,...} ops
-- @tparam function run raises where the operations fail
-- @tparam string setup Lua text that stands before
function trouble.shrunk(ops, run, setup)
  local least = script.shrink(ops, function(candidate)
    return not pcall(run, candidate)
  end, 300)
  local _, message = pcall(run, least)
  return ("%s\n%slocal ops = %s\n"):format(tostring(message), setup,
    script.list(least, ""))
end

return trouble
