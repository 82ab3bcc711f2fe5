-- Mixtures of keys from counts, as the binding gives them.

local core = require "grainstore.core"

local function distinct(classes, writes)
  local sum = 0
  for _, class in ipairs(classes) do
    sum = sum + class.keys * (1 - math.exp(-class.rate * writes))
  end
  return sum
end

describe("core.fit", function()
  it("finds classes that make as many keys as were counted", function()
    local points = {}
    for i, writes in ipairs { 100, 1000, 10000 } do
      points[i] = {
        writes = writes, distinct = 2000 * (1 - math.exp(-writes / 2000)),
        weight = 1,
      }
    end
    local classes, off = core.fit(points)
    assert.is_true(#classes >= 1 and off < 0.02)
    for _, point in ipairs(points) do
      assert.near(1, distinct(classes, point.writes) / point.distinct, 0.02)
    end
  end)

  it("takes points and nothing else", function()
    assert.has_error(function() core.fit(1) end)
    assert.has_error(function() core.fit {} end)
    assert.has_error(function() core.fit { 1 } end)
    for _, wrong in ipairs {
      { writes = 10, distinct = 11, weight = 1 },
      { writes = 10, distinct = 0, weight = 1 },
      { writes = 10, distinct = 5, weight = 0 },
      { writes = 0 / 0, distinct = 5, weight = 1 },
      { distinct = 5, weight = 1 },
    } do
      assert.has_error(function() core.fit { wrong } end)
    end
    local many = {}
    for i = 1, 129 do many[i] = { writes = i, distinct = i, weight = 1 } end
    assert.has_error(function() core.fit(many) end)
  end)
end)
