-- random: numbers that follow from a seed.

local Random = require "grainstore.testing.random"

describe("random numbers", function()
  local function row(...)
    local random, numbers = Random.new(...), {}
    for i = 1, 20 do
      numbers[i] = random:below(1000)
    end
    return numbers
  end

  it("follow from the seed alone", function()
    local first = row(7)
    math.randomseed(1)
    row(8)
    assert.same(first, row(7))
    assert.not_same(first, row(8))
    assert.not_same(row(7, 1), row(7, 2))
  end)

  it("lie in their range and fill it", function()
    local random, seen = Random.new(3), {}
    for _ = 1, 500 do
      local number = random:int(-2, 4)
      assert(number >= -2 and number <= 4)
      seen[number] = true
    end
    for number = -2, 4 do
      assert.is_true(seen[number])
    end
  end)

  it("come by weight from a wheel", function()
    local draw = Random.new(5):wheel { often = 9, seldom = 1, never = 0 }
    local counts = { often = 0, seldom = 0, never = 0 }
    for _ = 1, 1000 do
      local name = draw()
      counts[name] = counts[name] + 1
    end
    assert.equal(0, counts.never)
    assert(counts.seldom > 40 and counts.seldom < 200, counts.seldom)
  end)

  it("mix without a sign", function()
    assert.is_true(Random.mix(-1, 99) >= 0)
    assert.not_equal(Random.mix(1, 2), Random.mix(2, 1))
  end)
end)
