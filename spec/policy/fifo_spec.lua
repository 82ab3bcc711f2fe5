-- fifo: shape in, plan out, and a store that stays within its bounds.

local T = require "grainstore.testing"
local fifo = require "grainstore.policy.fifo"
local grainstore = require "grainstore"

describe("fifo", function()
  -- `written` are the times of the runs.
  local function decide(text, options, written, facts)
    local tree = T.tree(text, facts)
    for i, run in ipairs(tree.runs) do
      for _, t in ipairs(run.tables) do
        t.created_ms = written and written[i] or 0
      end
    end
    return T.plan_text(fifo(options).pick(tree))
  end

  it("drops the oldest runs while there are too many bytes", function()
    local text = ("L1 a-z:100\n"):rep(4)
    assert.equal("nothing", decide(text, { max_bytes = 400 }))
    assert.equal("drop 4", decide(text, { max_bytes = 399 }))
    assert.equal("drop 3 4", decide(text, { max_bytes = 200 }))
    assert.equal("drop 2 3 4", decide(text, { max_bytes = 1 }))
  end)

  it("drops what nothing was written to for too long", function()
    local text = ("L1 a-z:100\n"):rep(3)
    local function at(now_ms)
      return decide(text, { max_age_ms = 50 }, { 120, 110, 100 },
        { now_ms = now_ms })
    end
    assert.equal("nothing", at(149))
    assert.equal("drop 3", at(150))
    assert.equal("drop 2 3", at(1000))
  end)

  it("drops nothing that a snapshot or a job has", function()
    assert.equal("nothing", decide(("L1 a-z:100\n"):rep(3), { max_bytes = 1 },
      nil, { oldest_view = { seq = 1, age_ms = 0 } }))
    assert.equal("drop 3", decide([[
      L1 a-z:100
      L1 a-z:100*
      L1 a-z:100
    ]], { max_bytes = 1 }))
  end)

  it("merges neighbours of similar size, and a full part once", function()
    assert.equal("nothing", decide(("L0 a-z:10\n"):rep(3)))
    assert.equal("merge 1 2 3 4 into 104 as L0",
      decide(("L0 a-z:10\n"):rep(4)))
    assert.equal("merge 1 2 into 102 as L1", decide([[
      L0 a-z:50
      L0 a-z:50
      L1 a-z:100
    ]], { max_bytes = 800 }))
    assert.equal("nothing", decide(("L1 a-z:100\n"):rep(6),
      { max_bytes = 800 }))
  end)

  it("joins what others left, up to a part and within an eighth of the age",
    function()
      assert.equal("merge 1 2 3 4 5 6 into 106 as L1",
        decide(("L1 a-z:10\n"):rep(6)))
      assert.equal("merge 2 3 into 103 as L1", decide([[
        L1 a-z:90
        L2 a-z:40
        L2 a-z:60
        L3 a-z:10
      ]], { max_bytes = 800 }))
      local function at(now_ms)
        return decide("L1 a-z:10\nL1 a-z:10", { max_age_ms = 80 },
          { 109, 100 }, { now_ms = now_ms })
      end
      assert.equal("merge 1 2 into 102 as L1", at(110))
      assert.equal("nothing", at(111))
    end)

  it("closes what began an eighth of the age ago", function()
    local function at(now_ms)
      return decide("L0 a-z:10\nL0 a-z:10", { max_age_ms = 80 }, { 109, 100 },
        { now_ms = now_ms })
    end
    assert.equal("nothing", at(109))
    assert.equal("merge 1 2 into 102 as L1", at(110))
  end)

  it("comes to rest, and is refused nothing by a lossy store", function()
    local found = T.check_policy(fifo { max_bytes = 100000 }, {
      trees = 50, real = 10,
    })
    assert.is_true(found.steps > 0)
  end)

  it("is not put in charge of a store that may lose nothing", function()
    local env = T.env()
    local store, message, code = grainstore.open("cache", {
      env = env, policy = "fifo",
    })
    assert.is_nil(store)
    assert.equal("policy", code)
    assert.is_truthy(message:find("lossy = true", 1, true))
    local safe <close> = assert(grainstore.open("cache", { env = env }))
    assert.equal("policy", select(3, safe:set("policy", "fifo")))
    assert.equal("policy", select(3, safe:set("policy",
      require "grainstore.policy".expire_first "fifo")))
  end)

  it("keeps a store within its bytes, and what it keeps is the newest",
    function()
      local env = T.env()
      local store <close> = assert(grainstore.open("cache", {
        env = env, policy = fifo { max_bytes = 200000 }, lossy = true,
        memtable_bytes = 16384,
      }))
      for i = 1, 5000 do
        store:put(("%06d"):format(i), ("v"):rep(100))
        store:step()
        assert.is_true(store:stats().tables.bytes < 260000)
      end
      assert.is_true(store:stats().jobs.drops > 0)
      local count = store:count()
      assert.is_true(count > 1000 and count < 2500, count)
      local first = ("%06d"):format(5001 - count)
      assert.equal(count, store:count { from = first })
      assert(store:verify())
    end)
end)
