--- Crashes at every operation of the machine, in every way that counts.
-- @module grainstore.testing.crash

local blame = require "grainstore.blame"
local env = require "grainstore.testing.env"
local explore = require "grainstore.testing.explore"
local script = require "grainstore.testing.script"
local shrink = require "grainstore.testing.shrink"
local subject = require "grainstore.testing.subject"

local M = {}

local LIMIT = 2000
local TRIES = 200

local OPTIONS = {
  run = "function", check = "function", ops = "table", script = "table",
  open = "table", kind = "string", keep = "table", nested = "number",
  limit = "number", seed = "number", sector = "number", at = "table",
  shrink = "boolean",
}

local function check_options(given)
  if type(given) ~= "table" then
    error("bad argument #1 to 'every_crash' (table expected, got "
      .. type(given) .. ")", 3)
  end
  for name, value in pairs(given) do
    if not OPTIONS[name] then
      error(("bad argument #1 to 'every_crash' (unknown option '%s')")
        :format(tostring(name)), 3)
    elseif type(value) ~= OPTIONS[name] then
      error(("bad argument #1 to 'every_crash' (option '%s' takes a %s, got "
        .. "a %s)"):format(name, OPTIONS[name], type(value)), 3)
    end
  end
  if not given.script and not (given.run and given.check) then
    error("bad argument #1 to 'every_crash' (it takes run and check, or a "
      .. "script)", 3)
  end
end

-- ---- what is said of a failure ---------------------------------------------

local Found = { __name = "grainstore.testing.found" }
Found.__index = Found

local function trail_text(trail)
  local parts = {}
  for i, crash in ipairs(trail) do
    parts[i] = ("{ ops = %d, keep = %q, choice = %d }"):format(crash.ops,
      crash.keep, crash.choice)
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function place_text(trail)
  local parts = {}
  for i, crash in ipairs(trail) do
    parts[i] = ("%s operation %d, keeping %s"):format(
      i == 1 and "before" or "then, in the recovery, before", crash.ops,
      crash.keep == "all" and "all (the process was killed)" or crash.keep)
  end
  return table.concat(parts, "; ")
end

local LOSSES = 12

local function losses(why)
  local lines, count = {}, 0
  for line in why:gmatch "[^\n]+" do
    if line:find "^lost" then
      count = count + 1
      lines[#lines + 1] = count <= LOSSES and "  " .. line or nil
    end
  end
  if count > LOSSES then
    lines[#lines + 1] = ("  and %d more"):format(count - LOSSES)
  end
  return count == 0 and "  nothing was lost"
    or table.concat(lines, "\n")
end

local function repeat_text(found)
  local given, lines = found.given, {}
  lines[1] = "T.every_crash {"
  if given.script then
    lines[#lines + 1] = "  script = " .. script.list(found.ops) .. ","
  elseif found.ops then
    lines[#lines + 1] = "  ops = " .. script.list(found.ops) .. ","
  end
  if not given.script then
    lines[#lines + 1] = "  run = run, check = check,"
  end
  for _, name in ipairs { "open", "kind", "seed", "sector" } do
    if given[name] then
      lines[#lines + 1] = ("  %s = %s,"):format(name,
        script.literal(given[name]))
    end
  end
  lines[#lines + 1] = "  at = " .. trail_text(found.trail) .. ","
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n")
end

function Found.__tostring(found)
  return ("after a crash %s:\n  %s\n%s\nto see it again:\n\n%s\n"):format(
    place_text(found.trail), found.message, losses(found.why or ""),
    repeat_text(found))
end

-- ---- looking for one -------------------------------------------------------

local function subject_of(given, ops)
  if given.script then
    return subject.script(ops, { kind = given.kind, options = given.open })
  end
  return subject.application {
    run = given.run, check = given.check, open = given.open, ops = ops,
  }
end

local function plan_of(given, ops, changes)
  local plan = {
    subject = subject_of(given, ops), keep = given.keep,
    nested = given.nested, limit = given.limit or LIMIT, seed = given.seed,
    machine = function()
      return env.env { seed = given.seed or 1, sector = given.sector }
    end,
  }
  for name, value in pairs(changes or {}) do
    plan[name] = value
  end
  return plan
end

local function found_of(given, ops, wrong)
  return setmetatable({
    given = given, ops = ops, message = wrong.message, trail = wrong.trail,
    why = wrong.why,
  }, Found)
end

-- The failure of a search, or nil and its counts. What is wrong without any
-- crash is raised as it is.
local function search(given, ops, changes)
  local plan = plan_of(given, ops, changes)
  local ok, result = pcall(explore.explore, plan)
  if ok then
    return nil, result
  elseif getmetatable(result) == explore.Wrong then
    return found_of(given, ops, result)
  end
  error(result, 0)
end

-- Fewer operations, and the way of crashing that showed the failure first.
local function smaller(given, ops, found)
  local last = found
  local keep = { found.trail[1].keep }
  for i = 2, #found.trail do
    keep[#keep + 1] = found.trail[i].keep
  end
  local changes = {
    keep = keep, nested = #found.trail - 1, inner = 8, limit = 600,
  }
  shrink(ops, function(candidate)
    local ok, failure = pcall(search, given, candidate, changes)
    if ok and failure then
      last = failure
    end
    return ok and failure ~= nil
  end, TRIES)
  return last
end

--- Crashes a life at every operation of the machine and looks at what is left.
--
-- The life is an application's `run`, which writes to a store and calls
-- `acked(name, value)` when something is promised from now on; after each crash
-- `check` gets the store that came back and the table of what was promised. Or
-- it is a `script`, and the oracle looks.
--
-- `ops`, given to an application, reach its `run` and are shrunk.
-- @function every_crash
-- @tparam table given
--
-- - run: function(store, acked, ops, env)
-- - check: function(store, acked, env), raises where something is wrong
-- - ops: array that run gets (nil)
-- - script: array of operations, instead of run and check
-- - open: options of open (durability "sync", small tables)
-- - kind: of a script's store ("bytes")
-- - keep: models of crashes, an array (all that are within what is promised)
-- - nested: how deep crashes go into recovery (0)
-- - limit: states (2000), chosen evenly, besides those of nested crashes,
--   which are about as many
-- - at: one crash, as a failure prints it: nothing else is tried
-- - shrink: whether a failure is made small (true)
-- - seed, sector: of the machine
-- @treturn table states, points, nested: how many
function M.every_crash(given)
  check_options(given)
  -- Options of open are in the first argument here, in the second there.
  blame.call("every_crash", true, subject.check_open, given)
  local ops = given.script or given.ops
  if given.at then
    local ok, wrong = pcall(explore.revisit, plan_of(given, ops), given.at)
    if ok then
      return { states = #given.at, points = 1, nested = #given.at - 1 }
    elseif getmetatable(wrong) == explore.Wrong then
      error(found_of(given, ops, wrong), 2)
    end
    error(wrong, 2)
  end
  local found, counts = search(given, ops)
  if not found then
    return counts
  end
  if ops and given.shrink ~= false then
    found = smaller(given, ops, found)
  end
  error(found, 2)
end

return M
