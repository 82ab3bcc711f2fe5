--- What the commands share: opening stores, ending with a code, printing.
--
-- A command that cannot go on raises a `failure`; `grainstore.cli` prints it
-- and ends with its exit code.
-- @module grainstore.cli.kit

local grainstore = require "grainstore"
local json = require "grainstore.cli.json"
local notation = require "grainstore.cli.notation"

local M = {}

--- Exit codes.
M.OK, M.DIFFERENT, M.USAGE, M.IO, M.DAMAGED, M.REFUSED = 0, 1, 2, 3, 4, 5

local exits = {
  missing = M.DIFFERENT, exists = M.DIFFERENT, kind = M.DIFFERENT,
  mismatch = M.DIFFERENT, misuse = M.USAGE, corrupt = M.DAMAGED,
  readonly = M.REFUSED, refused = M.REFUSED, toolarge = M.REFUSED,
  unsupported = M.REFUSED, version = M.REFUSED,
}

M.Failure = {}

local function fail(message, code)
  error(setmetatable({ message = message, exit = code }, M.Failure), 0)
end

--- Ends the command: something is wrong with its words.
-- @tparam string message
function M.misuse(message)
  fail(message, M.USAGE)
end

--- A word as a count, for options that take one.
-- @tparam string word
-- @treturn integer
-- @return nil, message
function M.count(word)
  local count = math.tointeger(tonumber(word))
  if count and count >= 0 then
    return count
  end
  return nil, ("%q is no number from 0"):format(word)
end

--- The exit code for a code of the module.
-- @tparam string code
-- @treturn integer
function M.exit_of(code)
  return exits[code] or M.IO
end

--- Passes results on, or ends the command as their code says.
-- @param ... what a function of the module returned
function M.check(...)
  local first, message, code = ...
  if first == nil and message ~= nil then
    fail(message, M.exit_of(code))
  end
  return ...
end

--- The store for reading: beside a process that has it open, if need be.
-- @tparam string path
-- @treturn store
function M.read(path)
  return M.check(grainstore.open(path, { readonly = true, create = false }))
end

--- The store for writing.
-- @tparam string path
-- @tparam[opt] table options of open
-- @treturn store
function M.write(path, options)
  local given = { create = false }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return M.check(grainstore.open(path, given))
end

--- A word as a key or value of the store.
-- @tparam store store
-- @tparam string word
-- @treturn string|integer
function M.word(store, word)
  local found, message = notation.parse(word, store:kind())
  if found == nil then
    M.misuse(message)
  end
  return found
end

M.show = notation.show

--- Adds --prefix, --from and --to.
-- @param command of the parser
function M.range_options(command)
  command:option("--prefix", "only keys that begin so")
  command:option("--from", "from this key on")
  command:option("--to", "up to this key, which is left out")
end

--- What they say, for scan, count and compact.
-- @tparam store store
-- @tparam table args
-- @treturn table|nil nil: everything
function M.range(store, args)
  if args.prefix and (args.from or args.to) then
    M.misuse("--prefix goes without --from and --to")
  end
  if args.prefix and store:kind() == "u32" then
    M.misuse("numbers have no prefix")
  end
  local range = {}
  for _, name in ipairs { "prefix", "from", "to" } do
    range[name] = args[name] and M.word(store, args[name])
  end
  return next(range) and range or nil
end

--- Prints a line.
-- @tparam string format
-- @param ...
function M.print(format, ...)
  io.write(format:format(...), "\n")
end

--- Prints a value as JSON, in one line.
-- @param value
function M.json(value)
  io.write(json.encode(value), "\n")
end

--- Prints names and values, or with --json an object of them.
-- @tparam table args
-- @tparam table fields
-- @tparam table order names
function M.fields(args, fields, order)
  if args.json then
    return M.json(fields)
  end
  for _, name in ipairs(order) do
    if fields[name] ~= nil then
      M.print("%-12s %s", name, tostring(fields[name]))
    end
  end
end

return M
