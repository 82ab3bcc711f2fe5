-- Who is in charge of a store: handles, changes of policy, and options.

local grainstore = require "grainstore"
local tmp = require "grainstore.testing.tmp"

local function counting()
  local policy = { asked = 0 }
  function policy.pick()
    policy.asked = policy.asked + 1
  end
  return policy
end

describe("a store's policy", function()
  it("stays in charge when a further handle brings none", function()
    local path, mine = tmp.path(), counting()
    local first <close> = assert(grainstore.open(path, { policy = mine }))
    local second <close> = assert(grainstore.open(path))
    for i = 1, 12 do
      second:put("k" .. i, "v")
      assert(second:flush())
      first:get "k1"
    end
    assert.is_true(mine.asked > 0)
    assert.equal(12, #first:tree().runs)
  end)

  it("is asked as soon as it is set", function()
    local store <close> = assert(grainstore.open(tmp.path()))
    local mine = counting()
    store:set("policy", mine)
    assert.equal(1, mine.asked)
  end)

  it("has options that are checked", function()
    local leveled = grainstore.policy.leveled
    assert.error_matches(function() leveled { fanut = 8 } end,
      "policy 'leveled' has no option 'fanut'", nil, true)
    assert.error_matches(function() leveled { fanout = "x" } end,
      "option 'fanout' of policy 'leveled' takes a positive number", nil, true)
    assert.equal("leveled/1", leveled { fanout = 8 }.name)
  end)
end)

describe("a store whose table file is gone", function()
  it("says corrupt and names the file", function()
    local path = tmp.path()
    do
      local store <close> = assert(grainstore.open(path))
      store:put("a", "1")
    end
    local id
    do
      local store <close> = assert(grainstore.open(path))
      id = store:tree().runs[1].tables[1].id
    end
    local file = ("%s/%06d.sst"):format(path, id)
    assert(os.remove(file))
    local store, message, code, detail = grainstore.open(path)
    assert.is_nil(store)
    assert.equal("corrupt", code)
    assert.equal(file, detail.path)
    assert.is_truthy(message:find("restore the directory", 1, true))
  end)
end)

describe("put_if", function()
  it("does not delete by a forgotten argument", function()
    local store <close> = assert(grainstore.open(tmp.path()))
    store:put("p", "3")
    assert.error_matches(function() store:put_if("p", "3") end,
      "bad argument #3 to 'put_if' (value expected; nil deletes)", nil, true)
    assert.equal("3", store:get "p")
    assert.is_true(store:put_if("p", "3", nil))
    assert.is_nil(store:get "p")
  end)
end)
