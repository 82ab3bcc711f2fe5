--- `grainstore compact`
-- @module grainstore.cli.compact

local kit = require "grainstore.cli.kit"

local M = { name = "compact", summary = "Merges all there is, or a range." }

M.arguments = kit.range_options

function M.run(args)
  local store <close> = kit.write(args.path, { policy = "manual" })
  kit.check(store:compact(kit.range(store, args)))
  local tree = store:tree()
  if args.json then
    return kit.json { runs = #tree.runs, bytes = tree.disk.used_bytes }
  end
  kit.print("%d runs, %d bytes", #tree.runs, tree.disk.used_bytes)
end

return M
