-- workloads: lives that are named.

local script = require "grainstore.testing.script"
local workloads = require "grainstore.testing.workloads"

describe("the workloads", function()
  it("are twenty-four, each with a name of its own", function()
    local seen = {}
    assert.equal(24, #workloads)
    for _, workload in ipairs(workloads) do
      assert.is_nil(seen[workload.name])
      seen[workload.name] = true
      assert.equal(workload, workloads[workload.name])
    end
  end)

  it("cover every way to be durable, and both kinds", function()
    local seen = {}
    for _, workload in ipairs(workloads) do
      seen[workload.options.durability] = true
      seen[workload.kind] = true
    end
    assert.same({
      sync = true, batch = true, os = true, memory = true, bytes = true,
      u32 = true,
    }, seen)
  end)

  for _, workload in ipairs(workloads) do
    it("hold " .. workload.name .. ", which plays to its end", function()
      assert.is_true(#workload.ops >= 20 and #workload.ops <= 300)
      assert.has_no.errors(function()
        script.play(workload.ops, {
          kind = workload.kind, options = workload.options,
        })
      end)
    end)
  end
end)
