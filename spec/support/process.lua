--- Other processes, for specs of what one Lua state cannot show: locks, deaths.

local tmp = require "grainstore.testing.tmp"

local process = {}

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What every child begins with.
local PRELUDE = [[
io.stdout:setvbuf "line"
local pid = assert(io.open "/proc/self/stat"):read "n"
local function die() os.execute("kill -9 " .. pid) end
local grainstore = require "grainstore"
]]

local Child = {}
Child.__index = Child

--- Starts another Lua. Its script knows `pid`, `die()` (ends the process as
-- kill -9 does) and `grainstore`; arguments are in `...`.
-- @tparam string script
-- @tparam string ... arguments
-- @return an object with line, kill, rest
function process.child(script, ...)
  local file = tmp.path() .. ".lua"
  tmp.write(file, PRELUDE .. script)
  local words = {
    "LUA_PATH=" .. quote(package.path), "LUA_CPATH=" .. quote(package.cpath),
    "exec " .. (os.getenv "GS_LUA" or "lua5.4"), quote(file),
  }
  for _, argument in ipairs { ... } do
    words[#words + 1] = quote(tostring(argument))
  end
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1", "r"))
  return setmetatable({ pipe = pipe }, Child)
end

--- The next line the child printed; nil after its end.
function Child:line()
  return self.pipe:read "l"
end

--- Ends the process without a chance to clean up, and reads what it had
-- printed.
-- @tparam integer|string pid
-- @treturn string
function Child:kill(pid)
  os.execute(("kill -9 %d 2>/dev/null"):format(math.tointeger(pid)))
  return self:rest()
end

--- Waits for the child's end.
-- @treturn string what it had still to say
function Child:rest()
  local said = self.pipe:read "a"
  self.pipe:close()
  return said
end

--- Runs a script in another process until its end.
-- @tparam string script
-- @tparam string ... arguments
-- @treturn string what it printed
function process.run(script, ...)
  return process.child(script, ...):rest()
end

return process
