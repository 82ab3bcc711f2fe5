-- Several reports side by side: names, text, picture.

local compare = require "grainstore.lab.compare"
local lab_reports = require "spec.support.lab_reports"
local xml = require "spec.support.xml"

local function four(options)
  return compare.new(lab_reports.four(options))
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

describe("a comparison", function()
  it("wants reports", function()
    assert.error_matches(function() compare.new() end, "array of reports")
    assert.error_matches(function() compare.new {} end, "array of reports")
    assert.error_matches(function()
      compare.new { lab_reports.new "tiered/1", lab_reports.data "tiered/1" }
    end, "element 2 is no report")
  end)

  it("gives each report a name of its own", function()
    local reports = {
      lab_reports.new("leveled/1", { samples = 1 }),
      lab_reports.new("leveled/1", { samples = 1 }),
      lab_reports.new("leveled/1", { samples = 1 }),
    }
    reports[2].label = "leveled, fanout 4"
    assert.same({ "leveled/1", "leveled, fanout 4", "leveled/1 (2)" },
      compare.new(reports).names)
    reports[3].workload = "queue"
    assert.same({
      "leveled/1 on zipf", "leveled, fanout 4 on zipf", "leveled/1 on queue",
    }, compare.new(reports).names)
  end)

  it("prints a row for each and marks the best figures", function()
    local reports = lab_reports.four { samples = 3 }
    for i, figures in ipairs {
      { 12.5, 1.1, 3, 4, 0.5 }, { 3, 2, 9, 2, 0.5 },
      { 6.25, 1.2, 3.001, 0, 0.5 }, { 4, 1.5, 5, 9, 0.5 },
    } do
      local one = reports[i]
      one.amp = { write = figures[1], space = figures[2], read = figures[3] }
      one.stalls.count, one.policy_s = figures[4], figures[5]
      one.history[3].disk_bytes = (5 - i) << 40
    end
    local lines = lines_of(tostring(compare.new(reports)))
    assert.equal("amplification  write  space  read   on disk  stalls",
      lines[4]:sub(1, 51))
    for i, expected in ipairs {
      "leveled/1       12.5   1.10* 3.00* 4.00 TiB       4 ",
      "tiered/1        3.00*  2.00  9.00  3.00 TiB       2 ",
      "lazy_leveled/1  6.25   1.20  3.00* 2.00 TiB       0*",
      "universal/1     4.00   1.50  5.00  1.00 TiB*      9 ",
    } do
      assert.equal(expected, lines[4 + i]:sub(1, 52))
    end
    assert.matches("500 ms$", lines[5])
    assert.equal("* the best of its column", lines[9])
  end)

  it("prints bytes per level and reasons of stalls", function()
    local text = four { samples = 3 } :text()
    assert.matches("\nbytes per level +L0 +L1 ", text)
    assert.matches("\nleveled/1 +%d+ MiB +%d.%d+ GiB ", text)
    assert.matches("\nstalled by\nleveled/1 +runs 32.0 min; "
      .. "memtable 10.7 min\n", text)
  end)

  it("of one marks nothing", function()
    local text = compare.new { lab_reports.new "leveled/1" } :text()
    assert.is_nil(text:find("*", 1, true))
  end)

  it("fits into 100 columns, whatever it says", function()
    local reports = lab_reports.four { writes = 10^12 // 1,
      live_bytes = 1 << 50 }
    for i = 1, 5 do
      reports[#reports + 1] = lab_reports.new("tiered/1", {
        samples = 2, name = ("a policy with <a> long näme "):rep(3) .. i,
      })
    end
    local worst = reports[9]
    worst.amp = { write = 99999, space = 99999, read = 99999 }
    worst.stalls = { count = 99999, total_s = 3.6e9, longest_s = 3.6e7,
      by_reason = { [("reason "):rep(20)] = 1, b = 2, c = 3, d = 4, e = 5 } }
    worst.decisions, worst.policy_s = 99999, 3599 * 0.99
    worst.history[2].disk_bytes = 1023 << 30
    for label = 0, 11 do
      worst.history[2].levels[label + 1] = {
        level = label, runs = 1, tables = 1, bytes = 1023 << 20,
      }
    end
    local compared = compare.new(reports)
    for _, line in ipairs(lines_of(compared:text())) do
      assert(utf8.len(line) <= 100, line)
    end
  end)

  it("draws a line for each policy in each plot", function()
    local picture = xml.parse(four():svg())
    assert.same({
      "4 policies compared", "Write amplification", "Space amplification",
      "Read amplification: runs per point read", "Bytes on disk",
      "Time stalled", "Debt: bytes that wait to be merged",
    }, xml.texts(picture, "title"))
    assert.equal(6 * 4, #xml.named(picture, "path", "line"))
    assert.matches("At the end: leveled/1 5.58; tiered/1 2.10; ",
      xml.texts(picture, "desc")[2])
  end)

  it("bears no samples and odd names in its picture", function()
    local odd = "<odd> & \"'\u{2603}"
    local picture = xml.parse(compare.new {
      lab_reports.new("leveled/1", { samples = 0, name = odd }),
      lab_reports.new("tiered/1", { samples = 1 }),
    } :svg())
    assert.equal(odd, xml.texts(picture, "text", "quiet")[3])
    assert.equal(6, #xml.named(picture, "circle", "dot"))
  end)

  it("gives the same bytes for the same data", function()
    for _, kind in ipairs { "text", "svg", "html" } do
      local one, other = four(), four()
      assert.equal(one[kind](one), other[kind](other))
    end
  end)
end)
