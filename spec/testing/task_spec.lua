-- Calls on tasks of a simulated machine, and who of them goes on.

local grainstore = require "grainstore"
local T = require "grainstore.testing"

describe("a job", function()
  local env, store

  before_each(function()
    env = T.env { tasks = true }
    store = assert(grainstore.open("db",
      { env = env, threads = 1, memory_bytes = 1 << 20 }))
  end)

  after_each(function()
    env:drain()
    store:close()
    env:close()
  end)

  local function finish(job)
    env:drain()
    assert.is_true(job:done())
    return job:result()
  end

  it("gives what the method would have given", function()
    local seq = finish(env:begin(store, "put", "a", "1"))
    assert.equal(store:seq(), seq)
    assert.equal("1", finish(env:begin(store, "get", "a")))
    assert.is_nil(finish(env:begin(store, "get", "b")))
    assert.equal("1", finish(env:begin(store, "take", "a")))
    assert.equal(seq + 2, finish(env:begin(store, "delete", "a")))
    assert.is_true(finish(env:begin(store, "sync")))
    assert.is_true(finish(env:begin(store, "flush")))
    assert.is_true(finish(env:begin(store, "compact", { prefix = "a" })))
    assert.is_true(finish(env:begin(store, "compact")))
  end)

  it("commits the writes of a batch, which is empty then", function()
    local batch <close> = store:batch()
    batch:put("a", "1"):put("b", "2"):delete "c"
    local job = env:begin(store, "commit", batch, { sync = true, meta = "m" })
    assert.equal(0, batch:count())
    batch:put("later", "3")
    local first, last = finish(job)
    assert.equal(2, last - first)
    assert.equal("m", store:meta())
    assert.store(store).same { a = "1", b = "2" }
  end)

  it("fails as the method would have failed", function()
    env:fail { op = "sync", path = "*.wal" }
    local job = env:begin(store, "put", "a", "1", { sync = true })
    env:drain()
    assert.code("io", job.result, job)
  end)

  it("stays at a point until it is released", function()
    env:hold "commit.written"
    local job = env:begin(store, "put", "a", "1", { sync = true })
    env:drain()
    assert.is_false(job:done())
    assert.has_error(function() job:result() end,
      "the job is under way: env:drain() or env:step first")
    local row
    for _, task in ipairs(env:jobs()) do
      row = task.id == job.id and task or row
    end
    assert.same({ id = job.id, name = "put", state = "held",
      place = "commit.written" }, row)
    assert.store(store).lacks "a"
    assert.recovers(env, {})
    env:release "commit.written"
    assert.is_number(finish(job))
    assert.recovers(env, { a = "1" })
  end)

  it("goes step by step", function()
    local job = env:begin(store, "put", "a", "1", { sync = true })
    assert.is_false(job:done())
    local steps = 0
    while env:step(job) do steps = steps + 1 end
    env:drain()
    assert.is_true(steps > 2)
    assert.is_true(job:done())
  end)

  it("keeps its store open", function()
    env:hold "commit.written"
    local job = env:begin(store, "put", "a", "1")
    env:drain()
    assert.has_error(function() store:close() end,
      "jobs of the store are under way: env:drain() first")
    env:release "commit.written"
    finish(job)
  end)

  it("outlives its handle", function()
    env:begin(store, "put", "a", "1")
    collectgarbage()
    collectgarbage()
    env:drain()
    assert.store(store).has("a", "1")
  end)

  it("keeps its result when the store is closed", function()
    assert(store:put("a", ("x"):rep(100)))
    local job = env:begin(store, "get", "a")
    env:drain()
    store:close()
    assert.equal(("x"):rep(100), job:result())
    store = assert(grainstore.open("db", { env = env }))
  end)

  it("is let to its end when all is garbage", function()
    do
      local machine = T.env { tasks = true }
      local other = assert(grainstore.open("db", { env = machine }))
      machine:hold "commit.written"
      machine:begin(other, "put", "a", "1")
      machine:drain()
    end
    collectgarbage()
    collectgarbage()
    assert.store(store).lacks "a"
  end)

  it("is let to its end however many there were before", function()
    local machine <close> = T.env { tasks = true }
    do
      local other = assert(grainstore.open("db",
        { env = machine, memory_bytes = 1 << 20 }))
      for _ = 1, 300 do
        machine:begin(other, "get", "a")
        machine:drain()
      end
      machine:hold "commit.written"
      machine:begin(other, "put", "a", "1")
      machine:drain()
      assert.equal("held", machine:jobs()[#machine:jobs()].state)
    end
    collectgarbage()
    collectgarbage()
    assert.truthy(tostring(machine):find(", 0 open)", 1, true))
  end)

  it("is refused where it makes no sense", function()
    local plain = tmpenv()
    local other <close> = assert(grainstore.open("db", { env = plain }))
    local function refused(text, ...)
      local ok, message = pcall(...)
      assert.is_false(ok)
      assert.truthy(message:find(text, 1, true), message)
    end
    refused("make it with { tasks = true }", plain.begin, plain, other, "sync")
    refused("open on another machine", env.begin, env, other, "sync")
    refused("invalid option 'snyc'", env.begin, env, store, "snyc")
    refused("key must be a string", env.begin, env, store, "put", 5, "x")
    refused("unknown option", env.begin, env, store, "put", "a", "x", { y = 1 })
    refused("no such job", env.step, env, 99)
    local machine <close> = T.env { tasks = true }
    local third <close> = assert(grainstore.open("db",
      { env = machine, memory_bytes = 1 << 20 }))
    local job = env:begin(store, "get", "a")
    refused("one of another env", machine.step, machine, job)
    refused("a seed, an array of choices", env.schedule, env, "x")
    refused("choices are integers from 0", env.schedule, env, { -1 })
    assert.is_true(third:is_open())
  end)
end)

describe("a schedule", function()
  -- Three writers of one key under a schedule: who came last, and the choices.
  local function race(schedule)
    local env <close> = T.env { tasks = true }
    local store <close> = assert(grainstore.open("db",
      { env = env, memory_bytes = 1 << 20 }))
    local jobs = {}
    for i = 1, 3 do
      jobs[i] = env:begin(store, "put", "k", tostring(i))
    end
    env:schedule(schedule)
    env:drain()
    for _, job in ipairs(jobs) do
      assert.is_number(job:result())
    end
    local made = env:choices_made()
    env:schedule(nil)
    return store:get "k", made
  end

  it("is the same for the same seed, and not for all", function()
    local winners = {}
    for seed = 1, 12 do
      local winner, made = race(seed)
      local again, made_again = race(seed)
      assert.equal(winner, again)
      assert.same(made, made_again)
      winners[winner] = true
    end
    assert.is_true(winners["1"] and winners["2"] and winners["3"])
  end)

  it("follows the choices it is given", function()
    local winner, made = race(11)
    local choices = {}
    for i, choice in ipairs(made) do
      choices[i] = choice.chosen
      assert.is_true(choice.chosen < choice.count)
      assert.is_true(choice.running == nil or choice.running < choice.count)
    end
    local again, made_again = race(choices)
    assert.equal(winner, again)
    assert.same(made, made_again)
  end)

  it("is first come, first served beyond its end", function()
    local _, made = race {}
    assert.is_true(#made > 0)
    for _, choice in ipairs(made) do
      assert.equal(choice.running or 0, choice.chosen)
    end
  end)
end)
