-- Opening: every option, every refusal; and that a refused opening leaves no
-- trace.

local grainstore = require "grainstore"
local T = require "grainstore.testing"
local process = require "spec.support.process"
local tmp = require "grainstore.testing.tmp"

describe("open", function()
  local function filled(kind)
    local path = tmp.path()
    local store = assert(grainstore["open_" .. (kind or "bytes")](path))
    if kind == "u32" then
      assert(store:put(7, 99))
    else
      assert(store:put("key", "value"))
    end
    assert(store:close())
    return path
  end

  -- A refusal: its code, and that the directory is as it was.
  local function refused(code, path, how, options)
    local before = tmp.exists(path) and tmp.freeze(path)
    local store, message, found, detail = grainstore[how or "open"](path,
      options)
    assert.is_nil(store)
    assert.equal(code, found)
    assert.is_truthy(message:find(path, 1, true))
    assert.equal("table", type(detail))
    if before then
      assert.same(before, tmp.freeze(path))
    else
      assert.is_false(tmp.exists(path))
    end
    return message, detail
  end

  describe("creates", function()
    it("a bytes store where there is none", function()
      local path = tmp.path()
      local store <close> = assert(grainstore.open(path))
      assert.equal("bytes", grainstore.info(path).kind)
      assert(store:put("a", "b"))
    end)

    it("in an empty directory", function()
      local store <close> = assert(grainstore.open(tmp.dir()))
      assert(store:put("a", "b"))
    end)

    it("what the function's name says", function()
      local path = tmp.path()
      local store <close> = assert(grainstore.open_u32(path))
      assert(store:put(1, 2))
      assert.equal("u32", grainstore.info(path).kind)
    end)
  end)

  describe("finds", function()
    it("the kind on the disk", function()
      local store <close> = assert(grainstore.open(filled "u32"))
      assert.equal(99, store:get(7))
      local other <close> = assert(grainstore.open(filled "bytes"))
      assert.equal("value", other:get "key")
    end)

    it("the running store of this process", function()
      local path = filled()
      local a <close> = assert(grainstore.open(path))
      local b <close> = assert(grainstore.open(path))
      assert(a:put("key", "new"))
      assert.equal("new", b:get "key")
      assert(a:close())
      assert.equal("new", b:get "key")
    end)
  end)

  describe("refuses", function()
    it("the other kind", function()
      local message = refused("kind", filled "u32", "open_bytes")
      assert.is_truthy(message:find("u32", 1, true))
      refused("kind", filled "bytes", "open_u32")
    end)

    it("the other kind of a store that is open", function()
      local path = filled()
      local store <close> = assert(grainstore.open(path))
      assert.equal("kind", select(3, grainstore.open_u32(path)))
      assert.equal("value", store:get "key")
    end)

    it("what is missing, when it shall not create", function()
      refused("missing", tmp.path(), "open", { create = false })
      refused("missing", tmp.dir(), "open", { create = false })
      refused("missing", tmp.path(), "open", { readonly = true })
      refused("missing", tmp.path() .. "/in/none")
    end)

    it("what exists, when it must create", function()
      local path = filled()
      refused("exists", path, "open", { must_create = true })
      local store <close> = assert(grainstore.open(path))
      assert.equal("exists",
        select(3, grainstore.open(path, { must_create = true })))
      assert.equal("value", store:get "key")
    end)

    it("options that disagree with the open store", function()
      local path = filled()
      local store <close> = assert(grainstore.open(path))
      assert.equal("mismatch",
        select(3, grainstore.open(path, { durability = "sync" })))
      assert.equal("mismatch",
        select(3, grainstore.open(path, { readonly = true })))
      assert.equal("value", store:get "key")
    end)

    it("what another process has open", function()
      local path = filled()
      local child = process.child([[
        local store = assert(grainstore.open(...))
        print(pid)
        store:put("key", "theirs")
        while true do store:get "key" end
      ]], path)
      local pid = child:line()
      local store, message, code, detail = grainstore.open(path)
      local gone = select(3, grainstore.destroy(path))
      local reader = assert(grainstore.open(path, { readonly = true }))
      local seen = reader:get "key"
      reader:close()
      child:kill(pid)
      assert.is_nil(store)
      assert.equal("locked", code)
      assert.equal("locked", gone)
      assert.is_truthy(message:find(pid, 1, true))
      assert.is_truthy(message:find("lua5.4", 1, true))
      assert.is_string(detail.path)
      assert.is_truthy(seen == "value" or seen == "theirs")
      local after <close> = assert(grainstore.open(path))
      assert.is_string(after:get "key")
    end)

    it("a directory of other things", function()
      local path = tmp.dir()
      tmp.write(path .. "/letter.txt", "dear")
      local message, detail = refused("missing", path)
      assert.is_truthy(message:find("other files", 1, true))
      assert.is_string(detail.hint)
    end)

    it("a file", function()
      local path = tmp.path()
      tmp.write(path, "dear")
      local store, message, code = grainstore.open(path)
      assert.is_nil(store)
      assert.equal("missing", code)
      assert.is_truthy(message:find("is a file", 1, true))
      assert.equal("dear", tmp.read(path))
    end)

    it("tables without a manifest", function()
      local path = filled()
      for _, name in ipairs(tmp.list(path)) do
        if name:find "^MANIFEST" then os.remove(path .. "/" .. name) end
      end
      refused("corrupt", path)
    end)

    it("a table that is gone, cut or no table", function()
      local function damaged(harm)
        local path = filled()
        harm(tmp.files(path, ".sst")[1])
        local store, message, code = grainstore.open(path)
        local value
        if store then
          value, message, code = store:get "key"
          store:close()
        end
        assert.is_nil(value)
        assert.is_truthy(code == "corrupt" or code == "missing", code)
        assert.is_truthy(message:find(".sst", 1, true))
      end
      damaged(os.remove)
      damaged(function(file) tmp.write(file, tmp.read(file):sub(1, -2)) end)
      damaged(function(file) tmp.write(file, "") end)
      damaged(function(file) tmp.write(file, ("x"):rep(500)) end)
    end)

    it("a manifest that says another format than it was made with", function()
      local path = filled()
      local file
      for _, name in ipairs(tmp.list(path)) do
        file = name:find "^MANIFEST" and path .. "/" .. name or file
      end
      -- The checksum covers the number, so this is damage and no newer format.
      local bytes = tmp.read(file)
      tmp.write(file, bytes:sub(1, 16) .. "\2\0\0\0" .. bytes:sub(21))
      refused("corrupt", path)
    end)
  end)

  describe("for reading only", function()
    it("reads, and refuses to write", function()
      local path = filled()
      local before = tmp.freeze(path)
      local store <close> = assert(grainstore.open(path, { readonly = true }))
      assert.equal("value", store:get "key")
      assert.same({ { "key", "value" } }, T.pairs_of(store))
      for _, call in ipairs {
        { store.put, "a", "b" }, { store.delete, "key" }, { store.take, "key" },
        { store.put_if, "a", nil, "b" }, { store.expire, "key", 5 },
        { store.persist, "key" }, { store.flush }, { store.compact },
        { store.sync }, { store.step },
        { store.attach, tmp.files(path, ".sst")[1] },
      } do
        local result, message, code = call[1](store, table.unpack(call, 2, 4))
        assert.is_nil(result)
        assert.equal("readonly", code)
        assert.is_truthy(message:find(path, 1, true))
      end
      local batch = store:batch()
      assert.equal("readonly", select(3, batch:put("a", "b"):commit()))
      assert.equal(1, batch:count())
      assert(store:verify())
      assert(store:close())
      assert.same(before, tmp.freeze(path))
    end)

    it("sees what a killed process left, and leaves it", function()
      local path = filled()
      process.run([[
        local store = assert(grainstore.open(...))
        store:put("key", "newer")
        die()
      ]], path)
      local before = tmp.freeze(path)
      local store = assert(grainstore.open(path, { readonly = true }))
      assert.equal("newer", store:get "key")
      assert(store:close())
      assert.same(before, tmp.freeze(path))
    end)
  end)

  describe("checks its options:", function()
    -- What it says, without the place, which must be in this file; and nothing
    -- was made.
    local function says(expected, how, options)
      local path = tmp.path()
      local ok, message = pcall(function()
        local store = grainstore[how](path, options)
        store:close()
      end)
      assert.is_false(ok)
      local place, text = message:match "^([^:]*):%d+: (.*)$"
      assert(place and place:find("module_spec", 1, true), message)
      assert.equal(expected, text)
      assert.is_false(tmp.exists(path))
    end

    it("names", function()
      says("bad argument #2 to 'open' (unknown option 'memory_byte', did you "
        .. "mean 'memory_bytes'?)", "open", { memory_byte = 5 })
      says("bad argument #2 to 'open_u32' (unknown option 'sead', did you mean "
        .. "'seed'?)", "open_u32", { sead = 5 })
      says("bad argument #2 to 'open_bytes' (table expected, got string)",
        "open_bytes", "fast")
      says("bad argument #2 to 'open' (table expected, got number)", "open", 42)
      says("bad argument #2 to 'open_u32' (table expected, got number)",
        "open_u32", 4.5)
    end)

    it("types and words", function()
      says("bad argument #2 to 'open' (option 'create' takes a boolean, got 1)",
        "open", { create = 1 })
      says("bad argument #2 to 'open' (option 'memory_bytes' takes an integer "
        .. "from 0, got lots)", "open", { memory_bytes = "lots" })
      says('bad argument #2 to \'open\' (option \'durability\' takes "sync", '
        .. '"batch", "os", "memory", got fast)', "open",
        { durability = "fast" })
      says('bad argument #2 to \'open\' (option \'on_stall\' takes "wait", '
        .. '"fail", got table)', "open", { on_stall = "table" })
      says("bad argument #2 to 'open_u32' (option 'seed' takes an integer from "
        .. "0, got -1)", "open_u32", -1)
    end)

    it("bounds", function()
      says("option 'memory_bytes' takes 1048576 to 17592186044416, got 5",
        "open", { memory_bytes = 5 })
      says("option 'wal_batch_ms' takes 1 to 60000, got 0", "open",
        { wal_batch_ms = 0 })
      says("option 'threads' takes 0 to 16", "open", { threads = 1 << 32 })
      says("option 'block_bytes' takes 256 to 65536", "open",
        { block_bytes = 4096 + (1 << 32) })
      says('bad argument #2 to \'open\' (option \'compression\' takes "none", '
        .. '"lz4", "zstd", got snappy)', "open", { compression = "snappy" })
      says("option 'must_create' does not go with create = false", "open",
        { must_create = true, create = false })
      says("option 'must_create' does not go with 'readonly'", "open",
        { must_create = true, readonly = true })
    end)

    it("the policy", function()
      says("option 'policy': there is no policy \"lazy\"; shipped are "
        .. "bounded_l0, fifo, lazy_leveled, leveled, manual, tiered, "
        .. "time_window, universal", "open", { policy = "lazy" })
      says("option 'policy' takes a name or a table of functions, got a number",
        "open", { policy = 5 })
      says("option 'policy': a policy has a function 'pick'", "open",
        { policy = {} })
      says("option 'policy': 'flush' is a function", "open",
        { policy = { pick = print, flush = 5 } })
      says("option 'policy': a policy has no function 'flsh', did you mean "
        .. "'flush'?", "open", { policy = { pick = print, flsh = print } })
      says("option 'policy': a policy has no function 'layuot', did you mean "
        .. "'layout'?", "open", { policy = { pick = print, layuot = print } })
    end)

    it("a policy that loses data, before anything is made", function()
      local path = tmp.path()
      local store, message, code = grainstore.open(path, { policy = "fifo" })
      assert.is_nil(store)
      assert.equal("policy", code)
      assert.is_truthy(message:find("lossy = true", 1, true))
      local path_is_free <close> = assert(grainstore.open(path, {
        must_create = true, threads = 0,
      }))
      assert.equal(0, path_is_free:count())
    end)

    it("not one of a second handle, where the store may lose data", function()
      local path = tmp.path()
      local one <close> = assert(grainstore.open(path, {
        policy = "fifo", lossy = true, threads = 0,
      }))
      local two <close> = assert(grainstore.open(path, { policy = "fifo",
        threads = 0 }))
      assert.equal("fifo/1", two:stats().policy.name)
      assert.is_true(one:is_open())
    end)

    it("but not a policy's own fields", function()
      local store <close> = assert(grainstore.open(tmp.path(), {
        threads = 0, policy = {
          pick = function() end, pack = print, flushed = print, layouts = {},
          helper = print, name = "mine", [1] = print, flush2 = print,
          _flush = print, flush_ = print, throttled = print,
          layout = function() end, layoot = print, -- beside what it may mean
        },
      }))
      assert.equal("mine", store:stats().policy.name)
    end)

    it("the path", function()
      for path, expected in pairs {
        [""] = "the path is empty",
        ["a\0b"] = "a path has no zero byte",
      } do
        local ok, message = pcall(function() grainstore.open(path) end)
        assert.is_false(ok)
        assert.equal(("bad argument #1 to 'open' (%s)"):format(expected),
          message:match "module_spec%.lua:%d+: (.*)$")
      end
      local ok, message = pcall(function() grainstore.open(nil) end)
      assert.is_false(ok)
      assert.equal("bad argument #1 to 'open' (string expected, got nil)",
        message:match "module_spec%.lua:%d+: (.*)$")
    end)

    it("every one of them can be given", function()
      local store <close> = assert(grainstore.open(tmp.path(), {
        create = true, must_create = true, readonly = false,
        durability = "sync", wal_batch_ms = 20, wal_batch_bytes = 8192,
        memory_bytes = 8 << 20, memtable_bytes = 1 << 20,
        max_wal_bytes = 4 << 20, table_bytes = 1 << 20, block_bytes = 1024,
        threads = 2, default_ttl_ms = 1000000, max_stall_ms = 500,
        on_stall = "wait", seed = 42, disk_reserve_bytes = 1 << 20,
        policy = "bounded_l0", lossy = true, journal_bytes = 1 << 18,
        compression = "zstd",
      }))
      assert(store:put("a", "1"))
      assert(store:flush())
      assert.equal("1", store:get "a")
    end)
  end)
end)

describe("a directory that is not open", function()
  local function filled()
    local path = tmp.path()
    local store = assert(grainstore.open(path))
    for i = 1, 100 do
      store:put("k" .. i, "v" .. i)
    end
    assert(store:close())
    return path
  end

  it("is described by info", function()
    local info = assert(grainstore.info(filled()))
    assert.is_true(info.bytes > 0)
    assert.is_true(info.bytes > info.table_bytes)
    info.bytes, info.table_bytes = nil, nil
    assert.same({
      kind = "bytes", format = grainstore.FORMAT, tables = 1, runs = 1,
      entries = 100, seq = 100, flushed_seq = 100, log_bytes = 0,
      clean = true,
    }, info)
    assert.equal("missing", select(3, grainstore.info(tmp.path())))
    assert.equal("missing", select(3, grainstore.info(tmp.dir())))
  end)

  it("is read to the last byte by verify", function()
    local path = filled()
    assert(grainstore.verify(path))
    assert.equal("missing", select(3, grainstore.verify(tmp.path())))
    local file = tmp.files(path, ".sst")[1]
    local bytes = tmp.read(file)
    for at = 0, #bytes - 1, 97 do
      tmp.flip(file, at)
      local ok, message, code, detail = grainstore.verify(path)
      assert.is_nil(ok)
      assert.equal("corrupt", code)
      assert.is_truthy(message:find(file, 1, true))
      assert.equal(file, detail.path)
      tmp.write(file, bytes)
    end
    assert(grainstore.verify(path))
  end)

  it("is not meant by a path that only begins with its own", function()
    local path = tmp.path()
    assert(grainstore.open(path)):close()
    for _, name in ipairs { "destroy", "info", "verify" } do
      local ok, message = pcall(grainstore[name], path .. "\0of another")
      assert.is_false(ok)
      assert.truthy(message:find("a path has no zero byte", 1, true), message)
    end
    assert.is_true(tmp.exists(path))
  end)

  it("is deleted by destroy, and nothing of others", function()
    local path = filled()
    assert.is_true(grainstore.destroy(path))
    assert.is_false(tmp.exists(path))
    path = filled()
    tmp.write(path .. "/letter.txt", "dear")
    assert.is_true(grainstore.destroy(path))
    assert.same({ "letter.txt" }, tmp.list(path))
    assert.equal("missing", select(3, grainstore.destroy(path)))
    assert.equal("missing", select(3, grainstore.destroy(tmp.path())))
  end)

  it("is not destroyed while it is open", function()
    local path = filled()
    local store <close> = assert(grainstore.open(path))
    assert.equal("locked", select(3, grainstore.destroy(path)))
    assert.equal("v1", store:get "k1")
  end)

  it("is asked for by a string", function()
    for name, call in pairs {
      info = function() grainstore.info(nil) end,
      destroy = function() grainstore.destroy(nil) end,
      verify = function() grainstore.verify(nil) end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.equal(("bad argument #1 to '%s' (string expected, got nil)")
        :format(name), message:match "module_spec%.lua:%d+: (.*)$")
    end
  end)
end)
