-- Plots: well-formed, told in words, with values where they belong.

local lab_reports = require "spec.support.lab_reports"
local palette = require "grainstore.lab.report.palette"
local report = require "grainstore.lab.report"
local svg = require "grainstore.lab.svg"
local xml = require "spec.support.xml"

local HEAD = '<?xml version="1.0"?>\n'

-- Numbers of a path, as pairs.
local function points_of(path)
  local points = {}
  for x, y in path.attributes.d:gmatch "([%d.-]+) ([%d.-]+)" do
    points[#points + 1] = { tonumber(x), tonumber(y) }
  end
  return points
end

local function panel_of(series, more)
  local panel = {
    title = "Plot", note = "what it shows", kind = "factor", last_x = 100,
    name_x = "writes", series = series,
  }
  for name, value in pairs(more or {}) do panel[name] = value end
  return xml.parse(HEAD .. svg.panel(panel, "p"))
end

local function line(...)
  local points = {}
  for i, y in ipairs { ... } do points[i] = { 25 * i, y } end
  return { name = "one", class = "s1 d1", shape = "line", points = points }
end

-- Where in a plot a value is drawn, by the ticks beside it.
local function height_of(plot, label)
  for _, text in ipairs(xml.named(plot, "text")) do
    if xml.text(text) == label
      and text.attributes["text-anchor"] == "end" then
      return tonumber(text.attributes.y) - 4
    end
  end
end

describe("a plot", function()
  it("draws values at their ticks", function()
    local plot = panel_of { line(2, 4, 6, 8) }
    local points = points_of(xml.named(plot, "path", "line")[1])
    for i, y in ipairs { "2", "4", "6", "8" } do
      assert.near(height_of(plot, y), points[i][2], 0.11)
      assert.near(svg.LEFT + (svg.RIGHT - svg.LEFT) * i / 4, points[i][1], 0.11)
    end
  end)

  it("is told in words", function()
    local plot = panel_of { line(1, 2) }
    assert.equal("img", plot.attributes.role)
    assert.equal("p-t p-d", plot.attributes["aria-labelledby"])
    assert.equal("p-t", xml.named(plot, "title")[1].attributes.id)
    assert.same({ "Plot" }, xml.texts(plot, "title"))
    assert.same({ "what it shows" }, xml.texts(plot, "desc"))
  end)

  it("leaves gaps where there is no figure, and dots for lone ones", function()
    local series = line(1, 2, 0 / 0, 3)
    local plot = panel_of { series }
    assert.equal(1, #xml.named(plot, "path", "line"))
    assert.equal(1, #xml.named(plot, "circle", "dot"))
    series.points = { { 10, 1 }, { 20 }, { 30, 1 / 0 } }
    plot = panel_of { series }
    assert.equal(0, #xml.named(plot, "path", "line"))
    assert.equal(1, #xml.named(plot, "circle", "dot"))
  end)

  it("says so when there is nothing", function()
    for _, series in ipairs { {}, { line() } } do
      local said = xml.text(panel_of(series))
      assert.matches("no samples", said)
    end
  end)

  it("is logarithmic where values lie far apart, and says so", function()
    local plot = panel_of { line(1, 2), line(1000, 2000) }
    assert.same({ "Plot (logarithmic)" }, xml.texts(plot, "text", "title"))
    local points = points_of(xml.named(plot, "path", "line")[2])
    assert.near(height_of(plot, "1 k"), points[1][2], 0.11)
    plot = panel_of({ line(1, 2), line(1000, 2000) }, { kind = "bytes" })
    assert.same({ "Plot" }, xml.texts(plot, "text", "title"))
  end)

  it("begins where it is told, but hides no value", function()
    assert.equal(222.0, height_of(panel_of { line(1.2, 1.4) }, "0"))
    assert.equal(222.0,
      height_of(panel_of({ line(1.2, 1.4) }, { base = 1 }), "1.0"))
    assert.equal(222.0,
      height_of(panel_of({ line(0.8, 1.4) }, { base = 1 }), "0"))
    assert.is_truthy(
      height_of(panel_of({ line(1, 2) }, { least_top = 8 }), "8"))
  end)

  it("escapes what it is told", function()
    local name = "<a & \"b\" 'c'> größer ☃ \xFF"
    local series = line(1, 2)
    series.name = name
    local plot = panel_of({ series }, {
      title = name, note = name, has_legend = true,
    })
    local clean = name:gsub("\xFF", "\u{FFFD}")
    assert.same({ clean }, xml.texts(plot, "title"))
    assert.same({ clean }, xml.texts(plot, "desc"))
    assert.equal(clean, xml.texts(plot, "text", "quiet")[1])
  end)
end)

describe("the picture of a report", function()
  local function picture_of(data)
    return xml.parse(report.new(data):svg())
  end

  it("has six plots with what is asked of them", function()
    local picture = picture_of(lab_reports.data "leveled/1")
    assert.same({
      "leveled/1", "Amplification", "Bytes per level", "Bytes on disk", "Runs",
      "Time stalled", "Debt: bytes that wait to be merged",
    }, xml.texts(picture, "title"))
    assert.equal(3 + 1 + 1 + 1 + 1, #xml.named(picture, "path", "line"))
    assert.equal(5 + 1, #xml.named(picture, "path", "area"))
  end)

  it("stacks levels without a gap, up to all bytes", function()
    local picture = picture_of(lab_reports.data("leveled/1", { samples = 20 }))
    local areas = {}
    for _, path in ipairs(xml.named(picture, "path", "area")) do
      if path.attributes.class:find "v%d" then areas[#areas + 1] = path end
    end
    assert.equal(5, #areas)
    for i = 2, #areas do
      local above, below = points_of(areas[i - 1]), points_of(areas[i])
      for k = 1, 20 do
        assert.same(above[#above - k + 1], below[k])
      end
    end
    local deepest = points_of(areas[5])
    assert.equal(222.0, deepest[#deepest][2])
  end)

  it("needs no other file and knows light and dark", function()
    local text = lab_reports.new "leveled/1" :svg()
    assert.same({ "http://www.w3.org/2000/svg" },
      { text:match "https?://[^\"' ]*" })
    assert.is_nil(text:gsub("http://www.w3.org/2000/svg", ""):find "https?:")
    assert.is_nil(text:find "url%(")
    assert.is_nil(text:find "@import")
    assert.matches("prefers%-color%-scheme: dark", text)
    assert.is_nil(text:find "%%%a")
  end)

  it("bears no samples, one, and the largest", function()
    assert.matches("no samples",
      xml.text(picture_of(lab_reports.data("leveled/1", { samples = 0 }))))
    local one = picture_of(lab_reports.data("leveled/1", { samples = 1 }))
    assert.equal(0, #xml.named(one, "path", "line"))
    assert.is_true(#xml.named(one, "circle", "dot") > 6)
    local huge = picture_of(lab_reports.data("leveled/1", {
      writes = 10^12 // 1, live_bytes = 1 << 50, samples = 10,
    }))
    assert.matches("0.6 T", xml.text(huge))
    assert.matches("100 TiB", xml.text(huge))
  end)

  it("has no more points for a longer history", function()
    local picture = picture_of(lab_reports.data("tiered/1", { samples = 5000 }))
    local points = points_of(xml.named(picture, "path", "line")[1])
    assert.equal(400, #points)
    assert.equal(svg.RIGHT, points[400][1])
  end)
end)

describe("colours", function()
  -- Relative luminance after WCAG 2.
  local function luminance(color)
    local sum = 0
    for i, weight in ipairs { 0.2126, 0.7152, 0.0722 } do
      local part = tonumber(color:sub(2 * i, 2 * i + 1), 16) / 255
      sum = sum + weight * (part <= 0.03928 and part / 12.92
        or ((part + 0.055) / 1.055) ^ 2.4)
    end
    return sum
  end

  local function contrast(one, other)
    local a, b = luminance(one) + 0.05, luminance(other) + 0.05
    return math.max(a, b) / math.min(a, b)
  end

  it("of lines and texts stand out from what is behind", function()
    for scheme = 1, 2 do
      for _, behind in ipairs { "ground", "card" } do
        local ground = palette.colors[behind][scheme]
        for name, least in pairs { ink = 7, quiet = 4.5, s1 = 3, s2 = 3, s3 = 3,
          s4 = 3 } do
          local ratio = contrast(palette.colors[name][scheme], ground)
          assert(ratio >= least, ("%s on %s: %.2f"):format(name, behind, ratio))
        end
      end
    end
  end)

  it("of levels are in order of their lightness", function()
    for i = 2, 8 do
      local above = palette.colors["v" .. i - 1]
      local below = palette.colors["v" .. i]
      assert.is_true(luminance(below[1]) < luminance(above[1]))
      assert.is_true(luminance(below[2]) < luminance(above[2]))
    end
  end)

  it("tell a dozen lines apart", function()
    local seen = {}
    for i = 1, 12 do
      assert.is_nil(seen[palette.line(i)])
      seen[palette.line(i)] = true
    end
  end)
end)
