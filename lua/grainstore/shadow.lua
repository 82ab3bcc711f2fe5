--- A second policy beside a store's own: what would it have cost?
--
-- A shadow reads the store's journal at safe points of the handle that made it,
-- and keeps a virtual tree (see lab/mirror) in which its policy decides. The
-- store is only looked at. While the policy is at work the handle cannot be
-- used, as with a policy in charge; it has the same budget.
--
--     local shadow <close> = assert(store:shadow "tiered")
--     …
--     print(shadow:report())
--
-- A report is plain data that prints itself:
--
--     { policy = "tiered/1", flushes = 12, user_bytes =,   since it began
--       store = side, shadow = side,   shadow is nil while it waits for the
--                                      first flushes
--       missing_events = 0,   lost before they were read: neither side has them
--       fit = { kind =, keys =, points =, off =, reach = },   see lab.recorded
--       policy_error =, policy_aside =,   what was wrong with its answers last
--       problem = }             why the shadow ended before its time
--     side: write_amp, read_amp (as in `store:tree().amp`), space_amp (bytes
--       of tables for each byte that a perfect store would hold),
--       flushed_bytes, merged_bytes, read_bytes (by merges), disk_bytes, runs,
--       tables, merges, moves, drops; of the shadow also decisions, refused,
--       lapsed (plans that were no longer right in the end), policy_errors and
--       policy_s
-- @module grainstore.shadow

local driver = require "grainstore.driver"
local mirrors = require "grainstore.lab.mirror"
local text = require "grainstore.shadow_text"
local tree = require "grainstore.tree"

local M = {}

local Shadow = {}
Shadow.__index = Shadow
Shadow.__name = "grainstore.shadow"

local HISTORY = 4096 -- events that the keys are fitted to at first
local MOST = 8       -- decisions of a shadow at one safe point
local TRIES = 64     -- to find a moment at which no job ends

-- store -> set of its shadows; what is collected leaves.
local shadows = setmetatable({}, { __mode = "k" })

-- ---- following the store ----------------------------------------------------

-- At most so many decisions, or all; returns whether there is more to do.
local function follow(shadow, most)
  local store, mirror = shadow.store, shadow.mirror
  local events, message = store:_journal {
    since = shadow.number, in_memory = true,
  }
  shadow.unread = not events and message or nil
  events = events or {}
  local ok, more = pcall(store._bar, store, function()
    shadow.is_busy = true -- here, where what fails is caught
    shadow.number = #events > 0 and events[#events].number or shadow.number
    for _, event in ipairs(events) do mirror:add(event) end
    return mirror:work(most)
  end)
  shadow.is_busy = false
  if not ok then mirror.problem = tostring(more) end
  return ok and more
end

local function by_age(a, b) return a.order < b.order end

local function tell(store)
  local list, more = {}, false
  for shadow in pairs(shadows[store]) do list[#list + 1] = shadow end
  if #list == 0 then store:_watch(nil) end
  table.sort(list, by_age)
  for _, shadow in ipairs(list) do more = follow(shadow, MOST) or more end
  return more
end

local last_order = 0

local function enter(shadow)
  local store = shadow.store
  shadows[store] = shadows[store] or setmetatable({}, { __mode = "k" })
  shadows[store][shadow] = true
  last_order = last_order + 1
  shadow.order = last_order
  store:_watch(tell)
end

local function leave(shadow)
  local store = shadow.store
  shadows[store][shadow] = nil
  if not next(shadows[store]) and store:is_open() then store:_watch(nil) end
end

-- ---- beginning --------------------------------------------------------------

-- The journal and the tree of one moment.
local function look(store)
  for _ = 1, TRIES do
    local noted = store:_noted()
    local events, message, code, detail = store:_journal { limit = HISTORY }
    if not events then return nil, message, code, detail end
    local shape
    shape, message, code, detail = store:_shape(true)
    if not shape then return nil, message, code, detail end
    if store:_noted() == noted then return events, tree.new(shape) end
    tree.close(shape)
  end
  return nil, "jobs end all the time: no moment to begin at was found", "busy",
    {}
end

local function load_module(value)
  if type(value.module) ~= "string" then
    error("a shadow's policy: 'module' is the name of a module, got a "
      .. type(value.module), 4)
  end
  for name in pairs(value) do
    if name ~= "module" and name ~= "args" then
      error(("a shadow's policy: unknown field '%s' beside 'module'; 'args' "
        .. "can be"):format(tostring(name)), 4)
    end
  end
  local ok, made = pcall(driver.load, value.module, value.args)
  if not ok then
    return nil, ("policy '%s': %s"):format(value.module, tostring(made)),
      "policy", { module = value.module }
  end
  return made
end

local function policy_of(store, value)
  if value == nil then
    error("bad argument #1 to 'shadow' (a policy expected, got nil)", 4)
  end
  local policy, message, code, detail
  if type(value) == "table" and value.module ~= nil then
    policy, message, code, detail = load_module(value)
  else
    policy = driver.resolve(value, 5)
  end
  if policy and policy.loses and not store:options().lossy then
    return nil, ("policy '%s' drops what is live: that takes a store opened "
      .. "with lossy = true"):format(tostring(policy.name)), "policy", {}
  end
  return policy, message, code, detail
end

local function settings_of(store)
  local options = store:options()
  return {
    memtable_bytes = options.memtable_bytes, table_bytes = options.table_bytes,
    block_bytes = options.block_bytes, lossy = options.lossy,
    threads = options.threads,
  }
end

--- Begins a shadow; raises for what can be no policy.
-- @tparam store store an open one
-- @param value what the option `policy` takes; a module is loaded into this
-- state
-- @treturn table a shadow: report, close
-- @return nil, message, code, detail
function M.new(store, value)
  local policy, message, code, detail = policy_of(store, value)
  if not policy then return nil, message, code, detail end
  if store:options().readonly then
    return nil, "a store that is only read has no decisions to shadow",
      "readonly", {}
  end
  local events, shape
  events, shape, code, detail = look(store)
  if not events then return nil, shape, code, detail end
  local shadow = setmetatable({
    store = store, policy = tostring(policy.name or "unnamed"),
    number = #events > 0 and events[#events].number or 0,
    mirror = mirrors.new {
      policy = policy, history = events, tree = shape,
      settings = settings_of(store),
    },
  }, Shadow)
  tree.close(shape)
  enter(shadow)
  return shadow
end

-- ---- the report -------------------------------------------------------------

-- live: what a perfect store would hold, as far as the shadow knows.
local function side_of(shape, sums, user_bytes, live)
  local side = {
    read_amp = shape.amp.read,
    runs = #shape.runs, tables = 0, disk_bytes = 0,
    write_amp = user_bytes > 0
      and (sums.flushed_bytes + sums.merged_bytes) / user_bytes or 0,
  }
  for _, run in ipairs(shape.runs) do
    side.tables = side.tables + #run.tables
    side.disk_bytes = side.disk_bytes + run.bytes
  end
  side.space_amp = live > 0 and side.disk_bytes / live or 0
  for _, name in ipairs { "flushed_bytes", "merged_bytes", "read_bytes",
    "merges", "moves", "drops" } do
    side[name] = sums[name]
  end
  tree.close(shape)
  return side
end

local function shadow_side(mirror, live)
  local shape = mirror:tree()
  if not shape then return nil end
  local sums = mirror:sums()
  local side = side_of(shape, sums, mirror.real.user_bytes, live)
  for _, name in ipairs { "decisions", "refused", "lapsed", "policy_errors",
    "policy_s" } do
    side[name] = sums[name]
  end
  return side
end

local function fit_of(mirror)
  local fit = mirror.fit
  return fit and {
    kind = fit.kind, keys = fit.keys, points = fit.fit_points,
    off = fit.fit_off, reach = fit.fit_reach,
  }
end

local function check(shadow, name)
  if getmetatable(shadow) ~= Shadow then
    error(("bad argument #1 to '%s' (grainstore.shadow expected, got %s)")
      :format(name, type(shadow)), 3)
  end
  if not shadow.mirror or not shadow.store:is_open() then
    error(("bad argument #1 to '%s' (the shadow is closed)"):format(name), 3)
  end
  if shadow.is_busy then
    error("a policy cannot use the shadow that asks it", 3)
  end
end

--- Both sides, from the moment it began to the store's last ended job.
-- @treturn table see above
-- @return nil, message, code, detail
function Shadow:report()
  check(self, "report")
  follow(self)
  local shape, message, code, detail = self.store:_shape(true)
  if not shape then return nil, message, code, detail end
  local mirror, v = self.mirror, self.mirror.virtual
  local live = v and v:look().live_bytes or 0
  return text.new {
    policy = self.policy, store_policy = self.store:_policy().name,
    flushes = mirror.real.flushes, user_bytes = mirror.real.user_bytes,
    store = side_of(tree.new(shape), mirror.real, mirror.real.user_bytes, live),
    shadow = shadow_side(mirror, live), missing_events = mirror.record.missing,
    fit = fit_of(mirror), problem = mirror.problem or self.unread,
    policy_error = v and v.policy_error,
    policy_aside = v and v.is_aside or false,
  }
end

--- Ends the shadow; may be called twice, and after the store was closed.
function Shadow:close()
  if getmetatable(self) ~= Shadow or self.is_busy then check(self, "close") end
  if self.mirror then
    leave(self)
    self.mirror:close()
    self.mirror = nil
  end
end

Shadow.__close = Shadow.close

function Shadow:__tostring()
  local is_open = self.mirror and self.store:is_open()
  return ("grainstore.shadow (%s)"):format(is_open and self.policy or "closed")
end

return M
