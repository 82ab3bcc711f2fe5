-- One table is damaged. Reads in its range of keys give the right answer or
-- fail by name; everything else works, whatever else is written, flushed and
-- merged; and the damaged file stays what and where it is.

local damage = require "spec.support.damage"
local family = require "spec.support.family"
local grainstore = require "grainstore"

local PATH, WRITES = damage.PATH, 240

local function open(env)
  return assert(grainstore.open(PATH, damage.options(env, {
    policy = grainstore.policy.leveled { l0_runs = 2, base_bytes = 16384 },
  })))
end

-- Tables of the image as { path, min, max, blocks }, blocks being where the
-- part of the file ends that only reads of entries look at.
local function tables_of(image)
  local env <close> = image.env:copy()
  local store <close> = open(env)
  local found = {}
  for _, run in ipairs(store:tree().runs) do
    for _, one in ipairs(run.tables) do
      found[#found + 1] = {
        id = one.id, min = one.min_key, max = one.max_key,
        path = ("%s/%06d.sst"):format(PATH, one.id),
      }
    end
  end
  return found
end

-- Reads of keys outside the range never fail, and none is ever wrong.
local function check_reads(store, answers, hurt, extra)
  local function outside(key)
    return key < hurt.min or key > hurt.max
  end
  local function check(key, expected)
    local value, message, code, detail = store:get(key)
    if code and outside(key) then
      error(("get %q, out of the table's range: %s"):format(key, message), 0)
    elseif code and (code ~= "corrupt" or detail.path ~= hurt.path) then
      error(("get %q fails with %s: %s"):format(key, code, message), 0)
    elseif not code and value ~= expected then
      error(("get %q gives %q"):format(key, tostring(value)), 0)
    end
  end
  for _, key in ipairs(answers.keys) do
    check(key, extra[key] or answers.map[key])
  end
  for _, key in ipairs(answers.absent) do
    check(key, extra[key])
  end
  for _, range in ipairs { { to = hurt.min }, { from = hurt.max .. "\0" } } do
    local at = 0
    for key, value in store:scan(range) do
      local expected = extra[key] or answers.map[key]
      if value ~= expected then
        error(("scan gives %q for %q"):format(value, key), 0)
      end
      at = at + 1
    end
    local expected = 0
    for _, key in ipairs(answers.keys) do
      local is_inside = (not range.to or key < range.to)
        and (not range.from or key >= range.from)
      expected = expected + (is_inside and 1 or 0)
    end
    if at ~= expected then
      error(("scan gives %d entries, not %d"):format(at, expected), 0)
    end
  end
end

-- Writes keys that exist, all over the range of keys, so that tables above and
-- below the damaged one are merged.
local function write_all_over(store, answers, extra, round)
  for i = 1, WRITES do
    local key = answers.keys[1 + i * 7 % #answers.keys]
    extra[key] = ("%d of round %d "):format(i, round) .. ("w"):rep(60)
    assert(store:put(key, extra[key]))
    if i % 40 == 0 then
      assert(store:flush())
    end
  end
  for _ = 1, 100 do
    if not store:step() then
      break
    end
  end
end

local function expect_in_place(env, hurt, bytes)
  if env:read(hurt.path) ~= bytes then
    error("the damaged file was changed or removed", 0)
  end
end

local function expect_listed(store, hurt)
  for _, run in ipairs(store:tree().runs) do
    for _, one in ipairs(run.tables) do
      if one.id == hurt.id then
        return
      end
    end
  end
  error("the damaged table is not part of the tree", 0)
end

local function live(image, hurt, bit)
  local env <close> = image.env:copy()
  env:flip(hurt.path, bit)
  local bytes, answers, extra = env:read(hurt.path), image.answers[1], {}
  for round = 1, 2 do
    local store <close> = open(env)
    check_reads(store, answers, hurt, extra)
    write_all_over(store, answers, extra, round)
    check_reads(store, answers, hurt, extra)
    local compacted, _, code = store:compact()
    if compacted or code ~= "corrupt" then
      error("compact passes over the damage: " .. tostring(code), 0)
    end
    check_reads(store, answers, hurt, extra)
    expect_listed(store, hurt)
    assert(store:close())
    expect_in_place(env, hurt, bytes)
  end
end

-- The header, a block every now and then, and what stands behind them.
local function hurt_each(f, image, first, step)
  for _, hurt in ipairs(tables_of(image)) do
    local size = image.env:files()[hurt.path]
    for byte = first, size - 1, step * f:stride(4) do
      f:try(("%s, byte %d"):format(hurt.path, byte), live, image, hurt,
        byte * 8 + byte % 8)
    end
  end
end

describe("a damaged table", function()
  family.it(8, "containment", "lives with a damaged table", function(f)
    for sweep = 1, f:sweeps() do
      hurt_each(f, damage.closed(family.seed + sweep - 1), sweep, 67)
      hurt_each(f, damage.closed(family.seed + sweep - 1, "lz4"), sweep, 131)
    end
  end)
end)
