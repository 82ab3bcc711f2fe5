-- Codecs: the order of the bytes is the order of the values, and every value
-- comes back.

local keys = require "grainstore.keys"

local SEED = os.time()

describe("keys", function()
  local function random_integer()
    local bits = math.random(1, 64)
    return math.random(0) >> (64 - bits) ~ (math.random(2) == 1 and -1 or 0)
  end

  local function random_float()
    local x = string.unpack("<d", string.pack("<i8", math.random(0)))
    if x ~= x then
      return math.random() - 0.5
    end
    return x
  end

  local function random_string()
    local bytes = {}
    for i = 1, math.random(0, 5) do
      bytes[i] = string.char(({ 0, 1, 2, 97, 254, 255 })[math.random(6)])
    end
    return table.concat(bytes)
  end

  -- Encodes random values and compares each pair both ways.
  local function check_order(encode, decode, draw, special, before)
    math.randomseed(SEED)
    before = before or function(a, b) return a < b end
    local values = { table.unpack(special) }
    for _ = 1, 300 do
      values[#values + 1] = draw()
    end
    for i, a in ipairs(values) do
      local coded = encode(a)
      if decode then
        assert.equal(a, decode(coded))
      end
      for j = 1, i - 1 do
        local b = values[j]
        if before(a, b) ~= (coded < encode(b)) then
          error(("seed %d: %q and %q are in another order as keys"):format(SEED,
            a, b))
        end
      end
    end
  end

  it("u32 are in order and come back", function()
    check_order(keys.u32, keys.to_u32, function()
      return random_integer() & 0xFFFFFFFF
    end, { 0, 1, 255, 256, 65535, 65536, 0xFFFFFFFF })
    assert.equal("\0\0\0\7", keys.u32(7.0))
  end)

  it("u64 are in order and come back", function()
    check_order(keys.u64, keys.to_u64, function()
      return random_integer() & math.maxinteger
    end, { 0, 1, 255, 256, math.maxinteger })
  end)

  it("i64 are in order and come back", function()
    check_order(keys.i64, keys.to_i64, random_integer,
      { math.mininteger, -256, -1, 0, 1, 256, math.maxinteger })
  end)

  it("f64 are in order and come back", function()
    check_order(keys.f64, keys.to_f64, random_float, {
      -math.huge, -1e308, -1.5, -1.0, -5e-324, 0.0, 5e-324, 1.0, 1.5, 1e308,
      math.huge,
    })
    assert.equal(keys.f64(0.0), keys.f64(-0.0))
    assert.equal(keys.f64(1), keys.f64(1.0))
  end)

  it("str are in order, and none begins another", function()
    check_order(keys.str, nil, random_string,
      { "", "\0", "\0\0", "a", "a\0", "a\0b", "ab", "\255", "\255\255" })
    math.randomseed(SEED)
    for _ = 1, 500 do
      local a, b = random_string(), random_string()
      if a ~= b then
        local x, y = keys.str(a), keys.str(b)
        assert.is_not.equal(x, y:sub(1, #x))
      end
    end
  end)

  describe("tuples", function()
    local function random_tuple()
      local parts = {}
      for i = 1, math.random(0, 4) do
        local draw = ({ random_integer, random_float, random_string })
        parts[i] = draw[math.random(3)]()
      end
      return parts
    end

    -- Integers come before floats, floats before strings.
    local function rank(part)
      return type(part) == "string" and 3
        or math.type(part) == "float" and 2 or 1
    end

    local function before(a, b)
      for i = 1, math.min(#a, #b) do
        if rank(a[i]) ~= rank(b[i]) then
          return rank(a[i]) < rank(b[i])
        elseif a[i] ~= b[i] then
          return a[i] < b[i]
        end
      end
      return #a < #b
    end

    it("come back as they were", function()
      math.randomseed(SEED)
      for _ = 1, 500 do
        local parts = random_tuple()
        assert.same(parts, keys.untuple(keys.tuple(parts)))
      end
      assert.same({}, keys.untuple "")
      assert.equal("float", math.type(keys.untuple(keys.tuple { 1.0 })[1]))
      assert.equal("integer", math.type(keys.untuple(keys.tuple { 1 })[1]))
    end)

    it("are in order, part by part", function()
      math.randomseed(SEED)
      local tuples = {}
      for i = 1, 120 do
        tuples[i] = random_tuple()
      end
      for _, a in ipairs(tuples) do
        for _, b in ipairs(tuples) do
          assert.equal(before(a, b), keys.tuple(a) < keys.tuple(b))
        end
      end
    end)

    it("begin with the shorter tuple of the same parts", function()
      local short = keys.tuple { "user", 17 }
      local long = keys.tuple { "user", 17, "name" }
      assert.equal(short, long:sub(1, #short))
      assert.is_true(keys.tuple { "user2" } > keys.tuple { "user", "z" })
    end)

    it("that are none are refused", function()
      for _, bad in ipairs {
        "x", "\16", "\16\0\0\0\0\0\0\0", "\32abc", "\32a\0", "\32a\0\5",
      } do
        assert.error_matches(function() keys.untuple(bad) end, "no tuple")
      end
      assert.error_matches(function() keys.tuple { "a", {} } end,
        "part 2 is a table")
      assert.error_matches(function() keys.tuple { true } end,
        "part 1 is a boolean")
    end)
  end)

  describe("prefixes", function()
    it("have a successor above all that begins with them", function()
      assert.equal("b", keys.successor "a")
      assert.equal("b", keys.successor "a\255\255")
      assert.equal("a\1", keys.successor "a\0")
      assert.is_nil(keys.successor "")
      assert.is_nil(keys.successor "\255\255")
      math.randomseed(SEED)
      for _ = 1, 500 do
        local prefix, key = random_string(), random_string()
        local range = keys.range(prefix)
        local is_inside = key >= range.from
          and (range.to == nil or key < range.to)
        assert.equal(key:sub(1, #prefix) == prefix, is_inside)
      end
    end)
  end)

  it("refuse what they cannot encode", function()
    for _, case in ipairs {
      { "u32", -1, "bad argument #1 to 'u32' (u32 expected, got -1)" },
      { "u32", 1 << 32,
        "bad argument #1 to 'u32' (u32 expected, got 4294967296)" },
      { "u32", 1.5, "bad argument #1 to 'u32' (u32 expected, got 1.5)" },
      { "u32", "7", "bad argument #1 to 'u32' (u32 expected, got string)" },
      { "u64", -1, "bad argument #1 to 'u64' (u64 expected, got -1)" },
      { "i64", 0.5, "bad argument #1 to 'i64' (i64 expected, got 0.5)" },
      { "i64", {}, "bad argument #1 to 'i64' (i64 expected, got table)" },
      { "f64", 0 / 0, "bad argument #1 to 'f64' (number expected, got nan)" },
      { "f64", "1", "bad argument #1 to 'f64' (number expected, got string)" },
      { "str", 5, "bad argument #1 to 'str' (string expected, got number)" },
      { "tuple", 5, "bad argument #1 to 'tuple' (table expected, got number)" },
      { "tuple", { 1, 0 / 0 }, "bad argument #1 to 'tuple' (part 2 is a NaN; "
        .. "strings and numbers are possible)" },
      { "untuple", 5,
        "bad argument #1 to 'untuple' (string expected, got number)" },
      { "successor", 5,
        "bad argument #1 to 'successor' (string expected, got number)" },
      { "range", nil, "bad argument #1 to 'range' (string expected, got nil)" },
    } do
      local ok, message = pcall(function()
        local _ = keys[case[1]](case[2])
      end)
      assert.is_false(ok)
      assert.equal(case[3],
        message:match("keys_spec%.lua:%d+: (.*)$"):gsub("%-nan", "nan"), nil)
    end
  end)

  it("refuse to decode what is too short", function()
    for _, name in ipairs { "to_u32", "to_u64", "to_i64", "to_f64" } do
      assert.has_error(function() keys[name] "abc" end)
    end
  end)
end)
