-- shrink: what is left of a failing script.

local script = require "grainstore.testing.script"
local shrink = require "grainstore.testing.shrink"

-- Whether operations of these names come in this order, in batches too.
local function has_in_order(ops, names)
  local at = 1
  local function walk(list)
    for _, op in ipairs(list) do
      if op[1] == names[at] then
        at = at + 1
      end
      if type(op[2]) == "table" then
        walk(op[2])
      end
    end
  end
  walk(ops)
  return at > #names
end

describe("a failing script", function()
  it("shrinks to the operations that fail", function()
    local ops = script.random(11, { steps = 2000, weights = script.WRITES })
    local names = { "put", "flush", "delete", "compact", "reopen" }
    local least = shrink(ops, function(candidate)
      return has_in_order(candidate, names)
    end)
    assert.equal(5, #least)
    for i, name in ipairs(names) do
      assert.equal(name, least[i][1])
    end
  end)

  it("shrinks to plain arguments", function()
    local least = shrink({
      { "put", "some long key", 480, sync = true, ttl_ms = 30 },
    }, function(candidate)
      return candidate[1] and candidate[1][1] == "put"
    end)
    assert.same({ { "put", "a", 1 } }, least)
  end)

  it("shrinks inside of batches, and takes them apart", function()
    local batch = { "batch", {
      { "put", "x", 1 }, { "delete", "y" }, { "put", "z", 2 },
    } }
    local function deletes(candidate)
      return has_in_order(candidate, { "delete" })
    end
    assert.same({ { "delete", "a" } }, shrink({ batch }, deletes))
    local function deletes_in_batch(candidate)
      return has_in_order(candidate, { "batch", "delete" })
    end
    assert.same({ { "batch", { { "delete", "a" } } } },
      shrink({ batch }, deletes_in_batch))
  end)

  it("stops after so many tries", function()
    local tries = 0
    local ops = script.random(2, { steps = 400 })
    local least = shrink(ops, function()
      tries = tries + 1
      return false
    end, 50)
    assert.equal(50, tries)
    assert.equal(ops, least)
  end)

  it("may be of anything", function()
    local least = shrink({ 1, "two", true, 4 }, function(candidate)
      return #candidate > 0 and candidate[#candidate] == 4
    end)
    assert.same({ 4 }, least)
  end)
end)
