--- The two kinds of lives that `explore` ends everywhere: a script beside the
-- oracle, and an application's own functions.
-- @module grainstore.testing.subject

local Life = require "grainstore.testing.life"
local Oracle = require "grainstore.testing.oracle"
local env_kit = require "grainstore.testing.env"
local grainstore = require "grainstore"

local M = {}

local PATH = "/store"
local SLACK = 65536 -- bytes that a recovery may take more than another

local OPENERS = { bytes = "open_bytes", u32 = "open_u32", any = "open" }

local function merged(...)
  local all = {}
  for _, given in ipairs { ... } do
    for name, value in pairs(given) do
      all[name] = value
    end
  end
  return all
end

local function open(kind, options, env)
  options.env = env
  local store, message, code = grainstore[OPENERS[kind]](PATH, options)
  if not store then
    error(("cannot be opened: %s (%s)"):format(message, code), 0)
  end
  return store
end

local function close(store)
  local ok, message, code = store:close()
  if not ok then
    error(("close failed: %s (%s)"):format(message, code), 0)
  end
end

--- Raises what `open` raises about options that no store takes, before a life
-- is lived with them.
-- @tparam table given script, kind, open; see `every_crash`
function M.check_open(given)
  local machine <close> = env_kit.env()
  local options = merged(given.open or {}, { env = machine })
  local kind = given.kind or "bytes"
  if not given.script then
    kind, options.kind = options.kind or "any", nil
  end
  if not OPENERS[kind] then
    error("bad argument #2 to 'open' (option 'kind' takes \"bytes\", "
      .. "\"u32\" or \"any\")", 0)
  end
  local ok, store = pcall(grainstore[OPENERS[kind]], PATH, options)
  if not ok then
    error(store, 0)
  elseif store then
    store:close()
  end
end

-- ---- scripts ---------------------------------------------------------------

-- Only the process died, each time.
local function is_kept(trail)
  for _, crash in ipairs(trail) do
    if crash.keep ~= "all" then
      return false
    end
  end
  return true
end

-- What a crash within a recovery may leave is what that recovery made of what
-- it found. Where so far only processes died, what was never promised to be on
-- the device may still go.
local function allowed_after(oracle, trail)
  local found = trail[#trail - 1].found
  local before = table.move(trail, 1, #trail - 1, 1, {})
  if is_kept(trail) or not is_kept(before) then
    return Oracle.only(found)
  end
  local allowed = oracle:allowed { ops = trail[1].ops, keep = "synced" }
  allowed.high = math.min(allowed.high, found.index)
  if not found.commit then
    allowed.failed = {}
  end
  return allowed
end

local Script = {}
Script.__index = Script

--- @tparam {op,...} ops
-- @tparam[opt] table setup kind, options of open, verify: one state of how many
-- is read to its last byte (8)
function M.script(ops, setup)
  setup = setup or {}
  local self = setmetatable({
    ops = ops, kind = setup.kind or "bytes", given = setup.options or {},
    options = merged(Life.SMALL, setup.options or {}),
    verify = setup.verify or 8, looks = 0,
  }, Script)
  return {
    live = function(env) return self:live(env) end,
    look = function(env, life, trail, how)
      return self:look(env, life, trail, how)
    end,
  }
end

function Script:live(env)
  local life = Life.new {
    env = env, path = PATH, kind = self.kind, options = self.given,
  }
  life:play(self.ops)
  assert(life:close())
  return life
end

local function check(oracle, store, allowed, now_ms, is_quick)
  local state, wrong = oracle:check(store, allowed, now_ms, is_quick)
  if not state then
    error(wrong, 0)
  end
  return state
end

-- Numbers that a reader may have seen are not given out again; and the store
-- takes writes.
local function write_on(store, oracle, trail, durability, kind)
  local key = kind == "u32" and 7 or "after"
  local seq, message, code = store:put(key, key)
  if not seq then
    error(("a recovered store takes no writes: %s (%s)"):format(message, code),
      0)
  end
  local acked = oracle:allowed { ops = trail[1].ops, keep = "all" }.low
  local last = math.floor(oracle.line[acked].seq)
  if durability ~= "memory" and seq <= last then
    error(("sequence number %d was given out before"):format(seq), 0)
  end
end

-- Without a further write, no crash takes back what was found (P4).
function Script:again(env, oracle, state, is_thorough, trail)
  local after = env:crash { keep = "synced" }
  local now_ms = after.clock:now()
  local store <close> = open(self.kind, self.options, after)
  check(oracle, store, Oracle.only(state), now_ms, not is_thorough)
  if is_thorough then
    write_on(store, oracle, trail, self.options.durability, self.kind)
  end
  close(store)
  after:close()
end

-- Recoveries that were cut short leave nothing that stays.
local function measure(env, trail)
  local first, last = trail[1], trail[#trail]
  last.used = env:used()
  if first.used and last.used > first.used + SLACK then
    error(("recovered again, it takes %d bytes, and %d before"):format(
      last.used, first.used), 0)
  end
end

function Script:look(env, life, trail, how)
  local oracle = life.oracle
  local allowed = #trail == 1 and oracle:allowed(trail[1])
    or allowed_after(oracle, trail)
  self.looks = self.looks + (how and 0 or 1)
  local function is_turn(one_in)
    return how == "whole" or how == nil and self.looks % one_in == 0
  end
  local is_thorough = is_turn(self.verify)
  local store <close> = open(self.kind, self.options, env)
  local state = check(oracle, store, allowed, env.clock:now(),
    not is_turn(2))
  if is_thorough then
    local ok, message = store:verify()
    if not ok then
      error("verify: " .. message, 0)
    end
  end
  measure(env, trail)
  if is_turn(3) then
    self:again(env, oracle, state, is_thorough, trail)
  end
  close(store)
  return state
end

-- ---- applications ----------------------------------------------------------

local Application = {}
Application.__index = Application

--- @tparam table given run, check, open, ops; see `every_crash`
function M.application(given)
  local options = merged(Life.SMALL, { durability = "sync" }, given.open or {})
  local kind = options.kind or "any"
  options.kind = nil
  local self = setmetatable({
    run = given.run, check = given.check, kind = kind, options = options,
    ops = given.ops,
  }, Application)
  return {
    live = function(env) return self:live(env) end,
    look = function(env, facts, trail) return self:look(env, facts, trail) end,
  }
end

-- What the application says was promised is kept with the moment it said so.
function Application:live(env)
  local store = open(self.kind, self.options, env)
  local record = { facts = {}, durable = {} }
  local function note_durable()
    local marks = record.durable
    marks[#marks + 1] = { ops = env:ops(), seq = store:durable_seq() }
  end
  local function acked(name, value)
    local facts = record.facts
    facts[#facts + 1] = {
      name = name, value = value == nil or value, ops = env:ops(),
      seq = store:seq(),
    }
    note_durable()
  end
  self.run(store, acked, self.ops, env)
  close(store)
  return record
end

-- Facts that were noted before the crash and that it cannot take. What the
-- store says of its own durability counts only where it owes none.
function Application:promised(record, trail)
  local ops, durable = trail[1].ops, math.huge
  local durability = self.options.durability
  if durability ~= "sync"
      and (durability == "memory" or not is_kept(trail)) then
    durable = 0
    for _, mark in ipairs(record.durable) do
      durable = mark.ops <= ops and math.max(durable, mark.seq) or durable
    end
  end
  local promised = {}
  for _, fact in ipairs(record.facts) do
    if fact.ops <= ops and fact.seq <= durable then
      promised[fact.name] = fact.value
    end
  end
  return promised
end

function Application:look(env, record, trail)
  local promised = self:promised(record, trail)
  local store <close> = open(self.kind, self.options, env)
  self.check(store, promised, env)
  close(store)
  return promised
end

return M
