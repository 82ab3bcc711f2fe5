--- What is open: stores, and the cursors, snapshots and batches of them, with
-- the place in Lua that opened each. For finding what was never closed.
--
-- Stores are noted that were opened with `track_leaks = true`, or while
-- `track(true)` holds.
-- @module grainstore.handles

local M = {}

local is_tracking = false

-- store -> where it was opened; a collected store leaves.
local noted = setmetatable({}, { __mode = "k" })

--- Whether all stores are noted that are opened from now on.
-- @tparam boolean on
function M.track(on)
  is_tracking = on
end

-- Where this library lies.
local HOME = debug.getinfo(1, "S").source:match "^(.*)handles%.lua$"
  or "=grainstore."

-- The first place in a call chain that is not of this library.
local function caller(level)
  local info
  repeat
    level = level + 1
    info = debug.getinfo(level, "Sl")
  until not info
    or info.what ~= "C" and info.source:sub(1, #HOME) ~= HOME
  return info and ("%s:%d"):format(info.short_src, info.currentline) or "?"
end

--- Notes a store that was opened just now, if it is to be noted.
-- @tparam store store
-- @tparam[opt] table options it was opened with
function M.note(store, options)
  local wanted = options and options.track_leaks
  if wanted or wanted == nil and is_tracking then
    store:_track()
    noted[store] = caller(1)
  end
end

--- All noted handles that are open.
-- @treturn table array of { kind = "store" | "cursor" | "snapshot" | "batch",
-- where = "file:line", store = the store }
function M.open()
  local found = {}
  for store, where in pairs(noted) do
    if store:is_open() then
      found[#found + 1] = { kind = "store", where = where, store = store }
      for _, handle in ipairs(store:_handles()) do
        handle.store = store
        found[#found + 1] = handle
      end
    end
  end
  table.sort(found, function(a, b)
    if a.where ~= b.where then return a.where < b.where end
    return a.kind < b.kind
  end)
  return found
end

return M
