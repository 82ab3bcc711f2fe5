-- script: operations drawn, printed, played.

local Life = require "grainstore.testing.life"
local script = require "grainstore.testing.script"

describe("a script", function()
  -- What Lua reads back from text.
  local function read(text)
    return assert(load("return " .. text))()
  end

  it("prints as Lua that reads as the same", function()
    local ops = script.random(9, { steps = 300, weights = script.WRITES })
    assert.same(ops, read(script.list(ops)))
    assert.same({ { "put", "\0\255\"\\\n", 1, sync = true } },
      read(script.list { { "put", "\0\255\"\\\n", 1, sync = true } }))
  end)

  it("prints in lines that fit a file", function()
    local ops = script.random(4, { steps = 200 })
    for line in script.text(ops, { kind = "bytes" }):gmatch "[^\n]+" do
      assert(#line <= 80 or line:find '^ *{ "batch"', line)
    end
  end)

  it("prints as a spec that plays it", function()
    local played
    local env = setmetatable({
      it = function(_, body) body() end,
      require = function()
        return { script = { play = function(ops, setup)
          played = { ops, setup }
        end } }
      end,
    }, { __index = _G })
    local text = script.text({ { "put", "a", 1 } }, { kind = "bytes" })
    assert(load(text, "text", "t", env))()
    assert.same({ { { "put", "a", 1 } }, { kind = "bytes" } }, played)
  end)

  it("follows from its seed", function()
    assert.same(script.random(3), script.random(3))
    assert.not_same(script.random(3), script.random(4))
  end)

  it("is made of operations that there are", function()
    for _, kind in ipairs { "bytes", "u32" } do
      local ops = script.random(1, { steps = 2000, kind = kind })
      for _, op in ipairs(ops) do
        assert(Life.operations[op[1]], op[1])
      end
    end
  end)

  it("plays on both kinds of stores", function()
    for _, kind in ipairs { "bytes", "u32" } do
      for seed = 1, 5 do
        local ops = script.random(seed, { kind = kind, steps = 300 })
        assert.has_no.errors(function()
          script.play(ops, { kind = kind, seed = seed })
        end)
      end
    end
  end)

  it("that goes wrong says where", function()
    local ok, message = pcall(script.play, {
      { "put", "a", 1 }, { "set", "table_bytes", 1 },
    })
    assert.is_false(ok)
    assert.truthy(message:find("operation 2, set", 1, true))
  end)

  it("with an unknown operation is refused", function()
    local ok, message = pcall(script.play, { { "putt", "a", 1 } })
    assert.is_false(ok)
    assert.truthy(message:find('no operation "putt"', 1, true))
  end)
end)
