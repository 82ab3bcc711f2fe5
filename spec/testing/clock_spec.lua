-- Clocks that tests move, of simulated machines and on the real disk.

local grainstore = require "grainstore"
local T = require "grainstore.testing"

local function expires(store, clock)
  assert(store:put("k", "v", { ttl_ms = 500 }))
  assert.equal(500, store:ttl "k")
  clock:advance(499)
  assert.store(store).has("k", "v")
  assert.equal(1, store:ttl "k")
  clock:advance(1)
  assert.store(store).lacks "k"
end

describe("a testing clock", function()
  it("makes entries expire on the real disk", function()
    local clock = T.clock(1000)
    local store = tmpstore { clock = clock }
    expires(store, clock)
  end)

  it("makes them expire on a simulated machine", function()
    local env = tmpenv()
    local store <close> = assert(grainstore.open("db", { env = env }))
    expires(store, env.clock)
  end)

  it("tells the time and takes another", function()
    for _, clock in ipairs { T.clock(1000), tmpenv { wall_ms = 1000 }.clock } do
      assert.equal(1000, clock:now())
      assert.equal(1007, clock:advance(7))
      assert.equal(5, clock:set(5))
      assert.equal(5, clock:now())
      assert.equal("grainstore.clock (5 ms)", tostring(clock))
    end
  end)

  it("does not go where no number tells the time", function()
    for _, clock in ipairs { T.clock(1000), tmpenv { wall_ms = 1000 }.clock } do
      for _, move in ipairs { clock.advance, clock.set } do
        local ok, message = pcall(move, clock, math.maxinteger)
        assert.is_false(ok)
        assert.truthy(message:find("too far in the future", 1, true), message)
        assert.equal(1000, clock:now())
      end
    end
  end)

  it("is the same object each time an env is asked", function()
    local env = tmpenv()
    assert.equal(env.clock, env.clock)
  end)

  it("of an env goes with that env and no other", function()
    local env, other = tmpenv(), tmpenv()
    local store <close> = assert(grainstore.open("db",
      { env = env, clock = env.clock }))
    assert(store:put("k", "v"))
    local same <close> = assert(grainstore.open("db", { clock = env.clock }))
    assert.store(same).has("k", "v")
    local function mixed(clock)
      grainstore.open("db", { env = env, clock = clock })
    end
    assert.has_error(function() mixed(other.clock) end,
      "bad argument #2 to 'open' (an env has a clock of its own: env.clock)")
    assert.has_error(function() mixed(T.clock(1)) end,
      "bad argument #2 to 'open' (an env has a clock of its own: env.clock)")
  end)

  it("is the system's where nothing else is said", function()
    local store = tmpstore { clock = "system" }
    assert(store:put("k", "v", { ttl_ms = 1000000 }))
    assert.store(store).has("k", "v")
    local path = "nowhere"
    assert.has_error(function() grainstore.open(path, { clock = "mine" }) end,
      "bad argument #2 to 'open' "
      .. "(option 'clock' takes \"system\" or a testing clock)")
  end)

  it("does not end under its stores", function()
    local clock = T.clock(1)
    local store, path = tmpstore { clock = clock }
    assert.has_error(function() clock:close() end,
      "stores are open with the clock: close them first")
    -- Another clock is another machine.
    assert.code("locked", grainstore.open, path, { clock = T.clock(1) })
    store:close()
    assert.is_true(clock:close())
    assert.is_true(clock:close())
    assert.has_error(function() clock:now() end)
    assert.equal("grainstore.clock (closed)", tostring(clock))
  end)

  it("waits, when it is garbage, for its stores", function()
    local store = tmpstore { clock = T.clock(77) }
    collectgarbage()
    collectgarbage()
    assert(store:put("k", "v", { ttl_ms = 1 }))
    assert.store(store).has("k", "v")
  end)

  it("takes no nonsense", function()
    assert.has_error(function() T.clock(-1) end)
    assert.has_error(function() T.clock() end)
    assert.has_error(function() T.clock(5):advance(-1) end,
      "bad argument #1 to 'advance' (an integer from 0 expected)")
  end)
end)
