-- Verifying, repairing and copying whole stores: what goes in and comes out.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local tmp = require "grainstore.testing.tmp"

local PATH = "/store"

-- Overlapping runs and a log, as a killed process leaves them.
local function killed(kind)
  local env <close> = T.env { seed = 7 }
  local store = assert(grainstore["open_" .. (kind or "bytes")](PATH, {
    env = env, policy = { name = "idle", pick = function() end },
    block_bytes = 256, durability = "os",
  }))
  local key = kind == "u32" and function(i) return i end
    or function(i) return ("key%03d"):format(i) end
  local value = kind == "u32" and function(i) return i end
    or function(i) return ("value %d"):format(i) end
  for i = 1, 100 do
    assert(store:put(key(i), value(i)))
  end
  assert(store:flush())
  for i = 1, 100, 2 do
    assert(store:delete(key(i)))
  end
  assert(store:flush())
  assert(store:put(key(2), value(7)))
  assert(store:sync())
  local copy = env:crash { keep = "all" }
  store:close()
  return copy
end

local function file_of(env, pattern)
  local found
  for path in pairs(env:files()) do
    if path:find(pattern) and (not found or path < found) then
      found = path
    end
  end
  return assert(found)
end

local function spoil(env, path, at, count)
  local bytes = env:read(path)
  env:write(path, bytes:sub(1, at) .. ("\xA5"):rep(count)
    .. bytes:sub(at + count + 1))
end

-- A clean end, after which no log stands beside the tables.
local function forget_log(env)
  assert(grainstore.open(PATH, { env = env,
    policy = { name = "idle", pick = function() end } })):close()
end

describe("verify", function()
  it("reports every file", function()
    local env <close> = killed()
    local report = assert(grainstore.verify(PATH, { env = env }))
    local kinds, bytes = {}, 0
    for _, file in ipairs(report.files) do
      assert.equal("sound", file.state)
      assert.is_nil(file.problem)
      kinds[file.kind] = (kinds[file.kind] or 0) + 1
      bytes = bytes + file.bytes
    end
    assert.equal(2, kinds.table)
    assert.equal(1, kinds.manifest)
    assert.equal(bytes, report.bytes)
    assert.equal("bytes", report.kind)
    assert.equal(151, report.seq)
    assert.equal(150, report.entries)
    assert.equal(0, report.problems)
  end)

  it("fails with the report for what is damaged", function()
    local env <close> = killed()
    local path = file_of(env, "%.sst$")
    env:flip(path, 800)
    local ok, message, code, detail = grainstore.verify(PATH, { env = env })
    assert.is_nil(ok)
    assert.equal("corrupt", code)
    assert.is_truthy(message:find(path:match "[^/]+$", 1, true))
    assert.equal(path, detail.path)
    assert.equal(1, detail.report.problems)
    for _, file in ipairs(detail.report.files) do
      local is_it = PATH .. "/" .. file.name == path
      assert.equal(is_it and "damaged" or "sound", file.state)
      assert.equal(is_it, file.problem ~= nil)
    end
  end)

  it("passes over blocks unless it is deep", function()
    local env <close> = killed()
    env:flip(file_of(env, "%.sst$"), 800)
    assert(grainstore.verify(PATH, { env = env, deep = false }))
    assert.is_nil(grainstore.verify(PATH, { env = env, deep = true }))
  end)

  it("may be asked while the store is open", function()
    local env <close> = T.env {}
    local store <close> = assert(grainstore.open(PATH, { env = env }))
    assert(store:put("a", "b"))
    assert.equal(1, assert(grainstore.verify(PATH, { env = env })).seq)
  end)

  it("tells how far it is, and stops where that fails", function()
    local env <close> = killed()
    local last, files = 0, {}
    assert(grainstore.verify(PATH, { env = env,
      progress = function(done, total, file)
        assert(done >= last and done <= total)
        last, files[#files + 1] = done, file
      end }))
    assert.is_true(#files >= 5)
    local problem = {}
    local ok, raised = pcall(grainstore.verify, PATH, { env = env,
      progress = function() error(problem) end })
    assert.is_false(ok)
    assert.equal(problem, raised)
    assert.has_error(function()
      env:close()
      grainstore.verify(PATH, { env = env })
    end)
  end)

  it("holds the machine while it is at work", function()
    local env <close> = killed()
    local ok, raised = pcall(grainstore.verify, PATH, { env = env,
      progress = function() env:close() end })
    assert.is_false(ok)
    assert.is_truthy(tostring(raised):find "open store")
    assert(grainstore.verify(PATH, { env = env }))
  end)

  it("takes known options only", function()
    for _, options in ipairs { { dep = true }, { deep = 1 },
      { progress = "loud" }, { env = "here" } } do
      assert.has_error(function() grainstore.verify(PATH, options) end)
    end
    assert.has_error(function() grainstore.verify "" end)
    assert.has_error(function() grainstore.verify "a\0b" end)
  end)
end)

describe("repair", function()
  local function check(env, path)
    local store <close> = assert(grainstore.open(path, { env = env,
      create = false }))
    assert.equal(50, store:count())
    assert.equal("value 7", store:get "key002")
    assert.equal("value 4", store:get "key004")
    assert.is_nil(store:get "key003")
  end

  it("gives the same report before and while it builds", function()
    local env <close> = killed()
    env:flip(file_of(env, "%.sst$"), 800)
    local before = {}
    for path in pairs(env:files()) do
      before[path] = env:read(path)
    end
    local dry = assert(grainstore.repair(PATH, { env = env, dry_run = true }))
    local report = assert(grainstore.repair(PATH, { env = env,
      into = "/new" }))
    assert.same(dry, report)
    assert.equal(1, report.bits_fixed)
    assert.equal(50, report.entries_saved)
    assert.equal(151, report.entries_found)
    assert.same({}, report.lost)
    assert.is_true(report.manifest)
    assert.equal(1, report.found.problems)
    for path, bytes in pairs(before) do
      assert.equal(bytes, env:read(path))
    end
    check(env, "/new")
    assert(grainstore.verify("/new", { env = env }))
  end)

  it("tells what it lost, and what is uncertain because of it", function()
    local env <close> = killed()
    local newest
    for path in pairs(env:files()) do
      if path:find "%.sst$" and (not newest or path > newest) then
        newest = path -- the tombstones
      end
    end
    forget_log(env)
    spoil(env, newest, 40, 256)
    local report = assert(grainstore.repair(PATH, { env = env,
      into = "/new" }))
    local loss = report.lost[1]
    assert.equal(1, #report.lost)
    assert.equal("block", loss.cause)
    assert.equal(newest, PATH .. "/" .. loss.file)
    assert.equal("key001", loss.from)
    assert.equal(40, loss.offset)
    assert.is_true(loss.to > loss.from)
    assert.is_true(loss.uncertain_keys > 0)
    assert.same({ loss }, report.uncertain)
    assert.equal(report.uncertain_keys, loss.uncertain_keys)
    local store <close> = assert(grainstore.open("/new", { env = env }))
    assert.equal("value 1", store:get "key001") -- it had been deleted
    assert.is_true(loss.from <= "key001" and "key001" < loss.to)
  end)

  it("names bounds of numbers as numbers", function()
    local env <close> = killed "u32"
    spoil(env, file_of(env, "%.sst$"), 40, 600)
    local report = assert(grainstore.repair(PATH, { env = env,
      dry_run = true }))
    assert.equal("u32", report.kind)
    assert.equal(1, report.lost[1].from)
    assert.equal("integer", math.type(report.lost[1].to))
  end)

  it("asks for the kind where nothing tells it", function()
    local env <close> = killed "u32"
    env:remove(file_of(env, "MANIFEST"))
    local options = { env = env, into = "/new" }
    assert.equal("kind", select(3, grainstore.repair(PATH, options)))
    options.kind = "u32"
    local report = assert(grainstore.repair(PATH, options))
    assert.is_false(report.manifest)
    assert.equal("manifest", report.lost[1].cause)
    assert.is_nil(report.lost[1].from)
    local store <close> = assert(grainstore.open_u32("/new", { env = env }))
    assert.equal(7, store:get(2))
    assert.is_nil(store:get(3))
  end)

  it("refuses what is open and what is in the way", function()
    local env <close> = T.env {}
    local store = assert(grainstore.open(PATH, { env = env }))
    assert(store:put("a", "b"))
    local options = { env = env, into = PATH }
    assert.equal("locked", select(3, grainstore.repair(PATH, options)))
    assert(store:close())
    assert.equal("exists", select(3, grainstore.repair(PATH, options)))
    options.into = PATH .. "/inside"
    assert.equal("exists", select(3, grainstore.repair(PATH, options)))
    assert.equal("missing", select(3, grainstore.repair("/none", options)))
  end)

  it("leaves nothing where the progress function fails", function()
    local env <close> = killed()
    for stop = 1, 8 do
      local words = 0
      local ok = pcall(grainstore.repair, PATH, { env = env, into = "/new",
        progress = function()
          words = words + 1
          if words == stop then
            error "enough"
          end
        end })
      assert.is_false(ok)
      assert.equal("missing", select(3, grainstore.info("/new",
        { env = env })))
    end
    assert(grainstore.repair(PATH, { env = env, into = "/new" }))
    check(env, "/new")
  end)

  it("takes known options only", function()
    for _, options in ipairs { {}, { into = "/new", dry_run = true },
      { into = 1 }, { dry_run = "yes" }, { into = "" }, { into = "a\0" },
      { dry_run = true, kind = "u64" }, { dry_run = true, more = 1 },
      { dry_run = true, progress = {} } } do
      assert.has_error(function() grainstore.repair(PATH, options) end)
    end
    assert.has_error(function() grainstore.repair(PATH) end)
  end)
end)

describe("info", function()
  it("names the process that has the store open", function()
    local path = tmp.path()
    local store = assert(grainstore.open(path))
    assert(store:put("a", "b"))
    local info = assert(grainstore.info(path))
    assert.equal("integer", math.type(info.owner.pid))
    assert.is_truthy(info.owner.program:find "lua")
    assert.equal(1, info.seq)
    assert.equal(0, info.flushed_seq)
    assert.is_true(info.log_bytes > 0)
    assert.is_false(info.clean)
    assert(store:close())
    info = assert(grainstore.info(path))
    assert.is_nil(info.owner)
    assert.equal(1, info.flushed_seq)
    assert.is_true(info.clean)
  end)
end)

describe("checkpoint", function()
  it("is a store of its own", function()
    local path, into = tmp.path(), tmp.path()
    local store <close> = assert(grainstore.open(path))
    for i = 1, 100 do
      assert(store:put("k" .. i, "v" .. i))
    end
    assert.equal(100, store:checkpoint(into))
    assert(store:delete "k1")
    local copy <close> = assert(grainstore.open(into, { create = false }))
    assert.equal("v1", copy:get "k1")
    assert(copy:put("k2", "other"))
    assert.equal("v2", store:get "k2")
    assert(copy:close())
    assert(grainstore.verify(into))
  end)

  it("refuses a place that is taken", function()
    local path = tmp.path()
    local store <close> = assert(grainstore.open(path))
    assert.equal("exists", select(3, store:checkpoint(path)))
    assert.equal("missing",
      select(3, store:checkpoint(tmp.path() .. "/in/none")))
    assert.has_error(function() store:checkpoint() end)
    assert.has_error(function() store:checkpoint "" end)
  end)
end)
