-- A policy's functions end, and take no more than they may, whatever they try.

local grainstore = require "grainstore"
local tmp = require "grainstore.testing.tmp"

describe("the budget of a policy", function()
  local store

  before_each(function()
    store = assert(grainstore.open(tmp.path(), {
      threads = 0, policy = { pick = function() end },
    }))
  end)

  after_each(function()
    store:close()
  end)

  local INSTRUCTIONS = "the policy takes too many instructions"
  local MEMORY = "the policy takes too many bytes of memory"

  local function problem(f, ...)
    local ok, text = store:_ask(f, ...)
    assert.is_false(ok)
    assert.equal("string", type(text))
    assert(store:put("k", "v")) -- the store is as usable as before
    return text
  end

  local function spin()
    while true do end
  end

  it("lets through what stays within", function()
    local ok, sum = store:_ask(function(n)
      local sum, kept = 0, {}
      for i = 1, n do
        sum = sum + i
        kept[#kept + 1] = { i }
      end
      return sum, kept
    end, 10000)
    assert.same({ true, 50005000 }, { ok, sum })
    assert.same({ true }, { store:_ask(function() end) })
    local given
    store:_ask(function(...) given = table.pack(...) end, 1, nil, "x")
    assert.same({ n = 3, 1, nil, "x" }, given)
  end)

  it("is not what a lab or a machine made within it keeps", function()
    local core = require "grainstore.core"
    local lab, env
    assert.is_true(store:_ask(function()
      lab = core.lab {
        keys = 1000, writes = 9000, key_bytes = 16, value_bytes = 100,
        memtable_bytes = 50000, table_bytes = 20000, workers = 1, seed = 1,
        start_ms = 1000,
      }
      env = core.env { seed = 1 }
    end))
    assert.equal("decide", lab:advance(9000))
    env:write("/f", ("x"):rep(100000))
    assert.equal(100000, #env:read "/f")
    lab:close()
    env:close()
  end)

  it("ends loops", function()
    assert.is_truthy(problem(spin):find(INSTRUCTIONS, 1, true))
    local count = 0
    assert.is_truthy(problem(function()
      while true do count = count + 1 end
    end):find(INSTRUCTIONS, 1, true))
    assert.is_true(count > 100000)
    assert.is_true(count < 1000000)
  end)

  describe("cannot be escaped by", function()
    for name, f in pairs {
      ["pcall in a loop"] = function()
        while true do pcall(spin) end
      end,
      ["pcall in pcall"] = function()
        local function deep(n)
          if n == 0 then spin() end
          while true do pcall(deep, n - 1) end
        end
        deep(20)
      end,
      ["a coroutine"] = function()
        coroutine.wrap(spin)()
      end,
      ["a coroutine that is resumed in a loop"] = function()
        while true do
          coroutine.resume(coroutine.create(spin))
        end
      end,
      ["many coroutines that do little"] = function()
        while true do
          coroutine.resume(coroutine.create(function()
            for _ = 1, 10 do end
          end))
        end
      end,
      ["a message handler"] = function()
        while true do
          xpcall(spin, function() while true do end end)
        end
      end,
      ["a metamethod"] = function()
        local t = setmetatable({}, { __index = spin })
        while true do pcall(function() return t.x end) end
      end,
      ["a comparison in a sort"] = function()
        local list = {}
        for i = 1, 100 do list[i] = i end
        while true do
          pcall(table.sort, list, function() spin() end)
        end
      end,
      ["a value that is closed when a coroutine dies"] = function()
        while true do
          pcall(coroutine.wrap(function()
            local _ <close> = setmetatable({}, { __close = spin })
            spin()
          end))
        end
      end,
      ["a coroutine that cannot be suspended"] = function()
        while true do
          pcall(coroutine.wrap(function()
            table.sort({ 3, 2, 1 }, spin)
          end))
        end
      end,
      ["a coroutine that is closed"] = function()
        local co = coroutine.create(function()
          local _ <close> = setmetatable({}, { __close = spin })
          coroutine.yield()
        end)
        coroutine.resume(co)
        while true do coroutine.close(co) end
      end,
      ["a value that is closed"] = function()
        while true do
          pcall(function()
            local _ <close> = setmetatable({}, { __close = spin })
            error "x"
          end)
        end
      end,
      ["code that is made"] = function()
        load("while true do pcall(load, 'while true do end') end")()
      end,
      ["tail calls"] = function()
        local function again() return again() end
        while true do pcall(again) end
      end,
    } do
      it(name, function()
        assert.is_truthy(problem(f):find(INSTRUCTIONS, 1, true))
      end)
    end
  end)

  it("holds for a coroutine that was made within an earlier one", function()
    local co
    assert.is_true((store:_ask(function()
      co = coroutine.wrap(function()
        coroutine.yield()
        spin()
      end)
      co()
    end)))
    assert.is_truthy(problem(function() co() end):find(INSTRUCTIONS, 1, true))
  end)

  it("leaves a coroutine alone that is used outside afterwards", function()
    local co
    store:_ask(function()
      co = coroutine.wrap(function()
        while true do
          for _ = 1, 100000 do end
          coroutine.yield "alive"
        end
      end)
      co()
    end)
    for _ = 1, 30 do assert.equal("alive", co()) end
  end)

  describe("of memory", function()
    it("ends growth", function()
      for _, f in ipairs {
        function()
          local kept = {}
          while true do kept[#kept + 1] = ("x"):rep(100000) .. #kept end
        end,
        function()
          local text = "x"
          while true do text = text .. text end
        end,
        function() return ("x"):rep(1 << 30) end,
        function()
          local kept = {}
          while true do
            pcall(function() kept[#kept + 1] = ("x"):rep(1000000) .. #kept end)
          end
        end,
      } do
        assert.is_truthy(problem(f):find(MEMORY, 1, true))
      end
      collectgarbage()
    end)

    it("counts what is kept, not what was garbage", function()
      local ok, text = store:_ask(function()
        for i = 1, 50000 do local _ = ("x"):rep(1000) .. i end
        return "done"
      end)
      assert.same({ true, "done" }, { ok, text })
    end)

    it("ends garbage without measure", function()
      assert.is_truthy(problem(function()
        for i = 1, 3000 do local _ = ("x"):rep(1000000) .. i end
      end):find(MEMORY, 1, true))
    end)

    it("is given back", function()
      local before = collectgarbage "count"
      problem(function()
        local kept = {}
        while true do kept[#kept + 1] = ("x"):rep(100000) .. #kept end
      end)
      collectgarbage()
      assert.is_true(collectgarbage "count" < before + 1000)
      local large = ("x"):rep(100 << 20) -- nothing of the limit is left
      assert.equal(100 << 20, #large)
    end)
  end)

  it("puts back the hook that was there", function()
    local seen, lines = 0, 0
    local function hook() seen = seen + 1 end
    debug.sethook(hook, "l", 7)
    store:_ask(function() end)
    problem(spin)
    problem(error, "x")
    local f, mask, count = debug.gethook()
    debug.sethook()
    assert.equal(hook, f)
    assert.equal("l", mask)
    assert.equal(7, count)
    assert.is_true(seen > 0)
    store:_ask(function() end)
    assert.is_nil((debug.gethook()))
    assert.equal(0, lines)
  end)

  it("holds inside a coroutine of the caller", function()
    local text = coroutine.wrap(function() return problem(spin) end)()
    assert.is_truthy(text:find(INSTRUCTIONS, 1, true))
  end)

  it("nests: one store's policy may use another store", function()
    local inner <close> = assert(grainstore.open(tmp.path(), {
      threads = 0, policy = { pick = spin },
    }))
    local ok, said = store:_ask(function()
      inner:put("k", "v")
      inner:flush()
      return inner:tree().policy_error
    end)
    assert.is_true(ok)
    assert.is_truthy(said:find(INSTRUCTIONS, 1, true))
    assert.is_truthy(problem(spin):find(INSTRUCTIONS, 1, true))
  end)

  it("tells what was raised, whatever it was, and briefly", function()
    assert.is_truthy(problem(function() error "no idea" end)
      :find("budget_spec.lua:%d+: no idea"))
    assert.equal("plain", problem(error, { message = "plain" }))
    assert.equal("the policy raised a nil", problem(error))
    assert.equal("the policy raised a function", problem(error, print))
    local trap = setmetatable({}, {
      __index = spin, __tostring = spin, __name = "trap",
    })
    assert.equal("the policy raised a table", problem(error, trap))
    assert.equal(200, #problem(error, ("x"):rep(100000)))
    assert.is_truthy(problem(coroutine.yield):find("yield", 1, true))
  end)
end)
