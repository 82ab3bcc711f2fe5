-- Events as text, and those that touched a key.

local T = require "grainstore.testing"
local grainstore = require "grainstore"
local journal = require "grainstore.journal"

local function event(kind, more)
  local e = { kind = kind, count = 1, number = 1, time_ms = 1, took_us = 1500,
    longest_us = 1000, tree = {} }
  for name, value in pairs(more or {}) do
    e[name] = value
  end
  return e
end

local function job(kind, more)
  local e = event(kind, { inputs = { 1, 2 }, outputs = { {} },
    read_bytes = 2048, written_bytes = 1 << 20,
    dropped = { covered = 3, tombstones = 0, expired = 1 } })
  for name, value in pairs(more or {}) do
    e[name] = value
  end
  return e
end

describe("an event as text", function()
  for _, case in ipairs {
    { job("flush"), "flush: 2.0 KiB of memory became 1 table, 1.0 MiB; "
      .. "left out 3 covered, 1 expired" },
    { job("merge", { into = 9, why = "too many runs", outputs_left_out = 2 }),
      "merge: 2 tables into run 9 became 3 tables; read 2.0 KiB, "
      .. "wrote 1.0 MiB; left out 3 covered, 1 expired; why: too many runs" },
    { job("move", { above = 4 }), "move: 2 tables above run 4" },
    { job("move", { bottom = true, inputs = { 1 } }),
      "move: 1 table to the bottom" },
    { job("drop"), "drop: 2 tables went" },
    { job("merge", { code = "io", message = "cannot write", count = 2 }),
      "merge: cannot write (io), 2 times" },
    { event("stall", { count = 7, why = "runs" }),
      "stall: 7 writers waited 1.5 ms, 1.0 ms at most; why: runs" },
    { event("refused", { op = "merge", code = "upward", message = "no",
      count = 3 }),
      "refused: a merge: no (upward), 3 times" },
    { event("policy_error", { code = "aside", message = "boom" }),
      "policy_error: boom (aside)" },
    { event("open", { recovered = { batches = 2, torn_bytes = 0, bits = 1 } }),
      "open: 0 runs, 2 writes of the log, 1 wrong bit" },
    { event("open", { recovered = { batches = 0, torn_bytes = 9, bits = 0 } }),
      "open: 0 runs, a torn end of 9 bytes" },
    { event("close"), "close" },
    { event("resume"), "resume" },
  } do
    it("is " .. case[2], function()
      assert.equal(case[2], journal.describe(case[1]))
    end)
  end

  it("has sizes and durations for people", function()
    assert.equal("0 B", journal.size(0))
    assert.equal("1023 B", journal.size(1023))
    assert.equal("1.5 GiB", journal.size(3 << 29))
    assert.equal("2048.0 PiB", journal.size(1 << 61))
    assert.equal("999 us", journal.duration(999))
    assert.equal("2.5 ms", journal.duration(2500))
    assert.equal("61.0 s", journal.duration(61000000))
  end)

  it("is refused for what is none, in words of the caller", function()
    for _, case in ipairs {
      { "describe", "an event of a journal expected, got nil" },
      { "describe", "an event of a journal expected, got string", "flush" },
      { "describe", "an event of a journal expected, got table", {} },
      { "describe", "an event of kind 'merge' has 'inputs', a table; got nil",
        { kind = "merge", count = 1, tree = {} } },
      { "describe",
        "an event of kind 'stall' has 'took_us', a number; got string",
        { kind = "stall", count = 1, tree = {}, took_us = "7" } },
      { "size", "a number expected, got string", "7" },
      { "duration", "a number expected, got nil" },
      { "new", "an array of events expected, got string", "x" },
      { "new", "element 2 is no event of a journal", { event "close", {} } },
      { "touching", "an array of events expected, got nil" },
      { "touching", "element 1 is no event of a journal", { 1 }, "k" },
    } do
      local name, said, given, more = table.unpack(case, 1, 4)
      local ok, message = pcall(function() journal[name](given, more) end)
      assert.is_false(ok)
      assert.equal(("bad argument #1 to '%s' (%s)"):format(name, said),
        message:match "journal_spec%.lua:%d+: (.*)$")
    end
    assert.equal("2 B", journal.size(1.5))
    local flush = job("flush", { outputs = { { id = 3, min_key = "a",
      max_key = "b" } } })
    local digits = job("flush", { outputs = { { id = 4, min_key = "17",
      max_key = "18" } } })
    assert.same({ digits }, journal.touching({ digits }, "17"))
    assert.error_matches(function() journal.touching({ flush }, 7) end,
      "bad argument #2 to 'touching' (a key of the store's kind expected, "
      .. "got number)", nil, true)
    local ok, message = pcall(function() journal.touching({}, true) end)
    assert.is_false(ok)
    assert.is_truthy(message:find("journal_spec.lua", 1, true))
    assert.is_truthy(message:find("bad argument #2 to 'touching' (a key "
      .. "expected, got boolean)", 1, true))
  end)

  it("is there for every event of a store's life", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = assert(grainstore.open("/store", { env = env,
      memtable_bytes = 8192, table_bytes = 4096, memory_bytes = 1 << 20 }))
    for i = 1, 2000 do
      store:put(("k%04d"):format(i % 500), ("v"):rep(40))
    end
    for _, e in ipairs(store:journal()) do
      assert.is_truthy(journal.describe(e):find(e.kind, 1, true))
    end
  end)
end)

describe("the events that touched a key", function()
  it("made its tables or took them in", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = assert(grainstore.open("/store", { env = env,
      policy = { name = "idle", pick = function() end } }))
    for _, keys in ipairs { { "a", "c" }, { "m", "p" }, { "b", "b" } } do
      store:put(keys[1], "1")
      store:put(keys[2], "1")
      store:flush()
    end
    store:compact { from = "a", to = "d" }
    local function numbers(key)
      local found = {}
      for i, e in ipairs(journal.touching(store:journal(), key)) do
        found[i] = e.kind .. e.number
      end
      return found
    end
    assert.same({ "flush2", "flush4", "merge5" }, numbers "b")
    assert.same({ "flush2", "merge5" }, numbers "bb")
    assert.same({ "flush3" }, numbers "n")
    assert.same({}, numbers "z")
  end)

  it("may have gone without making anything", function()
    local events = {
      job("flush", { number = 1, inputs = {},
        outputs = { { id = 7, min_key = "a", max_key = "c" } } }),
      job("drop", { number = 2, inputs = { 8 }, outputs = {} }),
      job("drop", { number = 3, inputs = { 7 }, outputs = {} }),
      event("stall", { number = 4 }),
    }
    local found = journal.touching(events, "b")
    assert.same({ events[1], events[3] }, found)
  end)
end)
