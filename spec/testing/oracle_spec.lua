-- oracle: what a store may hold after a crash.

local Oracle = require "grainstore.testing.oracle"
local T = require "grainstore.testing"
local grainstore = require "grainstore"

describe("the oracle", function()
  -- Five commits: number k is issued at operation 10k, acknowledged at 10k + 5.
  local function five(durability)
    local oracle = Oracle.new { durability = durability }
    for k = 1, 5 do
      oracle:issue(k * 10, { "k" .. k, { value = tostring(k) } })
      oracle:ack(k * 10 + 5, k)
    end
    return oracle
  end

  local function range(oracle, ops, keep)
    local allowed = oracle:allowed { ops = ops, keep = keep }
    return { allowed.low, allowed.high, #allowed.failed }
  end

  it("keeps all that was acknowledged where the process died", function()
    local oracle = five "os"
    assert.same({ 0, 0, 0 }, range(oracle, 0, "all"))
    assert.same({ 0, 1, 0 }, range(oracle, 12, "all"))
    assert.same({ 2, 2, 0 }, range(oracle, 25, "all"))
    assert.same({ 5, 5, 0 }, range(oracle, 99, "all"))
  end)

  it("promises nothing of it where the power went", function()
    assert.same({ 0, 5, 0 }, range(five "os", 99, "synced"))
    assert.same({ 5, 5, 0 }, range(five "sync", 99, "synced"))
    assert.same({ 2, 3, 0 }, range(five "sync", 32, "random"))
  end)

  it("promises nothing to a store without a log", function()
    assert.same({ 0, 5, 0 }, range(five "memory", 99, "all"))
  end)

  it("gives notes alone no numbers, however many there are", function()
    local oracle = five "os"
    for k = 6, 8 do
      oracle:issue(k * 10, {}, "note")
      oracle:ack(k * 10 + 5, 5)
    end
    oracle:issue(90, { "k6", { value = "6" } })
    oracle:ack(95, 6)
    assert.equal(5, math.floor(oracle.line[8].seq))
    oracle:durable(96, 6)
    assert.same({ 9, 9, 0 }, range(oracle, 96, "synced"))
  end)

  it("promises what was synced by then", function()
    local oracle = five "os"
    oracle:promise(70)
    assert.same({ 0, 5, 0 }, range(oracle, 69, "synced"))
    assert.same({ 5, 5, 0 }, range(oracle, 70, "synced"))
    local other = five "os"
    other:durable(80, 3)
    assert.same({ 3, 5, 0 }, range(other, 80, "synced"))
  end)

  it("allows a failed commit until something settles it", function()
    local oracle = five "os"
    oracle:issue(60, { "x", { value = "x" } })
    oracle:fail(65)
    assert.same({ 5, 5, 0 }, range(oracle, 59, "all"))
    assert.same({ 5, 5, 1 }, range(oracle, 60, "all"))
    assert.same({ 5, 5, 1 }, range(oracle, 99, "all"))
    oracle:issue(70, { "y", { value = "y" } })
    oracle:ack(75, 6)
    assert.same({ 5, 6, 1 }, range(oracle, 72, "all"))
    assert.same({ 6, 6, 0 }, range(oracle, 80, "all"))
  end)

  describe("looking at a store", function()
    local env, store, oracle

    before_each(function()
      env = T.env()
      store = assert(grainstore.open("/store", { env = env }))
      oracle = Oracle.new { durability = "os" }
    end)

    after_each(function()
      store:close()
      env:close()
    end)

    local function commit(key, value, is_lost)
      oracle:issue(env:ops(), { key, value and { value = value } or false })
      local seq = store:seq() + 1
      if not is_lost then
        seq = assert(value and store:put(key, value) or store:delete(key))
      end
      oracle:ack(env:ops(), seq)
    end

    local function look(low, high, failed)
      return oracle:check(store, {
        low = low, high = high, failed = failed or {},
      }, env.clock:now())
    end

    -- The same store, but one of its methods fails.
    local function failing(whole, method)
      return setmetatable({}, { __index = function(_, name)
        return function(_, ...)
          if name == method then
            return nil, "cannot read", "io"
          end
          return whole[name](whole, ...)
        end
      end })
    end

    it("names the state it is in", function()
      commit("a", "1")
      commit("b", "2")
      assert.equal(2, look(0, 2).index)
      commit("c", "3", true)
      assert.equal(2, look(0, 3).index)
    end)

    it("says which state it is in where it must not be", function()
      commit("a", "1")
      commit("b", "2", true)
      local state, wrong = look(2, 2)
      assert.is_nil(state)
      assert.equal("the store is in state 1 (allowed: 2 to 2)", wrong)
    end)

    it("sees a hole", function()
      commit("a", "1")
      commit("b", "2", true)
      commit("c", "3")
      local state, wrong = look(0, 3)
      assert.is_nil(state)
      assert.truthy(wrong:find("state that never was", 1, true))
      assert.truthy(wrong:find('"b" is missing', 1, true))
    end)

    it("sees a deletion undone", function()
      commit("a", "1")
      commit("a", false, true)
      assert.is_nil((look(2, 2)))
    end)

    it("sees another note", function()
      oracle:issue(0, { "a", { value = "1" } }, "one")
      store:put("a", "1")
      oracle:ack(1, store:seq())
      local _, wrong = look(1, 1)
      assert.truthy(wrong:find("the note is false", 1, true))
    end)

    it("sees another expiry", function()
      local now_ms = env.clock:now()
      oracle:issue(0, { "a", { value = "1", expires_at_ms = now_ms + 50 } })
      store:put("a", "1", { ttl_ms = 60 })
      oracle:ack(1, store:seq())
      assert.is_nil((look(1, 1)))
      store:put("a", "1", { ttl_ms = 50 })
      assert.equal(1, look(1, 1).index)
    end)

    it("tells an expiry that cannot be read from another one", function()
      local at_ms = env.clock:now() + 50
      oracle:issue(0, { "a", { value = "1", expires_at_ms = at_ms } })
      store:put("a", "1", { ttl_ms = 50 })
      oracle:ack(1, store:seq())
      store = failing(store, "ttl")
      local ok, failure = pcall(look, 1, 1)
      assert.is_false(ok)
      assert.equal("ttl failed: cannot read (io)", tostring(failure))
      assert.equal("io", failure.code)
    end)

    it("takes a failed commit for one, and goes on from it", function()
      commit("a", "1")
      oracle:issue(env:ops(), { "b", { value = "2" } })
      oracle:fail(env:ops())
      store:put("b", "2")
      local allowed = oracle:allowed { ops = env:ops(), keep = "all" }
      local state = oracle:check(store, allowed, env.clock:now())
      assert.equal(1, #oracle.failed)
      assert.is_table(state.commit)
      oracle:settle(env:ops(), store:seq(), state)
      assert.equal(2, oracle.count)
      assert.equal("2", oracle.model:get("b", 0))
      assert.is_nil(look(2, 2).commit)
    end)

    it("goes on from an older state", function()
      commit("a", "1")
      commit("b", "2", true)
      oracle:settle(env:ops(), store:seq(), look(0, 2))
      assert.equal(1, oracle.count)
      assert.is_nil(oracle.model:get("b", 0))
      assert.same({ 1, 1 }, { oracle.marks[#oracle.marks].at, oracle.count })
    end)
  end)
end)
