--- What the house specs see of the source tree: names, lines, complaints.
-- The working directory is the root of the tree, as busted is run there.

local tree = {}

--- All lines a command prints. An empty list also when it fails.
-- @tparam string command for the shell
-- @treturn {string,...}
function tree.run(command)
  local lines = {}
  local pipe = assert(io.popen(command .. " 2>/dev/null", "r"))
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

-- What git knows or would add; in a tree without git, what lies in it.
local known
local function all_files()
  if known == nil then
    known = {}
    local paths = tree.run("git ls-files --cached --others --exclude-standard")
    if #paths == 0 then
      paths = tree.run("find . -name .git -prune -o -path ./build -prune -o "
        .. "-type f -print | sed 's,^\\./,,'")
    end
    for _, path in ipairs(paths) do
      known[#known + 1] = tree.exists(path) and path or nil
    end
    table.sort(known)
  end
  return known
end

--- Paths of the files that belong to the tree, sorted.
-- @tparam[opt] string pattern a Lua pattern the path must match
-- @treturn {string,...}
function tree.files(pattern)
  local chosen = {}
  for _, path in ipairs(all_files()) do
    if path:find(pattern or "") then
      chosen[#chosen + 1] = path
    end
  end
  return chosen
end

--- Whether a file can be opened.
-- @tparam string path
-- @treturn boolean
function tree.exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

--- The lines of a file, without line ends.
-- @tparam string path
-- @treturn {string,...}
function tree.lines(path)
  local lines = {}
  for line in io.lines(path) do
    lines[#lines + 1] = line
  end
  return lines
end

--- Walks all lines of some files.
-- @tparam {string,...} paths
-- @treturn function iterator giving path, line number, line
function tree.each_line(paths)
  return coroutine.wrap(function()
    for _, path in ipairs(paths) do
      for number, line in ipairs(tree.lines(path)) do
        coroutine.yield(path, number, line)
      end
    end
  end)
end

--- Raises an error that lists the complaints, one in a line, if there are any.
-- @tparam {string,...} complaints
-- @tparam string remedy what to do about them
function tree.assert_none(complaints, remedy)
  if #complaints > 0 then
    error(table.concat(complaints, "\n") .. "\n" .. remedy, 2)
  end
end

return tree
