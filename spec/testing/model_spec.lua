-- model: a store as a table.

local Model = require "grainstore.testing.model"

describe("the model", function()
  local model

  before_each(function()
    model = Model.new()
    model:apply({
      "b", { value = "2" }, "a", { value = "1", expires_at_ms = 100 },
      "c", { value = "3" },
    }, "note")
  end)

  it("holds what was put, and not what was deleted", function()
    model:apply { "b", false }
    assert.equal("3", model:get("c", 0))
    assert.is_nil(model:get("b", 0))
    assert.equal("note", model.note)
  end)

  it("ends an entry at its moment", function()
    assert.equal("1", model:get("a", 99))
    assert.equal(1, model:ttl("a", 99))
    assert.is_nil(model:get("a", 100))
    assert.is_nil(model:ttl("a", 100))
    assert.equal(math.huge, model:ttl("b", 100))
  end)

  it("lists what lives, in order, in a range", function()
    assert.same({ "a", "b", "c" }, (model:live(0)))
    assert.same({ "b", "c" }, (model:live(100)))
    assert.same({ "b" }, (model:live(0, { from = "aa", to = "c" })))
    assert.same({ "2" }, select(2, model:live(0, { from = "aa", to = "c" })))
  end)

  it("knows the keys that are gone", function()
    model:apply { "b", false, "0", false }
    assert.same({ "0", "a", "b", "c" }, model:universe())
  end)
end)
