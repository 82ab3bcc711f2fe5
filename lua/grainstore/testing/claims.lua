--- What can be claimed of stores: functions that return nil, or in words what
-- is wrong. `grainstore.busted` makes assertions of them; other test frameworks
-- can use them as they are.
-- @module grainstore.testing.claims

local expect = require "grainstore.blame".expect
local grainstore = require "grainstore"
local show = require "grainstore.testing.show"

local M = {}

local function failed(what, message, code)
  return ("%s failed: %s (%s)"):format(what, message, code)
end

local function has_method(value, name)
  local kind = type(value)
  return (kind == "userdata" or kind == "table") and value[name] ~= nil
end

-- Calls f for a claim: what is wrong with its second argument is wrong with the
-- claim's of that position.
local function call(position, name, f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local message = results[2]
  if type(message) == "string" then
    message = message:gsub("^bad argument #2 to '[^']*'",
      ("bad argument #%d to '%s'"):format(position, name))
  end
  error(message, 3)
end

-- What `get` returned: the value, or nil and what went wrong.
local function read(value, message, code)
  return value, message and failed("get", message, code)
end

--- The store has the key, with that value unless it is nil.
-- @param store store or snapshot
-- @param key
-- @param[opt] value
-- @treturn nil|string
function M.has(store, key, value)
  expect(has_method(store, "get"), 1, "has", "a store or a snapshot", store)
  local found, wrong = read(call(2, "has", store.get, store, key))
  if wrong then
    return wrong
  elseif found == nil then
    return ("%s is missing"):format(show.value(key))
  elseif value ~= nil and found ~= value then
    return ("%s = %s should be %s"):format(show.value(key), show.value(found),
      show.value(value))
  end
end

--- The store does not have the key.
function M.lacks(store, key)
  expect(has_method(store, "get"), 1, "lacks", "a store or a snapshot", store)
  local found, wrong = read(call(2, "lacks", store.get, store, key))
  if found ~= nil then
    return ("%s = %s should not be there"):format(show.value(key),
      show.value(found))
  end
  return wrong
end

--- The store has these entries and no others.
-- @param store store or snapshot
-- @tparam table entries
function M.same(store, entries)
  expect(has_method(store, "scan"), 1, "same", "a store or a snapshot", store)
  expect(type(entries) == "table", 2, "same", "table", entries)
  local found = {}
  local ok, wrong = pcall(function()
    for key, value in store:scan() do
      found[key] = value
    end
  end)
  if not ok then
    return "scan failed: " .. tostring(wrong)
  end
  local difference = show.difference(entries, found)
  return difference and "other entries than expected:\n" .. difference
end

-- The directories of a machine that hold a store.
local function stores_of(env)
  local found = {}
  for path in pairs(env:files()) do
    local dir, name = path:match "^(.*)/([^/]*)$"
    if name:find "^MANIFEST" and not found[dir] then
      found[dir] = true
      found[#found + 1] = dir
    end
  end
  return found
end

-- Options of `recovers`: the path, those of the crash, those of open.
local function read_options(options)
  local opening, keep, path = { create = false }, { keep = "synced" }, nil
  for name, value in pairs(options or {}) do
    if name == "path" then
      path = value
    elseif name == "keep" or name == "choice" then
      keep[name] = value
    else
      opening[name] = value
    end
  end
  return path, keep, opening
end

--- After a loss of power the only store of a machine opens, is whole, and has
-- these entries and no others.
-- @tparam env env
-- @tparam table entries
-- @tparam[opt] table options path; keep and choice, what the crash keeps
-- ("synced"); all others are options of open
function M.recovers(env, entries, options)
  expect(has_method(env, "crash"), 1, "recovers", "an env", env)
  expect(type(entries) == "table", 2, "recovers", "table", entries)
  expect(options == nil or type(options) == "table", 3, "recovers", "table",
    options)
  local path, keep, opening = read_options(options)
  if not path then
    local dirs = stores_of(env)
    if #dirs ~= 1 then
      return ("the env holds %d stores; say which with path"):format(#dirs)
    end
    path = dirs[1]
  end
  local after <close> = call(3, "recovers", env.crash, env, keep)
  opening.env = after
  local store <close>, message, code = call(3, "recovers", grainstore.open,
    path, opening)
  if not store then
    return failed("open after the crash", message, code)
  end
  local whole, why, how = store:verify()
  if not whole then
    return failed("verify after the crash", why, how)
  end
  return M.same(store, entries)
end

local function list(results)
  local parts = {}
  for i = 1, results.n do
    parts[i] = show.value(results[i])
  end
  return results.n == 0 and "nothing" or table.concat(parts, ", ")
end

--- The call fails with that code: it returns nil, message, code, or raises an
-- object with a code, as loops do.
-- @tparam string code
-- @tparam function f
-- @param ... its arguments
-- @treturn nil|string
-- @return the message and the detail of the failure
function M.code(code, f, ...)
  local results = table.pack(pcall(f, ...))
  local ok, first, message, found, detail = table.unpack(results, 1, 5)
  if not ok then
    if type(first) ~= "table" or not first.code then
      return ("raised %s, should fail with %q"):format(tostring(first), code)
    end
    message, found, detail = first.message, first.code, first.detail
  elseif first ~= nil or found == nil then
    table.remove(results, 1)
    results.n = results.n - 1
    return ("returned %s, should fail with %q"):format(list(results), code)
  end
  if found ~= code then
    return ("failed with %q, should be %q: %s"):format(found, code, message)
  end
  return nil, message, detail
end

return M
