--- `grainstore repair`
-- @module grainstore.cli.repair

local grainstore = require "grainstore"
local kit = require "grainstore.cli.kit"

local M = {
  name = "repair",
  summary = "Builds a store of all that verifies; the damaged one stays.",
}

function M.arguments(command)
  command:option("--into", "an empty or absent directory")
  command:flag("--dry-run", "only say what could be saved")
  command:option("--kind", "of a store that has lost all that tells it")
    :choices { "bytes", "u32" }
end

-- Keys of a report may be any bytes.
local function plain(report)
  for _, loss in ipairs(report.lost) do
    loss.from = loss.from and kit.show(loss.from)
    loss.to = loss.to and kit.show(loss.to)
  end
  return report
end

local function describe(loss)
  if loss.cause == "manifest" then
    return "the list of tables and logs in use"
  elseif loss.cause == "log" then
    return ("writes of the log from number %d %s"):format(loss.first_seq,
      loss.last_seq and "to " .. loss.last_seq or "on")
  end
  local keys = loss.from == "" and not loss.to and "of any key"
    or ("keys from %s%s"):format(loss.from, loss.to and " to before " .. loss.to
    or " on")
  return ("%s of %s at %d, %d bytes, %s"):format(loss.cause, loss.file,
    loss.offset, loss.bytes, keys)
end

function M.run(args)
  if (args.into ~= nil) == (args.dry_run == true) then
    kit.misuse("give --into or --dry-run")
  end
  local report = plain(kit.check(grainstore.repair(args.path,
    { into = args.into, dry_run = args.dry_run, kind = args.kind })))
  if args.json then
    kit.json(report)
  else
    for _, loss in ipairs(report.lost) do
      kit.print("lost: %s", describe(loss))
    end
    kit.print("%d entries saved%s", report.entries_saved,
      report.uncertain_keys == 0 and "" or (", %d of them perhaps out of date")
      :format(report.uncertain_keys))
  end
  return #report.lost > 0 and kit.DIFFERENT or kit.OK
end

return M
