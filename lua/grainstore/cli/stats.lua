--- `grainstore stats`
-- @module grainstore.cli.stats

local kit = require "grainstore.cli.kit"

local M = {
  name = "stats",
  summary = "What opening the store took, and its sizes.",
}

function M.run(args)
  local store <close> = kit.read(args.path)
  local stats = store:stats()
  if args.json then
    return kit.json(stats)
  end
  kit.print("%s", tostring(stats))
end

return M
