--- Stores that specs of shadows look at: how they are opened, what is written.

local T = require "grainstore.testing"
local agree = require "spec.lab.agree"
local grainstore = require "grainstore"
local writes_of = require "grainstore.lab.writes"

local M = {}

M.WRITES = 6000
M.MEMTABLE = 256 << 10

--- A policy of the agreement by its name.
function M.maker(name)
  for _, policy in ipairs(agree.policies()) do
    if policy[1] == name then return policy[2](M.WRITES, M.MEMTABLE) end
  end
end

function M.open(options)
  local all = {
    env = options and options.env or T.env { seed = 1 }, threads = 0,
    durability = "memory", memtable_bytes = M.MEMTABLE,
    table_bytes = M.MEMTABLE, memory_bytes = 4 << 20,
    disk_reserve_bytes = 1 << 20,
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return assert(grainstore.open("/s", all))
end

local function work(store)
  while assert(store:step() ~= nil) and store:step() do end
end

--- A writer of a workload: a function that makes so many writes of it.
function M.writer(store, env, w)
  local next_write, value = writes_of(w, 1), ("v"):rep(w.value_bytes)
  local owed = 0
  return function(count)
    for i = 1, count do
      local key, deletes = next_write()
      assert(deletes and store:delete(key) or store:put(key, value))
      owed = owed + (w.rate > 0 and 1000 / w.rate or 0)
      if owed >= 1 then
        env.clock:advance(owed // 1 | 0)
        owed = owed % 1
      end
      if i % 64 == 0 then work(store) end
    end
    work(store)
  end
end

return M
