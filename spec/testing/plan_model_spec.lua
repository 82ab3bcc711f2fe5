-- The rules of plans said in Lua are those of the engine.

local Random = require "grainstore.testing.random"
local T = require "grainstore.testing"
local model = require "grainstore.testing.plan_model"
local real_tree = require "grainstore.testing.real_tree"
local shapes = require "grainstore.testing.shapes"

local OPS = { "merge", "merge", "move", "drop" }

-- A plan of some tables that lie near each other; many are not valid.
local function draw_plan(shape, random)
  local runs, inputs, op = shape.runs, {}, random:pick(OPS)
  local first = random:int(1, #runs)
  local last = math.min(#runs, first + random:below(3))
  local low = random:int(1, 900000)
  local high = random:one_in(3) and 1000000 or low + random:below(300000)
  for i = first, last do
    for _, t in ipairs(runs[i].tables) do
      if t.min_key <= high and low <= t.max_key and not random:one_in(12) then
        inputs[#inputs + 1] = t.id
      end
    end
  end
  if random:one_in(30) then inputs[#inputs + 1] = 999999 end
  if random:one_in(30) then inputs[#inputs + 1] = inputs[1] end
  local plan = { op = op, inputs = inputs }
  local target = runs[math.min(#runs, random:int(first, last + 1))].id
  if op ~= "drop" or random:one_in(9) then
    local name = random:pick { "into", "above", "bottom" }
    plan[name] = name == "bottom" or target
  end
  if op == "merge" and random:one_in(4) then
    plan.cuts = { low, high, high + random:int(-1, 1) }
  end
  return plan
end

describe("the model of plans", function()
  it("refuses what the engine refuses, and nothing else", function()
    local seen = {}
    for number = 1, 20 do
      local random = Random.new(5, number)
      local shape = shapes.new(random)
      if #shape.runs > 0 then
        local store <close> = real_tree.build(shape)
        for _ = 1, 60 do
          local plan = draw_plan(shape, random)
          local ok, message, code = store:try(plan)
          local mine = model.refusal(shape, plan)
          seen[code or "valid"] = (seen[code or "valid"] or 0) + 1
          assert.equal(ok and "valid" or code, mine or "valid",
            ("%s\n%s\n%s"):format(message, T.plan_text(plan), shape))
        end
      end
    end
    for _, code in ipairs {
      "valid", "upward", "path_blocked", "needs_rewrite", "not_dead",
      "bad_plan", "bad_cut", "unknown_table",
    } do
      assert.truthy((seen[code] or 0) > 10, code)
    end
  end)

  it("leaves trees whose runs are in order", function()
    for number = 1, 200 do
      local random = Random.new(6, number)
      local shape = shapes.new(random)
      for _ = 1, #shape.runs > 0 and 10 or 0 do
        local plan = draw_plan(shape, random)
        local used, entries = shape.disk.used_bytes, #shape.runs
        if not model.refusal(shape, plan) then
          local before = tostring(shape)
          model.apply(shape, plan, { share = 1, is_held = true })
          for _, run in ipairs(shape.runs) do
            for i = 2, #run.tables do
              assert.truthy(run.tables[i - 1].max_key < run.tables[i].min_key,
                ("%s\n%s\n%s"):format(before, T.plan_text(plan), shape))
            end
            assert.truthy(#run.tables > 0)
          end
          if plan.op ~= "drop" then
            local lost = used - shape.disk.used_bytes
            assert.truthy(math.abs(lost) <= used / 1000 + 100, lost)
            assert.truthy(#shape.runs <= entries + 1)
          end
        end
        if #shape.runs == 0 then break end
      end
    end
  end)

  it("cuts where told and where tables stay", function()
    local shape = T.tree [[
      L0 1-90:900(90e)
      L1 1-9:100(9e) 20-29:100(9e) 95-99:100(9e)
    ]]
    shape.next_id, shape.table_bytes = 1000, 1 << 20
    model.apply(shape, {
      op = "merge", inputs = { 1, 2, 3 }, into = 102, level = 2,
      cuts = { 50 },
    }, { share = 1, is_held = true })
    assert.equal(1, #shape.runs)
    local parts = {}
    for i, t in ipairs(shape.runs[1].tables) do
      parts[i] = ("%d-%d"):format(t.min_key, t.max_key)
    end
    assert.equal("1-49 50-90 95-99", table.concat(parts, " "))
    assert.equal(2, shape.runs[1].level)
  end)

  it("leaves out at the bottom what a merge leaves out", function()
    local function after(plan, luck)
      local shape = T.tree([[
        L0 1-9:100(10e 5t)
        L1 1-9:1000(100e 50x@1..5)
        L2 5-9:1000(100e)
      ]], { now_ms = 9 })
      shape.next_id, shape.table_bytes = 1000, 1 << 20
      model.apply(shape, plan, { share = 1, is_held = luck })
      local sums = {}
      for i, run in ipairs(shape.runs) do
        sums[i] = ("%d/%d"):format(run.tombstones, run.expiring)
      end
      return table.concat(sums, " ")
    end
    local all = { op = "merge", inputs = { 1, 2, 3 }, into = 103 }
    assert.equal("0/0", after(all, false))
    assert.equal("5/50", after(all, true))
    assert.equal("5/50 0/0",
      after({ op = "merge", inputs = { 1, 2 }, into = 102 }, false))
  end)
end)
