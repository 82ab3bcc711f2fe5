-- The virtual store as the binding gives it.

local core = require "grainstore.core"
local tree = require "grainstore.tree"

local function new(options)
  local all = {
    keys = 10000, writes = 100000, key_bytes = 16, value_bytes = 100,
    memtable_bytes = 150000, table_bytes = 60000, workers = 1, seed = 1,
    start_ms = 1000,
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return core.lab(all)
end

describe("a virtual store", function()
  it("says when a decision is wanted, and shows a tree", function()
    local v <close> = assert(new())
    assert.equal("decide", v:advance(100000))
    local shape = tree.new(v:_shape())
    assert.equal(1, #shape.runs)
    assert.equal("flush", shape.reason)
    local tables = shape.runs[1].tables
    assert.is_true(#tables >= 2)
    for i = 2, #tables do
      assert.is_true(tables[i - 1].max_key < tables[i].min_key)
    end
    assert.equal(150000, shape.memtable.budget_bytes)
    tree.close(shape)
  end)

  it("takes plans and refuses them by the engine's rules", function()
    local v <close> = assert(new())
    v:advance(100000)
    v:advance(100000)
    local shape = tree.new(v:_shape())
    local plan = {
      op = "merge", inputs = tree.keep(shape).runs[1].tables[1].id,
    }
    assert.has_error(function() v:_plan(nil) end)
    assert.equal("bad_plan", select(3, v:_plan(plan)))
    plan.inputs, plan.bottom = { shape.runs[1].tables[1].id }, true
    local id, message, code = v:_plan(plan)
    assert.is_nil(id)
    assert.equal("path_blocked", code)
    assert.truthy(message:find("overlaps", 1, true))
    plan.inputs = {}
    for _, run in ipairs(shape.runs) do
      for _, t in ipairs(run.tables) do
        plan.inputs[#plan.inputs + 1] = t.id
      end
    end
    assert.is_true(v:_plan(plan, { dry_run = true }))
    assert.equal("integer", math.type(v:_plan(plan)))
    v:advance(100000)
    assert.equal(1, v:look().runs)
    assert.equal(1, v:look().refused)
  end)

  it("seals, sleeps and slows down when told", function()
    local v <close> = assert(new { rate = 1000 })
    assert.equal("reached", v:advance(100))
    assert.is_true(v:_seal())
    assert.equal("decide", v:advance(200))
    assert.equal(1, v:look().flushes)
    v:_wake(10)
    assert.equal("decide", v:advance(200))
    assert.near(0.11, v:look().time_s, 1e-6)
    v:_throttle(11600)
    assert.equal("reached", v:advance(210))
    assert.near(1.11, v:look().time_s, 0.02)
    v:_throttle(0)
    v:_layout(0, 20000, 1024, "lz4")
    assert.has_error(function() v:_layout(0, 20000, 1024, "snappy") end)
    v:_flush_ask(50000)
    assert.equal("decide", v:advance(100000))
    assert.equal(1, v:look().flushes)
    v:_flush_ask(0)
    assert.equal("decide", v:advance(100000))
    assert.is_true(v:look().tables > 5)
  end)

  it("refuses options by name", function()
    assert.has_error(function() core.lab(7) end)
    assert.has_error(function() new { keys = "many" } end,
      "option 'keys' takes a number")
    assert.has_error(function() new { seed = -1 } end,
      "option 'seed' takes a number from 0")
    assert.has_error(function() new { workers = 2 ^ 40 } end,
      "option 'workers' is too large")
    local v, message = pcall(new, { delete_share = 3 })
    assert.is_false(v)
    assert.truthy(tostring(message):find("delete_share", 1, true))
  end)

  it("says so when it is closed", function()
    local v = assert(new())
    v:advance(100000)
    local shape = v:_shape()
    v:close()
    v:close()
    assert.has_error(function() v:look() end)
    assert.is_string(shape.runs[1].tables[1].min_key)
    tree.close(shape)
  end)

  it("is given back by the collector, its trees first", function()
    for _ = 1, 20 do
      local v = assert(new())
      v:advance(100000)
      v:_shape()
    end
    collectgarbage()
    collectgarbage()
    local v = assert(new())
    assert.equal("decide", v:advance(100000))
  end)
end)
