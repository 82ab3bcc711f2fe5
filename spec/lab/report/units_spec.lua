-- Figures as text: three digits, the right unit, no other locale.

local units = require "grainstore.lab.report.units"

describe("units", function()
  local function check(unit, expected)
    for _, pair in ipairs(expected) do
      assert.equal(pair[2], units[unit](pair[1]))
    end
  end

  it("write bytes from B to PiB, three digits each", function()
    check("bytes", {
      { 0, "0 B" }, { 1, "1 B" }, { 1023, "1023 B" }, { 1024, "1.00 KiB" },
      { 1536.0, "1.50 KiB" }, { 64 << 20, "64.0 MiB" },
      { 512 << 20, "512 MiB" }, { 1000 << 20, "1000 MiB" },
      { (1 << 30) - 1, "1.00 GiB" }, { 1 << 30, "1.00 GiB" },
      { 5 << 39, "2.50 TiB" }, { 1 << 50, "1.00 PiB" },
      { 12345 * 2^50, "12345 PiB" }, { -2048, "-2.00 KiB" },
    })
  end)

  it("write times from microseconds to hours", function()
    check("time", {
      { 0, "0 s" }, { 3.2e-6, "3.20 µs" }, { 0.0015, "1.50 ms" },
      { 0.9999, "1.00 s" }, { 1, "1.00 s" }, { 90, "90.0 s" },
      { 119.9, "120 s" }, { 120, "2.00 min" }, { 3500, "58.3 min" },
      { 3599, "1.00 h" },
      { 3600, "1.00 h" }, { 5400, "1.50 h" }, { 3600 * 12345, "12,345 h" },
    })
  end)

  it("write counts exactly while they are short", function()
    check("count", {
      { 0, "0" }, { 7, "7" }, { 1234, "1,234" }, { 99999, "99,999" },
      { 100000, "100 k" }, { 999999, "1.00 M" }, { 20000000000, "20.0 G" },
      { 10^12, "1.00 T" }, { math.maxinteger, "9.22 E" }, { 2.4, "2" },
    })
  end)

  it("write ratios and parts of a whole", function()
    check("factor", {
      { 1, "1.00" }, { 1.117, "1.12" }, { 9.999, "10.0" }, { 12.44, "12.4" },
      { 123.4, "123" }, { 1234.5, "1,234" }, { 1e6, "1.00 M" },
    })
    assert.equal("25.0 %", units.share(1, 4))
    assert.equal("–", units.share(1, 0))
  end)

  it("write a dash for what is no figure", function()
    for _, unit in ipairs { "bytes", "time", "count", "factor" } do
      for _, value in ipairs { 1 / 0, -1 / 0, 0 / 0, "7", false } do
        assert.equal("–", units[unit](value))
      end
      assert.equal("–", units[unit](nil))
    end
    assert.is_false(units.is_figure(0 / 0))
    assert.is_true(units.is_figure(-3))
  end)

  it("have a point in every locale, and no minus before nothing", function()
    assert.equal("1234.50", units.fixed(1234.5, 2))
    assert.equal("0.0", units.fixed(-0.01, 1))
    assert.equal("-0.1", units.fixed(-0.1, 1))
  end)
end)
