-- What every file of the tree keeps to: its length, its words, its place, and
-- its test.

local tree = require "spec.support.tree"

local SOURCES = "%.[chl][ua]*$" -- .c, .h and .lua

-- Words are put together here, so that this file may pass its own check.
local LEFTOVERS = {
  "%f[%w]TO" .. "DO%f[%W]",
  "%f[%w]FIX" .. "ME%f[%W]",
  "%f[%w]XX" .. "X%f[%W]",
  "^%s*#%s*if%s+" .. "0%f[%W]",
  "%f[%w]not " .. "implemented%f[%W]",
  "%f[%w]st" .. "ub%f[%W]",
  "%f[%w]for " .. "now%f[%W]",
}

local ONE_MACHINE = { "/wo" .. "rk/", "/ro" .. "ot/", "/ho" .. "me/" }

local SLEEPS = {
  "%f[%w_]usleep%s*%(",
  "%f[%w_]nanosleep%s*%(",
  "%f[%w_]sleep%s*%(",
  "os%.execute%s*%(?%s*[\"']sleep",
}

local TOP = {
  "LICENSE", "Makefile", "README.md",
  "core", "ctest", "examples", "lua", "spec",
}

-- Sources that share a test: path -> { path of the test, reason }.
local TESTED_ELSEWHERE = {}

local function matches_any(line, patterns)
  for _, pattern in ipairs(patterns) do
    if line:find(pattern) then
      return true
    end
  end
  return false
end

local function lines_with(paths, patterns)
  local found = {}
  for path, number, line in tree.each_line(paths) do
    if matches_any(line, patterns) then
      found[#found + 1] = ("%s:%d: %s"):format(path, number, line)
    end
  end
  return found
end

local function sources()
  return tree.files(SOURCES)
end

-- Functions of a C file as { name, first line, line count }: a body stands
-- between two braces in the first column, its name in the lines before.
local function functions_of(path)
  local found, name, open = {}, "?", nil
  for number, line in ipairs(tree.lines(path)) do
    if line == "{" then
      open = number
    elseif line == "}" and open then
      found[#found + 1] = { name, open, number - open + 1 }
      open = nil
    elseif not open then
      name = line:match "^([%a_][%w_]*)%(" or name
    end
  end
  return found
end

describe("every file", function()
  it("has at most 600 lines", function()
    local long = {}
    for _, path in ipairs(sources()) do
      local count = #tree.lines(path)
      if count > 600 then
        long[#long + 1] = ("%s has %d lines"):format(path, count)
      end
    end
    tree.assert_none(long, "Divide by idea, not by length.")
  end)

  it("has functions of at most 80 lines", function()
    local long, seen = {}, 0
    for _, path in ipairs(tree.files "%.[ch]$") do
      for _, f in ipairs(functions_of(path)) do
        seen = seen + 1
        if f[3] > 80 then
          long[#long + 1] = ("%s:%d: %s has %d lines"):format(path, f[2], f[1],
            f[3])
        end
      end
    end
    tree.assert_none(long, "Give the steps of the function names of their own.")
    assert.is_true(seen > 0)
  end)

  it("is finished", function()
    tree.assert_none(lines_with(sources(), LEFTOVERS),
      "Do it, or write the limit into the header.")
  end)

  it("knows no path of a single machine", function()
    tree.assert_none(lines_with(tree.files(), ONE_MACHINE),
      "Others do not have this path.")
  end)

  it("lies in the folder of its kind", function()
    local known, seen = {}, {}
    for _, name in ipairs(TOP) do
      known[name] = true
    end
    for _, path in ipairs(tree.files()) do
      local name = path:match "^[^/]+"
      seen[name] = true
      assert(known[name] or name:find "^%." or name:find "%.rockspec$",
        path .. " lies outside " .. table.concat(TOP, " "))
    end
    for _, name in ipairs(TOP) do
      assert(seen[name], name .. " is missing")
    end
  end)
end)

describe("every source file", function()
  -- core/x/y.c -> ctest/x/y_test.c; the machines, core/env/m/y.c -> m_y
  local function test_of(path)
    local layer, folder, name = path:match "^core/(%w+)/([%w_/]-)([%w_]+)%.c$"
    return ("ctest/%s/%s%s_test.c"):format(layer, folder:gsub("/", "_"), name)
  end

  it("of the engine has a test of the same name", function()
    local missing = {}
    for _, path in ipairs(tree.files "^core/.*%.c$") do
      local test = (TESTED_ELSEWHERE[path] or { test_of(path) })[1]
      if not tree.exists(test) then
        missing[#missing + 1] = path .. " has no " .. test
      end
    end
    tree.assert_none(missing, "Write the test first.")
  end)

  it("named as tested elsewhere exists", function()
    for path, elsewhere in pairs(TESTED_ELSEWHERE) do
      assert(tree.exists(path), path .. " is gone")
      assert(not tree.exists(test_of(path)), path .. " has a test by now")
      assert.is_string(elsewhere[2], path .. " is listed without a reason")
    end
  end)
end)

describe("every test", function()
  local function claims(path, patterns)
    for _, line in ipairs(tree.lines(path)) do
      if matches_any(line, patterns) then
        return true
      end
      -- A kit of ctest may hold the assertions of several tests.
      local kit = line:match '#include "([%w_/]+%.h)"'
      kit = kit and (kit:find "/" and "ctest/" or path:match "^.*/") .. kit
      if kit and tree.exists(kit) and claims(kit, patterns) then
        return true
      end
    end
    return false
  end

  local function without(paths, patterns)
    local empty = {}
    for _, path in ipairs(paths) do
      if not claims(path, patterns) then
        empty[#empty + 1] = path .. " claims nothing"
      end
    end
    return empty
  end

  it("asserts something", function()
    tree.assert_none(without(tree.files "^spec/.*_spec%.lua$",
      { "%f[%w_]assert[%.%(%s]", "%f[%w_]family%.it%(" }),
      "A spec that cannot fail is a defect.")
    tree.assert_none(without(tree.files "^ctest/.*_test%.c$",
      { "%f[%w_]assert_[%w_]+%(", "%f[%w_]fail_msg%(", "%f[%w_]fail%(" }),
      "A test that cannot fail is a defect.")
  end)

  it("waits for events, not for time", function()
    local paths = tree.files "^spec/"
    for _, path in ipairs(tree.files "^ctest/.*%.[ch]$") do
      if not path:find "^ctest/bench/" then
        paths[#paths + 1] = path
      end
    end
    tree.assert_none(lines_with(paths, SLEEPS),
      "Move the simulated clock, or wait on a condition.")
  end)
end)
