-- How failures look: nil, message, code, detail from calls; an error object out
-- of loops.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

describe("a failure", function()
  -- A closed store of one table, and the table's file.
  local function filled()
    local path = tmp.path()
    local store = assert(grainstore.open(path, { block_bytes = 256 }))
    for i = 1, 200 do
      store:put(("k%03d"):format(i), ("value %03d "):format(i):rep(5))
    end
    assert(store:close())
    return path, tmp.files(path, ".sst")[1]
  end

  local function flip_value(file, i)
    local at = tmp.read(file):find(("value %03d "):format(i), 1, true)
    tmp.flip(file, at - 1)
    return at - 1
  end

  describe("of a damaged block", function()
    local store, file, place

    before_each(function()
      local path
      path, file = filled()
      place = flip_value(file, 100)
      store = assert(grainstore.open(path))
    end)

    after_each(function()
      store:close()
    end)

    it("names file, place and code, and touches its keys only", function()
      local value, message, code, detail = store:get "k100"
      assert.is_nil(value)
      assert.equal("corrupt", code)
      assert.equal(file, detail.path)
      assert.is_true(detail.offset <= place and place < detail.offset + 1024)
      assert.is_truthy(message:find(file, 1, true))
      assert.is_truthy(message:find(("at byte %d"):format(detail.offset), 1,
        true))
      assert.equal(("value %03d "):format(1):rep(5), store:get "k001")
    end)

    it("comes out of every way to read", function()
      assert.equal("corrupt", select(3, store:get_many { "k001", "k100" }))
      assert.equal("corrupt", select(3, store:count()))
      assert.equal("corrupt", select(3, store:take "k100"))
      assert.equal("corrupt", select(3, store:put_if("k100", nil, "1")))
      assert.equal("corrupt", select(3, store:expire("k100", 1)))
      local cursor <close> = store:cursor()
      assert.equal("corrupt", select(3, cursor:seek "k100"))
      cursor:first()
      assert.equal("corrupt", select(3, cursor:fill({}, {}, 500)))
      assert(store:put("k100", "healed"))
      assert.equal("healed", store:get "k100")
    end)

    it("comes out of a merge, and of the next one", function()
      for _ = 1, 2 do
        local ok, message, code = store:compact()
        assert.is_nil(ok)
        assert.equal("corrupt", code)
        assert.is_truthy(message:find(file:match "0*(%d+)%.sst$"))
      end
    end)

    it("is an object when a loop meets it", function()
      local seen = 0
      local ok, object = pcall(function()
        for _ in store:scan() do
          seen = seen + 1
        end
      end)
      assert.is_false(ok)
      assert.is_true(seen > 10 and seen < 100)
      assert.equal("corrupt", object.code)
      assert.equal(file, object.detail.path)
      assert.equal(object.message .. " (corrupt)", tostring(object))
    end)

    it("is raised by pairs as well", function()
      local ok, message = pcall(function()
        for _ in pairs(store) do end
      end)
      assert.is_false(ok)
      assert.is_truthy(tostring(message):find(file, 1, true))
    end)

    it("leaves the loop's cursor closed", function()
      local _, cursor = store:scan { from = "k100" }
      local iterate = store:scan()
      assert.is_false(pcall(iterate, cursor))
      assert.equal("grainstore.cursor (closed)", tostring(cursor))
    end)
  end)

  it("of a merge leaves the runs as they were", function()
    local path, file = filled()
    flip_value(file, 100)
    local store <close> = assert(grainstore.open(path, {
      policy = T.manual, threads = 0,
    }))
    store:put("k001", "new")
    local ok, message, code = store:compact()
    assert.is_nil(ok)
    assert.equal("corrupt", code)
    assert.is_truthy(message:find(file:match "[^/]*$", 1, true))
    assert.equal("1:0 200:0", T.runs(store))
    assert.equal("new", store:get "k001")
    assert.equal(1, store:stats().jobs.failed)
    assert(store:put("more", "1"))
    assert(store:flush())
  end)

  it("has a hint of what to do", function()
    local _, message, _, detail = grainstore.open(tmp.path(),
      { create = false })
    assert.is_string(detail.hint)
    assert.equal(detail.hint, message:sub(-#detail.hint))
  end)

  it("tells what the system said", function()
    local path = tmp.path()
    tmp.write(path, "a file")
    local store, _, code, detail = grainstore.open(path .. "/below")
    assert.is_nil(store)
    assert.is_string(code)
    assert.equal("integer", math.type(detail.errno))
  end)
end)
