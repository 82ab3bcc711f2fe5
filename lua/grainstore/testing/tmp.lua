--- Directories and files on the real disk that go away again.
--
-- All lie in one directory of the process, which is removed by `clean`, or when
-- the Lua state ends.
-- @module grainstore.testing.tmp

local M = {}

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function shell(command)
  assert(os.execute(command), command)
end

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

--- Removes everything that was made.
function M.clean()
  if base then
    shell("rm -rf " .. quote(base))
    base = nil
  end
end

-- Held by the module, so it goes with the state.
M.guard = setmetatable({}, { __gc = M.clean })

--- A path where there is nothing yet.
-- @treturn string
function M.path()
  count = count + 1
  return ("%s/%d"):format(base_dir(), count)
end

--- A new empty directory.
-- @treturn string
function M.dir()
  local path = M.path()
  shell("mkdir " .. quote(path))
  return path
end

--- Removes one path.
-- @tparam string path
function M.remove(path)
  shell("rm -rf " .. quote(path))
end

--- Copies a directory.
-- @tparam string from
-- @treturn string the path of the copy
function M.copy(from)
  local to = M.path()
  shell(("cp -r %s %s"):format(quote(from), quote(to)))
  return to
end

--- Names in a directory, sorted.
-- @tparam string path
-- @treturn {string,...}
function M.list(path)
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
function M.files(path, ending)
  local found = {}
  for _, name in ipairs(M.list(path)) do
    if name:sub(-#ending) == ending then
      found[#found + 1] = path .. "/" .. name
    end
  end
  return found
end

--- Whether there is a file or a directory.
-- @tparam string path
-- @treturn boolean
function M.exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

--- All bytes of a file.
-- @tparam string path
-- @treturn string
function M.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

--- Writes a file anew.
-- @tparam string path
-- @tparam string bytes
function M.write(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(bytes))
end

--- Turns over the lowest bit of one byte of a file.
-- @tparam string path
-- @tparam integer offset of the byte, from 0
function M.flip(path, offset)
  local bytes = M.read(path)
  local flipped = string.char(bytes:byte(offset + 1) ~ 1)
  M.write(path, bytes:sub(1, offset) .. flipped .. bytes:sub(offset + 2))
end

--- Every file of a directory with its bytes, to compare later. The lock file's
-- bytes are a courtesy to other processes and are left out.
-- @tparam string path
-- @treturn table name to bytes
function M.freeze(path)
  local frozen = {}
  for _, name in ipairs(M.list(path)) do
    frozen[name] = name == "LOCK" or M.read(path .. "/" .. name)
  end
  return frozen
end

return M
