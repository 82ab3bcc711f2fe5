--- `grainstore get`
-- @module grainstore.cli.get

local kit = require "grainstore.cli.kit"

local M = { name = "get", summary = "The value under a key." }

function M.arguments(command)
  command:argument("key", "text, 0x… or u32:7")
  command:flag("--raw", "the bytes themselves, and no line end")
end

function M.run(args)
  local store <close> = kit.read(args.path)
  local key = kit.word(store, args.key)
  local value = kit.check(store:get(key))
  if value == nil then
    return kit.DIFFERENT
  end
  if args.json then
    kit.json { key = kit.show(key), value = kit.show(value) }
  elseif args.raw then
    io.write(value)
  else
    kit.print("%s", kit.show(value))
  end
end

return M
