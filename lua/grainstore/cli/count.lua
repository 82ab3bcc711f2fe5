--- `grainstore count`
-- @module grainstore.cli.count

local kit = require "grainstore.cli.kit"

local M = { name = "count", summary = "How many keys there are." }

M.arguments = kit.range_options

function M.run(args)
  local store <close> = kit.read(args.path)
  local count = kit.check(store:count(kit.range(store, args)))
  if args.json then
    return kit.json { count = count }
  end
  kit.print("%d", count)
end

return M
