--- Families of tests that enumerate states, and what they count.
--
--     local family = require "spec.support.family"
--     family.it(8, "bit-flip", "bytes with a bit turned over", function(f)
--       for byte = 1, size, f:stride(8) do
--         f:state()
--         if is_wrong(byte) then f:fail("byte %d: %s", byte, why) end
--       end
--     end)
--
-- A family tries its states, counts them, goes on after a failure, and ends
-- with a line for `make torture`:
--
--     family <number> <name> <states> <failures> <seconds> <what was counted>
--
-- How many states it tries follows from one number: GS_SCALE = 1 asks for the
-- full figure, 10 for ten times as many, 0.1 for a tenth. Without it a family
-- runs at the everyday scale, in a second or two. GS_STRIDE divides the scale
-- for builds that are slow and look for something else.

local busted = require "busted"

local family = {}

local EVERYDAY, SHOWN = 0.02, tonumber(os.getenv "GS_SHOWN") or 5

--- Full figures times this is what is to be tried.
family.scale = (tonumber(os.getenv "GS_SCALE") or EVERYDAY)
  / math.max(1, tonumber(os.getenv "GS_STRIDE") or 1)

--- Where random draws begin; GS_SEED repeats a run.
family.seed = math.tointeger(tonumber(os.getenv "GS_SEED") or 1)

local Tally = {}
Tally.__index = Tally

--- Counts states.
-- @tparam[opt=1] integer count
function Tally:state(count)
  self.states = self.states + (count or 1)
end

--- Notes that a state was wrong.
-- @tparam string text a format
function Tally:fail(text, ...)
  self.failures = self.failures + 1
  if #self.shown < SHOWN then
    self.shown[#self.shown + 1] = text:format(...)
  end
end

--- Runs a function on one state; what it raises is a failure of that state.
-- @tparam string|function where names the state, or a function that does
-- @tparam function f
-- @return what f returned
function Tally:try(where, f, ...)
  self:state()
  local results = table.pack(pcall(f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  if type(where) == "function" then where = where() end
  self:fail("%s: %s", where, tostring(results[2]))
end

--- How many of so many things that are drawn at random.
-- @tparam integer full at scale 1
-- @treturn integer at least 1
function Tally:count(full) -- luacheck: no self
  return math.max(1, math.floor(full * family.scale + 0.5))
end

--- From one point to the next, where `times` sweeps over all points are the
-- full figure; 1 from there on.
-- @tparam[opt=1] number times
-- @treturn integer
function Tally:stride(times) -- luacheck: no self
  return math.max(1, math.floor(1 / (family.scale * (times or 1)) + 0.5))
end

--- How often to sweep over all points, where `times` sweeps are the full
-- figure.
-- @tparam[opt=1] number times
-- @treturn integer at least 1
function Tally:sweeps(times) -- luacheck: no self
  return math.max(1, math.floor(family.scale * (times or 1) + 0.5))
end

--- Prints the line, and raises if there was a failure.
function Tally:finish()
  local seconds = os.clock() - self.began
  -- On a line of its own, whatever the reporter of the tests left behind.
  io.write(("\nfamily %d %s %d %d %.1f %s\n"):format(self.number, self.name,
    self.states, self.failures, seconds, self.what))
  io.flush()
  if self.failures > 0 then
    error(("%d of %d states failed\n%s"):format(self.failures, self.states,
      table.concat(self.shown, "\n")), 0)
  end
  assert(self.states > 0, "no state was tried")
end

--- @tparam integer number
-- @tparam string name one word
-- @tparam string what is counted, a few words
function family.new(number, name, what)
  return setmetatable({
    number = number, name = name, what = what, states = 0, failures = 0,
    shown = {}, began = os.clock(),
  }, Tally)
end

--- A test that is a family. What `run` raises counts as a failure.
-- @tparam function run called with the tally
function family.it(number, name, what, run)
  busted.it(("holds in every state tried: %s"):format(what), function()
    local tally = family.new(number, name, what)
    local ok, message = xpcall(run, debug.traceback, tally)
    if not ok then
      tally:fail("%s", tostring(message))
    end
    tally:finish()
  end)
end

return family
