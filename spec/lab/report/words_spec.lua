-- Texts of unknown origin: mended, escaped, cut, filled, wrapped.

local words = require "grainstore.lab.report.words"

describe("words", function()
  it("mend what is not UTF-8 and what XML forbids", function()
    assert.equal("größer\u{2603}", words.clean "größer\u{2603}")
    assert.equal("a\u{FFFD}b", words.clean "a\xFFb")
    assert.equal("\u{FFFD}\u{FFFD}", words.clean "\xC3\xC3")
    assert.equal("\u{FFFD}\u{FFFD}!", words.clean "\xE2\x98!")
    assert.equal("a\u{FFFD}\n\tb", words.clean "a\0\n\tb")
    assert.equal("\u{FFFD}", words.clean "\u{FFFE}")
    assert.equal("7", words.clean(7))
  end)

  it("escape for XML", function()
    assert.equal("&lt;b title=&quot;it&#39;s&quot;&gt; &amp;amp; ü",
      words.xml "<b title=\"it's\"> &amp; ü")
  end)

  it("fit into a width counted in characters, both ends kept", function()
    assert.equal("abcdef", words.fit("abcdef", 6))
    assert.equal("abc…g", words.fit("abcdefg", 5))
    assert.equal("ääää…öö", words.fit("ääääääüüüöö", 7))
    assert.equal("a…", words.fit("abc", 2))
    assert.equal("a b", words.fit("a\nb", 9))
  end)

  it("fill on one side", function()
    assert.equal("ü   ", words.pad("ü", 4, true))
    assert.equal("   ü", words.pad("ü", 4))
    assert.equal("long", words.pad("long", 2))
  end)

  it("wrap at separators", function()
    assert.same({ "a, bb", "ccccccc", "d" },
      words.wrap({ "a", "bb", "ccccccc", "d" }, ", ", 7))
    assert.same({}, words.wrap({}, ", ", 7))
  end)
end)
