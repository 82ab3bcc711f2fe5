--- `grainstore put`
-- @module grainstore.cli.put

local kit = require "grainstore.cli.kit"

local M = { name = "put", summary = "Writes a value under a key." }

function M.arguments(command)
  command:argument("key", "text, 0x… or u32:7")
  command:argument("value", "the same; - reads it from the input")
  command:option("--ttl", "readable for so many milliseconds")
    :convert(kit.count)
  command:flag("--create", "make the store where there is none")
end

function M.run(args)
  local store <close> = kit.write(args.path, { create = args.create or false })
  local key = kit.word(store, args.key)
  local value = args.value == "-" and io.read "a"
    or kit.word(store, args.value)
  local seq = kit.check(store:put(key, value,
    { ttl_ms = args.ttl, sync = true }))
  if args.json then
    kit.json { seq = seq }
  end
end

return M
