-- What is wrong in a call raises, with the argument's position and a way out.

local grainstore = require "grainstore"
local tmp = require "grainstore.testing.tmp"

describe("arguments", function()
  local bytes, u32

  setup(function()
    bytes = assert(grainstore.open_bytes(tmp.path()))
    u32 = assert(grainstore.open_u32(tmp.path()))
  end)

  teardown(function()
    bytes:close()
    u32:close()
  end)

  -- The message without the place, which must be in this file.
  local function complaint(f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    local place, text = message:match "^([^:]*):%d+: (.*)$"
    assert(place and place:find("args_spec", 1, true), message)
    return text
  end

  local function says(expected, f)
    assert.equal(expected, complaint(f))
  end

  describe("of u32 stores", function()
    it("are numbers from 0 to 4294967295", function()
      says("bad argument #1 to 'put' (u32 expected, got 4294967296)",
        function() u32:put(4294967296, 1) end)
      says("bad argument #2 to 'put' (u32 expected, got -1)",
        function() u32:put(1, -1) end)
      says("bad argument #1 to 'get' (u32 expected, got 1.5)",
        function() u32:get(1.5) end)
      says("bad argument #1 to 'get' (u32 expected, got string)",
        function() u32:get "7" end)
      says("bad argument #1 to 'delete' (u32 expected, got nil)",
        function() u32:delete(nil) end)
      says("bad argument #1 to 'delete' (u32 expected, got no value)",
        function() u32:delete() end)
      says("bad argument #1 to 'contains' (u32 expected, got inf)",
        function() u32:contains(math.huge) end)
      says("bad argument #2 to 'put_if' (u32 expected, got boolean)",
        function() u32:put_if(1, true, 2) end)
      says("bad argument #3 to 'put_if' (u32 expected, got table)",
        function() u32:put_if(1, nil, {}) end)
      assert.equal(0, u32:seq())
    end)

    it("are counted as given to the functions of old", function()
      says("bad argument #2 to 'put_u32' (u32 expected, got 4294967296)",
        function() grainstore.put_u32(u32, 4294967296, 1) end)
      says("bad argument #2 to 'get_u32' (u32 expected, got string)",
        function() grainstore.get_u32(u32, "a") end)
      says("bad argument #1 to 'get_u32' (grainstore.store expected, got nil)",
        function() grainstore.get_u32(nil, 7) end)
    end)

    it("in ranges and lists as well", function()
      says("bad argument #1 to 'scan' (option 'from' takes a u32, got a)",
        function() u32:scan { from = "a" } end)
      says("bad argument #1 to 'count' (option 'to' takes a u32, got -1)",
        function() u32:count { to = -1 } end)
      says("bad argument #1 to 'scan' (option 'prefix' is for bytes stores)",
        function() u32:scan { prefix = 1 } end)
      says("bad argument #1 to 'get_many' (key 2 must be u32, got x)",
        function() u32:get_many { 1, "x" } end)
    end)
  end)

  describe("of bytes stores", function()
    it("are strings, and numbers are pointed to the codecs", function()
      says("bad argument #1 to 'put' (key must be a string, got number; see "
        .. "grainstore.keys for numbers)", function() bytes:put(10, "v") end)
      says("bad argument #2 to 'put' (value must be a string, got number; see "
        .. "tostring and string.pack)", function() bytes:put("k", 10) end)
      says("bad argument #2 to 'put' (value must be a string, got nil)",
        function() bytes:put("k", nil) end)
      says("bad argument #1 to 'get' (key must be a string, got table)",
        function() bytes:get {} end)
      says("bad argument #1 to 'get_many' (key 2 must be a string, got 5)",
        function() bytes:get_many { "a", 5 } end)
      says("bad argument #1 to 'get_many' (table expected, got string)",
        function() bytes:get_many "a" end)
      says("bad argument #1 to 'scan' (option 'from' takes a string, got 5)",
        function() bytes:scan { from = 5 } end)
      assert.equal(0, bytes:seq())
    end)

    it("give prefix, or from and to", function()
      says("bad argument #1 to 'scan' (give prefix, or from and to, not both)",
        function() bytes:scan { prefix = "a", from = "b" } end)
      says("bad argument #1 to 'count' (give prefix, or from and to, not both)",
        function() bytes:count { prefix = "a", to = "b" } end)
    end)
  end)

  describe("that are options", function()
    it("are checked by name, with the nearest one suggested", function()
      says("bad argument #3 to 'put' (unknown option 'ttlms', did you mean "
        .. "'ttl_ms'?)", function() bytes:put("k", "v", { ttlms = 1 }) end)
      says("bad argument #1 to 'scan' (unknown option 'revers', did you mean "
        .. "'reverse'?)", function() bytes:scan { revers = true } end)
      says("bad argument #2 to 'get' (unknown option 'snapshott', did you mean "
        .. "'snapshot'?)", function() bytes:get("k", { snapshott = 1 }) end)
      says("bad argument #2 to 'delete' (unknown option 'quickly')",
        function() bytes:delete("k", { quickly = true }) end)
      says("bad argument #1 to 'scan' (option names are strings, got a number)",
        function() bytes:scan { "a" } end)
      says("bad argument #1 to 'scan' (table expected, got string)",
        function() bytes:scan "a" end)
      says("bad argument #1 to 'cursor' (unknown option 'limit')",
        function() bytes:cursor { limit = 1 } end)
      says("bad argument #1 to 'compact' (unknown option 'form', did you mean "
        .. "'from'?)", function() bytes:compact { form = "a" } end)
    end)

    it("are checked by type", function()
      says("bad argument #3 to 'put' (option 'ttl_ms' takes an integer from 0, "
        .. "got -1)", function() bytes:put("k", "v", { ttl_ms = -1 }) end)
      says("bad argument #3 to 'put' (option 'ttl_ms' takes an integer from 0, "
        .. "got inf)",
        function() bytes:put("k", "v", { ttl_ms = math.huge }) end)
      says("bad argument #3 to 'put' (option 'expires_at_ms' takes an integer "
        .. "from 0, got 5)",
        function() bytes:put("k", "v", { expires_at_ms = "5" }) end)
      says("bad argument #3 to 'put' (option 'sync' takes a boolean, got 1)",
        function() bytes:put("k", "v", { sync = 1 }) end)
      says("bad argument #1 to 'scan' (option 'limit' takes an integer from 0, "
        .. "got 1.5)", function() bytes:scan { limit = 1.5 } end)
      says("bad argument #1 to 'scan' (option 'reverse' takes a boolean, got "
        .. "yes)", function() bytes:scan { reverse = "yes" } end)
    end)
  end)

  it("of other methods are checked too", function()
    says("bad argument #2 to 'expire' (a ttl is not negative)",
      function() bytes:expire("k", -1) end)
    says("bad argument #2 to 'expire' (number expected, got string)",
      function() bytes:expire("k", "soon") end)
    says("bad argument #1 to 'attach' (string expected, got nil)",
      function() bytes:attach(nil) end)
    says("bad argument #1 to 'plan' (table expected, got nil)",
      function() bytes:plan(nil) end)
    says("bad argument #1 to 'plan' (a plan with a field 'levle', did you mean "
      .. "'level'?)", function()
        bytes:plan { op = "merge", inputs = { 1 }, bottom = true, levle = 1 }
      end)
    says("bad argument #2 to 'set' (value expected)",
      function() bytes:set "policy" end)
    says("bad argument #1 to 'attach' (string expected, got number)",
      function() bytes:attach(5) end)
    says("bad argument #1 to 'open' (string expected, got number)",
      function() require "grainstore".open(5) end)
    says("bad argument #1 to 'step' (a budget is a number)",
      function() bytes:step(0 / 0) end)
    says("bad argument #1 to 'delta' (stats expected, got nil)",
      function() bytes:stats():delta(nil) end)
  end)

  it("include the handle itself", function()
    says("calling 'get' on bad self (grainstore.store expected, got table)",
      function() local fake = { get = bytes.get } fake:get "k" end)
    says("bad argument #1 to 'get' (grainstore.store expected, got string)",
      function() bytes.get "k" end)
    local cursor <close> = bytes:cursor()
    says("bad argument #1 to 'next' (grainstore.cursor expected, got "
      .. "grainstore.store)", function() cursor.next(bytes) end)
    says("calling 'stats' on bad self (grainstore.store expected, got table)",
      function() local fake = { stats = bytes.stats } fake:stats() end)
    says("calling 'tree' on bad self (grainstore.store expected, got table)",
      function() local fake = { tree = bytes.tree } fake:tree() end)
  end)
end)
