-- check: random operations beside a table, and what is said of a failure.

local Life = require "grainstore.testing.life"
local T = require "grainstore.testing"

describe("a check", function()
  it("counts what it did", function()
    local counts = T.check { seed = 3, steps = 3000 }
    assert.same({ operations = 3000, episodes = 1, seed = 3 }, counts)
    assert.equal(2, T.check({ steps = 10001, kind = "u32" }).episodes)
  end)

  it("takes weights and options", function()
    local counts = T.check {
      steps = 500, ops = { put = 3, delete = 1, reopen = 0.1 },
      options = { durability = "sync", policy = "bounded_l0" }, keys = 5,
      every = 50,
    }
    assert.equal(500, counts.operations)
  end)

  it("refuses what it does not know", function()
    local function refuses(text, given)
      local ok, message = pcall(T.check, given)
      assert.is_false(ok)
      assert.truthy(message:find(text, 1, true), message)
    end
    refuses("unknown option 'sed'", { sed = 1 })
    refuses("'steps' takes a number", { steps = "many" })
    refuses("no operation 'putt'", { ops = { putt = 1 } })
    refuses("table expected", 7)
  end)

  describe("of a store that is wrong", function()
    local delete = Life.operations.delete

    after_each(function()
      Life.operations.delete = delete
    end)

    -- A deletion that follows a flush does nothing.
    local function break_deletes()
      local flush = Life.operations.flush
      local has_flushed = setmetatable({}, { __mode = "k" })
      Life.operations.flush = function(life, op)
        has_flushed[life] = true
        return flush(life, op)
      end
      Life.operations.delete = function(life, op)
        if has_flushed[life] then
          life.oracle.model:apply { op[2], false }
          return true
        end
        return delete(life, op)
      end
      finally(function() Life.operations.flush = flush end)
    end

    it("prints the least that shows it, as a spec", function()
      break_deletes()
      local ok, found = pcall(T.check, { seed = 5, steps = 20000 })
      assert.is_false(ok)
      local names = {}
      for i, op in ipairs(found.ops) do
        names[i] = op[1]
      end
      assert(#names <= 4, table.concat(names, " "))
      local text = tostring(found)
      assert.truthy(text:find('T.script.play({', 1, true))
      assert.truthy(text:find('T.check { seed = 5, steps = 20000 }', 1, true))
    end)

    it("prints a spec that sees what opening again loses", function()
      local reopen = Life.operations.reopen
      Life.operations.reopen = function(life)
        life.store:delete "\0"
        return reopen(life)
      end
      finally(function() Life.operations.reopen = reopen end)
      local _, found = pcall(T.check, {
        seed = 5, steps = 60, keys = 3, ops = { put = 1 },
      })
      local text = tostring(found):match "as a spec:\n\n(.*)$"
      local env = setmetatable({
        it = function(_, body) body() end,
      }, { __index = _G })
      local ok, message = pcall(assert(load(text, "spec", "t", env)))
      assert.is_false(ok)
      assert.truthy(message:find('"\\0" is missing', 1, true), message)
    end)

    it("sees what a scan does not tell", function()
      local methods = require "grainstore.core".store_methods
      local function breaks(name, answer, said)
        local method = methods[name]
        methods[name] = function() return answer end
        finally(function() methods[name] = method end)
        local ok, found = pcall(T.check, { seed = 2, steps = 200 })
        methods[name] = method
        assert.is_false(ok)
        assert.truthy(found.message:find(said, 1, true), found.message)
      end
      breaks("contains", true, "contains ")
      breaks("ttl", 7, "ttl of ")
      breaks("meta", "bogus", 'the note is "bogus"')
    end)

    it("prints a spec that fails", function()
      break_deletes()
      local _, found = pcall(T.check, { seed = 5, steps = 20000 })
      local text = tostring(found):match "as a spec:\n\n(.*)$"
      local env = setmetatable({
        it = function(_, body) body() end,
      }, { __index = _G })
      local spec = assert(load(text, "spec", "t", env))
      local ok, message = pcall(spec)
      assert.is_false(ok)
      assert.truthy(tostring(message):find("should not be there", 1, true)
        or tostring(message):find("should be nil", 1, true), message)
    end)
  end)
end)
