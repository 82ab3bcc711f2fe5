-- JSON that may stand in a page.

local json = require "grainstore.lab.report.json"
local reader = require "spec.support.json"

describe("JSON", function()
  it("says every value", function()
    assert.equal('{"a":[1,2.5,"x"],"b":true,"c":{"d":[]}}',
      json.encode { b = true, c = { d = {} }, a = { 1, 2.5, "x" } })
    assert.equal("null", json.encode(nil))
    assert.equal("[null,null,null]",
      json.encode { 1 / 0, -1 / 0, 0 / 0 })
    assert.error_matches(function() json.encode { print } end, "no JSON")
  end)

  it("writes keys in order", function()
    local letters, expected = {}, {}
    for i = 1, 26 do
      local letter = string.char(96 + i)
      letters[letter], expected[i] = i, ('"%s":%d'):format(letter, i)
    end
    assert.equal("{" .. table.concat(expected, ",") .. "}",
      json.encode(letters))
  end)

  it("writes numbers so that they read back the same", function()
    for _, number in ipairs {
      0, -7, 1 << 50, 10^12, 0.1, 1 / 3, 5.58, 1e-9, 1e300, math.pi,
    } do
      assert.equal(number, reader.parse(json.encode(number)))
    end
    assert.equal("1000000000000", json.encode(10.0^12))
    assert.equal("0.1", json.encode(0.1))
  end)

  it("has no text that ends its element or a line of script", function()
    local hostile = '</script><!-- & "quoted" \\ \n\r\t\0\u{2028}\u{2029} ü'
    local said = json.encode(hostile)
    assert.not_matches("[<>&\n\r]", said)
    assert.is_nil(said:find("\u{2028}", 1, true))
    assert.equal((hostile:gsub("%z", "\u{FFFD}")), reader.parse(said))
  end)

  it("mends text that is not UTF-8", function()
    assert.equal("a\u{FFFD}b", reader.parse(json.encode "a\xFFb"))
  end)
end)
