--- A small store on a simulated machine and beside it what it should hold, with
-- every read there is compared: all keys, ranges both ways, snapshots, ends.
--
-- Made for many checks of little data: what the store should answer is worked
-- out when data or time changes, and stands in arrays that a cursor's page is
-- compared with.

local Random = require "grainstore.testing.random"
local T = require "grainstore.testing"
local grainstore = require "grainstore"

local Watched = {}
Watched.__index = Watched

local VIEWS = 3
local PATH = "/store"
local KEEPS = { "all", "synced", "prefix", "object", "random", "torn" }

--- @tparam integer seed
-- @tparam table options of open; key_count: how many keys there are (32)
function Watched.new(seed, options)
  local self = setmetatable({
    random = Random.new(seed, 71), env = T.env { seed = seed }, options = {},
    universe = {}, live = {}, views = {}, writes = 0,
    done = { checks = 0, crashes = 0, openings = 0 },
  }, Watched)
  for i = 1, options.key_count or 32 do
    self.universe[i] = ("k%03d"):format(i)
  end
  for name, value in pairs(options) do
    if name ~= "key_count" then self.options[name] = value end
  end
  self:open()
  return self
end

function Watched:open()
  self.options.env = self.env
  self.done.openings = self.done.openings + 1
  self.store = assert(grainstore.open(PATH, self.options))
end

-- ---- writes ----------------------------------------------------------------

-- What is written is noted first: a policy that is asked at the end of the call
-- may write again.

function Watched:put(key, ttl_ms)
  self.writes = self.writes + 1
  local value = ("%s#%d"):format(key, self.writes)
  self.live[key] = {
    value = value, ends = ttl_ms and self.env.clock:now() + ttl_ms,
  }
  self.expected = nil
  assert(self.store:put(key, value, {
    expires_at_ms = self.live[key].ends or nil,
  }))
end

--- Somebody else has put a value that stays.
function Watched:note(key, value)
  self.live[key], self.expected = { value = value }, nil
end

function Watched:delete(key)
  self.live[key], self.expected = nil, nil
  assert(self.store:delete(key))
end

function Watched:advance(ms)
  self.env.clock:advance(ms)
  self.expected = nil
end

-- ---- what should be there --------------------------------------------------

local function work_out(self)
  local now, all = self.env.clock:now(), {}
  local expected = { now = now, keys = {}, values = {}, n = 0 }
  for i, key in ipairs(self.universe) do
    local entry = self.live[key]
    local is_live = entry and (not entry.ends or entry.ends > now)
    all[i] = is_live and entry.value or false
    if is_live then
      expected.n = expected.n + 1
      expected.keys[expected.n] = key
      expected.values[expected.n] = entry.value
    end
  end
  expected.all = all
  return expected
end

-- Time moves by itself only where a write is made to wait.
local function now_expected(self)
  local expected = self.expected
  if not expected or expected.now ~= self.env.clock:now() then
    self.expected = work_out(self)
  end
  return self.expected
end

local out = {}

-- Where a policy may lose what lives, a key may be gone: then it has to stay
-- gone, and nothing older may stand in its place.
local function forget_lost(self)
  assert(self.store:get_many(self.universe, out))
  local all = now_expected(self).all
  for i, key in ipairs(self.universe) do
    if all[i] and not out[i] then
      self.live[key], self.expected = nil, nil
      self.done.lost = (self.done.lost or 0) + 1
    end
  end
end

function Watched:open_view()
  if self.options.lossy then forget_lost(self) end
  if #self.views == VIEWS then self:close_view() end
  self.views[#self.views + 1] = {
    handle = assert(self.store:snapshot()), expected = now_expected(self),
  }
end

function Watched:close_view()
  if #self.views > 0 then
    table.remove(self.views, self.random:int(1, #self.views)).handle:close()
  end
end

-- ---- comparing -------------------------------------------------------------

local keys, values = {}, {}

local function wrong(what, key, found, expected)
  error(("%s %s: %s, should be %s"):format(what, tostring(key),
    tostring(found), tostring(expected)), 0)
end

-- Entries first to last of what is expected, in a page of a cursor.
local function compare_page(reader, range, expected, first, last, what)
  local cursor <close> = reader:cursor(range)
  local wanted = last - first + 1
  local found = assert(cursor:fill(keys, values, wanted + 1))
  if found ~= math.max(0, wanted) then
    wrong("entries of", what, found, wanted)
  end
  for i = 1, found do
    local at = first + i - 1
    if keys[i] ~= expected.keys[at] or values[i] ~= expected.values[at] then
      wrong(what, expected.keys[at], keys[i] .. " = " .. values[i],
        expected.values[at])
    end
  end
end

local function compare_backward(reader, expected)
  local at = expected.n
  for key, value in reader:scan { reverse = true } do
    if key ~= expected.keys[at] or value ~= expected.values[at] then
      wrong("backward", expected.keys[at], key .. " = " .. value,
        expected.values[at])
    end
    at = at - 1
  end
  if at ~= 0 then wrong("entries backward", "left", at, 0) end
end

local function compare_points(self, reader, expected)
  assert(reader:get_many(self.universe, out))
  for i, key in ipairs(self.universe) do
    if out[i] ~= expected.all[i] then
      wrong("get", key, out[i], expected.all[i])
    end
  end
end

local function compare_range(self, reader, expected)
  if expected.n == 0 then return end
  local first = self.random:int(1, expected.n)
  local last = self.random:int(first, expected.n)
  compare_page(reader, {
    from = expected.keys[first], to = expected.keys[last] .. "\0",
  }, expected, first, last, "range")
end

local function compare_end(self)
  local key = self.random:pick(self.universe)
  local entry, now = self.live[key], self.env.clock:now()
  local expected
  if entry and (not entry.ends or entry.ends > now) then
    expected = entry.ends and entry.ends - now or math.huge
  end
  local found = self.store:ttl(key)
  if found ~= expected then wrong("ttl", key, found, expected) end
end

local function compare_all(self)
  local store, expected = self.store, now_expected(self)
  compare_page(store, nil, expected, 1, expected.n, "scan")
  compare_backward(store, expected)
  compare_points(self, store, expected)
  compare_range(self, store, expected)
  compare_end(self)
  for _, view in ipairs(self.views) do
    compare_points(self, view.handle, view.expected)
    if self.random:one_in(2) then
      compare_page(view.handle, nil, view.expected, 1, view.expected.n, "view")
    else
      compare_backward(view.handle, view.expected)
    end
  end
end

--- Raises where a read differs: of the store all of them, of each snapshot all
-- keys and one scan.
function Watched:check()
  self.done.checks = self.done.checks + 1
  if self.options.lossy then forget_lost(self) end
  compare_all(self)
end

-- ---- ends ------------------------------------------------------------------

-- What jobs of this store have done goes to the account.
local function add_jobs(self)
  for name, count in pairs(self.store:stats().jobs) do
    self.done[name] = (self.done[name] or 0) + count
  end
end

--- Closes the store, where it is open, and opens it again; views end with it.
function Watched:reopen()
  if pcall(add_jobs, self) then assert(self.store:close()) end
  self.views = {}
  self:open()
end

--- All that was written is made to last; then the machine goes down, whatever
-- jobs are doing, and what comes up has to hold it.
function Watched:crash()
  local store, env = self.store, self.env
  assert(self.options.durability == "memory" and store:flush()
    or store:sync())
  for _ = 1, self.random:below(6) do store:step(0) end
  local keep = env:pending() == 0 and "all" or self.random:pick(KEEPS)
  local count = math.max(1, math.min(env:choices(keep), 1 << 40))
  local machine = env:crash {
    keep = keep, choice = self.random:below(count),
  }
  add_jobs(self)
  store:close()
  env:close()
  self.env, self.views = machine, {}
  self.done.crashes = self.done.crashes + 1
  self:open()
end

--- Looks at every byte, and ends.
function Watched:close()
  self:check()
  assert(self.store:verify())
  add_jobs(self)
  assert(self.store:close())
  local bytes = self.env:allocated()
  self.env:close()
  if bytes ~= 0 then
    error(("%d bytes of memory did not come back"):format(bytes), 0)
  end
end

return Watched
