--- Fewer and simpler operations that still fail.
--
-- First parts of the list are left out, large ones first, until no single
-- operation can go (delta debugging); then batches are taken apart and
-- arguments made plainer. What fails must fail again when asked again.
-- @module grainstore.testing.shrink

local function without(list, first, last)
  local rest = table.move(list, 1, first - 1, 1, {})
  return table.move(list, last + 1, #list, first, rest)
end

local function with(list, at, ...)
  local changed = table.move(list, 1, at - 1, 1, {})
  for _, item in ipairs { ... } do
    changed[#changed + 1] = item
  end
  return table.move(list, at + 1, #list, #changed + 1, changed)
end

-- Elements that are no tables are taken or left as they are.
local function copy(op)
  if type(op) ~= "table" then
    return op
  end
  local twin = {}
  for name, value in pairs(op) do
    twin[name] = value
  end
  return twin
end

local Search = {}
Search.__index = Search

-- Takes the candidate for the list if it fails too.
function Search:try(candidate)
  if self.left == 0 then
    return false
  end
  self.left = self.left - 1
  if not self.fails(candidate) then
    return false
  end
  self.ops = candidate
  return true
end

-- Leaves out parts of that size wherever that is possible.
function Search:drop(size)
  local first, has_changed = #self.ops, false
  while first >= 1 do
    local from = math.max(1, first - size + 1)
    if self:try(without(self.ops, from, first)) then
      has_changed = true
    end
    first = math.min(from - 1, #self.ops)
  end
  return has_changed
end

function Search:fewer()
  local size = #self.ops // 2
  while size >= 1 do
    local has_changed = self:drop(size)
    if not has_changed or size > 1 then
      size = size // 2
    end
  end
end

-- A batch of fewer parts, or its parts one by one.
function Search:smaller_batch(at)
  local op = self.ops[at]
  if type(op) ~= "table" or type(op[2]) ~= "table" then
    return
  end
  if self:try(with(self.ops, at, table.unpack(op[2]))) then
    return
  end
  for part = #op[2], 1, -1 do
    local smaller = copy(self.ops[at])
    smaller[2] = without(smaller[2], part, part)
    self:try(with(self.ops, at, smaller))
  end
end

local function plainer_number(number)
  return math.type(number) == "integer" and number > 9 and { 1, number // 2 }
    or {}
end

-- Leaves out a named argument, or makes a number smaller.
function Search:plainer(at)
  local names = {}
  if type(self.ops[at]) ~= "table" then
    return
  end
  for name in pairs(self.ops[at]) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    if type(name) == "string" then
      local plain = copy(self.ops[at])
      plain[name] = nil
      self:try(with(self.ops, at, plain))
    end
    for _, number in ipairs(plainer_number(self.ops[at][name])) do
      local plain = copy(self.ops[at])
      plain[name] = number
      if self:try(with(self.ops, at, plain)) then
        break
      end
    end
  end
end

local function replaced(ops, from, to)
  local changed = {}
  for i, op in ipairs(ops) do
    local twin = copy(op)
    local key = type(twin) == "table" and twin[2]
    if key == from then
      twin[2] = to
    elseif type(key) == "table" then
      twin[2] = replaced(key, from, to)
    end
    changed[i] = twin
  end
  return changed
end

-- Keys by names that are easy to read, and fewer of them.
function Search:fewer_keys()
  local seen, keys = {}, {}
  local function note(ops)
    for _, op in ipairs(ops) do
      local key = type(op) == "table" and op[2]
      if type(key) == "table" then
        note(key)
      elseif type(key) == "string" and not seen[key] then
        seen[key] = true
        keys[#keys + 1] = key
      end
    end
  end
  note(self.ops)
  for i, key in ipairs(keys) do
    for _, name in ipairs { "a", ("k%d"):format(i) } do
      if key == name or self:try(replaced(self.ops, key, name)) then
        break
      end
    end
  end
end

function Search:simpler()
  for at = #self.ops, 1, -1 do
    self:smaller_batch(at)
  end
  for at = #self.ops, 1, -1 do
    self:plainer(at)
  end
  self:fewer_keys()
end

--- @tparam {op,...} ops that fail
-- @tparam function fails whether operations fail
-- @tparam[opt=1000] integer tries at most
-- @treturn {op,...}
return function(ops, fails, tries)
  local search = setmetatable({
    ops = ops, fails = fails, left = tries or 1000,
  }, Search)
  search:fewer()
  search:simpler()
  search:fewer()
  return search.ops
end
