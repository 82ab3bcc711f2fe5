-- compare: what a store has otherwise than it should.

local T = require "grainstore.testing"
local compare = require "grainstore.testing.compare"
local grainstore = require "grainstore"

describe("a comparison", function()
  local env, store

  before_each(function()
    env = T.env()
    store = assert(grainstore.open("/store", { env = env }))
    for _, key in ipairs { "a", "ab", "b", "c" } do
      assert(store:put(key, "value of " .. key))
    end
  end)

  after_each(function()
    store:close()
    env:close()
  end)

  local function all(keys, values, universe)
    return compare.all(store, keys, values, universe or keys)
  end

  local keys = { "a", "ab", "b", "c" }
  local values = { "value of a", "value of ab", "value of b", "value of c" }

  it("of what is the same finds nothing", function()
    assert.is_nil(all(keys, values, { "a", "aa", "ab", "b", "c", "d" }))
  end)

  it("names what is missing, what is too much, what is other", function()
    local more = { "a", "ab", "ac", "b", "c" }
    assert.equal('scan: "ac" is missing', all(more, values))
    assert.equal('scan: "ab" should not be there',
      all({ "a", "b", "c" }, values))
    local other = { table.unpack(values) }
    other[3] = "x"
    assert.equal('scan: "b" is "value of b", should be "x"', all(keys, other))
  end)

  -- A store that answers wrongly in one way only.
  local function liar(method, answer)
    return setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        if name == method then
          return answer(...)
        end
        return store[name](store, ...)
      end
    end })
  end

  it("reads in every way", function()
    local lies = {
      { "get_many", function() return { values[1], false, false, false } end,
        "get" },
      { "count", function() return 3 end, "count" },
      { "scan", function(options)
        return store:scan(options.prefix and { prefix = "zz" } or options)
      end, "prefix" },
      { "scan", function(options)
        return store:scan(options.reverse and { limit = 2 } or options)
      end, "scan backward" },
    }
    for _, lie in ipairs(lies) do
      local wrong = compare.all(liar(lie[1], lie[2]), keys, values, keys)
      assert.truthy(wrong and wrong:find(lie[3], 1, true), wrong)
    end
  end)

  it("raises a failed read with its code", function()
    local broken = liar("get_many", function()
      return nil, "cannot read", "io"
    end)
    local ok, failure = pcall(compare.all, broken, keys, values, keys)
    assert.is_false(ok)
    assert.equal("io", failure.code)
    assert.equal("get_many failed: cannot read (io)", tostring(failure))
  end)
end)
