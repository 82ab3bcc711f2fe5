-- The writes of a workload, beside what the workload says of them.

local lab = require "grainstore.lab"
local writes = require "grainstore.lab.writes"

local function all(w, seed)
  local list, next_write = {}, writes(w, seed or 1)
  for i = 1, w.writes do
    local key, deletes = next_write()
    list[i] = { key, deletes }
  end
  return list
end

local function counts(list)
  local found, distinct = {}, 0
  for _, write in ipairs(list) do
    if not found[write[1]] then distinct = distinct + 1 end
    found[write[1]] = (found[write[1]] or 0) + 1
  end
  return found, distinct
end

describe("the writes of a workload", function()
  it("are the same for the same seed", function()
    local w = lab.zipf { keys = 100, writes = 1000 }
    assert.same(all(w, 3), all(w, 3))
    assert.is_not.same(all(w, 3), all(w, 4))
  end)

  it("have keys of the size that was asked for", function()
    for _, size in ipairs { 8, 16, 40 } do
      for _, write in ipairs(all(lab.uniform {
        keys = 10, writes = 20, key_bytes = size,
      })) do
        assert.equal(size, #write[1])
      end
    end
    assert.has_error(function()
      writes(lab.uniform { key_bytes = 7 }, 1)
    end)
  end)

  it("meet each key as often as its chance says", function()
    local found, distinct = counts(all(lab.uniform {
      keys = 1000, writes = 100000,
    }))
    assert.equal(1000, distinct)
    for _, count in pairs(found) do
      assert.is_true(count > 50 and count < 160)
    end
  end)

  it("follow Zipf's law where they are to", function()
    local skew, sum, list = 0.99, 0, {}
    for i = 1, 1000 do sum = sum + i ^ -skew end
    local found = counts(all(lab.zipf {
      keys = 1000, writes = 200000, skew = skew,
    }))
    for _, count in pairs(found) do list[#list + 1] = count end
    table.sort(list, function(a, b) return a > b end)
    for _, rank in ipairs { 1, 2, 3, 10, 30 } do
      local expected = 200000 * rank ^ -skew / sum
      assert.near(expected, list[rank], 0.12 * expected)
    end
  end)

  it("delete the share that was asked for", function()
    local deleted = 0
    for _, write in ipairs(all(lab.delete_heavy { keys = 50, writes = 20000 }))
    do
      if write[2] then deleted = deleted + 1 end
    end
    assert.near(10000, deleted, 400)
  end)

  it("rise in a sequence, and begin anew", function()
    local list = all(lab.sequential { keys = 300, writes = 600 })
    for i = 2, 300 do assert.is_true(list[i - 1][1] < list[i][1]) end
    assert.equal(list[1][1], list[301][1])
    assert.equal(list[300][1], list[600][1])
  end)

  it("delete the oldest of a queue when it is full", function()
    local list = all(lab.queue { keys = 100, writes = 1000 })
    local first, count = 1, 0
    local inserted = {}
    for _, write in ipairs(list) do
      if write[2] then
        assert.equal(inserted[first], write[1])
        first, count = first + 1, count - 1
      else
        inserted[#inserted + 1], count = write[1], count + 1
      end
      assert.is_true(count <= 100)
    end
    assert.is_true(first > 400)
  end)
end)
