-- Where keys lie: the ruler finds places of keys that lie evenly, and of such
-- that do not where tables show it.

local rulers = require "grainstore.lab.ruler"

-- Tables of so many entries each over keys that a function makes of 0 to 1.
local function tables_of(count, entries, key_of)
  local tables, step = {}, 1 / (count * entries)
  for i = 1, count do
    tables[i] = {
      entries = entries, min_key = key_of((i - 1) * entries * step),
      max_key = key_of((i * entries - 1) * step),
    }
  end
  return tables
end

local keys = {
  hashes = function(x) return (">I8"):pack(x * 2.0 ^ 63 // 1 | 0) end,
  decimals = function(x) return ("user/%012d"):format(x * 1e12 // 1 | 0) end,
  numbers = function(x) return x * 4e9 // 1 | 0 end,
}

describe("a ruler", function()
  for name, key_of in pairs(keys) do
    it("places " .. name, function()
      local ruler = rulers.new()
      ruler:learn(tables_of(1, 10000, key_of))
      for i = 0, 20 do
        assert.near(i / 20, ruler:place(key_of(i / 20 * 0.9999)), 0.01)
      end
      assert.equal(2, #ruler.knots)
    end)
  end

  it("learns where keys lie close", function()
    local ruler = rulers.new()
    local function key_of(x) return keys.decimals(x ^ 4) end
    ruler:learn(tables_of(40, 1000, key_of))
    assert.is_true(#ruler.knots > 2)
    for i = 0, 20 do
      assert.near(i / 20, ruler:place(key_of(i / 20 * 0.9999)), 0.03)
    end
  end)

  it("gives tables the room between their keys", function()
    local ruler, width = rulers.new(), 0
    local tables = tables_of(50, 20, keys.hashes)
    ruler:learn(tables)
    for _, t in ipairs(tables) do
      local lo, hi = ruler:span(t)
      width = width + hi - lo
    end
    assert.near(1, width, 0.01)
  end)

  it("gives a table of the last key alone some room", function()
    local ruler = rulers.new()
    ruler:learn(tables_of(3, 100, keys.decimals))
    local last = keys.decimals(1)
    ruler:learn { { entries = 1, min_key = last, max_key = last } }
    local lo, hi = ruler:span { entries = 1, min_key = last, max_key = last }
    assert.is_true(lo < hi and hi <= 1)
  end)

  it("stretches for keys beyond, and forgets no larger tables", function()
    local ruler = rulers.new()
    ruler:learn(tables_of(10, 1000, keys.hashes))
    local before = ruler:place(keys.hashes(0.5))
    ruler:learn(tables_of(2, 10, function(x)
      return keys.hashes(0.4 + x / 10)
    end))
    assert.near(before, ruler:place(keys.hashes(0.5)), 1e-6)
    assert.equal(0, ruler:place "")
    assert.equal(1, ruler:place(("\255"):rep(9)))
    ruler:learn {}
  end)

  it("has no places before it has seen keys", function()
    assert.equal(0, rulers.new():place "a")
  end)
end)
