-- The page: whole without its script, and what the script finds in it.

local compare = require "grainstore.lab.compare"
local json = require "spec.support.json"
local lab_reports = require "spec.support.lab_reports"
local script = require "grainstore.lab.report.page_script"
local xml = require "spec.support.xml"

local function page_of(reports)
  return xml.parse(compare.new(reports):html(), true)
end

local function with_attribute(element, name, value)
  return xml.all(element, function(one)
    local found = one.attributes[name]
    return found ~= nil and (value == nil or found == value)
  end)
end

local function data_of(page)
  return json.parse(xml.text(with_attribute(page, "id", "data")[1]))
end

local function texts_of(card)
  local places = with_attribute(card, "data-text")
  for i, place in ipairs(places) do places[i] = xml.text(place) end
  return places
end

describe("a page", function()
  local four = page_of(lab_reports.four())
  local four_data = data_of(four)

  it("shows the end of the run without its script", function()
    local page = four
    local cards = xml.named(page, "article")
    assert.same({ "leveled/1", "tiered/1", "lazy_leveled/1", "universal/1" },
      { table.unpack(xml.texts(page, "h2"), 1, 4) })
    assert.same({
      "5.58", "1.14", "2.60", "1.14 TiB", "1.00 TiB", "1.00 GiB", "42.7 min",
    }, { table.unpack(texts_of(cards[1]), 1, 7) })
    local rows = xml.named(xml.named(cards[1], "tbody")[1], "tr")
    assert.equal(8, #rows)
    assert.equal("L0205 MiB1 run", xml.text(rows[1]))
    assert.equal("L4997 GiB1 run", xml.text(rows[5]))
    assert.equal("L7––", xml.text(rows[8]))
  end)

  it("holds for each moment what the script puts in place", function()
    local page, data = four, four_data
    assert.equal(200, #data.moments)
    assert.equal(200, #data.x)
    assert.equal(4, #data.policies)
    for i, card in ipairs(xml.named(page, "article")) do
      local moments = data.policies[i]
      assert.equal(200, #moments)
      assert.same(moments[200].texts, texts_of(card))
      local bars = with_attribute(card, "data-bar")
      for n = 1, 200, 33 do
        assert.equal(#moments[200].texts, #moments[n].texts)
        assert.equal(#bars, #moments[n].bars)
      end
      for k, bar in ipairs(bars) do
        local width, pieces = table.unpack(moments[200].bars[k])
        assert.equal(("width:%.1f%%;--n:%d"):format(width, pieces),
          bar.attributes.style)
      end
    end
    assert.equal("20.0 G writes, 2.33 TiB of user data, 7.82 h",
      data.moments[200])
    assert.equal("10.0 G writes, 1.16 TiB of user data, 3.91 h",
      data.moments[100])
    assert.equal(460, data.x[200])
    assert.equal(261, data.x[100])
  end)

  it("says of each moment what the sample says", function()
    local reports = { lab_reports.new("tiered/1", { samples = 4 }) }
    local sample = reports[1].history[2]
    sample.write_amp, sample.debt_bytes = 7.25, 3 << 20
    sample.levels = {
      { level = 0, runs = 3, tables = 3, bytes = 192 << 20 },
    }
    local texts = data_of(page_of(reports)).policies[1][2].texts
    assert.equal("7.25", texts[1])
    assert.equal("3.00 MiB", texts[6])
    assert.same({ "192 MiB", "3 runs", "–", "–" },
      { table.unpack(texts, 8, 11) })
  end)

  it("puts policies with other samples on one line of time", function()
    local data = data_of(page_of {
      lab_reports.new("leveled/1", { writes = 1000000, samples = 2 }),
      lab_reports.new("tiered/1", { writes = 3000000, samples = 3 }),
    })
    assert.equal(4, #data.moments) -- 0.5, 1, 2 and 3 million
    local first, second = data.policies[1], data.policies[2]
    assert.equal("–", second[1].texts[1])
    assert.not_equal("–", second[2].texts[1])
    assert.same(first[2], first[4])
    assert.matches("^3.00 M writes", data.moments[4])
  end)

  it("draws longer bars for more bytes, in pieces for runs", function()
    local data, wrong = four_data, 0
    for _, moments in ipairs(data.policies) do
      for _, moment in ipairs(moments) do
        for k, bar in ipairs(moment.bars) do
          local runs = moment.texts[7 + 2 * k]
          local is_right = bar[1] >= 0 and bar[1] <= 100
            and (runs == "–") == (bar[1] == 0)
            and (bar[2] == 1 or bar[2] == tonumber(runs:match "%d+"))
          if not is_right then wrong = wrong + 1 end
        end
      end
    end
    assert.equal(0, wrong)
    local bars = data.policies[1][200].bars
    for k = 2, 5 do assert.is_true(bars[k][1] > bars[k - 1][1]) end
  end)

  it("has all that its script looks for", function()
    local page = four
    local looked = 0
    for id in script:gmatch 'getElementById%("([^"]*)"%)' do
      assert.equal(1, #with_attribute(page, "id", id), id)
      looked = looked + 1
    end
    assert.equal(5, looked)
    assert.equal(4, #xml.named(page, "article"))
    local plots = xml.named(page, "div", "plots")
    assert.equal(2, #plots)
    local panels, cursors = 0, 0
    for _, one in ipairs(plots) do
      panels = panels + #xml.named(one, "svg", "panel")
      cursors = cursors + #xml.named(one, "line", "cursor")
    end
    assert.equal(10, panels)
    assert.equal(10, cursors)
    local slider = with_attribute(page, "id", "at")[1].attributes
    assert.same({ "0", "199", "199" }, { slider.min, slider.max, slider.value })
  end)

  it("names everything but once", function()
    local seen = {}
    for _, one in ipairs(with_attribute(four, "id")) do
      assert.is_nil(seen[one.attributes.id], one.attributes.id)
      seen[one.attributes.id] = true
    end
  end)

  it("marks the best figures of its table", function()
    local page = four
    local table_ = xml.named(page, "table", "figures")[1]
    assert.same({ "1.14", "2.60", "1.14 TiB", "2.10", "0", "0 s", "0 s" },
      xml.texts(table_, "td", "best"))
    assert.matches("the best of its column", xml.text(page))
    assert.same({}, xml.texts(page_of { lab_reports.new "leveled/1" }, "td",
      "best"))
  end)

  it("takes any name for a name", function()
    local odd = "</script><b>&amp; \"x\" 'y' größer ☃ \xFF%d"
    local reports = lab_reports.four { samples = 3 }
    reports[2].policy, reports[2].workload = odd, odd
    reports[2].parameters = { [odd] = odd }
    reports[1].workload, reports[1].parameters = odd, { [odd] = odd }
    local text = compare.new(reports):html()
    local _, ends = text:gsub("</script", "")
    assert.equal(2, ends)
    local page = xml.parse(text, true)
    assert.equal(0, #xml.named(page, "b") - #xml.all(page, function(one)
      return one.name == "b" and one.attributes.style ~= nil
    end))
    local clean = odd:gsub("\xFF", "\u{FFFD}")
    assert.is_truthy(xml.texts(page, "h2")[2]:find(clean, 1, true))
    assert.equal(3, #data_of(page).moments)
  end)

  it("loads nothing", function()
    local text = compare.new(lab_reports.four()):html()
    assert.is_nil(text:find "https?:")
    assert.is_nil(text:find "url%(")
    assert.is_nil(text:find "@import")
    local page = xml.parse(text, true)
    for _, name in ipairs { "src", "href", "srcset" } do
      assert.same({}, with_attribute(page, name))
    end
    assert.matches("default%-src 'none'", text)
  end)

  it("bears no samples, one, and the largest", function()
    local empty = page_of { lab_reports.new("leveled/1", { samples = 0 }) }
    assert.same({}, data_of(empty).moments)
    assert.equal("–", texts_of(xml.named(empty, "article")[1])[1])
    local one = page_of { lab_reports.new("leveled/1", { samples = 1 }) }
    assert.equal(1, #data_of(one).moments)
    local huge = page_of(lab_reports.four { writes = 10^12 // 1,
      live_bytes = 1 << 50 })
    assert.matches("^1.00 T writes", data_of(huge).moments[200])
  end)

  it("is of bounded size", function()
    local long = {}
    for i = 1, 8 do
      long[i] = lab_reports.new("universal/1", { samples = 1000 })
    end
    local text = compare.new(long):html()
    assert.equal(240, #data_of(xml.parse(text, true)).moments)
    assert.is_true(#text < 2500000)
  end)
end)
