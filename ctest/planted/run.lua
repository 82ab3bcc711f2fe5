-- Plants one fault after the other and looks which suite catches it.
--
--   lua5.4 ctest/planted/run.lua <build directory> [number ...]
--
-- Works on a copy of the tree. Each fault is edited in, what the suites need is
-- built, and suites run until one fails: first the one that the list names, at
-- the scale it names, then those of whole stores at the scale of every day, the
-- tests of the layer, and everything that is left. A suite that fails without
-- the fault as well proves nothing: it is named and asked no more. The last
-- line is "<n> of <m> caught"; anything but all of them is a failure, and so is
-- such a suite, a fault whose place is not found exactly once, and one that
-- does not compile.
--
-- Needs a shell, make, and what the tests need.

local BUILD = assert(arg[1], "usage: run.lua <build directory> [number ...]")
local TIME_LIMIT = 240 -- seconds for a suite: a hang is a failure

-- Suites of whole stores, those that enumerate first.
local SYSTEM = {
  "ctest/store/crash_test",
  "ctest/store/fault_test",
  "ctest/store/model_test",
  "ctest/store/memory_test",
  "ctest/store/threads_test",
  "ctest/store/processes_test",
  "ctest/tree/manifest_crash_test",
  "ctest/wal/replay_sweep_test",
}

local bugs = dofile "ctest/planted/bugs.lua"

-- ---- the shell -------------------------------------------------------------

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function output(command)
  local pipe = assert(io.popen(command .. " 2>&1", "r"))
  local text = pipe:read "a"
  return pipe:close() == true, text
end

local function must(command)
  local ok, text = output(command)
  if not ok then
    error(command .. "\n" .. text, 0)
  end
  return text
end

local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    list[#list + 1] = line
  end
  return list
end

local function seconds()
  local file = assert(io.open("/proc/uptime", "r"))
  local now = file:read "n"
  file:close()
  return now
end

-- ---- the copy --------------------------------------------------------------

local HERE = must("pwd"):gsub("\n", "")
local ROOT = (BUILD:sub(1, 1) == "/" and BUILD or HERE .. "/" .. BUILD)
  .. "/planted"
local TREE = ROOT .. "/tree"
local OBJECTS = ROOT .. "/build"

-- Files that git knows or would add; where there is no git, all but the build.
local function copy_tree()
  must("rm -rf " .. quoted(TREE) .. " && mkdir -p " .. quoted(TREE))
  must("{ git ls-files -co --exclude-standard 2>/dev/null || find . -name .git "
    .. "-prune -o -path ./build -prune -o -type f -print; } "
    .. "| while read -r f; do [ ! -e \"$f\" ] || echo \"$f\"; done "
    .. "| tar -cf - -T - | tar -xmf - -C " .. quoted(TREE))
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function edit(path, find, replace)
  local text = read(path)
  local first, last = text:find(find, 1, true)
  if not first then
    error(path .. ": not there any more:\n" .. find, 0)
  end
  if text:find(find, last + 1, true) then
    error(path .. ": there more than once:\n" .. find, 0)
  end
  write(path, text:sub(1, first - 1) .. replace .. text:sub(last + 1))
end

local function edits_of(bug)
  local edits = { bug }
  table.move(bug.also or {}, 1, #(bug.also or {}), 2, edits)
  return edits
end

-- Edits the fault in; returns what takes it out again.
local function plant(bug)
  local before = {}
  local function restore()
    for path, text in pairs(before) do
      write(path, text)
    end
  end
  for _, change in ipairs(edits_of(bug)) do
    local path = TREE .. "/" .. change.file
    before[path] = before[path] or read(path)
    local ok, message = pcall(edit, path, change.find, change.replace)
    if not ok then
      restore()
      error(message, 0)
    end
  end
  return restore
end

-- ---- suites ----------------------------------------------------------------

local function is_spec(suite)
  return suite:find "%.lua$" ~= nil
end

local function make(targets)
  return output(("cd %s && env -u MAKEFLAGS -u MAKELEVEL make -s BUILD=%s "
    .. "CONFIG=debug EXTRA=-w %s"):format(quoted(TREE), quoted(OBJECTS),
    targets))
end

local function build(suite)
  local target = is_spec(suite) and "all"
    or quoted(OBJECTS .. "/debug/" .. suite)
  local ok, text = make(target)
  if not ok then
    error("does not compile:\n" .. text, 0)
  end
end

-- Builds and runs it; true when it passes, else false and what it said. The
-- scale is that of families, everyday's where there is none.
local function passes(suite, scale)
  build(suite)
  local path = is_spec(suite) and suite or OBJECTS .. "/debug/" .. suite
  return output(("cd %s && %s GS_BUILD=%s TIME_LIMIT=%d .ci/tests %s"):format(
    quoted(TREE), scale and "GS_SCALE=" .. scale or "",
    quoted(OBJECTS .. "/debug"), TIME_LIMIT, quoted(path)))
end

local function found(pattern)
  local list = {}
  for _, path in ipairs(lines(must("cd " .. quoted(TREE) .. " && ls "
    .. pattern))) do
    list[#list + 1] = path:gsub("_test%.c$", "_test")
      :gsub("_fuzz%.c$", "_replay")
  end
  return list
end

-- All suites: whole stores, then specs of behaviour, then the parts.
local function all_suites()
  local list, seen = {}, {}
  local function add(suite)
    if not seen[suite] then
      seen[suite] = true
      list[#list + 1] = suite
    end
  end
  for _, suite in ipairs(SYSTEM) do
    add(suite)
  end
  for _, pattern in ipairs {
    "spec/torture/*_spec.lua", "spec/model/*_spec.lua", "ctest/*/*_test.c",
    "ctest/fuzz/*_fuzz.c", "spec/[!hmt]*/*_spec.lua",
  } do
    for _, suite in ipairs(found(pattern)) do
      add(suite)
    end
  end
  return list
end

-- The order for one fault: each suite once.
local function order_for(bug, suites)
  local list, seen = {}, {}
  local function add(suite)
    if not seen[suite] then
      seen[suite] = true
      list[#list + 1] = suite
    end
  end
  local layer = bug.file:match "^core/(%w+)/"
  add(bug.caught_by)
  for _, suite in ipairs(SYSTEM) do
    add(suite)
  end
  for _, suite in ipairs(suites) do
    if suite:find("^spec/[tm]") or suite:find("^ctest/" .. layer .. "/") then
      add(suite)
    end
  end
  for _, suite in ipairs(suites) do
    add(suite)
  end
  return list
end

-- ---- the whole -------------------------------------------------------------

local function say(format, ...)
  io.write(format:format(...), "\n")
  io.flush()
end

-- suite -> whether it passes without a fault; asked when it first catches one.
local is_sound = {}
local unsound_count = 0

local function check_sound(suite, scale)
  if is_sound[suite] == nil then
    is_sound[suite] = passes(suite, scale)
    if not is_sound[suite] then
      unsound_count = unsound_count + 1
      say("%s fails without any fault", suite)
    end
  end
  return is_sound[suite]
end

-- Whether the suite passes with the fault in place, which is taken out where
-- even that cannot be told.
local function survives(bug, suite, restore)
  local scale = suite == bug.caught_by and bug.scale or nil
  local ok, result = pcall(passes, suite, scale)
  if not ok then
    restore()
    error(("bug %d: %s"):format(bug.number, result), 0)
  end
  return result, scale
end

-- The suite that fails with the fault and passes without it.
local function catch(bug, suites)
  local restore = plant(bug)
  for _, suite in ipairs(order_for(bug, suites)) do
    local passed, scale = true, nil
    if is_sound[suite] ~= false then
      passed, scale = survives(bug, suite, restore)
    end
    if not passed then
      restore()
      if check_sound(suite, scale) then
        return suite
      end
      restore = plant(bug)
    end
  end
  restore()
  return nil
end

local function try(bug, suites)
  local began = seconds()
  local suite = catch(bug, suites)
  local expected = (suite == nil or suite == bug.caught_by) and ""
    or ", not by " .. bug.caught_by
  say("bug %2d  %-58s %s in %.1f s%s", bug.number, bug.fault,
    suite and "caught by " .. suite:gsub("^ctest/", "") or "NOT CAUGHT",
    seconds() - began, expected)
  return suite ~= nil
end

local function chosen()
  if not arg[2] then
    return bugs
  end
  local wanted, list = {}, {}
  for i = 2, #arg do
    wanted[tonumber(arg[i])] = true
  end
  for _, bug in ipairs(bugs) do
    list[#list + 1] = wanted[bug.number] and bug or nil
  end
  return list
end

local function main()
  copy_tree()
  local suites = all_suites()
  local list, caught = chosen(), 0
  for _, bug in ipairs(list) do
    caught = caught + (try(bug, suites) and 1 or 0)
  end
  say("%d of %d caught", caught, #list)
  return caught == #list and unsound_count == 0
end

local ok, result = pcall(main)
if not ok then
  io.stderr:write(tostring(result), "\n")
end
os.exit(ok and result)
