-- The program, run as a process: what it prints, and how it ends.

local grainstore = require "grainstore"
local cli = require "grainstore.cli"
local tmp = require "grainstore.testing.tmp"

local function quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

-- Runs it; what it printed (both channels) and its exit code.
local function run(...)
  local words = {
    "LUA_PATH=" .. quote(package.path), "LUA_CPATH=" .. quote(package.cpath),
    os.getenv "GS_LUA" or "lua5.4", "lua/bin/grainstore",
  }
  for _, word in ipairs { ... } do
    words[#words + 1] = quote(word)
  end
  local pipe = assert(io.popen(table.concat(words, " ") .. " 2>&1; echo $?"))
  local said = pipe:read "a"
  pipe:close()
  local text, code = said:match "^(.-)(%d+)\n$"
  return text, math.tointeger(tonumber(code))
end

local function says(expected, code, ...)
  local text, exit = run(...)
  assert.equal(expected, text)
  assert.equal(code, exit)
end

local function complains(pattern, code, ...)
  local text, exit = run(...)
  assert.is_truthy(text:find(pattern), text)
  assert.is_truthy(text:find "^grainstore: ", text)
  assert.equal(code, exit)
end

-- Keys a, b, c and one that cannot be printed.
local function made(path)
  local store = assert(grainstore.open(path, { policy = "manual" }))
  for _, key in ipairs { "a", "b", "c", "\xff" } do
    store:put(key, "value of " .. key)
    store:flush()
  end
  store:close()
  return path
end

describe("grainstore", function()
  it("tells of itself and of its commands", function()
    local text, code = run "--help"
    assert.equal(0, code)
    for _, name in ipairs(cli.commands) do
      assert.is_truthy(text:find("\n   " .. name .. " ", 1, true))
      local help, exit = run(name, "--help")
      assert.equal(0, exit)
      assert.is_truthy(help:find("path", 1, true))
    end
    says(("grainstore %s, format %d\n"):format(grainstore._VERSION,
      grainstore.FORMAT), 0, "--version")
  end)

  it("ends with 2 where the words are wrong", function()
    complains("unknown command 'lunch'", 2, "lunch")
    complains("missing argument 'path'", 2, "info")
    complains("no number from 0", 2, "scan", "/nowhere", "--limit", "x")
    complains("give %-%-into or %-%-dry%-run", 2, "repair", "/nowhere")
    local path = made(tmp.path())
    complains("no row of bytes in hexadecimal", 2, "get", path, "0xf")
    complains("the store holds bytes", 2, "get", path, "u32:7")
    complains("%-%-prefix goes without", 2, "scan", path, "--prefix", "a",
      "--from", "b")
  end)

  it("ends with 1 where there is no store", function()
    for _, name in ipairs { "info", "stats", "levels", "why", "scan", "count",
      "verify", "compact", "flush" } do
      complains("there is no store", 1, name, tmp.path())
    end
  end)
end)

describe("grainstore reads", function()
  local path = made(tmp.path())

  it("a value by its key", function()
    says("value of a\n", 0, "get", path, "a")
    says("value of a", 0, "get", path, "a", "--raw")
    says("", 1, "get", path, "z")
    says('{"key":"a","value":"value of a"}\n', 0, "get", path, "a", "--json")
    says("0x76616c7565206f6620ff\n", 0, "get", path, "0xff")
  end)

  it("keys and values in order", function()
    says("a\tvalue of a\nb\tvalue of b\nc\tvalue of c\n"
      .. "0xff\t0x76616c7565206f6620ff\n", 0, "scan", path)
    says("b\n", 0, "scan", path, "--from", "b", "--to", "c", "--keys")
    says("0xff\nc\n", 0, "scan", path, "--reverse", "--limit", "2", "--keys")
    says('{"key":"b","value":"value of b"}\n', 0, "scan", path, "--prefix",
      "b", "--json")
  end)

  it("how many there are, and how long they last", function()
    says("4\n", 0, "count", path)
    says('{"count":2}\n', 0, "count", path, "--to", "c", "--json")
    says("never\n", 0, "ttl", path, "a")
    says('{"ttl_ms":null}\n', 0, "ttl", path, "a", "--json")
    says("", 1, "ttl", path, "z")
  end)

  it("what a directory holds", function()
    local text, code = run("info", path)
    assert.equal(0, code)
    assert.is_truthy(text:find "kind +bytes\n")
    assert.is_truthy(text:find "tables +4\n")
    assert.is_truthy(text:find "clean +true\n")
    text = run("info", path, "--json")
    assert.is_truthy(text:find('"runs":4', 1, true))
  end)

  it("sizes, by level too", function()
    local text, code = run("stats", path)
    assert.equal(0, code)
    assert.is_truthy(text:find "tables +bytes %d+, count 4")
    assert.is_truthy(run("stats", path, "--json"):find('"count":4', 1, true))
    text = run("levels", path)
    assert.is_truthy(text:find "\n +0 +4 +4 +%d+ +4 +0\n")
    assert.is_truthy(run("levels", path, "--json"):find '^%[{"bytes":%d+')
  end)

  it("beside a process that writes, which keeps others from writing", function()
    local other = made(tmp.path())
    local store <close> = assert(grainstore.open(other, { policy = "manual" }))
    store:put("late", "1")
    says("value of a\n", 0, "get", other, "a")
    says("1\n", 0, "get", other, "late")
    assert.is_truthy(run("info", other):find "owner +process %d+, ")
    complains("process", 3, "put", other, "a", "2")
    store:flush()
    assert.is_truthy(run("why", other, "--limit", "1"):find("flush", 1, true))
  end)
end)

describe("grainstore writes", function()
  local path = tmp.path()

  it("where it may make a store, or there is one", function()
    complains("there is no store", 1, "put", path, "a", "1")
    says("", 0, "put", path, "a", "1", "--create")
    local text, code = run("put", path, "b", "0x00ff", "--ttl", "600000",
      "--json")
    assert.equal(0, code)
    assert.is_truthy(text:find '^{"seq":%d+}\n$')
    says("0x00ff\n", 0, "get", path, "b")
    local left = math.tointeger(tonumber((run("ttl", path, "b"))))
    assert.is_true(left > 0 and left <= 600000)
  end)

  it("what it reads from the input", function()
    local text = run("put", path, "c", "-")
    assert.equal("", text)
    says("", 0, "get", path, "c", "--raw")
  end)

  it("deletions, of what is there", function()
    says("", 0, "del", path, "c")
    says("", 1, "del", path, "c")
    says('{"deleted":false}\n', 1, "del", path, "c", "--json")
  end)

  it("nothing that a store refuses", function()
    complains("65535", 5, "put", path, ("k"):rep(70000), "1")
  end)

  it("merges, flushes and copies", function()
    local copy = tmp.path()
    local text, code = run("compact", path, "--compression", "zstd")
    assert.equal(0, code)
    assert.is_truthy(text:find "^1 runs, %d+ bytes\n$")
    assert.is_truthy(run("compact", path, "--json"):find '"runs":1}\n$')
    says("", 0, "flush", path)
    assert.is_truthy(run("flush", path, "--json"):find '^{"seq":%d+}\n$')
    text, code = run("checkpoint", path, copy)
    assert.equal(0, code)
    assert.is_truthy(text:find("holds everything up to", 1, true))
    says("1\n", 0, "get", copy, "a")
    complains("", 1, "checkpoint", path, copy)
  end)

  it("numbers under numbers", function()
    local numbers = tmp.path()
    assert(grainstore.open_u32(numbers)):close()
    says("", 0, "put", numbers, "300", "7")
    says("", 0, "put", numbers, "u32:70000", "u32:8")
    says("300\t7\n70000\t8\n", 0, "scan", numbers)
    says("70000\n", 0, "scan", numbers, "--from", "301", "--keys")
    complains("no number from 0 to 4294967295", 2, "get", numbers, "x")
    complains("numbers have no prefix", 2, "count", numbers, "--prefix", "3")
    assert.is_truthy(run("why", numbers, "--key", "300"):find("flush", 1, true))
    local text = run("why", numbers, "--json", "--kind", "flush")
    assert.is_truthy(text:find('"min_key":"70000"', 1, true))
  end)
end)

describe("grainstore looks after stores:", function()
  local function spoil(path)
    local name
    for _, file in ipairs(assert(grainstore.verify(path)).files) do
      if file.kind == "table" then name = path .. "/" .. file.name end
    end
    local file = assert(io.open(name, "r+b"))
    file:seek("set", 60)
    file:write(("\xA5"):rep(8))
    file:close()
  end

  it("verify finds what is wrong and ends with 4", function()
    local path = made(tmp.path())
    local text, code = run("verify", path)
    assert.equal(0, code)
    assert.is_truthy(text:find "sound +table +%d+  %d+%.sst\n")
    assert.is_truthy(text:find("\n0 problems, 0 torn", 1, true))
    spoil(path)
    text, code = run("verify", path)
    assert.equal(4, code)
    assert.is_truthy(text:find "damaged +table")
    assert.is_truthy(text:find("\n1 problems", 1, true))
    text, code = run("verify", path, "--json")
    assert.equal(4, code)
    assert.is_truthy(text:find('"state":"damaged"', 1, true))
    assert.equal(0, select(2, run("verify", path, "--shallow")))
  end)

  it("repair saves the rest and ends with 1 where some was lost", function()
    local path, into = made(tmp.path()), tmp.path()
    local text, code = run("repair", path, "--dry-run")
    assert.equal("4 entries saved\n", text)
    assert.equal(0, code)
    spoil(path)
    text, code = run("repair", path, "--into", into)
    assert.equal(1, code)
    assert.is_truthy(text:find "lost: %w+ of %d+%.sst at %d+, %d+ bytes, .*key")
    assert.is_truthy(text:find("3 entries saved\n", 1, true))
    says("3\n", 0, "count", into)
    text, code = run("repair", path, "--dry-run", "--json")
    assert.equal(1, code)
    assert.is_truthy(text:find('"entries_saved":3', 1, true))
  end)
end)

describe("grainstore why", function()
  local path = tmp.path()
  local store = assert(grainstore.open(path, { policy = "manual" }))
  for _, key in ipairs { "a", "m", "a" } do
    store:put(key, "1")
    store:flush()
  end
  store:plan { op = "merge", inputs = { 4711 }, bottom = true, why = "greed" }
  store:compact { from = "a", to = "b" }
  store:close()

  -- Numbers and kinds of the lines.
  local function events(...)
    local text, code = run("why", path, ...)
    assert.equal(0, code)
    local found = {}
    for line in text:gmatch "[^\n]+" do
      local number, kind =
        line:match "^ *(%d+)  %d+%-%d+%-%d+ [%d:]+%.%d+  ([%w_]+)"
      found[#found + 1] = kind .. number
    end
    return table.concat(found, " ")
  end

  it("tells what happened, when and with which reason", function()
    assert.equal("open1 flush2 flush3 flush4 refused5 merge6 close7", events())
    local text = run("why", path)
    assert.is_truthy(text:find "refused: .-unknown_table.-; why: greed\n")
    assert.is_truthy(text:find "merge: 2 tables into run %d+ became 1 table; "
      .. "read %d+ B, wrote %d+ B; left out 1 covered; why: compact\n")
  end)

  it("is asked by kind, number, count and key", function()
    assert.equal("refused5 merge6", events("--kind", "refused", "--kind",
      "merge"))
    assert.equal("merge6 close7", events("--since", "5"))
    assert.equal("close7", events("--limit", "1"))
    assert.equal("flush2 flush4 merge6", events("--key", "a"))
    assert.equal("flush3", events("--key", "m"))
    assert.equal("", events("--key", "z"))
    assert.equal("flush4", events("--key", "a", "--kind", "flush", "--limit",
      "1"))
    assert.equal("merge6", events("--key", "a", "--since", "4"))
    complains("", 2, "why", path, "--kind", "lunch")
  end)

  it("shows the tree, and all of it as JSON", function()
    local text = run("why", path, "--kind", "merge", "--tree")
    assert.is_truthy(text:find "\n        run %d+ L0: 1 table, ")
    text = run("why", path, "--kind", "merge", "--json")
    assert.is_truthy(text:find('"why":"compact"', 1, true))
    assert.is_truthy(text:find('"min_key":"a"', 1, true))
  end)
end)
