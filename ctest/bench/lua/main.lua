-- The Lua benchmark: what the module costs over C, how a store of it stands
-- beside what a Lua programmer would take instead, and what each policy costs.
-- See --help.

local argparse = require "argparse"
local boundary = require "boundary"
local figures = require "figures"
local groups = require "groups"
local others = require "others"
local picks = require "picks"
local policies = require "policies"

local function integers(text)
  local list = {}
  for number in text:gmatch "%d+" do
    list[#list + 1] = math.tointeger(tonumber(number))
  end
  return list
end

local function words(text)
  local list = {}
  for word in text:gmatch "[%w_]+" do list[#list + 1] = word end
  return list
end

local function options()
  local parser = argparse("bench-lua",
    "Measures the Lua module beside C, a table, SQLite and Redis.")
  local function count(name, help, default)
    parser:option(name, help, default):convert(math.tointeger)
  end
  parser:option("--sizes", "Bytes of values.", "8,40,41,100,1000")
    :convert(integers)
  count("--boundary", "Entries where Lua and C take turns, up to 16000.",
    "1000")
  count("--rounds", "Turns of each of the two.", "15")
  count("--entries", "Entries of the contenders.", "1000000")
  count("--operations", "Operations of a turn of a contender.", "200000")
  count("--repeats", "Turns of each contender.", "5")
  count("--memory-bytes", "Memory of a store.", "402653184")
  count("--memtable-bytes", "Memtable of the policies' stores.", "4194304")
  count("--tables", "Tables of the tree that policies decide about.", "10000")
  count("--seed", "Of what is drawn.", "4711")
  parser:option("--policies", "Only these policies."):convert(words)
  parser:option("--only", "One part.")
    :choices { "boundary", "groups", "others", "policies", "picks" }
  parser:option("--csv", "Write the results there too.")
  parser:option("--dir", "Where stores are made.", ".")
  return parser:parse()
end

local function first_line(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "l" or "?"
end

local function machine()
  return ("%s; %s, %s processors"):format(first_line "uname -srm",
    first_line "sed -n 's/^model name.*: //p' /proc/cpuinfo",
    first_line "nproc")
end

local csv = {}

local function say(title, rows, lines)
  print("\n" .. title .. "\n\n" .. figures.markdown(rows))
  if #lines > 0 then
    print("\n" .. table.concat(lines, "\n"))
  end
  table.move(rows, 1, #rows, #csv + 1, csv)
end

local chosen = options()

local function wants(part)
  return chosen.only == nil or chosen.only == part
end

print(machine())
print(('durability "batch": a killed process loses nothing; %d MiB of memory, '
  .. "seed %d"):format(chosen.memory_bytes >> 20, chosen.seed))
if wants "boundary" then
  local rows, lines = boundary.run(chosen)
  say("The binding: nanoseconds of the thread for an entry, medians of "
    .. chosen.rounds .. " turns", rows, lines)
end
if wants "groups" then
  say("One call for several: nanoseconds of the thread for an entry, medians "
    .. "of " .. chosen.rounds .. " turns", groups.run(chosen, boundary.now), {})
end
if wants "others" then
  local rows, versions, missing = others.run(chosen, boundary.wall)
  for _, name in ipairs(missing) do
    versions[#versions + 1] = "Left out since not installed: " .. name
  end
  say(("Beside others: %d entries, 16-byte keys, 100-byte values, medians of "
    .. "%d turns"):format(chosen.entries, chosen.repeats), rows, versions)
end
if wants "policies" then
  for _, made in ipairs(policies.run(chosen, boundary.wall)) do
    say(("Policies, %s: %d writes, memtables of %d KiB"):format(made.title,
      2 * chosen.entries, chosen.memtable_bytes >> 10), made.rows, {})
  end
end
if wants "picks" then
  local rows, tables = picks.run(chosen, boundary.wall)
  say(("One decision about %d tables: median, and the most memory of Lua")
    :format(tables), rows, {})
end
if chosen.csv then
  local file <close> = assert(io.open(chosen.csv, "w"))
  file:write("# ", machine(), "\n", figures.csv(csv))
end
