-- Values as JSON.

local json = require "grainstore.cli.json"

describe("JSON", function()
  for _, case in ipairs {
    { 7, "7" }, { 1.5, "1.5" }, { 2.0, "2" }, { math.huge, "null" },
    { 0 / 0, "null" }, { true, "true" }, { false, "false" },
    { "a", '"a"' }, { 'say "hi"\\', [["say \"hi\"\\"]] },
    { "a\n\t\r\0\127", [["a\n\t\r\u0000\u007f"]] }, { "schön", '"schön"' },
    { {}, "[]" }, { { 1, 2, { 3 } }, "[1,2,[3]]" },
    { { b = 1, a = { c = {} } }, '{"a":{"c":[]},"b":1}' },
  } do
    it("has " .. case[2], function()
      assert.equal(case[2], json.encode(case[1]))
    end)
  end

  it("is one line, whatever is in it", function()
    local text = json.encode { text = "one\ntwo", list = { "\r\n" } }
    assert.is_nil(text:find "[\r\n]")
  end)
end)
