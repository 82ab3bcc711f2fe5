--- Workloads: what is written, in what order, and how fast.
--
--     uniform       every key is as likely as any other
--     zipf          the key of rank i is written in proportion to i^-skew
--     sequential    keys rise, and begin anew after the last
--     time_series   keys rise for ever and expire `ttl_ms` after
--     queue         keys are inserted at the end; once `keys` are there, every
--                   second write deletes the oldest
--     delete_heavy  uniform, and half of the writes delete
--
-- A workload is a plain table: for the lab, which takes it as numbers, and for
-- `writes`, which makes the same writes for a store that has bytes.
-- @module grainstore.lab.workload

local check = require "grainstore.lab.options"

local M = {}

local COMMON = {
  keys = 1000000, writes = 10000000, key_bytes = 16, value_bytes = 100,
  ttl_ms = 0, delete_share = 0, rate = 0,
}

-- What all of them have, and what may be absent.
local NUMBERS = {
  { "keys" }, { "writes" }, { "key_bytes" }, { "value_bytes", 0 },
  { "ttl_ms", 0 }, { "delete_share", 0 }, { "rate", 0 },
}

local function text_of(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function with(own)
  return setmetatable(own, { __index = COMMON, __pairs = function(t)
    local all = {}
    for name, value in pairs(COMMON) do all[name] = value end
    for name, value in next, t do all[name] = value end
    return next, all
  end })
end

local function maker(name, kind, own)
  local defaults = {}
  for option, value in pairs(with(own)) do defaults[option] = value end
  return function(options, level)
    local made = check("workload '" .. name .. "'", options, defaults, level)
    made.name, made.kind = name, kind
    return made
  end
end

-- For those who call it: whom to blame is not theirs to say.
local function public(make)
  return function(options)
    local made = make(options, 4)
    return made
  end
end

M.uniform = public(maker("uniform", "random", {}))
M.zipf = public(maker("zipf", "random", { skew = 0.99 }))
M.delete_heavy = public(maker("delete_heavy", "random", { delete_share = 0.5 }))
M.sequential = public(maker("sequential", "sequence", {}))
M.queue = public(maker("queue", "queue", {}))

local series = maker("time_series", "sequence", {
  ttl_ms = 3600000, rate = 1000,
})

--- @tparam table options `keys` follows from `writes`: no key comes twice
function M.time_series(options)
  if type(options) == "table" and options.keys then
    error("workload 'time_series' has no option 'keys': no key comes twice", 2)
  end
  local made = series(options, 4)
  made.keys = made.writes
  return made
end

local KINDS = { queue = true, random = true, sequence = true }

--- Says what keeps a value from being a workload, whoever made it.
-- @treturn ?string the end of a message; nil: it is one
function M.problem(w)
  if type(w) ~= "table" or not w.kind then
    return " takes a workload, as lab.uniform { … } makes one"
  end
  if not KINDS[w.kind] then
    return (": 'kind' is %s; it is queue, random or sequence"):format(
      text_of(w.kind))
  end
  for _, field in ipairs(NUMBERS) do
    local name, default = table.unpack(field)
    local value = w[name] or default
    if type(value) ~= "number" or value < 0 or value ~= value then
      return (": '%s' is a number from 0, got %s; lab.uniform { … } makes a "
        .. "whole one"):format(name, text_of(value))
    end
  end
end

--- Names of all workloads.
M.names = {
  "delete_heavy", "queue", "sequential", "time_series", "uniform", "zipf",
}

return M
