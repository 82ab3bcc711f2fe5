--- What one call for several entries saves where the strings that both ways
-- make are not most of it: keys spread over a store too large for the
-- processor's cache, and numbers.
--
-- Before the clock starts every value is compared with what was written; inside
-- the measured loops both sides look only whether there is one. They take
-- turns.

local figures = require "figures"
local grainstore = require "grainstore"

local M = {}

local MANY <const>, FILL <const>, VALUE_BYTES <const> = 16, 64, 100
local FILLING <const> = ("."):rep(VALUE_BYTES - 16)
local PASSES <const> = 16 -- over the numbers

local function with_store(options, open, run)
  local path = options.dir .. "/groups"
  grainstore.destroy(path)
  local store <close> = assert(open(path, {
    durability = "batch", memory_bytes = options.memory_bytes,
  }))
  return run(store)
end

local function load(store, entries, entry_of)
  local batch <close> = store:batch()
  for i = 1, entries do
    batch:put(entry_of(i))
    if i % 1000 == 0 or i == entries then
      assert(batch:commit())
    end
  end
  assert(store:flush())
  assert(store:compact())
end

local function take_turns(first, second, rounds)
  local a, b = {}, {}
  for round = 1, rounds do
    if round % 2 == 0 then
      b[round] = second()
      a[round] = first()
    else
      a[round] = first()
      b[round] = second()
    end
  end
  return a, b
end

-- ---- far keys ---------------------------------------------------------------

local function value_of(i)
  return ("%016d"):format(i * 7) .. FILLING
end

local function far_keys(options)
  local keys, groups = {}, {}
  math.randomseed(options.seed)
  for _ = 1, options.operations // MANY do
    local group = {}
    for i = 1, MANY do
      local number = math.random(options.entries)
      group[i] = ("%016d"):format(number)
      keys[#keys + 1] = group[i]
    end
    groups[#groups + 1] = group
  end
  return keys, groups
end

local function check_far(store, groups)
  local out = {}
  for _, group in ipairs(groups) do
    store:get_many(group, out)
    for i, key in ipairs(group) do
      local value = value_of(math.tointeger(tonumber(key)))
      assert(out[i] == value, "get_many gives another value")
      assert(store:get(key) == value, "get gives another value")
    end
  end
end

local function far(options, now)
  local keys, groups = far_keys(options)
  return with_store(options, grainstore.open_bytes, function(store)
    load(store, options.entries, function(i)
      return ("%016d"):format(i), value_of(i)
    end)
    check_far(store, groups)
    return take_turns(function()
      local start = now()
      for i = 1, #keys do
        if not store:get(keys[i]) then error "absent" end
      end
      return (now() - start) / #keys
    end, function()
      local start, out = now(), {}
      for i = 1, #groups do
        store:get_many(groups[i], out)
        if not out[MANY] then error "absent" end
      end
      return (now() - start) / #keys
    end, options.rounds)
  end)
end

-- ---- numbers ----------------------------------------------------------------

local function check_numbers(store, entries)
  local keys, values = {}, {}
  local cursor <close> = store:cursor()
  for i = 1, entries do
    local at = (i - 1) % FILL + 1
    if at == 1 then
      cursor:fill(keys, values, FILL)
    end
    assert(keys[at] == i and values[at] == i * 7, "fill gives another")
  end
end

local function numbers(options, now)
  local entries = options.boundary
  return with_store(options, grainstore.open_u32, function(store)
    load(store, entries, function(i) return i, i * 7 end)
    check_numbers(store, entries)
    return take_turns(function()
      local start = now()
      for _ = 1, PASSES do
        local cursor <close> = store:cursor()
        for _ = 1, entries do
          if not cursor:next() then error "absent" end
        end
      end
      return (now() - start) / (PASSES * entries)
    end, function()
      local start, keys, values = now(), {}, {}
      for _ = 1, PASSES do
        local cursor <close> = store:cursor()
        for _ = 1, entries, FILL do
          if cursor:fill(keys, values, FILL) == 0 then error "absent" end
        end
      end
      return (now() - start) / (PASSES * entries)
    end, options.rounds)
  end)
end

--- Measures both.
-- @tparam function now nanoseconds of the calling thread on its processor
-- @return rows of cells, heads first
function M.run(options, now)
  local rows = { { "entries", "one at a time", "ns", "several", "ns",
    "ratio" } }
  local function row(entries, one, several, a, b)
    rows[#rows + 1] = { entries, one, figures.text(figures.median(a)), several,
      figures.text(figures.median(b)), figures.text(figures.ratio(b, a)) }
  end
  row(("%d of 16 and %d bytes, far apart"):format(options.entries, VALUE_BYTES),
    "get", "get_many of " .. MANY, far(options, now))
  row(("%d numbers, in order"):format(options.boundary), "cursor:next",
    "cursor:fill of " .. FILL, numbers(options, now))
  return rows
end

return M
