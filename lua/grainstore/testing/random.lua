--- Numbers that look random and follow from a seed, whoever else draws.
-- @module grainstore.testing.random

local Random = {}
Random.__index = Random

local function scramble(x)
  x = (x ~ (x >> 30)) * 0xBF58476D1CE4E5B9
  x = (x ~ (x >> 27)) * 0x94D049BB133111EB
  return x ~ (x >> 31)
end

--- A well mixed, non-negative function of two integers.
-- @tparam integer a
-- @tparam integer b
-- @treturn integer
function Random.mix(a, b)
  return scramble(a * 0x9E3779B97F4A7C15 + b) & math.maxinteger
end

--- @tparam integer ... numbers that name the sequence
function Random.new(...)
  local state = 0
  for _, seed in ipairs { ... } do
    state = Random.mix(state, seed)
  end
  return setmetatable({ state = state }, Random)
end

--- @tparam integer n at least 1
-- @treturn integer from 0 to n - 1
function Random:below(n)
  local state = self.state + 0x9E3779B97F4A7C15
  self.state = state
  return (scramble(state) & math.maxinteger) % n
end

--- @treturn integer from low to high
function Random:int(low, high)
  return low + self:below(high - low + 1)
end

--- @treturn boolean true once in n times
function Random:one_in(n)
  return self:below(n) == 0
end

--- @treturn any one of an array's elements
function Random:pick(list)
  return list[1 + self:below(#list)]
end

--- Draws names by weight.
-- @tparam {[string]=number,...} weights
-- @treturn function giving a name
function Random:wheel(weights)
  local names, sums, sum = {}, {}, 0
  for name in pairs(weights) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    sum = sum + math.floor(weights[name] * 1000)
    sums[i] = sum
  end
  return function()
    local x, low, high = self:below(sum), 1, #sums
    while low < high do
      local middle = (low + high) // 2
      if sums[middle] > x then
        high = middle
      else
        low = middle + 1
      end
    end
    return names[low]
  end
end

return Random
