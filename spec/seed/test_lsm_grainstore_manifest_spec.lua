-- What a manifest brings back: the runs of level 0, in their order, however the
-- process ended.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local process = require "spec.support.process"
local tmp = require "grainstore.testing.tmp"

local options = { policy = T.manual, threads = 0 }

describe("a manifest", function()
  local path

  before_each(function()
    path = tmp.path()
  end)

  -- Five runs; each overwrites "shared" and adds a key of its own.
  local function write_runs(store)
    for i = 1, 5 do
      assert(store:put("shared", "run " .. i))
      assert(store:put("own" .. i, "run " .. i))
      assert(store:flush())
    end
  end

  local KILLED = [[
    local store = assert(grainstore.open_bytes(..., {
      policy = { pick = function() end }, threads = 0,
    }))
    for i = 1, 5 do
      assert(store:put("shared", "run " .. i))
      assert(store:put("own" .. i, "run " .. i))
      assert(store:flush())
    end
    die()
  ]]

  -- Ids, levels, bounds and sequence numbers of all tables.
  local function outline(store)
    local lines = {}
    for _, run in ipairs(store:tree().runs) do
      for _, t in ipairs(run.tables) do
        lines[#lines + 1] = ("L%d run %d table %d %s..%s @%d-%d"):format(
          run.level, run.id, t.id, t.min_key, t.max_key, t.min_seq, t.max_seq)
      end
    end
    return lines
  end

  local function check_content(store)
    assert.equal("run 5", store:get "shared")
    for i = 1, 5 do
      assert.equal("run " .. i, store:get("own" .. i))
    end
    assert.equal(6, store:count())
  end

  it("brings back the runs of level 0 in their order", function()
    local store = assert(grainstore.open_bytes(path, options))
    write_runs(store)
    local before = outline(store)
    assert.equal(5, #before)
    assert(store:close())
    store = assert(grainstore.open_bytes(path, options))
    assert.same(before, outline(store))
    local runs = store:tree():level(0)
    assert.equal(5, #runs)
    for i = 1, 4 do
      assert.is_true(runs[i].tables[1].min_seq > runs[i + 1].tables[1].max_seq)
    end
    check_content(store)
    assert(store:close())
  end)

  it("brings them back after a kill", function()
    assert.equal("", process.run(KILLED, path))
    local store <close> = assert(grainstore.open_bytes(path, options))
    assert.equal(5, #store:tree().runs)
    check_content(store)
    assert.is_true(store:verify())
  end)

  it("brings them back after ten openings", function()
    local store = assert(grainstore.open_bytes(path, options))
    write_runs(store)
    local before = outline(store)
    for _ = 1, 10 do
      assert(store:close())
      store = assert(grainstore.open_bytes(path, options))
      assert.same(before, outline(store))
    end
    assert(store:close())
  end)

  it("adds what the log still held as the newest run", function()
    process.run([[
      local store = assert(grainstore.open_bytes(..., {
        policy = { pick = function() end }, threads = 0,
      }))
      store:put("a", "1")
      assert(store:flush())
      store:put("a", "2")
      die()
    ]], path)
    local store <close> = assert(grainstore.open_bytes(path, options))
    assert.equal("1:0 1:0", T.runs(store))
    assert.equal("2", store:get "a")
  end)

  it("knows which level a merge went to", function()
    local store = assert(grainstore.open_bytes(path, options))
    write_runs(store)
    local runs = store:tree().runs
    local inputs = {}
    for i = 1, 5 do
      inputs[i] = runs[i].tables[1].id
    end
    assert(store:plan {
      op = "merge", inputs = inputs, into = runs[5].id, level = 3,
    })
    T.settle(store)
    store:put("shared", "run 5")
    assert(store:flush())
    local before = outline(store)
    assert(store:close())
    store = assert(grainstore.open_bytes(path, options))
    assert.same(before, outline(store))
    assert.equal(1, #store:tree():level(0))
    assert.equal(1, #store:tree():level(3))
    check_content(store)
    assert(store:close())
  end)

  it("lists what the directory holds, and nothing else lies there", function()
    local store = assert(grainstore.open_bytes(path, options))
    write_runs(store)
    assert(store:compact())
    assert(store:close())
    assert.equal(1, #tmp.files(path, ".sst"))
    assert.equal(0, #tmp.files(path, ".wal"))
    local info = assert(grainstore.info(path))
    assert.equal(1, info.tables)
    assert.equal(6, info.entries)
    assert.is_true(info.clean)
  end)

  it("is read without opening", function()
    assert.equal("", process.run(KILLED, path))
    local before = tmp.freeze(path)
    local info = assert(grainstore.info(path))
    assert.equal("bytes", info.kind)
    assert.equal(5, info.tables)
    assert.equal(5, info.runs)
    assert.equal(10, info.entries)
    assert.is_false(info.clean)
    assert.same(before, tmp.freeze(path))
  end)

  it("sweeps away what a killed process had begun", function()
    assert.equal("", process.run(KILLED, path))
    local orphan = path .. "/000999.sst"
    tmp.write(orphan, "half a table")
    local foreign = path .. "/notes.txt"
    tmp.write(foreign, "mine")
    local store <close> = assert(grainstore.open_bytes(path, options))
    assert.is_false(tmp.exists(orphan))
    assert.equal("mine", tmp.read(foreign))
    check_content(store)
  end)

  it("with a torn end brings back all that it says", function()
    assert.equal("", process.run(KILLED, path))
    local names = tmp.list(path)
    local manifest
    for _, name in ipairs(names) do
      manifest = name:find "^MANIFEST" and path .. "/" .. name or manifest
    end
    local bytes = tmp.read(manifest)
    tmp.write(manifest, bytes .. "half a frame of the next edit")
    local store <close> = assert(grainstore.open_bytes(path, options))
    check_content(store)
  end)

  describe("that is damaged", function()
    local function manifest_of(dir)
      for _, name in ipairs(tmp.list(dir)) do
        if name:find "^MANIFEST" then
          return dir .. "/" .. name
        end
      end
    end

    it("refuses, names the file and leaves everything", function()
      local store = assert(grainstore.open_bytes(path, options))
      write_runs(store)
      assert(store:close())
      local file = manifest_of(path)
      local size = #tmp.read(file)
      for _, at in ipairs { 20, 60, 4096 + 10, 4096 + 60 } do
        assert.is_true(at < size)
        local copy = tmp.copy(path)
        tmp.flip(manifest_of(copy), at)
        tmp.flip(manifest_of(copy), at + 1) -- one bit would be put right
        local before = tmp.freeze(copy)
        local opened, message, code = grainstore.open_bytes(copy)
        assert.is_nil(opened)
        assert.equal("corrupt", code)
        assert.is_truthy(message:find("MANIFEST", 1, true))
        assert.same(before, tmp.freeze(copy))
        assert.equal("corrupt", select(3, grainstore.info(copy)))
      end
    end)

    it("is not taken for an empty directory when it is gone", function()
      local store = assert(grainstore.open_bytes(path, options))
      write_runs(store)
      assert(store:close())
      os.remove(manifest_of(path))
      local before = tmp.freeze(path)
      local opened, message, code = grainstore.open_bytes(path)
      assert.is_nil(opened)
      assert.equal("corrupt", code)
      assert.is_truthy(message:find("no manifest", 1, true))
      assert.same(before, tmp.freeze(path))
    end)
  end)
end)
