--- A policy that means ill, in charge of a watched store.
--
-- It is asked like any policy and answers with plans by chance, with what is no
-- plan, with errors; it spoils the tree it was shown, keeps it for later, and
-- calls the store. Every plan is accounted for: refused with a name and a
-- sentence, or accepted, and then all reads are due to be compared.

local Random = require "grainstore.testing.random"
local maker = require "spec.support.plan_maker"

local Thrower = {}
Thrower.__index = Thrower

-- What one decision takes of an answer.
local TAKEN = 16

--- The names a refusal can have, and whether tables belong to it.
Thrower.NAMES = {
  bad_plan = false, unknown_table = true, busy_table = true, upward = true,
  path_blocked = true, claimed = true, no_space = false, too_many = false,
  bad_cut = false, needs_rewrite = true, not_dead = true,
}

--- @tparam watched watched
-- @tparam integer seed
-- @tparam table counts by name; what is found is added
function Thrower.new(watched, seed, counts)
  local random = Random.new(seed, 83)
  local thrower = setmetatable({
    watched = watched, random = random, counts = counts, thrown = 0, due = 0,
    memory = { tables = {}, runs = {} }, make = maker.new(random), depth = 0,
  }, Thrower)
  thrower.answer = random:wheel {
    one = 66, list = 4, empty = 2, junk = 5, mixed = 4, throw = 6, slow = 0.2,
    vandal = 4, ghost = 2, reenter = 4, close = 0.4, endless = 0.3,
  }
  thrower.policy = {
    name = "hostile",
    pick = function(tree) return thrower:pick(tree) end,
    flush = function() return thrower:flush() end,
    layout = function() return thrower:misguide(maker.LAYOUTS) end,
    throttle = function() return thrower:misguide(maker.RATES) end,
  }
  return thrower
end

-- In calls made for something else only plans that are at least plans.
function Thrower:draw(sight)
  local plan, kind
  repeat
    plan, kind = self.make(sight, self.memory)
  until self.is_deciding or not maker.SPOILT[kind]
  return plan
end

-- ---- accounts --------------------------------------------------------------

function Thrower:count(name)
  self.thrown = self.thrown + 1
  self.counts[name] = (self.counts[name] or 0) + 1
end

-- Ids are unsigned in the engine; of those below zero only -1 is thrown.
local BELOW_ZERO = "18446744073709551615"

local function check_sentence(code, message, tables)
  local has_tables = Thrower.NAMES[code]
  local function bad(why)
    error(("the refusal %s %s: %s"):format(tostring(code), why,
      tostring(message)), 0)
  end
  if has_tables == nil then bad "has a name that is not documented" end
  if type(message) ~= "string" or #message < #code + 15
    or message:sub(1, #code + 2) ~= code .. ": " then
    bad "is no sentence"
  end
  if not has_tables then return end
  local named
  for _, id in ipairs(tables or {}) do
    local number = id < 0 and BELOW_ZERO or tostring(id)
    named = named or message:find("%f[%d]" .. number .. "%f[%D]")
  end
  if not named then bad "names no table" end
end

-- One plan and what became of it; nil: it was taken.
function Thrower:judge(code, message, tables)
  if not code then
    self:count "accepted"
    self.due = self.due + 1
  else
    check_sentence(code, message, tables)
    self:count(code)
  end
end

-- What became of the plans that were promised last. An answer with something in
-- it that is no plan is refused as a whole.
function Thrower:settle(refused, problem)
  local plans = self.pending or {}
  self.pending = nil
  if problem then
    self:count "no plan"
    self.due = self.due + 1
    return
  end
  local by_plan = {}
  for _, refusal in ipairs(refused) do by_plan[refusal.plan] = refusal end
  for _, plan in ipairs(plans) do
    local refusal = by_plan[plan]
    self:judge(refusal and refusal.code, refusal and refusal.message,
      refusal and refusal.tables)
  end
end

-- What the store says is wrong with the last answer of `pick`.
local function problem_of(tree)
  local problem = tree.policy_error or ""
  return problem:find "^pick" and problem
end

--- To be called when a call of the store has ended.
function Thrower:account()
  self.depth = 0 -- a function that spent its budget does not come to its end
  if not self.was_asked then return end
  local tree, done = self.watched.store:tree(), self.watched.done
  if self.has_erred and not problem_of(tree) then
    error("an error of the policy is not told", 0)
  end
  self.has_erred, self.was_asked = nil, nil
  if self.pending then self:settle(tree.refused, problem_of(tree)) end
  if tree.policy_aside then done.asides = (done.asides or 0) + 1 end
end

-- ---- answers ---------------------------------------------------------------

-- Plans that are submitted, unless something else is wrong with the answer.
function Thrower:promise(list, answer)
  self.pending = table.move(list, 1, math.min(#list, TAKEN), 1, {})
  return answer or list
end

local answers = {}

function answers.one(self, sight)
  local plan = self:draw(sight)
  local is_array = rawget(plan, "op") == nil or self.random:one_in(4)
  return self:promise({ plan }, not is_array and plan)
end

function answers.list(self, sight)
  local list = {}
  local most = self.random:one_in(8) and 20 or 4
  for i = 1, self.random:int(1, most) do list[i] = self:draw(sight) end
  return self:promise(list)
end

function answers.empty(self)
  self:count "no plan"
  return self.random:one_in(2) and {} or nil
end

function answers.junk(self)
  local answer = self.random:pick(maker.JUNK)
  self:count "no plan"
  self.has_erred = self.depth == 1 and type(answer) ~= "table"
  return answer
end

-- Something between the plans is none.
function answers.mixed(self, sight)
  local list = {}
  for i = 1, self.random:int(0, 3) do list[i] = self:draw(sight) end
  table.insert(list, self.random:int(1, #list + 1),
    self.random:pick { 7, "merge", print })
  return self:promise(list)
end

local ERRORS = {
  "no", false, {}, setmetatable({}, {
    __tostring = function() error("not even this", 0) end,
  }),
}

function answers.throw(self)
  self:count "error raised"
  self.has_erred = self.is_deciding and self.depth == 1
  if self.random:one_in(5) then coroutine.yield() end
  error(self.random:pick(ERRORS))
end

local endless = {
  function() while true do end end,
  function() while true do pcall(error) end end,
  function() return ("x"):rep(1 << 40) end,
  function()
    local flood = {}
    while true do flood[#flood + 1] = ("x"):rep(10000) end
  end,
  function()
    local function deeper() return 1 + deeper() end
    return deeper()
  end,
}

function answers.endless(self)
  self:count "without end"
  self.has_erred = self.depth == 1
  return self.random:pick(endless)()
end

function answers.slow(self, sight)
  local waste = {}
  for i = 1, 20000 do waste[i % 64] = ("z"):rep(i % 512) end
  return #waste > 0 and answers.one(self, sight)
end

-- Spoils what it was given.
function answers.vandal(self, sight, tree)
  local what = self.random:below(6)
  if what == 0 then
    for name in pairs(tree) do tree[name] = nil end
  elseif what == 1 then
    setmetatable(tree, nil)
    tree.runs = tree
  elseif what == 2 and tree.shape then
    tree.shape:close()
  elseif what == 3 then
    tree.memtable, tree.refused, tree.now_ms = 1, {}, "never"
  elseif what == 4 and tree.runs[1] then
    pcall(function() tree.runs[1].tables[1] = { id = 1 } end)
    tree.runs[1].tables = { { id = -1 } }
  else
    collectgarbage()
  end
  return answers.one(self, sight)
end

-- Asks a tree whose time is over.
function answers.ghost(self, sight, tree)
  local ghost = self.ghost
  self.ghost = tree
  if ghost then
    pcall(function()
      local run = ghost.runs[1]
      return #run.tables + run.tables[1].id, ghost:closure({}, run)
    end)
    pcall(ghost.overlapping, ghost, ghost.runs and ghost.runs[1], "a", "z")
    pcall(ghost.ids, ghost, 1, 1)
    pcall(ghost.is_busy, ghost, { 1 })
  end
  return answers.one(self, sight)
end

-- ---- calling the store that asks -------------------------------------------

local calls = {}

function calls.put(self)
  local key = self.random:pick(self.watched.universe)
  if pcall(self.watched.store.put, self.watched.store, key, "inside") then
    self.watched:note(key, "inside")
  end
end

function calls.read(self)
  self.is_deciding = false -- no work is done while reads are compared
  local ok, message = pcall(self.watched.check, self.watched)
  self.is_deciding = true
  if not ok and not tostring(message):find "cannot use the store" then
    self.wrong = message
  end
end

for name, arguments in pairs {
  flush = {}, step = { 0 }, tree = {}, snapshot = {}, sync = {}, stats = {},
  compact = {}, verify = {}, plan = { {} }, seal = {}, batch = {},
} do
  calls[name] = function(self)
    local store = self.watched.store
    pcall(function() return store[name](store, table.unpack(arguments)) end)
  end
end

-- Puts itself in charge once more, which asks it again at once.
function calls.set(self)
  if self.depth < 3 then
    pcall(self.watched.store.set, self.watched.store, "policy", self.policy)
  end
end

local CALLS = {}
for name in pairs(calls) do CALLS[#CALLS + 1] = name end
table.sort(CALLS)

function answers.reenter(self, sight)
  calls[self.random:pick(CALLS)](self)
  self.pending = nil
  return answers.one(self, sight)
end

-- Closes the store that asks; where it can, what it answers goes nowhere.
function answers.close(self)
  self:count "no plan"
  self.has_closed = pcall(self.watched.store.close, self.watched.store)
end

-- ---- being asked -----------------------------------------------------------

-- In calls that were made for something else it answers so that what became of
-- it can be told after the next decision as well.
function Thrower:choose()
  if self.is_deciding then return self.answer() end
  return self.random:pick { "one", "list", "empty", "one", "throw" }
end

--- What the store asks.
function Thrower:pick(tree)
  if self.depth == 0 and self.pending then
    self:settle(tree.refused or {})
  end
  self.was_asked = true
  local name = self.flush_failed and "empty" or self:choose()
  self.flush_failed = nil
  self.depth = self.depth + 1
  self.sight = maker.look(tree, self.memory, self.random)
  local ok, answer = pcall(answers[name], self, self.sight, tree)
  self.depth = self.depth - 1
  if not ok then error(answer, 0) end
  return answer
end

--- What the store asks about sizes and speed.
function Thrower:misguide(answers_of)
  local dice = self.random:below(60)
  if dice == 0 then error("no answer", 0) end
  if dice == 1 then return self.random:pick(maker.JUNK) end
  return dice < 12 and self.random:pick(answers_of) or nil
end

--- What the store asks about its memtable.
function Thrower:flush()
  local dice = self.random:below(40)
  self.flush_failed = dice == 0 or dice == 2
  if dice == 0 then error("no flush", 0) end
  return dice == 1 or dice == 2 and "perhaps" or nil
end

-- ---- throwing --------------------------------------------------------------

--- One decision now.
function Thrower:decide()
  self:account()
  self.is_deciding = true
  local ok, message = pcall(self.watched.store.set, self.watched.store,
    "policy", self.policy)
  self.is_deciding = false
  if self.has_closed then
    self.has_closed, self.pending, self.has_erred = nil, nil, nil
    self.was_asked = nil
    self.watched:reopen()
  elseif not ok then
    error("a decision raised: " .. tostring(message), 0)
  end
  self:account()
end

--- One plan by store:plan, for the tree as it is or as it was when the policy
-- was asked last; now and then it is tried before.
function Thrower:throw_directly()
  local store = self.watched.store
  local sight = self.random:one_in(2) and self.sight
    or maker.look(store:tree(), self.memory, self.random)
  local plan, tried = self.make(sight, self.memory), nil
  if self.random:one_in(4) then
    local ok, _, code = store:plan(plan, { dry_run = true })
    tried = ok and "accepted" or code
  end
  local job, message, code, detail = store:plan(plan)
  if tried and tried ~= (job and "accepted" or code) then
    error(("tried: %s, done: %s"):format(tried, tostring(code)), 0)
  end
  self:judge(not job and (code or "?") or nil, message,
    detail and detail.tables)
end

--- Compares all reads, once for each plan accepted since; between two of them
-- some work is done.
-- @tparam function work
function Thrower:finish(work)
  if self.wrong then error(self.wrong, 0) end
  while self.due > 0 do
    self.due = self.due - 1
    self.watched:check()
    work()
    self:account()
  end
end

return Thrower
