-- What a journal tells of a store's writes: events that are made up, and those
-- of a store.

local T = require "grainstore.testing"
local grainstore = require "grainstore"
local records = require "grainstore.lab.record"

local number = 0

local function flush(facts)
  number = number + 1
  local t = {
    id = number, entries = 90, keys = 90, tombstones = 0, expiring = 0,
    data_bytes = 9000, min_seq = 1, max_seq = 100, min_key = "a", max_key = "z",
  }
  local event = {
    number = number, kind = "flush", time_ms = 1000 * number, took_us = 0,
    read_bytes = 10000, outputs = { t }, inputs = {}, tree = {},
    dropped = { covered = 10, tombstones = 0, expired = 0 },
  }
  for name, value in pairs(facts or {}) do
    if event[name] ~= nil then event[name] = value else t[name] = value end
  end
  return event
end

local function record_of(list)
  number = 0
  local record, found = records.new(), nil
  for _, facts in ipairs(list) do found = record:add(flush(facts)) end
  return record, found
end

describe("a record", function()
  it("has the writes and keys of each flush", function()
    local record, last = record_of {
      { max_key = "zebra" },
      { min_key = "ab", tombstones = 18, expiring = 36 },
    }
    assert.equal(200, record.writes)
    assert.equal(100, last.writes)
    assert.equal(90, last.distinct)
    assert.equal(0.2, last.gone)
    assert.equal(0.4, last.lasting)
    assert.equal(2000, last.to_ms)
    local means = record:means()
    assert.equal(2, means.key_bytes) -- of 1, 5, 2 and 1
    assert.equal(0.1, means.delete_share)
    assert.equal(109, means.value_bytes) -- (20000 - 450) / 180
  end)

  it("knows how long entries live", function()
    local record = record_of {
      { expiring = 90, min_expiry_ms = 5000, max_expiry_ms = 6000 },
      { expiring = 90, min_expiry_ms = 6000, max_expiry_ms = 7000 },
    }
    assert.equal(5000, record:means().ttl_ms)
  end)

  it("knows which writes are alive where all expire", function()
    local list = {}
    for i = 1, 6 do
      list[i] = {
        expiring = 90, min_expiry_ms = 1000 * i + 1500,
        max_expiry_ms = 1000 * i + 2500,
      }
    end
    local record = record_of(list)
    assert.equal(2500, record:means().ttl_ms)
    assert.equal(300, record:alive(6000)) -- flushes at 4000, 5000 and 6000
    assert.is_nil(record_of { list[1], list[2] }:alive(2500))
    list[3].expiring = 80
    assert.is_nil(record_of(list):alive(6000))
  end)

  it("tells keys in order from others", function()
    local function bounds(list)
      local all = {}
      for i, pair in ipairs(list) do
        all[i] = { min_key = pair:sub(1, 1), max_key = pair:sub(2) }
      end
      return record_of(all)
    end
    assert.is_true(bounds { "ab", "cd", "ef", "gh" }:is_ordered())
    assert.is_nil(bounds { "ab", "cd", "ef", "gh" }:cycle())
    assert.is_true(bounds { "ac", "bd", "df", "eh" }:is_ordered())
    assert.is_false(bounds { "ay", "bz", "ax", "by" }:is_ordered())
    assert.is_false(bounds { "az" }:is_ordered())
    local again = bounds { "ab", "cd", "ef", "ab", "cd", "ef", "gh", "ij" }
    assert.is_true(again:is_ordered())
    assert.equal(300, again:cycle())
  end)

  it("knows a queue by its ends", function()
    local ends, all = { "am", "bn", "co", "dp" }, {}
    for i, pair in ipairs(ends) do
      all[i] = {
        min_key = pair:sub(1, 1), max_key = pair:sub(2), tombstones = 40,
      }
    end
    local record = record_of(all)
    assert.is_true(record:is_queue())
    assert.equal(400 - 2 * 160, record:length())
    for _, facts in ipairs(all) do facts.tombstones = 5 end
    assert.is_false(record_of(all):is_queue())
  end)

  it("counts events that are missing and passes over failures", function()
    local record = records.new()
    number = 4
    assert.truthy(record:add(flush()))
    number = 7
    local failed = flush()
    failed.code, failed.outputs = "io", nil
    assert.is_nil(record:add(failed))
    assert.equal(6, record.missing)
    assert.equal(1, record.flushes)
  end)

  it("is exact of a store's flushes", function()
    local env = T.env { seed = 1 }
    local store <close> = assert(grainstore.open("/r", {
      env = env, threads = 0, policy = "manual",
    }))
    for i = 1, 300 do store:put(("key%02d"):format(i % 80), ("v"):rep(100)) end
    for i = 1, 20 do store:delete(("key%02d"):format(i)) end
    for i = 1, 40 do
      store:put(("ttl%02d"):format(i), ("v"):rep(100), { ttl_ms = 60000 })
    end
    store:flush()
    local record, found = records.new(), nil
    for _, event in ipairs(store:journal()) do
      found = record:add(event) or found
    end
    assert.equal(360, found.writes)
    assert.equal(120, found.distinct)
    assert.equal(20 / 120, found.gone)
    assert.equal(60 / 120, found.lasting)
    assert.equal(300 * 105 + 20 * 5 + 40 * 105, found.user_bytes)
  end)
end)
