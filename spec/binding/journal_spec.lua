-- The journal in Lua: what an event holds, and how events are asked for.

local grainstore = require "grainstore"
local T = require "grainstore.testing"

local PATH = "/store"

local idle = { name = "idle", pick = function() end }

local function open(env, more)
  local options = { env = env, policy = idle }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return assert(grainstore.open(PATH, options))
end

local function kinds_of(events)
  local kinds = {}
  for i, event in ipairs(events) do
    kinds[i] = event.kind
  end
  return table.concat(kinds, " ")
end

local function last(events, kind)
  for i = #events, 1, -1 do
    if events[i].kind == kind then
      return events[i]
    end
  end
end

describe("an event", function()
  it("of a flush has the tables it made and the tree", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = open(env)
    store:put("a", "1")
    store:put("a", "2")
    store:put("b", "1", { ttl_ms = 5000 })
    store:flush()
    local event = last(assert(store:journal()), "flush")
    local t = store:tree().runs[1].tables[1]
    assert.equal(1, event.count)
    assert.equal(2, event.number)
    assert.is_true(event.time_ms > 0)
    assert.same({}, event.inputs)
    assert.same({ covered = 1, tombstones = 0, expired = 0 }, event.dropped)
    assert.equal(1, #event.outputs)
    for _, name in ipairs {
      "id", "bytes", "entries", "tombstones", "expiring", "min_key", "max_key",
      "min_seq", "max_seq", "created_ms", "min_expiry_ms", "max_expiry_ms",
    } do
      assert.equal(t[name], event.outputs[1][name])
    end
    assert.is_nil(event.outputs[1].oldest_tombstone_ms)
    assert.equal(t.bytes, event.written_bytes)
    assert.is_nil(event.code)
    assert.is_nil(event.why)
    local run = store:tree().runs[1]
    assert.same({ { id = run.id, level = 0, tables = 1, bytes = t.bytes,
      entries = 2 } }, event.tree)
    assert.equal(("run %d L0: 1 table, %d B, 2 entries")
      :format(run.id, t.bytes), event.runs)
  end)

  it("of a merge has the plan and its reason", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = open(env)
    for _ = 1, 2 do
      store:put("a", "1")
      store:flush()
    end
    local tree = store:tree()
    local new, old = tree.runs[1].tables[1], tree.runs[2].tables[1]
    local job = assert(store:plan { op = "merge", inputs = { new.id, old.id },
      into = tree.runs[2].id, level = 3, why = "for the spec" })
    store:step()
    local event = last(store:journal(), "merge")
    assert.equal("for the spec", event.why)
    assert.equal(job, event.job)
    assert.same({ new.id, old.id }, event.inputs)
    assert.equal("merge", event.op)
    assert.equal(tree.runs[2].id, event.into)
    assert.equal(3, event.level)
    assert.equal(new.bytes + old.bytes, event.read_bytes)
    assert.equal(1, event.dropped.covered)
    assert.equal(3, event.tree[1].level)
  end)

  it("of a refused plan has its name, sentence and tables", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = open(env)
    local plan = { op = "merge", inputs = { 4711 }, bottom = true }
    local _, message, code = store:plan(plan)
    assert.is_nil(store:plan(plan, { dry_run = true }))
    store:plan(plan)
    store:plan { op = "lunch", why = "hunger" }
    assert.is_nil(store:plan({ op = "lunch" }, { dry_run = true }))
    local events = store:journal { kinds = { "refused" } }
    assert.equal(2, #events)
    assert.equal("bad_plan", events[2].code)
    assert.equal("hunger", events[2].why)
    assert.is_nil(events[2].op)
    assert.equal(2, events[1].count)
    assert.equal(code, events[1].code)
    assert.is_truthy(message:find(events[1].message, 1, true))
    assert.is_true(events[1].bottom)
    assert.same({ 4711 }, events[1].inputs)
  end)

  it("of a policy that raised has what it said", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = open(env, { policy = {
      name = "sick", pick = function() error("oh dear", 0) end } })
    for i = 1, 5 do
      store:put("a", tostring(i))
      store:flush()
    end
    local events = store:journal { kinds = { "policy_error" } }
    assert.equal("pick: oh dear", events[1].message)
    assert.equal("policy", events[1].code)
    assert.equal("aside", events[#events].code)
    local times = 0
    for _, event in ipairs(events) do
      times = times + event.count
    end
    assert.equal(3, times)
  end)

  it("of an opening has what was recovered", function()
    local env <close> = T.env { seed = 1 }
    local store = open(env)
    store:put("a", "1")
    local copy <close> = env:crash { keep = "all" }
    store:close()
    local again <close> = open(copy)
    local events = again:journal()
    assert.equal("flush open", kinds_of(events))
    assert.equal("recovery", events[1].why)
    assert.same({ batches = 1, torn_bytes = 0, bits = 0 }, events[2].recovered)
  end)

  it("of a u32 store has numbers for keys, in files too", function()
    local env <close> = T.env { seed = 1 }
    local store = assert(grainstore.open_u32(PATH, { env = env }))
    store:put(300, 1)
    store:put(70000, 1)
    store:flush()
    local output = last(store:journal(), "flush").outputs[1]
    assert.equal(300, output.min_key)
    store:close()
    output = last(grainstore.journal(PATH, { env = env }), "flush").outputs[1]
    assert.equal(70000, output.max_key)
  end)

  it("fits the tree that another one left", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = open(env, { policy = "leveled",
      memtable_bytes = 8192, table_bytes = 4096, memory_bytes = 1 << 20 })
    for i = 1, 3000 do
      store:put(("k%04d"):format(i * 7 % 1000), ("v"):rep(40))
      if i % 50 == 0 then store:step() end
    end
    local tables = {}
    for _, event in ipairs(store:journal()) do
      for _, id in ipairs(event.inputs or {}) do
        assert.is_truthy(tables[id])
        tables[id] = nil
      end
      for _, t in ipairs(event.outputs or {}) do
        tables[t.id] = t.bytes
      end
      local bytes, count = 0, 0
      for _, size in pairs(tables) do
        bytes, count = bytes + size, count + 1
      end
      for _, run in ipairs(event.tree) do
        bytes, count = bytes - run.bytes, count - run.tables
      end
      assert.same({ 0, 0 }, { bytes, count })
    end
    assert.is_true(#store:journal { kinds = { "merge" } } > 0)
  end)
end)

describe("the journal", function()
  local function made(env)
    local store = open(env)
    for i = 1, 3 do
      store:put("a", tostring(i))
      store:flush()
    end
    return store
  end

  it("is asked by number, kind and count", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = made(env)
    assert.equal("open flush flush flush", kinds_of(store:journal()))
    assert.equal("flush", kinds_of(store:journal { since = 3 }))
    assert.equal("", kinds_of(store:journal { since = 4 }))
    assert.equal("flush flush", kinds_of(store:journal { limit = 2 }))
    assert.equal("open",
      kinds_of(store:journal { kinds = { "open", "stall" } }))
  end)

  it("is read beside a writer and of a closed store", function()
    local env <close> = T.env { seed = 1 }
    local store = made(env)
    assert.equal("open flush flush flush",
      kinds_of(grainstore.journal(PATH, { env = env })))
    store:close()
    assert.equal("flush close", kinds_of(grainstore.journal(PATH,
      { env = env, kinds = { "flush", "close" }, limit = 2 })))
    local reader <close> = open(env, { readonly = true })
    assert.equal("open flush flush flush close", kinds_of(reader:journal()))
  end)

  it("leaves no file where journal_bytes is 0", function()
    local env <close> = T.env { seed = 1 }
    local store = open(env, { journal_bytes = 0 })
    assert.equal(0, store:options().journal_bytes)
    store:put("a", "1")
    store:flush()
    assert.equal("open flush", kinds_of(store:journal()))
    store:close()
    assert.same({}, grainstore.journal(PATH, { env = env }))
    for path in pairs(env:files()) do
      assert.is_nil(path:find "JOURNAL")
    end
  end)

  it("counts its events", function()
    local env <close> = T.env { seed = 1 }
    local store <close> = made(env)
    assert.same({ events = 4, lost = 0 }, store:stats().journal)
  end)

  it("that an earlier version wrote is read", function()
    local events = assert(grainstore.journal(
      "spec/golden/format-1/bytes-journal"))
    assert.equal("open flush merge flush refused flush close",
      kinds_of(events))
    for i, event in ipairs(events) do
      assert.equal(i, event.number)
    end
    local merge, refused = last(events, "merge"), last(events, "refused")
    assert.equal("compact", merge.why)
    assert.is_true(#merge.inputs > 0 and #merge.outputs > 0)
    assert.equal(merge.written_bytes, merge.tree[1].bytes)
    assert.equal("unknown_table", refused.code)
    assert.equal("to be refused", refused.why)
    assert.same({ 4711 }, refused.inputs)
  end)

  it("of no store is missing", function()
    local env <close> = T.env { seed = 1 }
    local events, message, code = grainstore.journal("/nowhere", { env = env })
    assert.is_nil(events)
    assert.equal("missing", code)
    assert.is_truthy(message:find("/nowhere", 1, true))
  end)

  it("takes no other options, and no closed store", function()
    local env <close> = T.env { seed = 1 }
    local store = made(env)
    for _, bad in ipairs {
      { since = -1 }, { since = "1" }, { limit = 1.5 }, { kinds = "flush" },
      { kinds = { "lunch" } }, { kinds = {} }, { kinds = { 1 } },
      { until_ms = 1 },
    } do
      assert.has_error(function() store:journal(bad) end)
      bad.env = env
      assert.has_error(function() grainstore.journal(PATH, bad) end)
    end
    assert.has_error(function() grainstore.journal(PATH, { seed = 1 }) end)
    assert.has_error(function() grainstore.journal({}) end)
    store:close()
    assert.has_error(function() store:journal() end)
    assert.has_error(function()
      grainstore.open(PATH, { env = env, journal_bytes = 100 })
    end)
  end)
end)
