--- The demo's compaction policy: a small one, to be changed and tried again.
--
-- Flushed runs gather on top. Four of them are merged into one run of level 1;
-- when that has grown to a third of the bottom run, both become the new bottom.
-- So a store has at most six runs, and the large one is seldom rewritten.

local TOP_RUNS = 4
local SHARE = 3

local function merge(runs, why)
  local inputs = {}
  for _, run in ipairs(runs) do
    for _, t in ipairs(run.tables) do
      inputs[#inputs + 1] = t.id
    end
  end
  return { op = "merge", inputs = inputs, into = runs[#runs].id, why = why,
           level = math.max(1, runs[#runs].level) }
end

local function pick(tree)
  if tree.running > 0 then return nil end
  local top, rest = tree:level(0), {}
  for _, run in ipairs(tree.runs) do
    if run.level > 0 then rest[#rest + 1] = run end
  end
  if #top >= TOP_RUNS then
    local middle = #rest > 1 and rest[1] or nil
    top[#top + 1] = middle
    return merge(top, #top .. " young runs")
  end
  local middle, bottom = rest[1], rest[2]
  if bottom and middle.bytes * SHARE > bottom.bytes then
    return merge({ table.unpack(tree.runs) }, "the middle has grown")
  end
end

return { name = "demo/1", pick = pick }
