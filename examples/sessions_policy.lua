--- For sessions, entries that all expire after about the same time: the oldest
-- run is dropped whole, unread, when the last session in it is over. Merged are
-- only, while there are more than `most` runs, the two neighbours that are
-- smallest together.
return function(options)
  local most = options and options.most or 16

  local function pick(tree)
    local runs, view = tree.runs, tree.oldest_view
    local last, best = #runs, 2
    if last == 0 or tree.running > 0 then return nil end
    local seen_ms = tree.now_ms - (view and view.age_ms or 0)
    if #tree:dead(runs[last], seen_ms) == #runs[last].tables then
      return { op = "drop", inputs = tree:ids(last, last), why = "all over" }
    elseif last <= most then return nil end
    local function bytes(i) return runs[i - 1].bytes + runs[i].bytes end
    for i = 3, last do
      if bytes(i) < bytes(best) then best = i end
    end
    return { op = "merge", inputs = tree:ids(best - 1, best),
      into = runs[best].id, why = ("%d runs"):format(last) }
  end
  return { name = "sessions/1", pick = pick }
end
