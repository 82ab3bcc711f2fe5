--- `grainstore scan`
-- @module grainstore.cli.scan

local kit = require "grainstore.cli.kit"

local M = {
  name = "scan",
  summary = "Keys and values in order, a tab between them.",
}

function M.arguments(command)
  kit.range_options(command)
  command:option("--limit", "so many at most"):convert(kit.count)
  command:flag("--reverse", "from the last key on")
  command:flag("--keys", "without the values")
end

function M.run(args)
  local store <close> = kit.read(args.path)
  local options = kit.range(store, args) or {}
  options.limit, options.reverse = args.limit, args.reverse
  options.keys_only = args.keys
  for key, value in store:scan(options) do
    if args.json then
      kit.json { key = kit.show(key),
        value = not args.keys and kit.show(value) or nil }
    elseif args.keys then
      kit.print("%s", kit.show(key))
    else
      kit.print("%s\t%s", kit.show(key), kit.show(value))
    end
  end
end

return M
