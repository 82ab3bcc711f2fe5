--- Steering a store by hand: a policy that does nothing, merges of the runs one
-- names, waiting until all is done, a look at what is there.
-- @module grainstore.testing.steer

local M = {}

--- A policy that never does anything: flushed runs stay as they are.
M.manual = { name = "manual", pick = function() end }

--- A time that no clock shows while specs run, in milliseconds.
M.FUTURE_MS = 4102444800000

--- Moves a store's time forward by a batch that carries it; for stores on the
-- system's clock.
-- @tparam store store
-- @tparam integer now_ms
function M.advance(store, now_ms)
  local batch <close> = store:batch()
  assert(batch:commit { now_ms = now_ms, meta = "" })
end

--- Every key and value of a scan, as an array of pairs.
-- @param from a store or a snapshot
-- @tparam[opt] table options of the scan
-- @treturn {{key,value},...}
function M.pairs_of(from, options)
  local found = {}
  for key, value in from:scan(options) do
    found[#found + 1] = { key, value }
  end
  return found
end

--- Entries and tombstones of each run, newest first: "2:1 3:0" for two runs.
-- @tparam store store
-- @treturn string
function M.runs(store)
  local parts = {}
  for i, run in ipairs(store:tree().runs) do
    parts[i] = ("%d:%d"):format(run.entries, run.tombstones)
  end
  return table.concat(parts, " ")
end

--- The ids of the tables of a run.
-- @tparam table run of a tree
-- @treturn {integer,...}
function M.ids(run)
  local ids = {}
  for i, t in ipairs(run.tables) do
    ids[i] = t.id
  end
  return ids
end

--- Works, or waits for the workers, until no merge is left.
-- @tparam store store
function M.settle(store)
  while store:tree().running > 0 do
    store:step()
  end
end

--- Merges some of the newest runs into the oldest of them and waits.
-- @tparam store store
-- @tparam integer first counted from the newest
-- @tparam integer last
function M.merge(store, first, last)
  local runs = store:tree().runs
  local inputs = {}
  for i = first, last do
    for _, id in ipairs(M.ids(runs[i])) do
      inputs[#inputs + 1] = id
    end
  end
  assert(store:plan { op = "merge", inputs = inputs, into = runs[last].id })
  M.settle(store)
end

return M
