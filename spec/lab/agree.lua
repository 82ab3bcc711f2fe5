-- The engine beside the lab: write amplification of every shipped policy on the
-- same workloads, measured and foretold.
--
--   lua5.4 spec/lab/agree.lua [directory [GiB written per run [words…]]]
--
-- Words choose workloads and policies; "recorded" among them replays the
-- journals of the runs under the other policies. The engine's figure is that of
-- one run; the lab's the mean over SEEDS runs, since where runs of equal size
-- meet, a policy's choice hangs on a few bytes.

local lab = require "grainstore.lab"
local measure = require "grainstore.lab.measure"
local policies = require "grainstore.policy"

local SEEDS = 8
local MIB = 1 << 20

local agree = {}

--- Workloads of so many writes of 4016 bytes. Time series and sessions expire
-- after a quarter of the run.
agree.workloads = {
  { "uniform", function(n)
    return lab.uniform { keys = n // 4, writes = n, value_bytes = 4000 }
  end },
  { "zipf", function(n)
    return lab.zipf { keys = n // 2, writes = n, value_bytes = 4000 }
  end },
  { "time_series", function(n)
    return lab.time_series {
      writes = n, value_bytes = 4000, rate = 1000, ttl_ms = n // 4,
    }
  end },
  { "delete_heavy", function(n)
    return lab.delete_heavy { keys = n // 4, writes = n, value_bytes = 4000 }
  end },
  { "sessions", function(n)
    return lab.uniform {
      keys = n // 2, writes = n, value_bytes = 4000, rate = 1000,
      ttl_ms = n // 4,
    }
  end },
  { "queue", function(n)
    return lab.queue { keys = n // 8, writes = n, value_bytes = 4000 }
  end },
}

-- What a policy needs to know of the scale of the run.
local scaled = {
  leveled = function(n, memtable) -- luacheck: ignore n
    return { base_bytes = 4 * memtable }
  end,
  time_window = function(n) return { window_ms = n // 20 } end,
}

--- Every shipped policy, and a decorated one: { name, maker }.
function agree.policies()
  local list = {}
  for _, name in ipairs(policies.names) do
    list[#list + 1] = { name, function(n, memtable)
      return policies[name](scaled[name] and scaled[name](n, memtable))
    end }
  end
  list[#list + 1] = { "expire_first", function(n, memtable)
    return policies.expire_first(policies.time_window(
      scaled.time_window(n, memtable)))
  end }
  list[#list + 1] = { "tombstones_first", function(n)
    return policies.tombstones_first("tiered", { max_age_ms = n // 8 })
  end }
  return list
end

--- The lab's write amplification, the mean over seeds.
-- @tparam table options policy, workload, memtable_bytes (nil: the record's),
-- table_bytes, lossy, seeds
-- @treturn number
function agree.foretell(options)
  local sum, seeds = 0, options.seeds or SEEDS
  for seed = 1, seeds do
    sum = sum + lab.run {
      policy = options.policy, workload = options.workload, seed = seed,
      memtable_bytes = options.memtable_bytes,
      table_bytes = options.table_bytes, instant = true, log = false,
      samples = 4, lossy = options.lossy,
    }.amp.write
  end
  return sum / seeds
end

--- One cell: the policy on the workload in both.
-- @tparam table options policy, workload, memtable_bytes, path, env
-- @treturn table engine and lab (write amplification), off (their difference as
-- a share of the engine's), measured (all figures of the engine)
function agree.cell(options)
  local mean = agree.foretell {
    policy = options.policy, workload = options.workload,
    memtable_bytes = options.memtable_bytes,
    table_bytes = options.memtable_bytes, lossy = options.lossy,
    seeds = options.seeds,
  }
  local measured = measure {
    path = options.path, env = options.env, policy = options.policy,
    workload = options.workload, memtable_bytes = options.memtable_bytes,
    table_bytes = options.memtable_bytes, lossy = options.lossy,
  }
  return {
    engine = measured.write_amp, lab = mean,
    off = mean / measured.write_amp - 1, measured = measured,
  }
end

local function chosen(words, name)
  return not next(words) or words[name]
end

local function any_of(words, list)
  local found = {}
  for _, one in ipairs(list) do
    if words[one[1]] then found[one[1]] = true end
  end
  return found
end

-- The journal of each run, replayed under every policy.
local function replay(workload, runs, n)
  for _, source in ipairs(runs) do
    local record = assert(lab.recorded { events = source.measured.journal })
    for _, run in ipairs(runs) do
      local found = agree.foretell {
        policy = run.policy[2](n, 4 * MIB), workload = record,
        table_bytes = 4 * MIB, lossy = run.policy[1] == "fifo",
      }
      print(("%-13s %-17s %8.3f %8.3f %+7.1f%% recorded under %s"):format(
        workload[1], run.policy[1], run.measured.write_amp, found,
        100 * (found / run.measured.write_amp - 1), source.policy[1]))
    end
  end
end

local function main(directory, gib, ...)
  local n = (tonumber(gib) or 2) * 1024 * MIB // 4016
  local words = {}
  for _, word in ipairs { ... } do words[word] = true end
  local list = agree.policies()
  local workloads, wanted = any_of(words, agree.workloads), any_of(words, list)
  print(("%-13s %-17s %8s %8s %8s %12s %9s"):format("workload", "policy",
    "engine", "lab", "off", "written", "took"))
  for _, workload in ipairs(agree.workloads) do
    local runs = {}
    for _, policy in ipairs(list) do
      if chosen(workloads, workload[1]) and chosen(wanted, policy[1]) then
        local began = os.time()
        local cell = agree.cell {
          policy = policy[2](n, 4 * MIB), workload = workload[2](n),
          memtable_bytes = 4 * MIB, path = directory,
          lossy = policy[1] == "fifo",
        }
        print(("%-13s %-17s %8.3f %8.3f %+7.1f%% %8.2f GiB %7d s"):format(
          workload[1], policy[1], cell.engine, cell.lab, 100 * cell.off,
          cell.measured.user_bytes / 2 ^ 30, os.difftime(os.time(), began)))
        io.stdout:flush()
        runs[#runs + 1] = { policy = policy, measured = cell.measured }
      end
    end
    if words.recorded then replay(workload, runs, n) end
  end
end

if arg and arg[0] and arg[0]:find "agree%.lua$" then
  main(arg[1] or "agree-store", table.unpack(arg, 2))
end

return agree
