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
end)
