-- time_window: shape in, plan out.

local time_window = require "grainstore.policy.time_window"
local T = require "grainstore.testing"

describe("time_window", function()
  -- `flushed` are the times of the runs; the windows are of 100 ms.
  local function decide(text, flushed, now_ms, windows)
    local tree = T.tree(text, { now_ms = now_ms })
    for i, run in ipairs(tree.runs) do
      for _, t in ipairs(run.tables) do t.created_ms = flushed[i] end
    end
    local policy = time_window {
      window_ms = 100, windows = windows or 3, width = 3,
    }
    return T.plan_text(policy.pick(tree))
  end

  it("merges tiers of the present window only", function()
    assert.equal("nothing", decide("", {}, 550))
    assert.equal("nothing",
      decide(("L0 a-z:10\n"):rep(3), { 520, 510, 490 }, 550))
    assert.equal("merge 1 2 3 into 103 as L0",
      decide(("L0 a-z:10\n"):rep(4), { 530, 520, 510, 490 }, 550))
  end)

  it("makes one run of a window that is over", function()
    assert.equal("merge 2 3 into 103 as L1",
      decide(("L0 a-z:10\n"):rep(4), { 530, 490, 410, 310 }, 550))
  end)

  it("leaves windows alone that are one run already", function()
    assert.equal("nothing", decide([[
      L0 a-z:10
      L1 a-z:10
      L1 a-z:10
      L0 a-z:10
    ]], { 530, 520, 520, 310 }, 550, 4))
  end)

  it("merges old windows of similar size", function()
    local text = [[
      L0 a-z:10
      L1 a-z:10
      L1 a-z:10
      L1 a-z:10
      L1 a-z:10
      L1 a-z:10
    ]]
    local times = { 530, 500, 400, 300, 200, 100 }
    assert.equal("merge 5 6 into 106 as L2", decide(text, times, 550))
    assert.equal("nothing", decide(text, times, 550, 4))
    assert.equal("nothing", decide(text:gsub("10\n%s+$", "30\n"), times, 550))
  end)

  it("waits for jobs", function()
    assert.equal("nothing",
      decide("L0 a-z:10\nL0 a-z:10\nL0 a-z:10*", { 530, 490, 410 }, 550))
  end)

  it("takes a flush of the future for one of now", function()
    assert.equal("nothing", decide("L0 a-z:9\nL0 a-z:9", { 999, 998 }, 550))
  end)

  it("has a name and options that are checked", function()
    assert.equal("time_window/1", time_window().name)
    assert.error_matches(function() time_window { windows_ms = 3 } end,
      "no option 'windows_ms', did you mean 'window_ms'?", nil, true)
  end)
end)
