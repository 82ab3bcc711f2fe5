-- `make help` tells the truth: what one can ask for is listed, and what is
-- listed can be asked for.

local tree = require "spec.support.tree"

-- As typed by a user: what an enclosing make exports is not passed on.
local MAKE = "env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CONFIG make "

-- target -> description, as printed
local function help()
  local listed = {}
  for _, line in ipairs(tree.run(MAKE .. "help")) do
    local name, text = line:match "^  make (%S+)%s+(.+)$"
    if name then
      listed[name] = text
    end
  end
  return listed
end

-- Targets a user may type: those named in .PHONY and the patterns without a
-- folder, except where a first underscore says that it is a step of another.
local function targets()
  local found = {}
  for _, line in ipairs(tree.lines "Makefile") do
    for name in (line:match "^%.PHONY:(.*)$" or ""):gmatch "%S+" do
      found[name] = true
    end
    local pattern = line:match "^([%w-]+%%):"
    if pattern then
      found[pattern] = true
    end
  end
  for name in pairs(found) do
    if name:find "^_" then
      found[name] = nil
    end
  end
  return found
end

describe("the Makefile", function()
  it("documents every target", function()
    local listed = help()
    for name in pairs(targets()) do
      assert(listed[name], "make help does not list " .. name
        .. ": write ## and a few words after its prerequisites")
    end
  end)

  it("lists only what it can do", function()
    local known = targets()
    for name in pairs(help()) do
      assert(known[name], name .. " is listed, but neither phony nor a pattern")
    end
  end)

  it("answers `make` alone with the list", function()
    local steps = tree.run(MAKE .. "-n help")
    assert.is_true(#steps > 0)
    assert.same(steps, tree.run(MAKE .. "-n"))
  end)

  it("has the groups of specs by their names", function()
    local listed = help()
    for _, group in ipairs {
      "test-lsm-tombstone-compaction", "test-cluster-grainstore",
      "test-lsm-grainstore-bytes-replay", "test-lsm-grainstore-manifest",
      "test-stl-lsm-store-v2",
    } do
      assert(listed[group], group .. " is missing")
      local spec = "spec/seed/" .. group:gsub("-", "_") .. "_spec.lua"
      assert(tree.exists(spec), spec .. " is missing")
    end
  end)

  it("refuses a configuration it does not know", function()
    local said = tree.run(MAKE .. "help CONFIG=fast 2>&1; echo $?")
    assert.truthy(said[1]:find("CONFIG is one of", 1, true))
    assert.equal("2", said[#said])
  end)
end)
