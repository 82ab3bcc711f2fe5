-- How long the lab takes for a terabyte: every shipped policy through 10^10
-- writes over 10^10 keys.
--
--   lua5.4 spec/lab/scale.lua [policies…]

local lab = require "grainstore.lab"
local policies = require "grainstore.policy"

local MIB = 1 << 20
local OPTIONS = { leveled = { base_bytes = 256 * MIB } }

local names = #arg > 0 and arg or policies.names
print(("%-14s %7s %8s %8s %7s %6s %6s %9s %7s %7s %9s"):format("policy",
  "writes", "on disk", "live", "write", "space", "read", "decisions", "stalled",
  "took", "in policy"))
for _, name in ipairs(names) do
  local report = lab.run {
    policy = policies[name](OPTIONS[name]), lossy = name == "fifo",
    workload = lab.uniform { keys = 1e10, writes = 1e10, rate = 30000 },
    memtable_bytes = 256 * MIB, table_bytes = 256 * MIB,
  }
  local last = report.history[#report.history]
  print((("%-14s %7.1e %5.2f TB %5.2f TB %7.2f %6.2f %6.2f %9d "
    .. "%5.0f s %5.1f s %7.2f s"))
    :format(name, last.writes, last.disk_bytes / 1e12, last.live_bytes / 1e12,
      report.amp.write, report.amp.space, report.amp.read, report.decisions,
      report.stalls.total_s, report.took_s, report.policy_s))
  io.stdout:flush()
end
