-- The queue is crashed at every operation of the disk, in every way the machine
-- knows: no job is lost and none is done twice. Two queues with a mistake in
-- them show that this would be found.

local Queue = require "examples.job_queue"
local T = require "grainstore.testing"
local grainstore = require "grainstore"

-- What happens to a queue, as data: so a failure can be made small.
local SCENARIO = {
  { "enqueue", "a" }, { "enqueue", "b" }, { "work" }, { "enqueue", "c" },
  { "abandon" }, { "work" }, { "wait", 1000 }, { "enqueue", "d" }, { "work" },
  { "work" }, { "enqueue", "e" }, { "work" },
}

local LEASE_MS = 500

local steps = {}

function steps.enqueue(queue, acked, step)
  local id = assert(queue:enqueue(step[2]))
  acked(id, { task = step[2] })
end

function steps.work(queue, acked)
  local id, task = queue:claim("worker", LEASE_MS)
  if id then
    assert(queue:finish(id, "worker", task:upper()))
    acked(id, { task = task, is_done = true })
  end
end

-- A worker that takes a job and is never heard of again.
function steps.abandon(queue)
  queue:claim("idler", LEASE_MS)
end

function steps.wait(_, _, step, env)
  env.clock:advance(step[2])
end

local function life_of(class)
  return function(store, acked, ops, env)
    local queue = class.new(store)
    for _, step in ipairs(ops) do
      steps[step[1]](queue, acked, step, env)
    end
  end
end

-- A new worker does what is left to do. Then every job has been done, and none
-- of those that had been done before was given to him.
local function check(store, acked, env)
  local queue = Queue.new(store)
  env.clock:advance(LEASE_MS)
  for id, task in function() return queue:claim("heir", LEASE_MS) end do
    assert(not queue:result(id), "job " .. id .. " is done twice")
    assert(queue:finish(id, "heir", task:upper()))
  end
  for id, job in pairs(acked) do
    assert(queue:result(id) == job.task:upper(), "job " .. id .. " is lost")
  end
end

local function crash(class, options)
  return T.every_crash {
    run = life_of(class), check = check, ops = SCENARIO,
    limit = options and options.limit, nested = options and options.nested,
  }
end

-- ---- mistakes --------------------------------------------------------------

local function like_queue(finish)
  local class = setmetatable({ finish = finish }, { __index = Queue })
  class.__index = class
  function class.new(store)
    return setmetatable({ store = store }, class)
  end
  return class
end

local function key(kind, id)
  return ("%s/%010d"):format(kind, id)
end

local Forgetful = like_queue(function(queue, id, _, result)
  queue.store:delete(key("job", id))
  queue.store:put(key("done", id), result)
  return true
end)

local Repetitive = like_queue(function(queue, id, _, result)
  queue.store:put(key("done", id), result)
  queue.store:delete(key("job", id))
  return true
end)

local function failure_of(class)
  local ok, found = pcall(crash, class)
  assert.is_false(ok)
  return found
end

-- ---- what is claimed -------------------------------------------------------

describe("a job queue", function()
  it("gives each job to one worker, and back when its lease ends", function()
    local env = T.env()
    local store <close> = assert(grainstore.open("queue", { env = env }))
    local queue = Queue.new(store)
    assert.equal(1, queue:enqueue "a")
    assert.equal(2, queue:enqueue "b")
    assert.same({ 1, "a" }, { queue:claim("x", 100) })
    assert.same({ 2, "b" }, { queue:claim("y", 50) })
    assert.is_nil(queue:claim("z", 100))
    env.clock:advance(60)
    assert.same({ 2, "b" }, { queue:claim("z", 100) })
    assert.is_false(queue:finish(2, "y", "late"))
    assert.is_true(queue:finish(2, "z", "B"))
    assert.equal("B", queue:result(2))
    assert.equal(1, queue:count())
  end)

  it("gives no number away twice where it cannot read the last one", function()
    local env <close> = T.env()
    local store = assert(grainstore.open("queue", { env = env }))
    assert.equal(1, Queue.new(store):enqueue "a")
    assert(store:flush())
    assert(store:close())
    local again = assert(grainstore.open("queue", { env = env }))
    local queue = Queue.new(again)
    env:fail { op = "read", path = "*.sst", times = math.huge }
    assert.code("io", queue.enqueue, queue, "b")
    assert.code("io", queue.finish, queue, 1, "x", "A")
    env:heal()
    assert.equal(2, queue:enqueue "b")
    env:fail { op = "write", path = "*.wal", errno = "ENOSPC", times = 0 }
    assert.code("full", queue.claim, queue, "x", 100)
    assert.code("full", again.close, again)
  end)

  it("loses no job and does none twice, wherever it crashes", function()
    local counts = crash(Queue)
    assert.is_true(counts.states > 1000)
  end)

  it("nor where the recovery crashes too, and the next one", function()
    local counts = crash(Queue, { limit = 300, nested = 2 })
    assert.is_true(counts.nested > 100)
  end)
end)

describe("a queue that ends a job in two writes", function()
  it("is seen to lose one", function()
    local found = failure_of(Forgetful)
    assert.truthy(tostring(found):find("job 1 is lost", 1, true))
    assert.same({ { "enqueue", "a" }, { "work" } }, found.ops)
  end)

  it("is seen to do one twice, the other way round", function()
    local found = failure_of(Repetitive)
    assert.truthy(tostring(found):find("job 1 is done twice", 1, true))
    assert.same({ { "enqueue", "a" }, { "work" } }, found.ops)
  end)

  it("is told by a crash that can be looked at again", function()
    local found = failure_of(Forgetful)
    local ok, again = pcall(T.every_crash, {
      run = life_of(Forgetful), check = check, ops = found.ops,
      at = found.trail,
    })
    assert.is_false(ok)
    assert.equal(found.message, again.message)
  end)
end)
