-- Writers beside each other, a flush, a merge and the store's own thread, one
-- step of one of them at a time, by chance; and a crash at any of the steps.
-- What others see while this goes on is at least as durable as its writer was
-- promised.

local Life = require "grainstore.testing.life"
local Oracle = require "grainstore.testing.oracle"
local Random = require "grainstore.testing.random"
local T = require "grainstore.testing"
local explore = require "grainstore.testing.explore"
local family = require "spec.support.family"
local grainstore = require "grainstore"
local subject = require "grainstore.testing.subject"
local values = require "grainstore.testing.values"

local STATES = 50000
local CRASHES = 16 -- of one schedule
local WRITERS, CALLS = 3, 10
local STEPS = 100000 -- more than any schedule takes

-- ---- one schedule ----------------------------------------------------------

local Run = {}
Run.__index = Run

local function options_of(random)
  local options = {
    threads = random:int(1, 2),
    durability = random:pick { "os", "sync", "batch" },
    memtable_bytes = 4096,
  }
  for name, value in pairs(Life.SMALL) do
    options[name] = options[name] or value
  end
  return options
end

-- What a writer does next: the call, and the changes it makes.
function Run:begin_write(writer)
  local random, is_sync = self.random, self.random:one_in(3) or nil
  self.number = self.number + 1
  local key = ("w%d-%d"):format(writer.id, random:below(4))
  local value = values.of("bytes", self.number, random:int(1, 700))
  local commit = { issued = self.env:ops(), is_sync = is_sync }
  if random:one_in(4) then
    commit.changes = { key, false }
    commit.job = self.env:begin(self.store, "delete", key, { sync = is_sync })
  elseif random:one_in(3) then
    local batch <close> = self.store:batch()
    local other = ("w%d-x"):format(writer.id)
    batch:put(key, value):put(other, value)
    commit.changes = { key, { value = value }, other, { value = value } }
    commit.job =
      self.env:begin(self.store, "commit", batch, { sync = is_sync })
  else
    commit.changes = { key, { value = value } }
    commit.job =
      self.env:begin(self.store, "put", key, value, { sync = is_sync })
  end
  writer.commit = commit
end

-- Writers whose call has returned make the next one.
function Run:turn(writer)
  local commit = writer.commit
  if commit and commit.job:done() then
    local first, last = assert(commit.job:result())
    commit.seq, commit.acked = last or first, self.env:ops()
    self.commits[#self.commits + 1] = commit
    writer.commit = nil
  end
  if not writer.commit and writer.left > 0 then
    writer.left = writer.left - 1
    self:begin_write(writer)
  end
end

function Run:work()
  if self.job and self.job:done() then
    assert(self.job:result())
    self.job = nil
  end
  if not self.job and self.jobs_left > 0 and self.random:one_in(6) then
    self.jobs_left = self.jobs_left - 1
    self.job = self.env:begin(self.store,
      self.random:pick { "flush", "compact", "sync" })
  end
end

-- What a reader sees now, to be judged when the order of commits is known.
function Run:look()
  if not self.random:one_in(8) then
    return
  end
  local snapshot <close> = assert(self.store:snapshot())
  local keys, found = {}, {}
  for key, value in snapshot:scan() do
    keys[#keys + 1], found[#found + 1] = key, value
  end
  self.seen[#self.seen + 1] = {
    ops = self.env:ops(), seq = snapshot.seq, keys = keys, values = found,
  }
end

-- One step of a task that could go on; false when all have ended.
function Run:step()
  local ready = {}
  for _, task in ipairs(self.env:jobs()) do
    if task.state == "ready" then
      ready[#ready + 1] = task.id
    end
  end
  if #ready == 0 then
    return false
  end
  self.env:step(self.random:pick(ready), 1)
  return true
end

function Run:is_over()
  for _, writer in ipairs(self.writers) do
    if writer.commit or writer.left > 0 then
      return false
    end
  end
  return self.job == nil
end

local function live(env, seed)
  local random = Random.new(seed, 23)
  local run = setmetatable({
    env = env, random = random, options = options_of(random), number = 0,
    writers = {}, commits = {}, seen = {}, jobs_left = 6,
  }, Run)
  run.options.env = env
  run.store = assert(grainstore.open_bytes("/store", run.options))
  for id = 1, WRITERS do
    run.writers[id] = { id = id, left = CALLS }
  end
  for _ = 1, STEPS do
    for _, writer in ipairs(run.writers) do
      run:turn(writer)
    end
    run:work()
    run:look()
    if run:is_over() then
      break
    elseif not run:step() then
      env:drain()
    end
  end
  assert(run:is_over(), "a call does not end")
  assert(run.store:close())
  run.total = env:ops()
  return run
end

-- ---- what it means ---------------------------------------------------------

-- The commits in the order of their numbers, as a line of states. One that was
-- acknowledged holds fast all before it; one that was not yet issued keeps out
-- all after it.
local function oracle_of(run)
  local commits = run.commits
  table.sort(commits, function(a, b) return a.seq < b.seq end)
  local acked = math.huge
  for k = #commits, 1, -1 do
    acked = math.min(acked, commits[k].acked)
    commits[k].held_at = acked
  end
  local durability = run.options.durability
  local oracle = Oracle.new { durability = "os" }
  local issued, marks = 0, {}
  for k, commit in ipairs(commits) do
    issued = math.max(issued, commit.issued)
    oracle:issue(issued, commit.changes)
    oracle:ack(commit.held_at, commit.seq)
    if commit.is_sync or durability == "sync" then
      marks[#marks + 1] = { ops = commit.acked, seq = commit.seq }
    end
    assert(k == 1 or commits[k - 1].seq < commit.seq)
  end
  return oracle, marks
end

-- Readers saw states of the line, in order; what they saw of a store that
-- syncs every write was on the device.
local function judge(run, oracle, marks)
  for _, seen in ipairs(run.seen) do
    local at = 0
    while at < oracle.count and oracle.line[at + 1].seq <= seen.seq do
      at = at + 1
    end
    local keys, found = Oracle.live(oracle:state(at), 0)
    local wrong = require "grainstore.testing.compare".lists("seen", keys,
      found, seen.keys, seen.values, #seen.keys)
    if wrong then
      error(("a reader at number %d, %s"):format(seen.seq, wrong), 0)
    end
    if run.options.durability == "sync" then
      marks[#marks + 1] = { ops = seen.ops, seq = seen.seq }
    end
  end
  table.sort(marks, function(a, b) return a.ops < b.ops end)
  for _, mark in ipairs(marks) do
    oracle:durable(mark.ops, mark.seq)
  end
  oracle:durable(run.total, math.huge)
end

local function subject_of(seed)
  local options = options_of(Random.new(seed, 23))
  options.threads = 0
  local plain = subject.script({}, { options = options })
  return {
    look = plain.look,
    live = function(env)
      local run = live(env, seed)
      local oracle, marks = oracle_of(run)
      judge(run, oracle, marks)
      return { oracle = oracle }
    end,
  }
end

describe("tasks beside each other", function()
  family.it(18, "schedule-crashes", "crashes at steps of tasks", function(f)
    for i = 1, math.ceil(f:count(STATES) / CRASHES) do
      local seed = Random.mix(family.seed, i) & 0xFFFFFFFF
      local ok, found = pcall(explore.explore, {
        subject = subject_of(seed), limit = CRASHES, seed = seed,
        machine = function() return T.env { seed = seed, tasks = true } end,
      })
      f:state(ok and found.states or 1)
      if not ok then
        f:fail("seed %d: %s", seed, tostring(found))
      end
    end
  end)
end)
