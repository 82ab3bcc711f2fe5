--- The command line program `grainstore`.
--
-- Each command is a module `grainstore.cli.<name>` with name, summary,
-- arguments(command) and run(args), which returns an exit code or nothing.
-- Commands read beside a process that has the store open, unless they must
-- write. Exit codes: 0 well, 1 not found or different, 2 wrong words, 3 the
-- system or another process, 4 damage, 5 refused.
-- @module grainstore.cli

local grainstore = require "grainstore"
local kit = require "grainstore.cli.kit"

local M = {}

--- The commands.
M.commands = {
  "info", "stats", "levels", "why",
  "get", "put", "del", "scan", "count", "ttl",
  "verify", "repair", "checkpoint", "compact", "flush",
}

local EPILOG = [[
Keys and values are text, 0x00ff for bytes, u32:7 for numbers.
Exit codes: 0 well, 1 not found or different, 2 wrong words,
3 the system or another process, 4 damage, 5 refused.]]

local function add_command(parser, name)
  local module = require("grainstore.cli." .. name)
  local command = parser:command(name, module.summary)
  command:argument("path", "the directory of the store")
  if module.arguments then
    module.arguments(command)
  end
  command:flag("--json", "the answer as JSON, a line for each thing")
  return module
end

local function make_parser(argparse)
  local parser = argparse("grainstore", "Looks into GrainStore directories.",
    EPILOG)
  local modules = {}
  parser:flag("--version", "which one this is")
    :action(function()
      io.write("grainstore ", grainstore._VERSION, ", format ",
        grainstore.FORMAT, "\n")
      os.exit(0, true)
    end)
  parser:command_target "command"
  for _, name in ipairs(M.commands) do
    modules[name] = add_command(parser, name)
  end
  return parser, modules
end

local function complain(message)
  io.stderr:write("grainstore: ", message, "\n")
end

-- Failures of loops are objects with a code; of the module they are texts.
local function explain(problem)
  if getmetatable(problem) == kit.Failure then
    return problem.message, problem.exit
  end
  if type(problem) == "table" then
    return problem.message, kit.exit_of(problem.code)
  end
  return tostring(problem), kit.USAGE
end

--- Runs the program.
-- @tparam table words of the command line
-- @treturn integer exit code
function M.main(words)
  local has_argparse, argparse = pcall(require, "argparse")
  if not has_argparse then
    complain "needs the library argparse (Debian: lua-argparse)"
    return kit.USAGE
  end
  local parser, modules = make_parser(argparse)
  local is_right, args = parser:pparse(words)
  if not is_right then
    complain(args .. "; see grainstore --help")
    return kit.USAGE
  end
  local is_done, code = pcall(modules[args.command].run, args)
  if is_done then
    return code or kit.OK
  end
  local message, exit = explain(code)
  complain(message)
  return exit
end

return M
