-- The Lua benchmark: what the module costs over C, and how a store of it stands
-- beside what a Lua programmer would take instead. See --help.

local argparse = require "argparse"
local boundary = require "boundary"
local figures = require "figures"

local function integers(text)
  local list = {}
  for number in text:gmatch "%d+" do
    list[#list + 1] = math.tointeger(tonumber(number))
  end
  return list
end

local function options()
  local parser = argparse("bench-lua",
    "Measures the Lua module beside C, a table, SQLite and Redis.")
  parser:option("--sizes", "Bytes of values.", "8,40,41,100,1000")
    :convert(integers)
  parser:option("--boundary", "Entries where Lua and C take turns.", "100000")
    :convert(math.tointeger)
  parser:option("--rounds", "Turns of each.", "15"):convert(math.tointeger)
  parser:option("--memory-bytes", "Memory of a store.", "402653184")
    :convert(math.tointeger):target "memory_bytes"
  parser:option("--seed", "Of what is drawn.", "4711"):convert(math.tointeger)
  parser:option("--dir", "Where stores are made.", "."):target "dir"
  return parser:parse()
end

local chosen = options()
local rows, lines = boundary.run(chosen)
print(figures.markdown(rows))
print()
print(table.concat(lines, "\n"))
