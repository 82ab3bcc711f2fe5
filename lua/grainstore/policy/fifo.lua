--- First in, first out: a bounded store that loses what is oldest.
--
-- When all runs together take more than `max_bytes`, or nothing in the oldest
-- was written in the last `max_age_ms`, it is dropped unread, live entries
-- included: so this is for a store opened with `lossy = true`, such as a cache
-- or a log of which only the end matters. The newest run always stays, and
-- while a snapshot is open nothing is dropped.
--
-- Flushed runs gather in level 0. Those of an eighth of `max_bytes` become one
-- run of level 1, as do those that began an eighth of `max_age_ms` ago; it is
-- not merged again, so its age is right within an eighth. Before that,
-- `width` neighbours of similar size are merged, so that there are few. Small
-- runs that others left are joined, up to an eighth of bytes and of age.
--
-- Write amplification about 2 + log_width(max_bytes / 8 / memtable); reads look
-- at about 8 runs and a few of level 0; space at most max_bytes and a memtable.
-- Source: the first-in-first-out style of RocksDB.

local check = require "grainstore.policy.options"
local tables = require "grainstore.policy.tables"

local DEFAULTS = { max_bytes = 1 << 30, max_age_ms = math.huge, width = 4 }
local PARTS = 8
local CLOSED = 1
local MAX_INPUTS = 4096

-- When the run was written.
local function written_ms(tree, run)
  return (select(2, tree:written(run)))
end

-- The newest of the oldest runs that go; nil: none of them does.
local function last_to_stay(tree, o)
  local runs, bytes = tree.runs, tables.bytes(tree.runs, 1, #tree.runs)
  local first, inputs = nil, 0
  for i = #runs, 2, -1 do
    inputs = inputs + #runs[i].tables
    local is_old = written_ms(tree, runs[i]) + o.max_age_ms <= tree.now_ms
    if bytes <= o.max_bytes and not is_old or inputs > MAX_INPUTS
      or not tree:is_idle(i, i) then
      break
    end
    first, bytes = i, bytes - runs[i].bytes
  end
  return first
end

local function drop(tree, o)
  local first = not tree.oldest_view and last_to_stay(tree, o)
  return first and {
    op = "drop", inputs = tree:ids(first, #tree.runs),
    why = ("%d runs are the oldest"):format(#tree.runs - first + 1),
  }
end

-- Closes level 0, or merges some of it.
local function gather(tree, o)
  local runs, young = tree.runs, #tree:level(0)
  if young < 2 or runs[young].level ~= 0 then return nil end
  local is_full = tables.bytes(runs, 1, young) >= o.max_bytes / PARTS
  local is_over = written_ms(tree, runs[young]) + o.max_age_ms / PARTS
    <= tree.now_ms
  if (is_full or is_over) and tree:is_idle(1, young) then
    return tables.merge_runs(tree, 1, young, CLOSED, "a part is full")
  end
  local from, to = tables.full_tier(tree, 1, young, o.width, 2)
  return from and tables.merge_runs(tree, from, to, 0,
    ("%d runs of similar size"):format(to - from + 1))
end

-- The last of the runs from `first` on that together are no more than a part.
local function end_of_part(tree, o, first)
  local runs, last, bytes, inputs = tree.runs, first - 1, 0, 0
  while last < #runs do
    local run = runs[last + 1]
    bytes, inputs = bytes + run.bytes, inputs + #run.tables
    local is_young = tree:written(run) + o.max_age_ms / PARTS >= tree.now_ms
    if bytes > o.max_bytes / PARTS or inputs > MAX_INPUTS or not is_young
      or not tree:is_idle(last + 1, last + 1) then
      break
    end
    last = last + 1
  end
  return last
end

local function join(tree, o)
  local first = 1
  while tree.runs[first] and tree.runs[first].level == 0 do
    first = first + 1
  end
  for i = first, #tree.runs - 1 do
    local last = end_of_part(tree, o, i)
    if last > i then
      return tables.merge_runs(tree, i, last, CLOSED, "less than a part")
    end
  end
end

return function(options)
  local o = check("fifo", options, DEFAULTS, { width = 2 })
  local function pick(tree)
    local dropped, gathered = drop(tree, o), gather(tree, o) or join(tree, o)
    return dropped and tables.before(dropped, gathered) or gathered
  end
  return { name = "fifo/1", pick = pick, loses = true }
end
