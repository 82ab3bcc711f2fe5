--- `grainstore verify`
-- @module grainstore.cli.verify

local grainstore = require "grainstore"
local kit = require "grainstore.cli.kit"

local M = {
  name = "verify",
  summary = "Reads every byte and checks it; opens nothing.",
}

function M.arguments(command)
  command:flag("--shallow", "pass over the blocks of tables")
end

local function print_report(report)
  for _, file in ipairs(report.files) do
    kit.print("%-8s %-8s %12d  %s%s", file.state, file.kind, file.bytes,
      file.name, file.problem and ": " .. file.problem or "")
  end
  kit.print("%d problems, %d torn, %d bytes, %d entries in tables",
    report.problems, report.torn, report.bytes, report.entries)
end

function M.run(args)
  local report, message, code, detail =
    grainstore.verify(args.path, { deep = not args.shallow })
  if not report and code == "corrupt" then
    report = detail.report
  end
  kit.check(report, message, code)
  if args.json then
    kit.json(report)
  else
    print_report(report)
  end
  return report.problems > 0 and kit.DAMAGED or kit.OK
end

return M
