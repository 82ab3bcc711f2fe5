--- Lives that end everywhere: a subject lives once on a machine that copies
-- itself before each operation that meets a changed disk; of every copy crashes
-- are taken, and the subject looks at what they left. Recovery is a life too,
-- so crashes are taken inside it, and inside the recovery after that.
--
-- A *subject* is a table of functions:
--
--     live(env) -> record              the whole life; raises where it is wrong
--     look(env, record, trail, how) -> found      opens what is there, closes
--                                      it, raises where it must not be so
--
-- A *trail* is an array of crashes, the first one first, each
-- `{ops=, keep=, choice=}`: operations done by then on that machine, the model
-- and its choice; `found` of a crash is what `look` gave for it.
--
-- `how` says how much to look at: nil, some each time and all of it in turns;
-- "whole", where a failure is to be seen again; "same", on a machine whose
-- operations are counted, so that they have to be the same each time.
-- @module grainstore.testing.explore

local Random = require "grainstore.testing.random"

local M = {}

--- The models tried unless others are asked for.
M.KEEP = { "all", "synced", "prefix", "missing", "alone", "subset", "random",
  "torn", "object" }

local WINDOW = 2048 -- operations of which copies are held at a time
local DRAWS = 8 -- of a model without end, at one point; or an eighth of all
local VISIT = 16 -- crashes inside one recovery
local COUNTED = 10 -- parts up to which all subsets are tried

local ENDLESS = { random = true, torn = true, object = true, hostile = true }
local COVERED = { -- by all subsets
  synced = true, prefix = true, missing = true, alone = true, random = true,
}

-- ---- which crashes ---------------------------------------------------------

local function contains(list, name)
  for _, item in ipairs(list) do
    if item == name then
      return true
    end
  end
  return false
end

-- All choices of a model, or where there are many more than wanted, some.
local function choices_of_model(keep, count, wanted, random)
  local list = {}
  local draws = ENDLESS[keep] and math.max(DRAWS, wanted // 8)
    or count > 2 * wanted + COUNTED and wanted or nil
  for i = 1, draws or count do
    list[#list + 1] = {
      keep = keep, choice = draws and random:below(count) or i - 1,
    }
  end
  return list
end

-- Draws so many, each time a model first, so that one with many choices leaves
-- room for the others.
local function some(groups, count, random)
  local list = {}
  while #list < count do
    local at = random:int(1, #groups)
    local group = groups[at]
    local i = random:int(1, #group)
    list[#list + 1] = group[i]
    group[i] = group[#group]
    group[#group] = nil
    if #group == 0 then
      table.remove(groups, at)
    end
  end
  return list
end

local function all_of(groups)
  local list = {}
  for _, group in ipairs(groups) do
    table.move(group, 1, #group, #list + 1, list)
  end
  return list
end

-- The crashes of one copy: all there are, or `count` of them.
local function choices_of(copy, keeps, count, random)
  local pending = copy:pending()
  if pending == 0 then
    local keep = contains(keeps, "all") and "all" or keeps[1]
    return { { keep = keep, choice = 0 } }
  end
  local groups, total = {}, 0
  local takes_all = pending <= COUNTED and contains(keeps, "subset")
  for _, keep in ipairs(keeps) do
    local is_covered = takes_all and COVERED[keep]
      or keep == "subset" and not takes_all
    local group = is_covered and {}
      or choices_of_model(keep, copy:choices(keep), count, random)
    if #group > 0 then
      groups[#groups + 1] = group
      total = total + #group
    end
  end
  return total <= count and all_of(groups) or some(groups, count, random)
end

-- ---- one crash -------------------------------------------------------------

local Search = {}
Search.__index = Search

-- Reports a state that is wrong: the trail and what was said of it.
local function fail(trail, message, why)
  error(setmetatable({ trail = trail, message = tostring(message), why = why },
    M.Wrong), 0)
end

--- What is raised where a state is wrong: message, trail, why (what the last
-- crash lost and kept, a line for each part).
M.Wrong = { __name = "grainstore.testing.wrong" }

function M.Wrong.__tostring(wrong)
  return wrong.message
end

function Search:look(copy, trail, how)
  local crash = trail[#trail]
  local state = copy:crash { keep = crash.keep, choice = crash.choice }
  local ok, found = pcall(self.subject.look, state, self.record, trail,
    how)
  if not ok then
    fail(trail, found, copy:explain {
      keep = crash.keep, choice = crash.choice,
    })
  end
  state:close()
  self.states = self.states + 1
  crash.found = found
end

local function extended(trail, crash)
  local longer = table.move(trail, 1, #trail, 1, {})
  longer[#longer + 1] = crash
  return longer
end

-- Takes all copies that are left on a machine.
local function take_copies(machine)
  local copies = {}
  for copy in function() return machine:next_copy() end do
    copies[#copies + 1] = copy
  end
  return copies
end

-- A share of something that comes bit by bit: how many are due now.
local function due(owner, name, more)
  local credit = owner[name] + more
  owner[name] = credit % 1
  return math.floor(credit)
end

-- One crash inside a recovery, and perhaps crashes in the recovery from it.
function Search:look_inner(inner, trail, choice, depth)
  local longer = extended(trail, {
    ops = inner:ops(), keep = choice.keep, choice = choice.choice,
  })
  self:look(inner, longer)
  self.nested = self.nested + 1
  if depth > 1 and due(self, "deeper", 1 / VISIT) > 0 then
    self:look_inside(inner, longer, depth - 1, VISIT)
  end
end

-- Crashes inside the recovery from the last crash of the trail, so many.
function Search:look_inside(copy, trail, depth, count)
  local crash = trail[#trail]
  local machine = copy:crash { keep = crash.keep, choice = crash.choice }
  machine:watch()
  self.subject.look(machine, self.record, trail, "same")
  local copies = take_copies(machine)
  machine:close()
  local credit = { left = self.random:below(1000) / 1000 }
  for _, inner in ipairs(copies) do
    local wanted = due(credit, "left", count / #copies)
    if wanted > 0 then
      local choices = choices_of(inner, self.keep, wanted, self.random)
      for _, choice in ipairs(choices) do
        self:look_inner(inner, trail, choice, depth)
      end
    end
    inner:close()
  end
end

function Search:look_at(copy, count)
  local choices = choices_of(copy, self.keep, count, self.random)
  for _, choice in ipairs(choices) do
    local trail = {
      { ops = copy:ops(), keep = choice.keep, choice = choice.choice },
    }
    self:look(copy, trail)
    if self.depth > 0 and due(self, "inside", self.inner / VISIT) > 0 then
      self:look_inside(copy, trail, self.depth, VISIT)
    end
  end
end

-- ---- the whole life --------------------------------------------------------

-- Lives once, and gives the copies of a window of operations.
function Search:live(first)
  local env = self.machine()
  env:watch(first, first + WINDOW)
  self.record = self.subject.live(env)
  local copies = take_copies(env)
  local total = env:ops()
  if total < first + WINDOW then
    copies[#copies + 1] = env:copy()
  end
  env:close()
  return copies, total
end

function Search:window(first)
  local copies, total = self:live(first)
  local in_window = math.min(total, first + WINDOW) - first
  self.per_point = self.per_point
    or self.limit / (#copies * math.max(1, total / math.max(1, in_window)))
  for _, copy in ipairs(copies) do
    local count = due(self, "credit", self.per_point)
    if count > 0 then
      self.points = self.points + 1
      self:look_at(copy, count)
    end
    copy:close()
  end
  return total
end

--- Crashes a subject at every operation, or at as many as the limit allows.
-- @tparam table plan subject; machine: function giving a new env; keep: models;
-- limit: states (20000), besides those of crashes inside recoveries; nested:
-- how deep those go (0); inner: how many of them come on one state (1)
-- @treturn table states, points, nested: counts. Raises a `Wrong` otherwise.
function M.explore(plan)
  local search = setmetatable({
    subject = plan.subject, machine = plan.machine, keep = plan.keep or M.KEEP,
    limit = plan.limit or 20000, depth = plan.nested or 0,
    inner = plan.inner or 1, random = Random.new(plan.seed or 1, 3),
    states = 0, points = 0, nested = 0, credit = 0, deeper = 0,
    inside = 1 - 1 / VISIT,
  }, Search)
  local first, total = 0, math.huge
  while first < total do
    total = search:window(first)
    first = first + WINDOW
  end
  return {
    states = search.states, points = search.points, nested = search.nested,
  }
end

--- Looks at one state only: the one at the end of a trail.
-- @tparam table plan subject, machine
-- @tparam table trail
function M.revisit(plan, trail)
  local search = setmetatable({
    subject = plan.subject, states = 0,
  }, Search)
  local env = plan.machine()
  env:watch(trail[1].ops, trail[1].ops + 1)
  search.record = plan.subject.live(env)
  local copy = env:next_copy() or env:copy()
  env:close()
  local walked = {}
  for i, crash in ipairs(trail) do
    walked = extended(walked, {
      ops = crash.ops, keep = crash.keep, choice = crash.choice or 0,
    })
    search:look(copy, walked, i == #trail and "whole" or nil)
    if i < #trail then
      local machine = copy:crash { keep = crash.keep, choice = crash.choice }
      machine:watch(trail[i + 1].ops, trail[i + 1].ops + 1)
      plan.subject.look(machine, search.record, walked, "same")
      copy:close()
      copy = assert(machine:next_copy(), "there is no such operation")
      machine:close()
    end
  end
  copy:close()
end

return M
