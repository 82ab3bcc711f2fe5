-- What a policy may answer, and by which words it learns what was wrong.

local answers = require "grainstore.answers"

describe("the answer of", function()
  local function wrong(f, answer)
    local results = table.pack(f(answer))
    return results[results.n == 1 and 2 or results.n]
  end

  -- The last result, where it is a text.
  local function complaint(f, answer)
    local last = wrong(f, answer)
    return type(last) == "string" and last or nil
  end

  it("flush is true, a number of bytes, or nothing", function()
    assert.same({ true, 0 }, { answers.flush(true) })
    assert.same({ false, 0 }, { answers.flush(false) })
    assert.same({ false, 0 }, { answers.flush(nil) })
    assert.same({ false, 4096 }, { answers.flush(4096) })
    assert.same({ false, 1000000 }, { answers.flush(1e6) })
    for answer, text in pairs {
      [0] = "0", [-1] = "-1", [1.5] = "1.5", [math.huge] = "inf",
      yes = '"yes"',
    } do
      assert.equal("flush returned " .. text
        .. "; it returns true, a number of bytes, or nil",
        complaint(answers.flush, answer))
    end
    assert.is_truthy(complaint(answers.flush, {}):find("a table", 1, true))
    assert.is_truthy(complaint(answers.flush, 0 / 0))
  end)

  describe("pick", function()
    local function plan(changes)
      local out = { op = "merge", inputs = { 1, 2 }, into = 3 }
      for name, value in pairs(changes or {}) do
        out[name] = value ~= "none" and value or nil
      end
      return out
    end

    it("is nothing, a plan, or an array of them", function()
      assert.same({}, (answers.pick(nil)))
      assert.same({}, (answers.pick {}))
      local one = plan()
      local plans, wake = answers.pick(one)
      assert.equal(1, #plans)
      assert.equal(one, plans[1].given)
      assert.same(one, plans[1].plan)
      assert.equal(0, wake)
      assert.equal(2, #answers.pick { one, one })
      local many = {}
      for i = 1, 100 do many[i] = one end
      assert.equal(16, #answers.pick(many))
    end)

    it("may say when to ask again", function()
      assert.equal(1000, select(2, answers.pick { wake_in_ms = 1000 }))
      assert.equal(2, select(2, answers.pick { wake_in_ms = 1.5 }))
      local plans, wake = answers.pick { plan(), wake_in_ms = 5 }
      assert.same({ 1, 5 }, { #plans, wake })
      for _, value in ipairs { 0, -1, 0 / 0, math.huge, "5", {}, 1 << 60 } do
        local none, zero, text = answers.pick { plan(), wake_in_ms = value }
        assert.same({}, none)
        assert.equal(0, zero)
        assert.is_truthy(text:find "^pick returned wake_in_ms = ", text)
      end
    end)

    it("is nonsense in these words", function()
      for text, answer in pairs {
        ['"merge it"; it returns nil, a plan, or an array of plans'] =
          "merge it",
        ["a boolean; it returns nil, a plan, or an array of plans"] = true,
        ["5 where a plan should be: a plan is a table"] = { 5 },
        ["a plan without op"] = { { inputs = { 1 } } },
        ['a plan whose op is "mrege", not "merge", "move" or "drop"'] =
          plan { op = "mrege" },
        ["a plan whose op is a table, not \"merge\", \"move\" or \"drop\""] =
          plan { op = {} },
        ["a plan without inputs"] = plan { inputs = "none" },
        ["a plan whose inputs are 7, not an array of table ids"] =
          plan { inputs = 7 },
        ["a plan with 0 inputs; 1 to 4096 can be"] = plan { inputs = {} },
        ["a plan whose input 2 is 1.5, not the id of a table"] =
          plan { inputs = { 1, 1.5 } },
        ["a plan whose input 1 is a table, not the id of a table"] =
          plan { inputs = { {} } },
        ["a plan whose 'into' is \"top\", not the id of a run"] =
          plan { into = "top" },
        ["a plan with more than one of into, above, bottom"] =
          plan { bottom = true },
        ["a merge without a target: into, above or bottom"] =
          plan { into = "none" },
        ["a drop with a target"] = plan { op = "drop" },
        ["a plan whose level is 64; 0 to 63 can be"] = plan { level = 64 },
        ["a plan whose level is -1; 0 to 63 can be"] = plan { level = -1 },
        ["a plan whose table_bytes are -5"] = plan { table_bytes = -5 },
        ["a plan whose 'why' is 7, not a text"] = plan { why = 7 },
        ["a plan whose cuts are not an array of at most 4096 keys"] =
          plan { cuts = 1 },
        ["a plan whose cut 1 is a table, not a key"] = plan { cuts = { {} } },
        ["a plan with a field 'levle', did you mean 'level'?"] =
          plan { levle = 3 },
        ["a plan with a field 'leevel', did you mean 'level'?"] =
          plan { leevel = 3 },
        ["a plan with a field 'tablebytes', did you mean 'table_bytes'?"] =
          plan { tablebytes = 3 },
      } do
        assert.equal("pick returned " .. text,
          complaint(answers.pick, answer))
      end
      local huge = {}
      for i = 1, 5000 do huge[i] = i end
      assert.equal("pick returned a plan with 5000 inputs; 1 to 4096 can be",
        complaint(answers.pick, plan { inputs = huge }))
    end)

    it("may have fields of the policy's own", function()
      local own = { op = "drop", inputs = { 4 }, tag = 1, note = "x", round = 2,
        who = "me", [1] = "a", [("level"):rep(1000)] = true, [""] = 1 }
      for _, name in ipairs {
        "info", "hints", "label", "levels", "about", "alive", "costs", "outs",
        "_why", "_into", "_level", "level_", "input", "cut",
      } do own[name] = name end
      local plans, _, said = answers.pick(own)
      assert.is_nil(said)
      assert.equal(own, plans[1].given)
      local many = { op = "drop", inputs = { 4 } }
      for i = 1, 10000 do many["field " .. i] = i end
      assert.equal(1, #answers.pick(many))
    end)

    it("is read without its metamethods", function()
      local trap = setmetatable({}, {
        __index = function() error "read" end,
        __len = function() return 1 << 40 end,
        __pairs = function() error "walked" end,
        __tostring = function() error "printed" end,
        __name = "a trap",
      })
      assert.same({}, (answers.pick(trap)))
      local lying = setmetatable({ op = "merge", into = 1 }, getmetatable(trap))
      assert.equal("pick returned a plan without inputs",
        complaint(answers.pick, lying))
      assert.equal("pick returned a plan with 0 inputs; 1 to 4096 can be",
        complaint(answers.pick, { op = "drop", inputs = trap }))
      assert.equal(0, (answers.layout(trap)))
      local plans = answers.pick(setmetatable({ op = "drop", inputs = { 4 } },
        getmetatable(trap)))
      assert.is_nil(getmetatable(plans[1].plan))
      assert.same({ op = "drop", inputs = { 4 } }, plans[1].plan)
    end)
  end)

  it("layout is nothing, or sizes within bounds", function()
    assert.same({ 0, 0 }, { answers.layout(nil) })
    assert.same({ 0, 0 }, { answers.layout {} })
    assert.same({ 1 << 20, 0 }, { answers.layout { table_bytes = 1 << 20 } })
    assert.same({ 0, 1024 }, { answers.layout { block_bytes = 1024.0 } })
    for _, name in ipairs { "none", "lz4", "zstd" } do
      assert.same({ 0, 512, name },
        { answers.layout { compression = name, block_bytes = 512 } })
    end
    for text, answer in pairs {
      ["7; it returns nil or a table"] = 7,
      ['compression = "snappy"; "none", "lz4" and "zstd" can be'] =
        { compression = "snappy" },
      ['compression = 1; "none", "lz4" and "zstd" can be'] =
        { compression = 1 },
      ['an unknown field "index"; table_bytes, block_bytes and compression can '
        .. 'be'] = { index = "lean" },
      ["an unknown field 1; table_bytes, block_bytes and compression can be"] =
        { 4096 },
      ["table_bytes = 100; 4096 to 268435456 can be"] = { table_bytes = 100 },
      ["table_bytes = inf; 4096 to 268435456 can be"] =
        { table_bytes = math.huge },
      ['block_bytes = "4k"; 256 to 65536 can be'] = { block_bytes = "4k" },
      ["block_bytes = 65537; 256 to 65536 can be"] = { block_bytes = 65537 },
    } do
      assert.equal("layout returned " .. text,
        complaint(answers.layout, answer))
      assert.is_nil((select(3, answers.layout(answer))))
    end
  end)

  it("throttle is nothing, or bytes a second", function()
    assert.equal(0, (answers.throttle(nil)))
    assert.equal(0, (answers.throttle(math.huge)))
    assert.equal(1, (answers.throttle(0.1)))
    assert.equal(1000000, (answers.throttle(1e6)))
    assert.equal(1 << 62, (answers.throttle(1e300)))
    for text, answer in pairs {
      ["0"] = 0, ["-1"] = -1, ['"fast"'] = "fast", ["a boolean"] = true,
      ["-inf"] = -math.huge,
    } do
      assert.equal("throttle returned " .. text
        .. "; it returns bytes a second, or nil",
        complaint(answers.throttle, answer))
    end
    assert.is_truthy(complaint(answers.throttle, 0 / 0))
  end)
end)
