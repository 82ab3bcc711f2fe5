-- A store that is being made is cut short, and made again, and cut short again:
-- in the end there is a store.

local T = require "grainstore.testing"
local grainstore = require "grainstore"

describe("a store that was not made to its end", function()
  local LIMIT = 10

  local function open(env)
    return grainstore.open("db",
      { env = env, threads = 0, memory_bytes = 1 << 20 })
  end

  -- Opens and calls f with a copy of the machine before each change.
  local function each_copy(env, f)
    env:watch()
    assert(open(env)):close()
    for copy in function() return env:next_copy() end do
      f(copy)
      copy:close()
    end
  end

  it("is made by the next opening, after any two crashes", function()
    local states = 0
    local env <close> = T.env()
    each_copy(env, function(first)
      local again <close> = first:crash { keep = "all" }
      each_copy(again, function(second)
        for state, why in second:states { keep = "subset", limit = LIMIT } do
          local store, message = open(state)
          assert(store, ("%d, %d, %s: %s"):format(first:ops(), second:ops(),
            why, message))
          store:close()
          states = states + 1
        end
      end)
    end)
    assert(states > 300, states)
  end)
end)
