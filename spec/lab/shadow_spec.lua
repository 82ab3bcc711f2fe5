-- Shadows beside what their stores do: what they foretell is what happens.

local T = require "grainstore.testing"
local agree = require "spec.lab.agree"
local shadowed = require "spec.support.shadowed"

local BOUND = 0.10

local WRITES = shadowed.WRITES
local maker, open, writer = shadowed.maker, shadowed.open, shadowed.writer

-- What a store did from so many writes on, and what its shadows say.
local function run(workload, name, shadow_names, before)
  local env, w = T.env { seed = 1 }, workload[2](WRITES)
  local store <close> = open {
    env = env, policy = maker(name),
    default_ttl_ms = w.ttl_ms > 0 and w.ttl_ms or nil,
  }
  local write, shadows, reports = writer(store, env, w), {}, {}
  write(before)
  for _, one in ipairs(shadow_names) do
    shadows[one] = assert(store:shadow(maker(one)))
  end
  write(WRITES - before)
  for one, shadow in pairs(shadows) do
    reports[one] = shadow:report()
    assert.is_nil(reports[one].problem)
  end
  return reports
end

local function check(found, expected, what)
  assert(math.abs(found / expected - 1) <= BOUND,
    ("%s: %.3f, not %.3f"):format(what, found, expected))
end

describe("a shadow", function()
  local names = { "leveled", "lazy_leveled", "tiered" }

  for _, workload in ipairs(agree.workloads) do
    it("foretells a store under its policy: " .. workload[1], function()
      local reports = {}
      for _, name in ipairs(names) do
        reports[name] = run(workload, name, names, 0)
      end
      for _, name in ipairs(names) do
        for _, other in ipairs(names) do
          check(reports[name][other].shadow.write_amp,
            reports[other][other].store.write_amp,
            ("%s beside %s"):format(other, name))
        end
      end
    end)

    it("agrees with a store that was there before: " .. workload[1], function()
      for _, name in ipairs(names) do
        local report = run(workload, name, { name }, WRITES // 2)[name]
        check(report.shadow.write_amp, report.store.write_amp, name)
      end
    end)
  end

  it("agrees with a store that packs its tables", function()
    local env, w = T.env { seed = 1 }, agree.workloads[1][2](WRITES)
    local store <close> = open {
      env = env, policy = maker "tiered", compression = "lz4",
    }
    local shadow <close> = assert(store:shadow(maker "tiered"))
    writer(store, env, w)(WRITES)
    local report = shadow:report()
    assert.is_true(report.store.write_amp < 1)
    check(report.shadow.write_amp, report.store.write_amp, "packed")
  end)

  it("gives both sides", function()
    local report = run(agree.workloads[1], "leveled", { "tiered" }, 1000).tiered
    assert.equal("tiered/1", report.policy)
    assert.equal("leveled/1", report.store_policy)
    assert.equal(0, report.missing_events)
    assert.is_true(report.flushes > 70)
    assert.is_true(report.user_bytes > 4900 * 4016)
    for _, side in ipairs { report.store, report.shadow } do
      for _, name in ipairs { "write_amp", "space_amp", "read_amp", "runs",
        "tables", "disk_bytes", "flushed_bytes", "merged_bytes", "read_bytes",
        "merges" } do
        assert(side[name] > 0, name)
      end
    end
    assert.is_true(report.shadow.decisions > report.flushes)
    assert.equal(0, report.shadow.refused)
    assert.is_false(report.policy_aside)
    assert.is_nil(report.problem)
    assert.equal("random", report.fit.kind)
    local text = tostring(report)
    assert.truthy(text:find("^tiered/1 after %d+ flushes"))
    assert.truthy(text:find("write amplification +%d+%.%d%d +%d+%.%d%d"))
  end)
end)
