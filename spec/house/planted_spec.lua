-- The faults of ctest/planted are edits of sources that change: their places
-- have to be there.

local bugs = dofile "ctest/planted/bugs.lua"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function count(text, part)
  local found, at = 0, 1
  while true do
    local first, last = text:find(part, at, true)
    if not first then return found end
    found, at = found + 1, last + 1
  end
end

local function is_suite(name)
  local source = name:gsub("_replay$", "_fuzz")
  return #read(name:find "%.lua$" and name or source .. ".c") > 0
end

describe("planted faults", function()
  it("are forty and more, numbered as they stand", function()
    assert.is_true(#bugs >= 40)
    for i, bug in ipairs(bugs) do
      assert.equal(i, bug.number)
    end
  end)

  it("find their places exactly once", function()
    for _, bug in ipairs(bugs) do
      for _, change in ipairs { bug, table.unpack(bug.also or {}) } do
        assert.equal(1, count(read(change.file), change.find),
          ("bug %d in %s:\n%s"):format(bug.number, change.file, change.find))
      end
    end
  end)

  it("are asked of suites that are there", function()
    for _, bug in ipairs(bugs) do
      assert.is_true(is_suite(bug.caught_by), bug.caught_by)
    end
  end)
end)
