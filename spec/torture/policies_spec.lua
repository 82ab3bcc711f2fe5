-- Every shipped policy, alone and in each decorator, is shown random trees: it
-- asks for nothing that is refused, comes to rest, and lets no runs pile up.

local P = require "grainstore.policy"
local T = require "grainstore.testing"
local Random = require "grainstore.testing.random"
local family = require "spec.support.family"

local TREES, HOUR = 1000, 60 * 60 * 1000
local AT_A_TIME = 20

-- Runs at rest that a policy may leave of trees that other policies left, where
-- it is more than usual.
local RUNS = { tiered = 24, time_window = 24, manual = 34 }

local decorators = {
  expire_first = P.expire_first,
  tombstones_first = function(policy)
    return P.tombstones_first(policy, { max_age_ms = HOUR })
  end,
}

decorators["expire_first of tombstones_first"] = function(policy)
  return P.expire_first(decorators.tombstones_first(policy))
end

local OUTER = {
  "expire_first", "tombstones_first", "expire_first of tombstones_first",
}

local function check(f, number, name, policy, left)
  local seed = Random.mix(family.seed, number) & 0xFFFFFF
  policy.loses = P[name]().loses
  while left > 0 do
    local trees = math.min(left, AT_A_TIME)
    left, seed = left - trees, seed + 1
    local ok, message = pcall(T.check_policy, policy, {
      trees = trees, seed = seed, runs = RUNS[name],
    })
    f:state(trees)
    if not ok then
      f:fail("%s, seed %d: %s", policy.name, seed, tostring(message))
    end
  end
end

-- So many trees for each policy, and for each decorator around all of them.
describe("shipped policies", function()
  family.it(15, "policies", "random trees shown to policies", function(f)
    for _, name in ipairs(P.decorators) do
      assert(decorators[name], "a decorator is not tried here")
    end
    local number = 0
    for _, name in ipairs(P.names) do
      number = number + 1
      check(f, number, name, P[name](), f:count(TREES))
      for _, outer in ipairs(OUTER) do
        number = number + 1
        check(f, number, name, decorators[outer](P[name]()),
          f:count(math.ceil(TREES / #P.names)))
      end
    end
  end)
end)
