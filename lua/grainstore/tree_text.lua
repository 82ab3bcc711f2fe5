--- Trees as text that prints and parses: a line for each run, newest first.
--
--     L0 a-m:100 n-z:100
--     L1#7 "k 01"-"k 99":64K(120e 4t 2x@1700..1900 #31)*
--
--     tree  = "no runs" | { run newline }
--     run   = "L" level [ "#" id ] { " " table }
--     table = key "-" key ":" bytes [ "(" facts ")" ] [ "*" ]
--     key   = word | number | quoted string
--     bytes = number [ "K" | "M" | "G" ]
--     facts = one or more of these, with a space between them
--             number "e"                          entries
--             number "t"                          tombstones
--             number "x" [ "@" first ".." last ]  expiring entries; when the
--                                                 first and the last expire
--             "#" id
--
-- Blank lines and what follows "--" are nothing. A word begins with a letter
-- and holds letters, digits, "_", "." and "/". A key that is a number is one of
-- a u32 store; other strings are quoted as in Lua. "*" marks a table that a job
-- is at work on. Tables without ids are numbered from 1 in the order of the
-- text, runs from 101.
-- @module grainstore.tree_text

local M = {}

local FIRST_RUN = 101

-- ---- printing --------------------------------------------------------------

local function key_text(key)
  if type(key) == "number" then
    return ("%d"):format(key)
  elseif key:find "^%a[%w_./]*$" then
    return key
  end
  return '"' .. key:gsub('[%c"\\\x7F-\xFF]', function(byte)
    return ("\\x%02X"):format(byte:byte())
  end):gsub(" %-%-", " \\x2D-") .. '"'
end

local function bytes_text(bytes)
  for shift, unit in pairs { [30] = "G", [20] = "M", [10] = "K" } do
    local size = 1 << shift
    if bytes >= size and bytes % size == 0 and bytes // size < 1024 then
      return ("%d%s"):format(bytes // size, unit)
    end
  end
  return ("%d"):format(bytes)
end

local function facts_text(t, number)
  local facts = {}
  local function add(wanted, format, ...)
    if wanted then
      facts[#facts + 1] = format:format(...)
    end
  end
  local expiring = t.expiring or 0
  add((t.entries or 0) > 0, "%de", t.entries)
  add((t.tombstones or 0) > 0, "%dt", t.tombstones)
  if t.min_expiry_ms and t.max_expiry_ms then
    add(true, "%dx@%d..%d", expiring, t.min_expiry_ms, t.max_expiry_ms)
  else
    add(expiring > 0, "%dx", expiring)
  end
  add(t.id ~= number, "#%d", t.id)
  return facts[1] and "(" .. table.concat(facts, " ") .. ")" or ""
end

--- The text of a tree.
-- @tparam table tree
-- @treturn string
function M.print(tree)
  local lines, number = {}, 0
  for i, run in ipairs(tree.runs) do
    local words = { "L" .. run.level }
    if run.id ~= FIRST_RUN + i - 1 then
      words[1] = ("L%d#%d"):format(run.level, run.id)
    end
    for _, t in ipairs(run.tables) do
      number = number + 1
      words[#words + 1] = ("%s-%s:%s%s%s"):format(key_text(t.min_key),
        key_text(t.max_key), bytes_text(t.bytes), facts_text(t, number),
        t.busy and "*" or "")
    end
    lines[i] = table.concat(words, " ")
  end
  return lines[1] and table.concat(lines, "\n") or "no runs"
end

-- ---- parsing ---------------------------------------------------------------

local function complain(line, at, wanted)
  error(("a tree as text: %s expected at %q"):format(wanted, line:sub(at)), 0)
end

local units = { [""] = 0, K = 10, M = 20, G = 30 }

-- The key at a place, and the place behind it.
local function read_key(line, at)
  local word, behind = line:match("^(%a[%w_./]*)()", at)
  if word then
    return word, behind
  end
  word, behind = line:match("^(%d+)()", at)
  if word then
    return math.tointeger(word), behind
  elseif line:sub(at, at) ~= '"' then
    complain(line, at, "a key")
  end
  behind = at + 1
  while line:sub(behind, behind) ~= '"' do
    if behind > #line then
      complain(line, at, "a quoted key that ends")
    end
    behind = behind + (line:sub(behind, behind) == "\\" and 2 or 1)
  end
  local made = load("return " .. line:sub(at, behind), "key", "t", {})
  if not made then
    complain(line, at, "a key quoted as in Lua")
  end
  return made(), behind + 1
end

local function read_fact(t, fact, line, at)
  local number, unit, rest = fact:match "^(%d+)([etx])(.*)$"
  local first, last = (rest or ""):match "^@(%d+)%.%.(%d+)$"
  local id = fact:match "^#(%d+)$"
  if id then
    t.id = math.tointeger(id)
  elseif unit == "e" and rest == "" then
    t.entries = math.tointeger(number)
  elseif unit == "t" and rest == "" then
    t.tombstones = math.tointeger(number)
  elseif unit == "x" and (first or rest == "") then
    t.expiring = math.tointeger(number)
    t.min_expiry_ms = first and math.tointeger(first)
    t.max_expiry_ms = last and math.tointeger(last)
  else
    complain(line, at, 'entries ("12e"), tombstones ("3t"), expiring entries '
      .. '("2x@5..9") or an id ("#7")')
  end
end

local function read_table(line, at)
  local t = { entries = 0, tombstones = 0, expiring = 0, busy = false }
  t.min_key, at = read_key(line, at)
  if line:sub(at, at) ~= "-" then
    complain(line, at, '"-" between two keys')
  end
  t.max_key, at = read_key(line, at + 1)
  local bytes, unit, behind = line:match("^:(%d+)([KMG]?)()", at)
  if not bytes then
    complain(line, at, 'a size (":4096", ":64K")')
  end
  t.bytes = math.tointeger(bytes) << units[unit]
  local facts, after = line:match("^(%b())()", behind)
  for fact in (facts or ""):gmatch "[^%s()]+" do
    read_fact(t, fact, line, behind)
  end
  at = after or behind
  if line:sub(at, at) == "*" then
    t.busy, at = true, at + 1
  end
  if not line:find("^%f[%s\0]", at) and at <= #line then
    complain(line, at, "a space or the end of the line")
  end
  return t, at
end

local function read_run(line)
  local level, id, at = line:match "^%s*L(%d+)#?(%d*)()"
  if not level then
    complain(line, 1, 'a run ("L0 a-m:100 …")')
  end
  local run = { id = math.tointeger(id), level = math.tointeger(level),
    tables = {} }
  at = line:match("^%s*()", at)
  while at <= #line do
    local t
    t, at = read_table(line, at)
    run.tables[#run.tables + 1] = t
    at = line:match("^%s*()", at)
  end
  return run
end

local sums = { "bytes", "entries", "tombstones", "expiring" }

-- What follows from the text: ids, sums, sequence numbers that fall from run to
-- run.
local function complete(runs)
  local number = 0
  for i, run in ipairs(runs) do
    run.id = run.id or FIRST_RUN + i - 1
    for _, name in ipairs(sums) do
      run[name] = 0
    end
    for _, t in ipairs(run.tables) do
      number = number + 1
      t.id = t.id or number
      t.run, t.level = run.id, run.level
      t.min_seq, t.max_seq = #runs - i + 1, #runs - i + 1
      t.created_ms = 0
      for _, name in ipairs(sums) do
        run[name] = run[name] + t[name]
      end
    end
  end
end

--- The runs that a text describes; raises where it does not parse.
-- @tparam string text
-- @treturn table runs
function M.parse(text)
  local runs = {}
  for line in text:gmatch "[^\n]+" do
    line = (" " .. line):gsub("%s%-%-.*$", ""):gsub("^%s+", "")
    if line:find "%S" and not line:find "^%s*no runs%s*$" then
      runs[#runs + 1] = read_run(line)
    end
  end
  complete(runs)
  return runs
end

return M
