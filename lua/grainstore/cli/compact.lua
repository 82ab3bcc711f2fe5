--- `grainstore compact`
-- @module grainstore.cli.compact

local kit = require "grainstore.cli.kit"

local M = { name = "compact", summary = "Merges all there is, or a range." }

function M.arguments(command)
  kit.range_options(command)
  command:option("--compression", "of the tables that are made")
    :choices { "none", "lz4", "zstd" }:default "none"
end

function M.run(args)
  local store <close> = kit.write(args.path, {
    policy = "manual", compression = args.compression,
  })
  kit.check(store:compact(kit.range(store, args)))
  local tree = store:tree()
  if args.json then
    return kit.json { runs = #tree.runs, bytes = tree.disk.used_bytes }
  end
  kit.print("%d runs, %d bytes", #tree.runs, tree.disk.used_bytes)
end

return M
