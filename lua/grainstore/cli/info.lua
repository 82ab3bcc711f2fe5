--- `grainstore info`
-- @module grainstore.cli.info

local grainstore = require "grainstore"
local kit = require "grainstore.cli.kit"

local M = { name = "info", summary = "What a directory holds; opens nothing." }

local ORDER = {
  "kind", "format", "seq", "flushed_seq", "entries", "tables", "runs", "bytes",
  "table_bytes", "log_bytes", "clean", "owner",
}

function M.run(args)
  local info = kit.check(grainstore.info(args.path))
  if info.owner and not args.json then
    info.owner = ("process %s, %s"):format(info.owner.pid or "unknown",
      info.owner.program or "unknown")
  end
  kit.fields(args, info, ORDER)
end

return M
