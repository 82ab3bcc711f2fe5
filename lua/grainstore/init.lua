--- GrainStore: an embedded key-value store.
--
--     local grainstore = require "grainstore"
--     local store <close> = assert(grainstore.open("state"))
--     store:put("greeting", "hello")
--     print(store:get("greeting"))
--
-- What fails in the world returns `nil, message, code, detail`; what is wrong in
-- the call raises. The methods of stores, snapshots, cursors and batches are
-- written in C (`lua/binding`); this file joins them with the policy driver.
-- @module grainstore

local core = require "grainstore.core"
local driver = require "grainstore.driver"
local stats = require "grainstore.stats"
local tree = require "grainstore.tree"

local M = {
  _VERSION = core.version,
  FORMAT = core.format,
}

-- What is loaded when it is first used.
local lazy = {
  keys = "grainstore.keys",
  policy = "grainstore.policy",
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

local function open(path, kind, options)
  local policy = driver.resolve(options and options.policy)
  local store, message, code, detail = core.open(path, kind, options, true)
  if not store then
    return nil, message, code, detail
  end
  driver.install(store, policy)
  return store
end

--- Opens the store in a directory, of whichever kind it is.
-- Creates a bytes store where there is none, unless told otherwise.
-- @tparam string path the directory
-- @tparam[opt] table options see README
-- @treturn store
-- @return nil, message, code, detail
function M.open(path, options)
  return open(path, "any", options)
end

--- Opens a store of byte strings; fails with code "kind" for a u32 store.
-- @tparam string path the directory
-- @tparam[opt] table options see README
-- @treturn store
function M.open_bytes(path, options)
  return open(path, "bytes", options)
end

--- Opens a store of 32-bit numbers under 32-bit numbers.
-- @tparam string path the directory
-- @tparam[opt] table|integer options see README; a number is a seed
-- @treturn store
function M.open_u32(path, options)
  if math.type(options) == "integer" then
    options = { seed = options }
  end
  return open(path, "u32", options)
end

--- Functions for u32 stores, the same as the methods.
-- @section u32

function M.put_u32(store, key, value)
  return store:put(key, value)
end

function M.get_u32(store, key)
  return store:get(key)
end

function M.delete_u32(store, key)
  return store:delete(key)
end

function M.close_u32(store)
  return store:close()
end

--- Directories that are not open.
-- @section directories

--- What a directory holds, without opening it.
-- @tparam string path
-- @treturn table kind, format, tables, runs, bytes, entries, seq, clean
function M.info(path)
  return core.info(path)
end

--- Deletes a closed store.
-- @tparam string path
-- @treturn boolean true
function M.destroy(path)
  return core.destroy(path)
end

--- Reads every byte of a closed store and checks it.
-- @tparam string path
-- @treturn boolean true
function M.verify(path)
  local store, message, code, detail =
    core.open(path, "any", { readonly = true, create = false }, true)
  if not store then
    return nil, message, code, detail
  end
  local ok, text, why, where = store:verify()
  store:close()
  if not ok then
    return nil, text, why, where
  end
  return true
end

-- Methods that are Lua's part ---------------------------------------------------

local methods = core.store_methods

--- The tree as a policy sees it.
-- @function store:tree
-- @treturn table see grainstore.tree
function methods:tree()
  local shape, message, code, detail = self:_shape()
  if not shape then
    return nil, message, code, detail
  end
  return tree.new(shape)
end

--- Counters since the store was opened, and sizes now.
-- @function store:stats
-- @treturn table nested; `:delta(earlier)`; prints well
function methods:stats()
  return stats.new(self:_stats())
end

--- Submits one plan.
-- @function store:plan
-- @tparam table plan op, inputs, into | above | bottom, level, table_bytes, cuts
-- @tparam[opt] table options dry_run
-- @treturn integer the job's number, or true for a dry run
-- @return nil, message, name of the refusal, `{tables = {ids}}`
function methods:plan(plan, options)
  return self:_plan(plan, options)
end

local set_number = methods.set

--- Changes an option of an open store: a number, or "policy".
-- @function store:set
-- @tparam string name
-- @param value
-- @treturn boolean true
function methods:set(name, value)
  if name == "policy" then
    driver.install(self, driver.resolve(value))
    return true
  end
  return set_number(self, name, value)
end

local PAGE = 64

-- Entries from a key on, a page at a time; nothing is held between two pages,
-- because a loop over pairs() that is left early has nothing to close.
local function page_after(store, key)
  local keys, values = {}, {}
  local from = key
  local cursor <close> = assert(store:cursor { from = from })
  local count = assert(cursor:fill(keys, values, PAGE + 1))
  if key ~= nil and keys[1] == key then
    table.remove(keys, 1)
    table.remove(values, 1)
    count = count - 1
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
