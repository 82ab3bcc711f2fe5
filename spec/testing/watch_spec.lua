-- Copies that a machine takes of itself.

local T = require "grainstore.testing"
local grainstore = require "grainstore"

describe("a watched machine", function()
  -- What a life of one synced put leaves, copy by copy.
  local function copies(from, to)
    local env <close> = T.env()
    env:watch(from, to)
    do
      local store <close> = assert(grainstore.open("db", { env = env }))
      store:put("a", "1", { sync = true })
    end
    local found = {}
    for copy in function() return env:next_copy() end do
      found[#found + 1] = copy
    end
    return found, env:ops()
  end

  local function close_all(list)
    for _, copy in ipairs(list) do
      copy:close()
    end
  end

  it("gives copies in order, one for each change", function()
    local list, total = copies()
    assert(#list > 8 and #list < total, #list)
    for i = 2, #list do
      assert.is_true(list[i - 1]:ops() < list[i]:ops())
    end
    close_all(list)
  end)

  it("gives none outside the range", function()
    local list = copies(5, 9)
    assert(#list > 0)
    for _, copy in ipairs(list) do
      assert(copy:ops() >= 5 and copy:ops() < 9, copy:ops())
    end
    close_all(list)
  end)

  it("gives copies that live on without it", function()
    local list = copies()
    local last = list[#list]
    local store = assert(grainstore.open("db", { env = last }))
    assert.equal("1", store:get "a")
    store:close()
    close_all(list)
  end)

  it("stops when told to", function()
    local env <close> = T.env()
    env:watch()
    env:watch(0, 0)
    local store <close> = assert(grainstore.open("db", { env = env }))
    assert.is_nil(env:next_copy())
    store:close()
  end)

  it("takes numbers from 0", function()
    local env <close> = T.env()
    assert.has_error(function() env:watch(-1) end)
    assert.has_error(function() env:watch(0, "often") end)
  end)
end)
