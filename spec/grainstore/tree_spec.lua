-- Questions to ask of a tree, without a store.

local T = require "grainstore.testing"

describe("a tree", function()
  local tree = T.tree [[
    L0 c-f:10
    L0 a-d:20
    L1 a-b:100 c-e:100 g-k:100
    L2 a-c:1000 d-h:1000 i-z:1000
  ]]

  local function ids(tables)
    local list = {}
    for i, t in ipairs(tables) do
      list[i] = t.id
    end
    return list
  end

  it("knows the runs of a level", function()
    assert.equal(2, #tree:level(0))
    assert.equal(101, tree:level(0)[1].id)
    assert.equal(1, #tree:level(2))
    assert.same({}, tree:level(7))
    assert.equal(30, tree:level_bytes(0))
    assert.equal(3000, tree:level_bytes(2))
    assert.equal(0, tree:level_bytes(7))
  end)

  it("knows which tables meet a range, both ends included", function()
    local run = tree.runs[3]
    assert.same({ 3, 4, 5 }, ids(tree:overlapping(run)))
    assert.same({ 4 }, ids(tree:overlapping(run, "c", "e")))
    assert.same({ 3, 4 }, ids(tree:overlapping(run, "b", "c")))
    assert.same({}, ids(tree:overlapping(run, "f", "f")))
    assert.same({ 5 }, ids(tree:overlapping(run, "f", nil)))
    assert.same({ 3 }, ids(tree:overlapping(run, nil, "b")))
  end)

  it("closes a choice of tables over all that is in their way", function()
    local t = tree.runs[1].tables[1] -- c-f
    assert.same({ 1 }, tree:closure({ t }, tree.runs[1]))
    assert.same({ 1, 2 }, tree:closure({ t }, tree.runs[2]))
    -- a-d of run 2 widens the range to a-f: both a-b and c-e of run 3 join
    assert.same({ 1, 2, 3, 4 }, tree:closure({ t }, tree.runs[3]))
    -- d-h below reaches g-k, and that i-z
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8 }, tree:closure({ t }, tree.runs[4]))
    assert.same({ 5 }, tree:closure({ tree.runs[3].tables[3] }, tree.runs[3]))
  end)

  it("prints what it was made of", function()
    assert.equal([[
L0 c-f:10
L0 a-d:20
L1 a-b:100 c-e:100 g-k:100
L2 a-c:1000 d-h:1000 i-z:1000]], tostring(tree))
    assert.equal("no runs", tostring(T.tree ""))
  end)

  it("blames the line that asks what is no question", function()
    local run = tree.runs[1]
    local function says(expected, name, ...)
      local args, here = table.pack(...), debug.getinfo(1, "l").currentline + 2
      local ok, message = pcall(function()
        local _ = tree[name](tree, table.unpack(args, 1, args.n))
      end)
      assert.is_false(ok, name)
      assert.equal(("spec/grainstore/tree_spec.lua:%d: bad argument %s"):format(
        here, expected), message)
    end
    says("#1 to 'level' (integer expected, got nil)", "level")
    says("#1 to 'level' (integer expected, got string)", "level", "x")
    says("#1 to 'level_bytes' (integer expected, got 0.5)", "level_bytes", 0.5)
    says("#1 to 'ids' (integer expected, got string)", "ids", "a")
    says("#2 to 'ids' (integer expected, got nil)", "ids", 1, nil)
    says("#2 to 'ids' (a run from 1 to 4 expected, got 99)", "ids", 1, 99)
    says("#1 to 'ids' (a run from 1 to 4 expected, got 0)", "ids", 0, 2)
    says("#1 to 'is_idle' (integer expected, got nil)", "is_idle")
    says("#1 to 'is_idle' (a run from 1 to 4 expected, got 5)", "is_idle", 5, 5)
    says("#1 to 'overlapping' (a run expected, got number)", "overlapping", 1,
      "a", "b")
    says("#2 to 'overlapping' (string expected, got number)", "overlapping",
      run, 5)
    says("#3 to 'overlapping' (string expected, got boolean)", "overlapping",
      run, nil, true)
    says("#1 to 'closure' (table expected, got nil)", "closure", nil, run)
    says("#2 to 'closure' (a run expected, got nil)", "closure", {}, nil)
    says("#2 to 'closure' (a run of this tree expected)", "closure", {},
      { id = 7, tables = {} })
    says("#1 to 'closure' (element 1 is no table of this tree)", "closure",
      { 5 }, run)
    says("#1 to 'largest' (a run expected, got nil)", "largest", nil)
    says("#1 to 'written' (a run expected, got number)", "written", 5)
    says("#1 to 'cheapest' (a run expected, got table)", "cheapest", {})
    says("#2 to 'cheapest' (a run expected, got number)", "cheapest", run, 2)
    says("#3 to 'cheapest' (table expected, got number)", "cheapest", run, nil,
      2)
    says("#1 to 'not_after' (a run expected, got nil)", "not_after", nil)
    says("#2 to 'not_after' (no time of a table: max_expiry)", "not_after", run,
      "max_expiry", 5)
    says("#3 to 'not_after' (integer expected, got nil)", "not_after", run,
      "created_ms", nil)
    says("#1 to 'dead' (a run expected, got nil)", "dead", nil)
    says("#2 to 'dead' (integer expected, got nil)", "dead", run, nil)
    says("#1 to 'cuts' (a run expected, got nil)", "cuts", nil)
    says("#2 to 'cuts' (integer expected, got string)", "cuts", run, "x")
    says("#1 to 'is_busy' (table expected, got nil)", "is_busy", nil)
  end)

  it("bears ranges of no runs, and whole numbers that are floats", function()
    assert.same({}, tree:ids(1, 0))
    assert.same({}, tree:ids(5, 4))
    assert.is_true(tree:is_idle(3, 1))
    assert.equal(2, #tree:level(0.0))
    assert.same({ 1, 2 }, tree:ids(1.0, 2.0))
  end)
end)
