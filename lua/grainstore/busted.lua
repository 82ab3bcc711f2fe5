--- What specs under busted get, which is started by
-- `busted --lua=lua5.4 --helper=grainstore.busted`.
--
-- `tmpstore { … }` opens a store on the real disk, `tmpenv { … }` makes a
-- simulated machine; both end after the test, or with the block in whose
-- `setup` they were made. `assert.store(s).has(k, v) .lacks(k) .same { … }`,
-- `assert.recovers(env, { … })` and `assert.code("locked", f, …)` say in words
-- what is wrong.
--
-- Every handle that a test opens must be closed, or be garbage, when it ends;
-- else it counts as an error that names the line that opened it.
-- @module grainstore.busted

-- Where busted was started by another Lua its loader would say no more than
-- that a symbol is missing.
if _VERSION ~= "Lua 5.4" then
  error("grainstore.busted needs Lua 5.4 and was loaded by " .. _VERSION
    .. "; run busted --lua=lua5.4", 0)
end

local busted = require "busted"
local blame = require "grainstore.blame"
local grainstore = require "grainstore"
local claims = require "grainstore.testing.claims"
local env_kit = require "grainstore.testing.env"
local handles = require "grainstore.handles"
local tmp = require "grainstore.testing.tmp"

-- ---- what ends with a test -------------------------------------------------

-- Things to end, in order; `mark` of them were there when the test began.
local ending, mark = {}, 0

-- Stores that end so.
local ours = setmetatable({}, { __mode = "k" })

local function end_later(f)
  ending[#ending + 1] = f
end

-- Ends what came after number `from`, last first; returns what went wrong.
local function end_from(from)
  local wrong
  for i = #ending, from + 1, -1 do
    local ok, message = pcall(ending[i])
    ending[i] = nil
    wrong = wrong or not ok and message or nil
  end
  return wrong
end

local OPENERS = { bytes = grainstore.open_bytes, u32 = grainstore.open_u32 }

local function complain(text, ...)
  error(("bad argument #1 to 'tmpstore' (%s)"):format(text:format(...)), 4)
end

-- The function that opens, the path if there is one, and options for both.
local function read_options(options)
  options = options == nil and {} or options
  if type(options) ~= "table" then
    complain("table expected, got %s", type(options))
  end
  local opening = {}
  for name, value in pairs(options) do opening[name] = value end
  local kind, path = opening.kind or "bytes", opening.path
  opening.kind, opening.path = nil, nil
  if not OPENERS[kind] then
    complain 'option \'kind\' takes "bytes" or "u32"'
  elseif path ~= nil and type(path) ~= "string" then
    complain("option 'path' takes a string, got %s", type(path))
  end
  return OPENERS[kind], path, opening
end

--- Opens a store in a new directory.
-- @function tmpstore
-- @tparam[opt] table options those of `grainstore.open`, and kind ("bytes",
-- "u32") and path
-- @treturn store
-- @treturn string its path
local function tmpstore(options)
  local open, path, opening = read_options(options)
  if not path then
    path = tmp.path()
    end_later(function() tmp.remove(path) end)
  end
  -- Its options are the first argument here and the second there.
  local store = assert(blame.call("tmpstore", true, open, path, opening))
  ours[store] = true
  end_later(function() store:close() end)
  return store, path
end

--- Makes a simulated machine.
-- @function tmpenv
-- @tparam[opt] table options those of `grainstore.testing.env`
-- @treturn env
local function tmpenv(options)
  local env = blame.call("tmpenv", false, env_kit.env, options)
  end_later(function() env:close() end)
  return env
end

rawset(_G, "tmpenv", tmpenv)
rawset(_G, "tmpstore", tmpstore)

-- ---- assertions ------------------------------------------------------------

local assert = require "luassert" -- luacheck: ignore

-- Fails at the place of the assertion.
local function claim(wrong, ...)
  if wrong then
    busted.fail(wrong, 3)
  end
  return ...
end

local function add(name, f)
  rawset(assert, name, f)
end

add("store", function(store)
  if type(store) ~= "userdata" and type(store) ~= "table" then
    error("bad argument #1 to 'store' (a store or a snapshot expected, got "
      .. type(store) .. ")", 2)
  end
  local about = {}
  for _, name in ipairs { "has", "lacks", "same" } do
    about[name] = function(...)
      claim(blame.call(name, true, claims[name], store, ...))
      return about
    end
  end
  return about
end)

add("recovers", function(...)
  claim(blame.call("recovers", false, claims.recovers, ...))
end)

add("code", function(code, f, ...)
  local message, detail = claim(claims.code(code, f, ...))
  return message, detail
end)

-- ---- leaks -----------------------------------------------------------------

handles.track(true)

local held -- handles that were open when the test began

-- A handle is known by its kind, place and store: loops may open many in one
-- place, which are then counted.
local function census()
  local counts, samples = {}, {}
  for _, handle in ipairs(handles.open()) do
    local id = ("%s opened at %s%s"):format(handle.kind, handle.where,
      handle.kind == "store" and "" or " of " .. tostring(handle.store))
    counts[id] = (counts[id] or 0) + 1
    samples[id] = handle
  end
  return counts, samples
end

-- What a test left open, in words; `close` closes the stores among it. Those
-- that end with the test are no leaks, what is open on them is.
local function leaks(close)
  local counts, samples = census()
  local lines = {}
  for id, count in pairs(counts) do
    local more = count - (held[id] or 0)
    local handle = samples[id]
    if more > 0 and not (handle.kind == "store" and ours[handle.store]) then
      lines[#lines + 1] = ("  %s%s"):format(id,
        more > 1 and (" (%d times)"):format(more) or "")
      if close then
        pcall(handle.store.close, handle.store)
      end
    end
  end
  table.sort(lines)
  return lines
end

-- The test as its own words say it.
local current

busted.subscribe({ "test", "start" }, function(element, parent)
  local name = element.name
  while parent and parent.name and parent.descriptor ~= "file" do
    name = parent.name .. " " .. name
    parent = busted.parent(parent)
  end
  current = name
  return nil, true
end)

busted.before_each(function()
  mark = #ending
  held = census()
end)

-- The garbage that a test leaves is collected before anything is said of it.
busted.after_each(function()
  if #leaks() > 0 then
    collectgarbage()
    collectgarbage()
  end
  local lines = leaks(true)
  local wrong = end_from(mark)
  if #lines > 0 then
    error(("%s: left open:\n%s"):format(current, table.concat(lines, "\n")), 0)
  elseif wrong then
    error(("%s: at its end: %s"):format(current, tostring(wrong)), 0)
  end
end)

-- What a setup made ends with its block, or at the latest here.
busted.subscribe({ "suite", "end" }, function()
  end_from(0)
  tmp.clean()
  return nil, true
end)

return { tmpstore = tmpstore, tmpenv = tmpenv }
