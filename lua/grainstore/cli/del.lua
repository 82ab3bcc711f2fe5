--- `grainstore del`
-- @module grainstore.cli.del

local kit = require "grainstore.cli.kit"

local M = { name = "del", summary = "Deletes a key." }

function M.arguments(command)
  command:argument("key", "text, 0x… or u32:7")
end

function M.run(args)
  local store <close> = kit.write(args.path)
  local value = kit.check(store:take(kit.word(store, args.key),
    { sync = true }))
  if args.json then
    kit.json { deleted = value ~= nil }
  end
  return value == nil and kit.DIFFERENT or kit.OK
end

return M
