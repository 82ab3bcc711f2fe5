--- Scenarios as arrays of operations, each a plain table that prints as Lua:
--
--     { "put", key, number [, sync=, ttl_ms=, bytes=] }    the value is made
--     { "delete", key [, sync=] }                          from the number
--     { "batch", { {"put", ...} | {"delete", ...}, ... } [, sync=, meta=] }
--     { "take", key }
--     { "put_if", key, expected, number|false }   expected: true for what is
--                                   there, false for nothing, or a number
--     { "expire", key, ms }  { "persist", key }
--     { "get", key }  { "scan" [, from=, to=, reverse=, limit=] }
--     { "count" [, from=, to=] }
--     { "snapshot", slot }  { "release", slot }
--     { "sync" }  { "flush" }  { "compact" [, from=, to=] }  { "step" [, ms] }
--     { "reopen" }  { "resume" }  { "advance", ms }  { "set", name, value }
--     { "check" }                   compares everything   { "verify" }
-- @module grainstore.testing.script

local Life = require "grainstore.testing.life"
local Random = require "grainstore.testing.random"
local shrink = require "grainstore.testing.shrink"

local M = {}

-- ---- text ------------------------------------------------------------------

local WIDTH = 76

local function is_name(key)
  return type(key) == "string" and key:find "^[%a_][%w_]*$"
end

local literal

local function fields(value)
  local parts = {}
  for i = 1, #value do
    parts[i] = literal(value[i])
  end
  local names = {}
  for name in pairs(value) do
    if not (math.type(name) == "integer" and name >= 1 and name <= #value) then
      names[#names + 1] = name
    end
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    local left = is_name(name) and name or "[" .. literal(name) .. "]"
    parts[#parts + 1] = left .. " = " .. literal(value[name])
  end
  return parts
end

local function quoted(text)
  local escaped = text:gsub('[%c"\\\128-\255]', function(c)
    return c == '"' and '\\"' or c == "\\" and "\\\\"
      or ("\\x%02X"):format(c:byte())
  end)
  return '"' .. escaped .. '"'
end

--- A value of plain Lua as Lua text on one line.
-- @treturn string
function literal(value)
  if type(value) == "table" then
    local parts = fields(value)
    return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
  elseif type(value) == "string" then
    return quoted(value)
  end
  return tostring(value)
end

M.literal = literal

-- Words in lines that are not too long.
local function wrapped(parts, indent)
  local lines, line = {}, ""
  for _, part in ipairs(parts) do
    if #line + #part + 2 > WIDTH - #indent and line ~= "" then
      lines[#lines + 1] = indent .. line
      line = ""
    end
    line = line .. (line == "" and "" or " ") .. part .. ","
  end
  lines[#lines + 1] = indent .. line
  return table.concat(lines, "\n")
end

--- Operations as Lua text, as many on a line as there is room for.
-- @tparam {op,...} ops
-- @tparam[opt="  "] string indent
-- @treturn string
function M.list(ops, indent)
  indent = indent or "  "
  if #ops == 0 then
    return "{}"
  end
  return "{\n" .. wrapped(fields(ops), indent .. "  ") .. "\n" .. indent .. "}"
end

--- A spec that plays the operations, to be pasted into a file.
-- @tparam {op,...} ops
-- @tparam[opt] table setup what `play` takes besides
-- @tparam[opt] string name of the spec
-- @treturn string
function M.text(ops, setup, name)
  local lines = {
    'local T = require "grainstore.testing"', "",
    ("it(%s, function()"):format(quoted(name or "repeats a scenario")),
    "  T.script.play(" .. M.list(ops)
      .. (setup and next(setup) and ", " .. literal(setup) or "") .. ")",
    "end)",
  }
  return table.concat(lines, "\n") .. "\n"
end

-- ---- playing ---------------------------------------------------------------

--- Does the operations on a new store, compares everything at the end and after
-- opening it again, and closes it; raises where an answer is wrong or an
-- operation fails.
-- @tparam {op,...} ops
-- @tparam[opt] table setup env (a new machine), path, kind, options of open,
-- seed of the machine
function M.play(ops, setup)
  setup = setup or {}
  local env = setup.env
  if not env and not setup.path then
    env = require "grainstore.testing".env { seed = setup.seed or 1 }
  end
  local life = Life.new {
    env = env, path = setup.path, kind = setup.kind, options = setup.options,
    history = false,
  }
  local ok, message = pcall(function()
    life:play(ops)
    life:play_on { { "check" }, { "verify" }, { "reopen" }, { "check" } }
  end)
  local closed, why = life:close()
  if not setup.env and env then
    env:close()
  end
  if not ok then
    error(message, 2)
  elseif not closed then
    error("close failed: " .. why, 2)
  end
end

-- ---- drawing ---------------------------------------------------------------

--- How likely each operation is.
M.WEIGHTS = {
  put = 400, delete = 120, batch = 50, take = 20, put_if = 30, expire = 10,
  persist = 10, get = 200, scan = 15, count = 10, snapshot = 8, release = 6,
  sync = 4, flush = 2, compact = 1, step = 10, advance = 10, reopen = 0.5,
  check = 0.5, verify = 0.2,
}

--- The same without reads: what a crash could take.
M.WRITES = {
  put = 420, delete = 110, batch = 160, take = 30, put_if = 40, expire = 15,
  persist = 8, snapshot = 15, release = 12, sync = 30, flush = 30, compact = 14,
  step = 50, advance = 15, reopen = 25, check = 4,
}

local draw = {}

local function range(random, keys)
  local op = {}
  if random:one_in(2) then op.from = random:pick(keys) end
  if random:one_in(2) then op.to = random:pick(keys) end
  return op
end

function draw.put(random, key, number)
  local op = { "put", key(), number }
  if random:one_in(8) then op.ttl_ms = random:below(300) end
  if random:one_in(12) then op.sync = true end
  return op
end

function draw.delete(_, key)
  return { "delete", key() }
end

function draw.batch(random, key, number)
  local parts = {}
  for i = 1, random:int(1, 9) do
    parts[i] = random:one_in(4) and { "delete", key() }
      or { "put", key(), number + i }
  end
  local op = { "batch", parts }
  if random:one_in(3) then op.meta = ("n%d"):format(number) end
  if random:one_in(10) then op.sync = true end
  return op
end

function draw.take(_, key)
  return { "take", key() }
end

function draw.put_if(random, key, number)
  local expected = random:pick { true, true, false, number - 16 }
  return { "put_if", key(), expected, not random:one_in(4) and number }
end

function draw.expire(random, key)
  return { "expire", key(), random:below(300) }
end

function draw.persist(_, key)
  return { "persist", key() }
end

function draw.get(_, key)
  return { "get", key() }
end

function draw.scan(random, _, _, keys)
  local op = range(random, keys)
  op[1] = "scan"
  if random:one_in(2) then op.reverse = true end
  if random:one_in(3) then op.limit = random:below(20) end
  return op
end

function draw.count(random, _, _, keys)
  local op = range(random, keys)
  op[1] = "count"
  return op
end

function draw.compact(random, _, _, keys)
  local op = random:one_in(2) and range(random, keys) or {}
  op[1] = "compact"
  return op
end

function draw.snapshot(random)
  return { "snapshot", random:int(1, 3) }
end

function draw.release(random)
  return { "release", random:int(1, 3) }
end

function draw.advance(random)
  return { "advance", random:below(100) }
end

function draw.step(random)
  return { "step", random:one_in(2) and 0 or nil }
end

--- Keys of uneven length, some the beginning of others.
-- @tparam string kind "bytes" or "u32"
-- @tparam integer count
-- @treturn {key,...}
function M.keys(kind, count)
  local keys = {}
  for i = 1, count do
    if kind == "u32" then
      keys[i] = i % 2 == 0 and i * 3 or i * 0x1010101 & 0xFFFFFFFF
    elseif i <= 3 then
      keys[i] = ("\0"):rep(i - 1)
    elseif i % 3 == 0 then
      keys[i] = ("a"):rep(i % 7) .. ("%02d"):format(i)
    else
      keys[i] = ("k%03d"):format(i)
    end
  end
  return keys
end

--- An endless row of operations that follows from the seed.
-- @tparam integer seed
-- @tparam[opt] table options kind; keys: how many (60) or an array; weights
-- @treturn function giving the next operation
function M.generator(seed, options)
  options = options or {}
  local random = Random.new(seed, 77)
  local keys = options.keys or 60
  if type(keys) == "number" then
    keys = M.keys(options.kind or "bytes", keys)
  end
  local wheel = random:wheel(options.weights or M.WEIGHTS)
  local few, number = math.max(1, #keys // 8), 0
  local function key()
    return keys[1 + random:below(random:one_in(3) and few or #keys)]
  end
  return function()
    number = number + 16
    local name = wheel()
    local drawn = draw[name]
    return drawn and drawn(random, key, number, keys) or { name }
  end
end

--- So many operations that follow from the seed.
-- @tparam integer seed
-- @tparam[opt] table options steps (100), and those of `generator`
-- @treturn {op,...}
function M.random(seed, options)
  local next_op, ops = M.generator(seed, options), {}
  for i = 1, options and options.steps or 100 do
    ops[i] = next_op()
  end
  return ops
end

--- Fewer and simpler operations that still fail.
-- @function shrink
-- @tparam {op,...} ops
-- @tparam function fails whether operations fail
-- @tparam[opt=1000] integer tries at most
-- @treturn {op,...}
M.shrink = shrink

return M
