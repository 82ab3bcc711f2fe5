-- Shapes of trees as text, and what policies answer to them.

local T = require "grainstore.testing"

local function same_text(text)
  assert.equal(text, tostring(T.tree(text)))
end

describe("a tree as text", function()
  it("prints and parses", function()
    same_text "no runs"
    same_text "L0 a-m:100 n-z:100\nL1 a-z:1000*"
    same_text "L3"
    same_text 'L0#7 a-b:64K(12e 3t 2x@5..9 #31)* "c d"-"e\\xFF\\x00":3M'
    same_text "L1 1-5:1G(4x) 7-4294967295:1025"
    same_text 'L0 "1"-"t \\x2D- y":0 user/1-user/2:10'
  end)

  it("has all the fields that a policy sees", function()
    local tree = T.tree("L0 a-b:1K(5e 2t 1x@7..8)*\nL2 c-d:10(1e)",
      { now_ms = 99, reason = "merge" })
    assert.same({
      id = 101, level = 0, bytes = 1024, entries = 5, tombstones = 2,
      expiring = 1,
      tables = { {
        id = 1, run = 101, level = 0, min_key = "a", max_key = "b",
        bytes = 1024, entries = 5, tombstones = 2, expiring = 1,
        min_expiry_ms = 7, max_expiry_ms = 8, busy = true, min_seq = 2,
        max_seq = 2, created_ms = 0,
      } },
    }, tree.runs[1])
    assert.equal(102, tree.runs[2].tables[1].run)
    assert.equal(2, tree.runs[2].tables[1].id)
    assert.equal(99, tree.now_ms)
    assert.equal("merge", tree.reason)
    assert.equal(0, tree.memtable.bytes)
    assert.equal(1, #tree:level(2))
  end)

  it("passes by blank lines and comments", function()
    assert.equal("L0 a-b:1\nL1 c-d:2", tostring(T.tree [[

      -- the newest
      L0 a-b:1   -- flushed just now
      L1 c-d:2
    ]]))
  end)

  it("says where it does not parse", function()
    local function wrong(text, wanted)
      local ok, message = pcall(T.tree, text)
      assert.is_false(ok)
      assert.truthy(message:find(wanted, 1, true), message)
    end
    wrong("M0 a-b:1", 'a run ("L0 a-m:100 …") expected at "M0 a-b:1"')
    wrong("L0 -b:1", 'a key expected at "-b:1"')
    wrong("L0 a:1", '"-" between two keys expected at ":1"')
    wrong("L0 a-b", "a size")
    wrong("L0 a-b:x", "a size")
    wrong("L0 a-b:1z", 'a space or the end of the line expected at "z"')
    wrong("L0 a-b:1(5q)", 'entries ("12e")')
    wrong('L0 "a-b:1', "a quoted key that ends")
  end)

  it("blames the line that gives what is no text", function()
    local function says(expected, name, ...)
      local args, here = table.pack(...), debug.getinfo(1, "l").currentline + 2
      local ok, message = pcall(function()
        local _ = T[name](table.unpack(args, 1, args.n))
      end)
      assert.is_false(ok)
      assert.equal(("spec/testing/tree_spec.lua:%d: bad argument %s"):format(
        here, expected), message)
    end
    says("#1 to 'tree' (string expected, got nil)", "tree")
    says("#1 to 'tree' (string expected, got number)", "tree", 5)
    says("#2 to 'tree' (table expected, got number)", "tree", "", 5)
    says("#2 to 'pick' (a tree expected, got nil)", "pick", "leveled")
    says("#2 to 'pick' (a tree expected, got string)", "pick", "leveled", "L0")
  end)

  it("says why no store could have it", function()
    local function wrong(text, wanted)
      local ok, message = pcall(T.tree, text)
      assert.is_false(ok, text)
      assert.equal("no store has such a tree: " .. wanted, message)
    end
    wrong("L0 b-a:1", "table 1 ends before it begins")
    wrong("L0 a-c:1 b-d:1", "table 2 of run 101 does not begin behind table 1")
    wrong("L0 a-b:1 b-d:1", "table 2 of run 101 does not begin behind table 1")
    wrong("L0 c-d:1 a-b:1", "table 2 of run 101 does not begin behind table 1")
    wrong("L0 a-b:1(#7)\nL0 a-b:1(#7)", "there are two tables 7")
    wrong("L0#5 a-b:1\nL0#5 a-b:1", "there are two runs 5")
    wrong("L0 1-b:1",
      "table 1 has a key that is a number and one that is a string")
    wrong("L0 1-2:1\nL0 a-b:1", "some keys are numbers and some are strings")
    wrong("L0 a-b:1(5e 3t 3x)",
      "table 1 has 5 entries, and 6 of them are tombstones or expire")
    wrong("L0 a-b:1(5e 1x@9..8)",
      "the last entry of table 1 expires before the first")
  end)

  it("is what the tree of a store prints", function()
    local store = tmpstore { policy = { pick = function() end } }
    for i = 1, 20 do
      store:put(("k%02d"):format(i), "v", i > 18 and { ttl_ms = 1000 } or nil)
    end
    store:flush()
    store:delete "k05"
    store:put("a b\0", "v")
    store:flush()
    local text = tostring(store:tree())
    local tree = T.tree(text)
    assert.equal(text, tostring(tree))
    for i, run in ipairs(store:tree().runs) do
      local other = tree.runs[i]
      assert.equal(run.id, other.id)
      assert.equal(run.bytes, other.bytes)
      assert.equal(run.entries, other.entries)
      assert.equal(run.tombstones, other.tombstones)
      assert.equal(run.expiring, other.expiring)
      for j, t in ipairs(run.tables) do
        for _, name in ipairs { "id", "min_key", "max_key", "bytes", "entries",
            "tombstones", "expiring", "min_expiry_ms", "max_expiry_ms" } do
          assert.equal(t[name], other.tables[j][name])
        end
      end
    end
  end)

  it("keeps the numbers of a u32 store apart from strings", function()
    local store = tmpstore { kind = "u32" }
    store:put(5, 1)
    store:put(70000, 2)
    store:flush()
    local t = T.tree(tostring(store:tree())).runs[1].tables[1]
    assert.equal(5, t.min_key)
    assert.equal(70000, t.max_key)
  end)
end)

describe("a policy", function()
  local function answering(plans)
    return { pick = function() return plans end }
  end

  it("is asked by name or as a table", function()
    assert.same({}, (T.pick("leveled", T.tree "L1 a-z:100")))
    local plan = { op = "merge", inputs = { 2, 1 }, into = 102, level = 1 }
    local tree = T.tree "L0 a-b:1\nL0 a-b:1"
    local plans, refusals = T.pick(answering(plan), tree)
    assert.same({ plan }, plans)
    assert.same({}, refusals)
    assert.equal("merge 1 2 into 102 as L1", T.plan_text(plans))
    assert.equal("merge 1 2 into 102 as L1", T.plan_text(plan))
    assert.equal("nothing", T.plan_text(T.pick(answering(nil), tree)))
    assert.equal("nothing", T.plan_text(nil))
  end)

  it("gets a tree of its own", function()
    local tree = T.tree "L0 a-b:1 c-d:1"
    local plans, refusals = T.pick({ pick = function(own)
      own.runs[1].tables[1].busy, own.runs = true, { own.runs[1] }
      local plan = { op = "merge", inputs = { 1, 2 }, bottom = true }
      own.runs[1].tables = {}
      return plan
    end }, tree)
    assert.equal(1, #plans)
    assert.same({}, refusals)
    assert.equal("L0 a-b:1 c-d:1", tostring(tree))
  end)

  it("hears which plans could not be", function()
    local tree = T.tree "L0 a-b:1 c-d:1*\nL0 a-b:1"
    local function codes(...)
      local found = {}
      for i, refused in ipairs(select(2, T.pick(answering { ... }, tree))) do
        found[i] = refused.code
      end
      return found
    end
    local function merge(...)
      return { op = "merge", inputs = { ... }, bottom = true }
    end
    assert.same({}, codes(merge(1, 3)))
    assert.same({ "unknown_table" }, codes(merge(1, 9)))
    assert.same({ "busy_table" }, codes(merge(1, 2)))
    assert.same({ "claimed" }, codes(merge(1), merge(1, 3)))
    assert.same({ "bad_plan" }, codes(merge()))
    assert.same({ "bad_plan" }, codes { op = "mrege", inputs = { 1 } })
    assert.equal("drop 1\nmerge 3 at the bottom",
      T.plan_text { { op = "drop", inputs = { 1 } }, merge(3) })
  end)

  it("is told when it answers nonsense", function()
    assert.has_error(function() T.pick("no such", T.tree "") end)
    assert.has_error(function() T.pick(answering(5), T.tree "") end,
      "pick returns nil or an array of plans, got a number")
  end)
end)
