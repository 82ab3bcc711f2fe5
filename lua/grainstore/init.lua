--- GrainStore: an embedded key-value store.
--
--     local grainstore = require "grainstore"
--     local store <close> = assert(grainstore.open("state"))
--     store:put("greeting", "hello")
--     print(store:get("greeting"))
--
-- What fails in the world returns `nil, message, code, detail`; what is wrong
-- in the call raises. The methods of stores, snapshots, cursors and batches
-- are written in C (`lua/binding`); this file joins them with the driver of
-- policies.
-- @module grainstore

local answers = require "grainstore.answers"
local blame = require "grainstore.blame"
local core = require "grainstore.core"
local charge = require "grainstore.charge"
local handles = require "grainstore.handles"
local journal = require "grainstore.journal"
local near = require "grainstore.near"
local stats = require "grainstore.stats"
local tree = require "grainstore.tree"

local call = blame.call

local M = {
  _VERSION = core.version,
  FORMAT = core.format,
}

-- What is loaded when it is first used.
local lazy = {
  keys = "grainstore.keys",
  policy = "grainstore.policy",
  testing = "grainstore.testing",
}

setmetatable(M, {
  __index = function(module, name)
    if lazy[name] then
      local loaded = require(lazy[name])
      rawset(module, name, loaded)
      return loaded
    end
  end,
})

-- A further handle of a store leaves its policy alone, unless it brings one.
local function equip(store, policy, options)
  handles.note(store, options)
  if store:_opens() == 1 or options and options.policy ~= nil then
    return charge.install(store, policy)
  end
  return true
end

-- A failed open has created nothing, so what policy may be in charge is asked
-- before; of a store that is open already, it is asked as ever.
local function admit(policy, path, options)
  local is_admitted, message, code, detail =
    charge.admit(policy, options and options.lossy)
  if is_admitted or type(path) ~= "string" then return true end
  local found = M.info(path, { env = options.env })
  return found ~= nil and found.owner ~= nil, message, code, detail
end

local function open(name, kind, path, options)
  if options ~= nil and type(options) ~= "table" then
    error(("bad argument #2 to '%s' (table expected, got %s)")
      :format(name, type(options)), 2)
  end
  local policy, message, code, detail =
    charge.prepare(options and options.policy)
  local is_admitted
  if policy then
    is_admitted, message, code, detail = admit(policy, path, options)
  end
  if not is_admitted then
    return nil, message, code, detail
  end
  local store
  store, message, code, detail =
    call(name, false, core.open, path, options, kind, true)
  if not store then
    return nil, message, code, detail
  end
  local is_done, done, text, reason, more = pcall(equip, store, policy, options)
  if is_done and done then
    return store
  end
  store:close() -- nobody else ever could
  if not is_done then
    error(done, 0)
  end
  return nil, text, reason, more
end

--- Opens the store in a directory, of whichever kind it is.
-- Creates a bytes store where there is none, unless told otherwise.
-- @tparam string path the directory
-- @tparam[opt] table options see README
-- @treturn store
-- @return nil, message, code, detail
function M.open(path, options)
  return open("open", "any", path, options)
end

--- Opens a store of byte strings; fails with code "kind" for a u32 store.
-- @tparam string path the directory
-- @tparam[opt] table options see README
-- @treturn store
function M.open_bytes(path, options)
  return open("open_bytes", "bytes", path, options)
end

--- Opens a store of 32-bit numbers under 32-bit numbers.
-- @tparam string path the directory
-- @tparam[opt] table|integer options see README; a number is a seed
-- @treturn store
function M.open_u32(path, options)
  if math.type(options) == "integer" then
    options = { seed = options }
  end
  return open("open_u32", "u32", path, options)
end

local methods = core.store_methods

--- The methods of u32 stores under the names of old. They check the handle like
-- any method.
-- @section u32

M.put_u32 = methods.put
M.get_u32 = methods.get
M.delete_u32 = methods.delete
M.close_u32 = methods.close

--- Directories that are not open.
-- @section directories

--- What a directory holds, without opening it.
-- @function info
-- @tparam string path
-- @tparam[opt] table options env
-- @treturn table kind, format, tables, runs, entries, bytes (of all files),
-- table_bytes, log_bytes, seq, flushed_seq, clean, and where a process has it
-- open for writing owner = { pid, program }
M.info = core.info

--- Deletes a closed store.
-- @function destroy
-- @tparam string path
-- @tparam[opt] table options env
-- @treturn boolean true
M.destroy = core.destroy

--- Reads every byte of a directory's store and checks it, without opening it.
-- A process may have it open meanwhile. What is wrong stands in the report,
-- file by file; of a store that is damaged it is `detail.report`.
-- @function verify
-- @tparam string path
-- @tparam[opt] table options deep = false passes over the blocks of tables;
-- progress = function(done_bytes, total_bytes, file), whose errors end the
-- work; env
-- @treturn table bytes, entries, seq, kind, problems, torn, and files: an array
-- of name, kind, state ("sound", "torn", "damaged", "missing", "unread",
-- "unused"), bytes, entries, problem, offset
-- @return nil, message, code, detail
M.verify = core.verify

--- Builds a store in another directory from everything in this one that
-- verifies, and from nothing else. The original is only read.
-- What was lost is in the report, and which saved keys may be out of date
-- because of it: a tombstone or a later value may have stood in what was lost.
-- @function repair
-- @tparam string path
-- @tparam table options into = a directory that is empty or absent, or
-- dry_run = true for the report alone; kind = "bytes" or "u32" where nothing is
-- left that tells it; progress, env as for verify
-- @treturn table entries_saved and other counts; lost: an array of cause
-- ("block", "table", "log", "manifest"), file, offset, bytes, from, to,
-- first_seq, last_seq, uncertain_keys; uncertain: those of them that put saved
-- keys in doubt; found: what verify reports of the original
-- @return nil, message, code, detail
M.repair = core.repair

--- What the store in a directory did and why, as far as its journal goes back:
-- of a closed store, or beside a process that has it open.
-- @tparam string path
-- @tparam[opt] table options since = n: events after number n; kinds = an array
-- of names; limit = n: the newest n; env
-- @treturn table array of events, oldest first, see grainstore.journal
-- @return nil, message, code, detail
function M.journal(path, options)
  local events, message, code, detail =
    call("journal", false, core.journal, path, options)
  if not events then
    return nil, message, code, detail
  end
  return journal.new(events)
end

-- Methods that are Lua's part ------------------------------------------------

local c_shape, c_stats, c_set = methods._shape, methods._stats, methods.set
local c_journal, c_plan = methods._journal, methods._plan

--- The tree as a policy sees it.
-- @function store:tree
-- @treturn table see grainstore.tree; also refused, the plans refused at the
-- last decision, policy_error, and policy_aside
function methods:tree()
  call("tree", true, methods._decide, self) -- what is due comes first
  local shape, message, code, detail = call("tree", true, c_shape, self, true)
  if not shape then
    return nil, message, code, detail
  end
  charge.annotate(self, shape)
  return tree.keep(tree.new(shape))
end

--- Counters since the store was opened, and sizes now.
-- @function store:stats
-- @treturn table nested; `:delta(earlier)`; prints well
function methods:stats()
  local counters = call("stats", true, c_stats, self)
  counters.policy = charge.stats(self)
  return stats.new(counters)
end

--- What the store did and why, files and memory.
-- @function store:journal
-- @tparam[opt] table options since, kinds, limit as for grainstore.journal
-- @treturn table array of events, oldest first, see grainstore.journal
-- @return nil, message, code, detail
function methods:journal(options)
  local events, message, code, detail =
    call("journal", true, c_journal, self, options)
  if not events then
    return nil, message, code, detail
  end
  return journal.new(events)
end

--- Copies the store as of now into another directory, as a store of its own.
-- Tables are linked where they can be; writers go on.
-- @function store:checkpoint
-- @tparam string into a directory that is empty or absent
-- @treturn integer the last sequence number in it
-- @return nil, message, code, detail

--- Submits one plan.
-- @function store:plan
-- @tparam table plan op, inputs, into | above | bottom, level, table_bytes,
-- cuts
-- @tparam[opt] table options dry_run
-- @treturn integer the job's number, or true for a dry run
-- @return nil, message, name of the refusal, `{tables = {ids}}`
function methods:plan(plan, options)
  local wrong = type(plan) == "table" and answers.misspelt(plan)
  if wrong then
    call("plan", true, c_stats, self) -- raises unless it is an open store
    error(("bad argument #1 to 'plan' (%s)"):format(wrong), 2)
  end
  local job, message, code, detail =
    call("plan", true, c_plan, self, plan, options)
  return job, message, code, detail
end

-- Blames the caller of its caller for a name that no option has.
local function check_option_name(store, name)
  if type(name) ~= "string" and type(name) ~= "number" then return end
  local names = { "clock", "env", "policy" }
  for known in pairs(store:options()) do names[#names + 1] = known end
  for _, known in ipairs(names) do
    if known == name then return end
  end
  error(("bad argument #1 to 'set' (unknown option '%s'%s)"):format(name,
    near(name, names)), 3)
end

--- Changes an option of an open store: a number, or "policy".
-- @function store:set
-- @tparam string name
-- @param value
-- @treturn boolean true
function methods:set(name, ...)
  call("set", true, c_stats, self) -- raises unless it is an open store
  if name ~= nil and select("#", ...) == 0 then
    error("bad argument #2 to 'set' (value expected)", 2)
  end
  local value = ...
  if name == "policy" then
    local policy, message, code, detail = charge.prepare(value)
    if policy then
      policy, message, code, detail = charge.install(self, policy)
    end
    if not policy then
      return nil, message, code, detail
    end
    self:_decide()
    return true
  end
  check_option_name(self, name)
  local ok, message, code, detail = call("set", true, c_set, self, name, value)
  return ok, message, code, detail
end

--- Asks a second policy beside the one in charge, over a virtual tree that is
-- given the same flushes; see grainstore.shadow.
-- @function store:shadow
-- @param policy a name, a table, or { module =, args = }
-- @treturn table a shadow: report, close
-- @return nil, message, code, detail
function methods:shadow(policy)
  call("shadow", true, c_stats, self) -- raises unless it is an open store
  return require "grainstore.shadow".new(self, policy)
end

local PAGE = 64

-- Entries from a key on, a page at a time; nothing is held between two pages,
-- because a loop over pairs() that is left early has nothing to close.
local function page_after(store, after)
  local keys, values, count = {}, {}, 0
  for key, value in store:scan { from = after, limit = PAGE + 1 } do
    if key ~= after then
      count = count + 1
      keys[count], values[count] = key, value
    end
  end
  return keys, values, count
end

--- `for key, value in pairs(store)`: each page is read as of its own moment.
-- @function store:__pairs
function methods:__pairs()
  local keys, values, count, at = {}, {}, 0, 0
  local last
  return function()
    if at == count then
      keys, values, count = page_after(self, last)
      at = 0
      if count == 0 then
        return nil
      end
    end
    at = at + 1
    last = keys[at]
    return last, values[at]
  end
end

return M
