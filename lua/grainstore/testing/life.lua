--- One store and the oracle beside it: does operations of a script on both and
-- raises where the store answers wrongly.
--
-- What fails in the world is no wrong answer: `perform` then returns nil,
-- message, code, and the oracle knows that the write may have happened.
-- @module grainstore.testing.life

local grainstore = require "grainstore"
local Oracle = require "grainstore.testing.oracle"
local compare = require "grainstore.testing.compare"
local values = require "grainstore.testing.values"

local Life = {}
Life.__index = Life

--- Options of stores in which little data makes many files.
Life.SMALL = {
  threads = 0, memtable_bytes = 4096, table_bytes = 4096, block_bytes = 256,
  max_wal_bytes = 65536,
}

local OPENERS = { any = "open", bytes = "open_bytes", u32 = "open_u32" }

--- @tparam table setup env: the machine (absent: the real one); path; kind:
-- "bytes" or "u32"; options: of open, over those of SMALL; history: whether the
-- oracle keeps one
function Life.new(setup)
  local options = { env = setup.env }
  for _, given in ipairs { Life.SMALL, setup.options or {} } do
    for name, value in pairs(given) do
      options[name] = value
    end
  end
  return setmetatable({
    env = setup.env, path = setup.path or "/store",
    kind = setup.kind or "bytes",
    options = options, snapshots = {}, now_real = 4102444800000, ops_before = 0,
    oracle = Oracle.new {
      durability = options.durability, history = setup.history,
    },
  }, Life)
end

--- Operations so far, those on the machines before a crash among them.
function Life:ops()
  return self.env and self.ops_before + self.env:ops() or 0
end

--- The store's clock. On the real machine time is far in the future, and moves
-- by batches that say so.
function Life:now()
  return self.env and self.env.clock:now() or self.now_real
end

--- Raises unless what was found is what was expected.
local function expect(expected, found, what, key)
  if expected ~= found then
    error(("%s %s: %s, should be %s"):format(what, compare.show(key),
      compare.show(found), compare.show(expected)), 0)
  end
end

-- ---- commits ---------------------------------------------------------------

local function issue(life, changes, note)
  life.oracle:issue(life:ops(), changes, note)
end

-- The operation as a store of this durability takes it: without a log no write
-- can be synced.
local function as_taken(life, op)
  if not op.sync or life.options.durability ~= "memory" then
    return op
  end
  local other = {}
  for name, value in pairs(op) do
    other[name] = value
  end
  other.sync = nil
  return other
end

-- What a commit returned.
local function done(life, is_sync, ok, message, code)
  if ok then
    life.oracle:ack(life:ops(), life.store:seq(), is_sync)
    return true
  end
  life.oracle:fail(life:ops())
  return nil, message, code
end

local function promised(life, ok, message, code)
  if ok then
    life.oracle:promise(life:ops())
  end
  return ok, message, code
end

local function entry_of(life, value, op)
  local ttl_ms = op.ttl_ms
  return {
    value = value, expires_at_ms = ttl_ms and life:now() + ttl_ms or nil,
  }
end

-- A ttl is given as the moment of its end, which the real clock does not move.
local function write_options(op, entry)
  local at_ms = entry and entry.expires_at_ms
  if op.sync or at_ms then
    return { sync = op.sync, expires_at_ms = at_ms }
  end
end

local perform = {}

function perform.put(life, op)
  local value = values.of(life.kind, op[3], op.bytes)
  local entry = entry_of(life, value, op)
  issue(life, { op[2], entry })
  return done(life, op.sync,
    life.store:put(op[2], value, write_options(op, entry)))
end

function perform.delete(life, op)
  issue(life, { op[2], false })
  return done(life, op.sync, life.store:delete(op[2], write_options(op)))
end

function perform.batch(life, op)
  local batch <close> = life.store:batch()
  local changes = {}
  for _, part in ipairs(op[2]) do
    local key, entry = part[2], false
    if part[1] == "put" then
      local value = values.of(life.kind, part[3], part.bytes)
      entry = entry_of(life, value, part)
      batch:put(key, value, write_options(part, entry))
    else
      batch:delete(key)
    end
    changes[#changes + 1] = key
    changes[#changes + 1] = entry
  end
  if #changes == 0 and not op.meta then
    return true
  end
  issue(life, changes, op.meta)
  return done(life, op.sync,
    batch:commit { sync = op.sync, meta = op.meta })
end

function perform.take(life, op)
  local key, expected = op[2], life.oracle.model:get(op[2], life:now())
  issue(life, { key, false })
  local value, message, code = life.store:take(key, write_options(op))
  if message then
    return done(life, op.sync, nil, message, code)
  end
  expect(expected, value, "take", key)
  return value == nil or done(life, op.sync, true)
end

-- Expected is true for what is there, false for nothing, or a value's number.
function perform.put_if(life, op)
  local key, present = op[2], life.oracle.model:get(op[2], life:now())
  local expected = op[3] == true and present or nil
  if math.type(op[3]) then
    expected = values.of(life.kind, op[3])
  end
  local entry = op[4] and { value = values.of(life.kind, op[4]) }
  issue(life, { key, entry or false })
  local is_done, current, code = life.store:put_if(key, expected,
    entry and entry.value or nil, write_options(op))
  if is_done == nil then
    return done(life, op.sync, nil, current, code)
  end
  expect(expected == present, is_done, "put_if", key)
  if is_done then
    return done(life, op.sync, true)
  end
  expect(present, current, "put_if found", key)
  return true
end

local function set_expiry(life, method, key, ttl_ms)
  local entry = life.oracle.model:entry(key, life:now())
  if entry then
    local at_ms = ttl_ms and life:now() + ttl_ms
    issue(life, { key, { value = entry.value, expires_at_ms = at_ms } })
  end
  local is_done, message, code = life.store[method](life.store, key, ttl_ms)
  if is_done == nil and entry then
    return done(life, false, nil, message, code)
  elseif is_done == nil then
    return nil, message, code
  end
  expect(entry ~= nil, is_done, method, key)
  return not entry or done(life, false, true)
end

function perform.expire(life, op)
  return set_expiry(life, "expire", op[2], op[3])
end

function perform.persist(life, op)
  return set_expiry(life, "persist", op[2])
end

-- ---- reads -----------------------------------------------------------------

function perform.get(life, op)
  local key, now_ms = op[2], life:now()
  local value, meta, code = life.store:get(key, { meta = true })
  if value == nil and code then
    return nil, meta, code
  end
  local entry = life.oracle.model:entry(key, now_ms)
  expect(entry and entry.value, value, "get", key)
  expect(entry and entry.expires_at_ms, meta and meta.expires_at_ms,
    "expiry of", key)
  return true
end

function perform.scan(life, op)
  local keys, found = life.oracle.model:live(life:now(), op)
  local first, last, step = 1, #keys, 1
  if op.reverse then
    first, last, step = last, first, -1
  end
  local at, left = first, op.limit or math.huge
  for key, value in life.store:scan {
    from = op.from, to = op.to, reverse = op.reverse, limit = op.limit,
  } do
    expect(keys[at], key, "scan", key)
    expect(found[at], value, "scan", key)
    at, left = at + step, left - 1
  end
  if left > 0 then
    expect(last + step, at, "entries of a scan from", op.from)
  end
  return true
end

function perform.count(life, op)
  local keys = life.oracle.model:live(life:now(), op)
  local count, message, code =
    life.store:count { from = op.from, to = op.to }
  if count == nil then
    return nil, message, code
  end
  expect(#keys, count, "count from", op.from)
  return true
end

-- ---- snapshots -------------------------------------------------------------

function perform.snapshot(life, op)
  local slot = op[2]
  if life.snapshots[slot] then
    life.snapshots[slot].handle:close()
    life.snapshots[slot] = nil
  end
  local handle, message, code = life.store:snapshot()
  if not handle then
    return nil, message, code
  end
  local keys, found = life.oracle.model:live(life:now())
  life.snapshots[slot] = { handle = handle, keys = keys, values = found }
  return true
end

function perform.release(life, op)
  local held = life.snapshots[op[2]]
  if held then
    held.handle:close()
    life.snapshots[op[2]] = nil
  end
  return true
end

-- ---- work ------------------------------------------------------------------

function perform.sync(life)
  return promised(life, life.store:sync())
end

function perform.flush(life)
  return promised(life, life.store:flush())
end

function perform.compact(life, op)
  local range = (op.from or op.to) and { from = op.from, to = op.to } or nil
  return promised(life, life.store:compact(range))
end

function perform.step(life, op)
  local more, message, code = life.store:step(op[2])
  if more == nil then
    return nil, message, code
  end
  return true
end

function perform.set(life, op)
  return life.store:set(op[2], op[3])
end

function perform.resume(life)
  return life.store:resume()
end

function perform.verify(life)
  return life.store:verify()
end

function perform.reopen(life)
  local ok, message, code = life:close()
  if ok then
    return life:open()
  end
  local opened, why, its_code = life:open()
  if not opened then
    return nil, why, its_code
  end
  return nil, message, code
end

function perform.advance(life, op)
  if life.env then
    life.env.clock:advance(op[2])
    return true
  end
  life.now_real = life.now_real + op[2]
  local batch <close> = life.store:batch()
  issue(life, {}, "")
  return done(life, false,
    batch:commit { now_ms = life.now_real, meta = "" })
end

function perform.check(life)
  local wrong = life:differs()
  if wrong then
    error(wrong, 0)
  end
  return true
end

-- ---- the life --------------------------------------------------------------

-- What no comparison of entries sees: the note, presence, and ends, which the
-- clock of the real machine does not tell.
local function facts_differ(life, universe, now_ms)
  local store, model = life.store, life.oracle.model
  local note = compare.succeed("meta", store:meta())
  if note ~= model.note then
    return ("the note is %s, should be %s"):format(compare.show(note),
      compare.show(model.note))
  end
  for _, key in ipairs(universe) do
    local ttl = model:ttl(key, now_ms)
    if compare.succeed("contains", store:contains(key)) ~= (ttl ~= nil) then
      return ("contains %s, should be %s"):format(compare.show(key),
        tostring(ttl ~= nil))
    end
    local found = life.env and compare.succeed("ttl", store:ttl(key))
    if life.env and found ~= ttl then
      return ("ttl of %s: %s, should be %s"):format(compare.show(key),
        compare.show(found), compare.show(ttl))
    end
  end
end

--- What the open store, or a snapshot of it, has otherwise than the model; nil
-- where all is the same.
function Life:differs()
  local model, now_ms = self.oracle.model, self:now()
  local universe = model:universe()
  local keys, found = model:live(now_ms)
  local wrong = compare.all(self.store, keys, found, universe)
    or facts_differ(self, universe, now_ms)
  if wrong then
    return wrong
  end
  for slot, held in pairs(self.snapshots) do
    wrong = compare.all(held.handle, held.keys, held.values, universe)
    if wrong then
      return ("snapshot %s: %s"):format(slot, wrong)
    end
  end
end

--- Opens the store. Where there is a history behind it, what is found settles
-- what was in doubt.
function Life:open()
  local opener = grainstore[OPENERS[self.kind]]
  local store, message, code = opener(self.path, self.options)
  if not store then
    return nil, message, code
  end
  self.store = store
  if self.was_open then
    local ok, wrong = pcall(self.settle, self)
    if not ok then
      self.store = nil
      store:close()
      error(wrong, 0)
    end
  elseif not self.env then
    perform.advance(self, { "advance", 0 })
  end
  self.was_open = true
  return store
end

--- The store, just opened, must be in a state in which it may be if it was
-- closed, or crashed; the oracle goes on from there.
function Life:settle()
  local oracle, ops = self.oracle, self:ops()
  if not oracle.keeps_history then
    return
  end
  local allowed = oracle:allowed {
    ops = ops, keep = self.crashed_with or "all",
  }
  local state, wrong = oracle:check(self.store, allowed, self:now())
  if not state then
    error("after opening again: " .. wrong, 0)
  end
  oracle:settle(ops, self.store:seq(), state)
  self.crashed_with = nil
end

--- Closes the store; the handle is gone whatever is returned.
function Life:close()
  local store = self.store
  self.store, self.snapshots = nil, {}
  if not store then
    return true
  end
  return promised(self, store:close())
end

--- The machine crashes; the life goes on with what is left, on a new one. The
-- store is to be opened, which says whether it may be as it is.
-- @tparam table crash keep, choice
function Life:crash(crash)
  local machine = self.env:crash(crash)
  self.ops_before = self:ops()
  if self.store then
    self.store:close()
  end
  self.env:close()
  self.store, self.snapshots, self.env = nil, {}, machine
  self.options.env = machine
  self.crashed_with = crash.keep
end

--- Does one operation. A store that could not be opened is opened first.
-- @tparam table op
-- @return true, or nil, message, code
function Life:perform(op)
  if not self.store then
    return self:open()
  end
  local action = perform[op[1]]
  if not action then
    error(("there is no operation %q"):format(tostring(op[1])), 0)
  end
  local ok, message, code = action(self, as_taken(self, op))
  local store = self.store
  if store and self.env and self.oracle.keeps_history then
    self.oracle:durable(self:ops(), store:durable_seq())
  end
  return ok, message, code
end

--- Does all operations; raises at the first that fails or is wrong, with its
-- place in front.
-- @tparam {op,...} ops
function Life:play(ops)
  assert(self:open())
  self:play_on(ops)
end

--- The same on a store that is open.
-- @tparam {op,...} ops
function Life:play_on(ops)
  for i, op in ipairs(ops) do
    local ok, result, message, code = pcall(self.perform, self, op)
    if not ok then
      error(("operation %d, %s: %s"):format(i, op[1], result), 0)
    elseif not result then
      error(("operation %d, %s, failed: %s (%s)"):format(i, op[1], message,
        code), 0)
    end
  end
end

Life.operations = perform

return Life
