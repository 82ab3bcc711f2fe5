-- Keys and values as words, there and back.

local notation = require "grainstore.cli.notation"

describe("a word", function()
  for _, case in ipairs {
    { "abc", "bytes", "abc" }, { "", "bytes", "" }, { "7", "bytes", "7" },
    { "0x", "bytes", "" }, { "0x00fF", "bytes", "\0\xff" },
    { "schön", "bytes", "schön" },
    { "7", "u32", 7 }, { "u32:7", "u32", 7 },
    { "4294967295", "u32", 4294967295 },
  } do
    it(("%q is one of a %s store"):format(case[1], case[2]), function()
      assert.equal(case[3], notation.parse(case[1], case[2]))
    end)
  end

  for _, case in ipairs {
    { "0x0", "bytes" }, { "0xgg", "bytes" }, { "u32:7", "bytes" },
    { "u32:x", "bytes" }, { "4294967296", "u32" }, { "-1", "u32" },
    { "x", "u32" }, { "0x10", "u32" }, { "1.5", "u32" }, { "", "u32" },
    { "1e3", "u32" }, { "99999999999999999999", "u32" },
  } do
    it(("%q is none of a %s store"):format(case[1], case[2]), function()
      local found, message = notation.parse(case[1], case[2])
      assert.is_nil(found)
      assert.is_truthy(message:find(("%q"):format(case[1]), 1, true))
    end)
  end

  it("that was shown can be given back", function()
    for _, value in ipairs {
      "abc", "", "0x00", "0x", "u32:7", "a\0b", "\xff\xfe", "line\nline",
      "tab\t", "schön", "a b", "7",
    } do
      assert.equal(value, notation.parse(notation.show(value), "bytes"))
    end
    assert.equal(7, notation.parse(notation.show(7), "u32"))
  end)

  it("shows nothing that cannot be printed", function()
    assert.equal("0x610a", notation.show "a\n")
    assert.equal("0xff", notation.show "\xff")
    assert.equal("0x30783735", notation.show "0x75")
    assert.equal("u", notation.show "u")
  end)
end)
