--- For sessions, entries that all expire after about the same time: the oldest
-- run is dropped whole, unread, when the last session in it is over. While
-- there are more than `most` runs, the four neighbours that are smallest
-- together become one.
return function(options)
  local most = math.max(options and options.most or 16, 4)
  local function pick(tree)
    local runs, view, last = tree.runs, tree.oldest_view, #tree.runs
    if last == 0 or tree.running > 0 then return nil end
    local seen_ms = tree.now_ms - (view and view.age_ms or 0)
    if #tree:dead(runs[last], seen_ms) == #runs[last].tables then
      return { op = "drop", inputs = tree:ids(last, last), why = "all over" }
    elseif last <= most then return nil end
    local best, least = nil, math.huge
    for i = 4, last do
      local bytes = 0
      for k = i - 3, i do bytes = bytes + runs[k].bytes end
      if bytes < least then best, least = i, bytes end
    end
    return { op = "merge", inputs = tree:ids(best - 3, best),
      into = runs[best].id, why = ("%d runs"):format(last) }
  end
  return { name = "sessions/1", pick = pick }
end
