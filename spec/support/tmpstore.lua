--- Real directories and real processes for specs of the module.
-- Paths lie in one temporary directory per spec file, which is removed when the
-- Lua state that runs the file ends, or by `clean`.

local tmpstore = {}

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function shell(command)
  assert(os.execute(command), command)
end

-- ---- directories -----------------------------------------------------------

local base, count = nil, 0

local function base_dir()
  if not base then
    local name = os.tmpname()
    os.remove(name)
    local parent = os.getenv "TMPDIR" or "/tmp"
    base = parent .. "/gs-" .. name:match "[^/]*$"
    shell("mkdir " .. quote(base))
  end
  return base
end

--- A path where there is nothing yet.
-- @treturn string
function tmpstore.path()
  count = count + 1
  return ("%s/%d"):format(base_dir(), count)
end

--- A new empty directory.
-- @treturn string
function tmpstore.dir()
  local path = tmpstore.path()
  shell("mkdir " .. quote(path))
  return path
end

--- Removes everything that was made; for `teardown`.
function tmpstore.clean()
  if base then
    shell("rm -rf " .. quote(base))
    base = nil
  end
end

--- Copies a directory.
-- @tparam string from
-- @treturn string the path of the copy
function tmpstore.copy(from)
  local to = tmpstore.path()
  shell(("cp -r %s %s"):format(quote(from), quote(to)))
  return to
end

--- Names in a directory, sorted.
-- @tparam string path
-- @treturn {string,...}
function tmpstore.list(path)
  local names = {}
  local pipe = assert(io.popen("ls -A " .. quote(path), "r"))
  for name in pipe:lines() do
    names[#names + 1] = name
  end
  pipe:close()
  return names
end

--- Paths of the files in a directory whose name ends so, sorted by name.
-- @tparam string path
-- @tparam string ending ".sst", ".wal"
-- @treturn {string,...}
function tmpstore.files(path, ending)
  local found = {}
  for _, name in ipairs(tmpstore.list(path)) do
    if name:sub(-#ending) == ending then
      found[#found + 1] = path .. "/" .. name
    end
  end
  return found
end

--- Whether there is a file or a directory.
-- @tparam string path
-- @treturn boolean
function tmpstore.exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

--- All bytes of a file.
-- @tparam string path
-- @treturn string
function tmpstore.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

--- Writes a file anew.
-- @tparam string path
-- @tparam string bytes
function tmpstore.write(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(bytes))
end

--- Turns over one bit of a file.
-- @tparam string path
-- @tparam integer offset of the byte, from 0
function tmpstore.flip(path, offset)
  local bytes = tmpstore.read(path)
  local flipped = string.char(bytes:byte(offset + 1) ~ 1)
  tmpstore.write(path,
    bytes:sub(1, offset) .. flipped .. bytes:sub(offset + 2))
end

--- Every file of a directory with its bytes, to compare later. The lock file's
-- bytes are a courtesy to other processes and are left out.
-- @tparam string path
-- @treturn table name to bytes
function tmpstore.freeze(path)
  local frozen = {}
  for _, name in ipairs(tmpstore.list(path)) do
    frozen[name] = name == "LOCK" or tmpstore.read(path .. "/" .. name)
  end
  return frozen
end

-- ---- processes -------------------------------------------------------------

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
function tmpstore.child(script, ...)
  local file = tmpstore.path() .. ".lua"
  tmpstore.write(file, PRELUDE .. script)
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
function tmpstore.run(script, ...)
  return tmpstore.child(script, ...):rest()
end

-- ---- stores ----------------------------------------------------------------

--- A policy that never does anything: flushed runs stay as they are.
tmpstore.manual = { name = "manual", pick = function() end }

--- Moves a store's clock forward by a batch that carries the time.
-- @param store
-- @tparam integer now_ms
function tmpstore.advance(store, now_ms)
  local batch <close> = store:batch()
  assert(batch:commit { now_ms = now_ms, meta = "" })
end

--- A time that no clock shows while the specs run.
tmpstore.FUTURE_MS = 4102444800000

--- Every key and value of a scan, as an array of pairs.
-- @param from a store or a snapshot
-- @tparam[opt] table options of the scan
-- @treturn {{key,value},...}
function tmpstore.pairs_of(from, options)
  local found = {}
  for key, value in from:scan(options) do
    found[#found + 1] = { key, value }
  end
  return found
end

--- Keys and values of a run's tables as one line of numbers, for looking at a
-- tree: entries and tombstones of each run, newest first.
-- @param store
-- @treturn string "2:1 3:0" for two runs
function tmpstore.runs(store)
  local parts = {}
  for i, run in ipairs(store:tree().runs) do
    parts[i] = ("%d:%d"):format(run.entries, run.tombstones)
  end
  return table.concat(parts, " ")
end

--- The ids of the tables of a run.
-- @param run of a tree
-- @treturn {integer,...}
function tmpstore.ids(run)
  local ids = {}
  for i, t in ipairs(run.tables) do
    ids[i] = t.id
  end
  return ids
end

--- Merges some of the newest runs into the oldest of them and waits.
-- @param store
-- @tparam integer first counted from the newest
-- @tparam integer last
function tmpstore.merge(store, first, last)
  local runs = store:tree().runs
  local inputs = {}
  for i = first, last do
    for _, id in ipairs(tmpstore.ids(runs[i])) do
      inputs[#inputs + 1] = id
    end
  end
  assert(store:plan { op = "merge", inputs = inputs, into = runs[last].id })
  tmpstore.settle(store)
end

--- Works, or waits for the workers, until no merge is left.
-- @param store
function tmpstore.settle(store)
  while store:tree().running > 0 do
    store:step()
  end
end

return tmpstore
