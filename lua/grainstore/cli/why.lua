--- `grainstore why`
-- @module grainstore.cli.why

local grainstore = require "grainstore"
local journal = require "grainstore.journal"
local kit = require "grainstore.cli.kit"
local notation = require "grainstore.cli.notation"

local M = {
  name = "why",
  summary = "What the store merged, dropped, refused and waited for, and why.",
}

function M.arguments(command)
  command:option("--kind", "only these: " .. table.concat(journal.kinds, " "))
    :count("*"):choices(journal.kinds)
  command:option("--since", "only events after this number")
    :convert(kit.count)
  command:option("--limit", "only the newest so many")
    :convert(kit.count)
  command:option("--key", "only what touched tables that may hold the key")
  command:flag("--tree", "with the tree as it was then")
end

local function contains(list, word)
  for _, other in ipairs(list) do
    if other == word then return true end
  end
  return #list == 0
end

-- Which events touched a key is only known from all of them.
local function touching(args)
  local events = kit.check(grainstore.journal(args.path))
  local kind = kit.check(grainstore.info(args.path)).kind
  local key, message = notation.parse(args.key, kind)
  if key == nil then
    kit.misuse(message)
  end
  local chosen = {}
  for _, event in ipairs(journal.touching(events, key)) do
    if event.number > (args.since or 0) and contains(args.kind, event.kind) then
      chosen[#chosen + 1] = event
    end
  end
  return table.move(chosen, math.max(1, #chosen - (args.limit or #chosen) + 1),
    #chosen, 1, {})
end

local function choose(args)
  if args.key then
    return touching(args)
  end
  return kit.check(grainstore.journal(args.path, {
    since = args.since, limit = args.limit,
    kinds = #args.kind > 0 and args.kind or nil,
  }))
end

-- Keys may be any bytes.
local function plain(event)
  for _, t in ipairs(event.outputs or {}) do
    t.min_key, t.max_key = kit.show(t.min_key), kit.show(t.max_key)
  end
  return event
end

function M.run(args)
  for _, event in ipairs(choose(args)) do
    if args.json then
      kit.json(plain(event))
    else
      kit.print("%6d  %s.%03d  %s", event.number,
        os.date("!%Y-%m-%d %H:%M:%S", event.time_ms // 1000),
        event.time_ms % 1000, journal.describe(event))
      if args.tree and #event.tree > 0 then
        kit.print("        %s", (event.runs:gsub("\n", "\n        ")))
      end
    end
  end
end

return M
