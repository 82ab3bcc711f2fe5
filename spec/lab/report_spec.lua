-- A report as an object, and as text.

local lab_reports = require "spec.support.lab_reports"
local report = require "grainstore.lab.report"
local tmp = require "grainstore.testing.tmp"

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

-- The line of a text that begins with a word.
local function line_of(text, word)
  for _, line in ipairs(lines_of(text)) do
    if line:sub(1, #word) == word then return line end
  end
end

describe("a report", function()
  it("is the plain data it was made of", function()
    local data = lab_reports.data "leveled/1"
    local made = report.new(data)
    assert.equal(data, made)
    assert.equal("leveled/1", made.policy)
    assert.equal(200, #made.history)
    assert.is_true(report.is_report(made))
    assert.is_false(report.is_report(lab_reports.data "leveled/1"))
  end)

  it("needs a policy's name and a history", function()
    assert.error_matches(function() report.new() end,
      "bad argument #1 to 'new' %(table expected, got nil%)")
    assert.error_matches(function() report.new { history = {} } end,
      "policy is a nil, not a string")
    assert.error_matches(function() report.new { policy = "p" } end,
      "history is a nil, not a table")
    local least = report.new { policy = "p", history = {} }
    assert.matches("no samples", least:text())
    assert.matches("workload unnamed", least:text())
  end)

  it("prints its figures as they are given", function()
    local data = lab_reports.data("leveled/1", { samples = 2 })
    local last = data.history[2]
    last.write_amp, last.space_amp, last.read_amp = 12.34, 1.118, 3
    last.disk_bytes, last.live_bytes = 3 << 40, 2 << 40
    last.runs, last.tables, last.stalled_s = 17, 12345, 90
    last.levels = {
      { level = 0, runs = 4, tables = 4, bytes = 256 << 20 },
      { level = 3, runs = 1, tables = 900, bytes = 3 << 40 },
    }
    data.stalls = { count = 12, total_s = 90, longest_s = 0.25,
      by_reason = { runs = 60, memtable = 30 } }
    data.decisions, data.refused, data.policy_s, data.took_s = 1204, 3, 0.5, 7
    local text = tostring(report.new(data))
    assert.matches("^policy leveled/1\nworkload zipf, seed 1: 20.0 G writes, "
      .. "2.33 TiB of user data", text)
    assert.matches("^write amp +12.3 ", line_of(text, "write amp"))
    assert.matches("^space amp +1.12 ", line_of(text, "space amp"))
    assert.matches("^read amp +3.00 ", line_of(text, "read amp"))
    assert.matches("^on disk +3.00 TiB ", line_of(text, "on disk"))
    assert.matches("^live +2.00 TiB ", line_of(text, "live"))
    assert.matches("^tables +12,345 ", line_of(text, "tables"))
    assert.matches("^L0 +4 +4 +256 MiB +0.0 %%$", line_of(text, "L0"))
    assert.matches("^L3 +1 +900 +3.00 TiB +100.0 %%$", line_of(text, "L3"))
    assert.equal("stalls       12, 90.0 s in all, the longest 250 ms; "
      .. "runs 60.0 s; memtable 30.0 s", line_of(text, "stalls"))
    assert.equal("decisions    1,204, 3 refused, 500 ms in the policy; "
      .. "the run took 7.00 s", line_of(text, "decisions"))
  end)

  it("prints the most of each figure and its course", function()
    local data = lab_reports.data("tiered/1", { samples = 4 })
    for i, debt in ipairs { 1, 8, 4, 2 } do
      data.history[i].debt_bytes = debt << 30
    end
    assert.matches("^debt +2.00 GiB +8.00 GiB  ▁█▄▂$",
      line_of(report.new(data):text(), "debt"))
  end)

  it("fits into 100 columns, whatever it says", function()
    local data = lab_reports.data("leveled/1", { writes = 10^12 // 1,
      live_bytes = 1 << 50, name = ("long names "):rep(20) })
    data.workload = ("w"):rep(200)
    for i = 1, 30 do
      data.parameters["parameter_" .. i] = ("x"):rep(10 * i)
      data.stalls.by_reason["reason " .. i] = 1000000 * i
    end
    for _, line in ipairs(lines_of(report.new(data):text())) do
      assert(utf8.len(line) <= 100, line)
    end
  end)

  it("says what no number is as a dash, or leaves it out", function()
    local data = lab_reports.data("leveled/1", { samples = 3 })
    data.history[3].write_amp = 0 / 0
    data.decisions, data.policy_s = nil, 1 / 0
    for _, sample in ipairs(data.history) do sample.expired = nil end
    local text = report.new(data):text()
    assert.matches("^write amp +– ", line_of(text, "write amp"))
    assert.is_nil(line_of(text, "expired"))
    assert.matches("– in the policy", line_of(text, "decisions"))
  end)

  it("names parameters in order, exactly while they are short", function()
    local data = lab_reports.data("leveled/1", { samples = 1 })
    data.parameters = { b = 20000, a = 0.25, c = "7", d = true, e = 2.0^40,
      f = {}, g_bytes = 64 << 20, g_bytes_per_s = 1 << 30 }
    assert.equal("a 0.25, b 20000, c 7, d true, e 1.10 T, g_bytes 64.0 MiB, "
      .. "g_bytes_per_s 1.00 GiB",
      lines_of(report.new(data):text())[3])
  end)

  it("writes pictures and pages to files, or gives them back", function()
    local made = lab_reports.new("leveled/1", { samples = 5 })
    for _, kind in ipairs { "svg", "html" } do
      local path = tmp.path()
      assert.is_true(made[kind](made, path))
      local file <close> = assert(io.open(path, "rb"))
      assert.equal(made[kind](made), file:read "a")
      os.remove(path)
    end
  end)

  it("tells when a file cannot be written, and what is no path", function()
    local made = lab_reports.new("leveled/1", { samples = 5 })
    for _, kind in ipairs { "svg", "html" } do
      local done, message, code = made[kind](made, tmp.path() .. "/none/x")
      assert.is_nil(done)
      assert.matches("none/x", message)
      assert.equal("io", code)
      assert.error_matches(function() made[kind](made, 7) end,
        "bad argument #1 to '" .. kind .. "' %(string expected, got number%)")
    end
    local done, message, code = made:svg "/dev/full"
    assert.is_nil(done)
    assert.matches("/dev/full", message)
    assert.equal("io", code)
  end)

  it("gives the same bytes for the same data, and changes none", function()
    local one = lab_reports.new "universal/1"
    local other = lab_reports.new "universal/1"
    local copy = lab_reports.data "universal/1"
    for _, kind in ipairs { "text", "svg", "html" } do
      local said = one[kind](one)
      assert.equal(said, one[kind](one))
      assert.equal(said, other[kind](other))
    end
    assert.same(copy, setmetatable(one, nil))
  end)
end)
