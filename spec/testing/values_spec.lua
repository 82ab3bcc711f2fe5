-- values: text from numbers.

local values = require "grainstore.testing.values"

describe("the value of a number", function()
  it("says which number it was", function()
    assert.truthy(values.of("bytes", 4711):find "^4711 ")
  end)

  it("is the same each time, also after many others", function()
    local first = values.of("bytes", 5)
    for number = 100, 6000 do
      values.of("bytes", number)
    end
    assert.equal(first, values.of("bytes", 5))
  end)

  it("has the length that was asked for, but never loses its number", function()
    assert.equal(5000, #values.of("bytes", 12, 5000))
    assert.equal("12 ", values.of("bytes", 12, 0))
  end)

  it("varies in length, up to a few hundred", function()
    local shortest, longest = 1000, 0
    for number = 1, 300 do
      local size = #values.of("bytes", number)
      shortest, longest = math.min(shortest, size), math.max(longest, size)
    end
    assert(shortest < 10, shortest)
    assert(longest > 400 and longest <= 600, longest)
  end)

  it("is a number in a u32 store, and text is text", function()
    assert.equal(1, values.of("u32", (1 << 32) + 1))
    assert.equal("as it is", values.of("bytes", "as it is"))
  end)
end)
