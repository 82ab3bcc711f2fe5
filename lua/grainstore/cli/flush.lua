--- `grainstore flush`
-- @module grainstore.cli.flush

local kit = require "grainstore.cli.kit"

local M = {
  name = "flush",
  summary = "Puts what a log still holds into tables.",
}

function M.run(args)
  local store <close> = kit.write(args.path)
  kit.check(store:flush())
  if args.json then
    kit.json { seq = store:seq() }
  end
end

return M
