--- `grainstore checkpoint`
-- @module grainstore.cli.checkpoint

local kit = require "grainstore.cli.kit"

local M = {
  name = "checkpoint",
  summary = "Copies the store into another directory, by links where it can.",
}

function M.arguments(command)
  command:argument("into", "an empty or absent directory")
end

function M.run(args)
  local store <close> = kit.write(args.path)
  local seq = kit.check(store:checkpoint(args.into))
  if args.json then
    return kit.json { seq = seq }
  end
  kit.print("%s holds everything up to %d", args.into, seq)
end

return M
