--- The tree that a record begins with, for a lab that is to begin with it too.
--
-- An event of a journal tells of each run how many tables, bytes and entries it
-- had, and no more. Random keys are taken to lie all over the keys in every
-- run; keys in order in one run after the other, the oldest first. Where
-- entries expire, the older a run the sooner.
-- @module grainstore.lab.seedling

local M = {}

-- Of a run's tables each is one part of it, from lo to hi of all keys.
local function add_run(tables, run, index, span, like)
  local count = run.tables
  local width = (span.hi - span.lo) / count
  local gones = like.gone * run.entries / count // 1
  local expiring = like.expiring * (run.entries / count - gones) // 1
  for i = 1, count do
    tables[#tables + 1] = {
      run = index, level = run.level, lo = span.lo + (i - 1) * width,
      hi = math.min(span.lo + i * width, 1), kept = like.kept,
      bytes = run.bytes / count // 1, entries = run.entries / count // 1,
      data_bytes = run.bytes / count // 1, tombstones = gones,
      expiring = expiring, min_seq = 1, max_seq = like.max_seq,
      created_ms = like.now_ms,
      oldest_tombstone_ms = gones > 0 and like.now_ms or nil,
      min_expiry_ms = expiring > 0 and like.first_ms or nil,
      max_expiry_ms = expiring > 0 and like.last_ms or nil,
    }
  end
end

-- What is expected of the entries of the run of that index, 0 the newest.
local function likeness(w, index, count, now_ms, max_seq)
  local is_oldest = index == count - 1
  local gone = w.kind == "random" and w.delete_share or 0
  return {
    kept = is_oldest and math.max(0.01, 1 - gone) or 1,
    gone = is_oldest and 0 or gone, expiring = w.expiring_share,
    now_ms = now_ms, max_seq = math.max(1, max_seq),
    first_ms = now_ms + w.ttl_ms * (count - 1 - index) / count // 1,
    last_ms = now_ms + w.ttl_ms * (count - index) / count // 1,
  }
end

--- @tparam table tree of an event, newest run first
-- @tparam table w what is known of the workload: kind, delete_share, ttl_ms,
-- expiring_share (of the values)
-- @tparam number now_ms
-- @tparam number max_seq writes before
-- @treturn table tables, as `core.lab` plants them
-- @treturn number entries of all
function M.new(tree, w, now_ms, max_seq)
  local tables, all, below = {}, 0, 0
  for _, run in ipairs(tree) do all = all + run.entries end
  for i, run in ipairs(tree) do
    local span = { lo = 0, hi = 1 }
    if w.kind ~= "random" then
      span.lo, span.hi = 1 - (below + run.entries) / all, 1 - below / all
      span.lo = math.max(0, span.lo)
    end
    below = below + run.entries
    add_run(tables, run, i - 1, span,
      likeness(w, i - 1, #tree, now_ms, max_seq))
  end
  return tables, all
end

return M
