--- `grainstore ttl`
-- @module grainstore.cli.ttl

local kit = require "grainstore.cli.kit"

local M = {
  name = "ttl",
  summary = "How many milliseconds a key has left, or never.",
}

function M.arguments(command)
  command:argument("key", "text, 0x… or u32:7")
end

function M.run(args)
  local store <close> = kit.read(args.path)
  local left = kit.check(store:ttl(kit.word(store, args.key)))
  if left == nil then
    return kit.DIFFERENT
  end
  if args.json then
    return kit.json { ttl_ms = left }
  end
  kit.print("%s", left == math.huge and "never" or left)
end

return M
