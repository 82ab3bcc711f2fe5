--- The kit for tests: a machine in memory that crashes, fails and keeps time as
-- told, and what goes with it. For GrainStore's own specs and for those of
-- applications that keep their data in it.
--
--     local T = require "grainstore.testing"
--     local env <close> = T.env { seed = 1 }
--     local store = assert(grainstore.open("db", { env = env }))
--     store:put("k", "v", { sync = true })
--     local after <close> = env:crash { keep = "synced" }
--     local found <close> = assert(grainstore.open("db", { env = after }))
--     assert(found:get "k" == "v")
--
-- Its parts are loaded when they are first used.
-- @module grainstore.testing

-- Where each name comes from: a field of a module, or a whole module.
local parts = {
  env = { "grainstore.testing.env", "env" },
  clock = { "grainstore.testing.env", "clock" },
  models = { "grainstore.testing.env", "models" },
  tree = { "grainstore.testing.tree", "tree" },
  pick = { "grainstore.testing.tree", "pick" },
  plan_text = { "grainstore.testing.tree", "plan_text" },
  manual = { "grainstore.testing.steer", "manual" },
  FUTURE_MS = { "grainstore.testing.steer", "FUTURE_MS" },
  advance = { "grainstore.testing.steer", "advance" },
  pairs_of = { "grainstore.testing.steer", "pairs_of" },
  runs = { "grainstore.testing.steer", "runs" },
  ids = { "grainstore.testing.steer", "ids" },
  settle = { "grainstore.testing.steer", "settle" },
  merge = { "grainstore.testing.steer", "merge" },
  every_crash = { "grainstore.testing.crash", "every_crash" },
  check = { "grainstore.testing.check", "check" },
  check_policy = { "grainstore.testing.check_policy", "check_policy" },
  script = { "grainstore.testing.script" },
  oracle = { "grainstore.testing.oracle" },
  workloads = { "grainstore.testing.workloads" },
}

return setmetatable({}, {
  __index = function(testing, name)
    local part = parts[name]
    if not part then
      return nil
    end
    local found = require(part[1])
    if part[2] then
      found = found[part[2]]
    end
    rawset(testing, name, found)
    return found
  end,
})
