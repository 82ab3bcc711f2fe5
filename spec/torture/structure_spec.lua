-- Files are cut, overwritten, shuffled, replaced, removed, and joined by files
-- that were never asked for. Opening refuses by name and changes nothing, or
-- what is served is right.

local Random = require "grainstore.testing.random"
local damage = require "spec.support.damage"
local family = require "spec.support.family"

local SECTOR, PAIRS = 512, 4000

-- Failures may carry these codes; where a whole file is of another kind or
-- store, they are not all "corrupt".
local CODES = {
  corrupt = true, io = true, missing = true, version = true, mismatch = true,
}

local function garbage(random, size)
  local words = {}
  for i = 1, (size + 7) // 8 do
    words[i] = ("<i8"):pack(Random.mix(random:below(1 << 40), i))
  end
  return table.concat(words):sub(1, size)
end

-- ---- damages ---------------------------------------------------------------
-- A damage is { text, function(env) }, and for what lies in one file: path, and
-- first, the offset before which its bytes are as they were.

local function overwrite(path, first, text, change)
  return {
    text = text, path = path, first = first, change = change,
    apply = function(env)
      env:write(path, change(env:read(path)))
    end,
  }
end

-- Damages that leave a file as it was are none: most of a log is zeros.
local function add(list, one, bytes)
  if one.change(bytes) ~= bytes then
    list[#list + 1] = one
  end
end

local function cuts(list, path, bytes)
  for size = 0, #bytes - 1 do
    list[#list + 1] = overwrite(path, size, ("%s cut to %d bytes")
      :format(path, size), function(whole) return whole:sub(1, size) end)
  end
end

local function with_sector(bytes, at, sector)
  return bytes:sub(1, at) .. sector .. bytes:sub(at + #sector + 1)
end

local function sectors(list, path, bytes, random)
  for at = 0, #bytes - 1, SECTOR do
    local size = math.min(SECTOR, #bytes - at)
    local noise = garbage(random, size)
    add(list, overwrite(path, at, ("%s, sector at %d zeroed")
      :format(path, at), function(whole)
        return with_sector(whole, at, ("\0"):rep(size))
      end), bytes)
    add(list, overwrite(path, at, ("%s, sector at %d with garbage")
      :format(path, at), function(whole)
        return with_sector(whole, at, noise)
      end), bytes)
  end
end

local function swaps(list, path, bytes)
  for a = 0, #bytes - SECTOR, SECTOR do
    for b = a + SECTOR, #bytes - SECTOR, SECTOR do
      add(list, overwrite(path, a, ("%s, sectors at %d and %d swapped")
        :format(path, a, b), function(whole)
          local first = whole:sub(a + 1, a + SECTOR)
          local second = whole:sub(b + 1, b + SECTOR)
          return with_sector(with_sector(whole, a, second), b, first)
        end), bytes)
    end
  end
end

local function kind_of(path)
  return path:match "MANIFEST" or path:match "%.%w+$"
end

local function replacement(list, path, own, bytes, text)
  add(list, overwrite(path, 0, ("%s replaced by %s"):format(path, text),
    function() return bytes end), own)
end

-- Each file by what is no part of the store, or another part of it.
local function replacements(list, path, image, other)
  local own = image.env:read(path)
  replacement(list, path, own, "", "an empty file")
  for i, env in ipairs(image.earlier) do
    if env:files()[path] then
      replacement(list, path, own, env:read(path), "its version " .. i)
    end
  end
  for _, source in ipairs { image, other } do
    for _, from in ipairs(damage.live(source)) do
      if kind_of(from) == kind_of(path)
        and (source == other or from ~= path) then
        replacement(list, path, own, source.env:read(from),
          (source == other and "another store's " or "") .. from)
      end
    end
  end
  list[#list + 1] = {
    text = path .. " removed", path = path, first = 0,
    apply = function(env) env:remove(path) end,
  }
end

local STRAYS = {
  "000001.sst", "000099.sst", "99999999.sst", "000001.wal", "000099.wal",
  "MANIFEST-000000", "MANIFEST-000002", "MANIFEST-000099", "MANIFEST-",
  "MANIFEST-1", "000001.tmp", "x", ".sst", "00001.sst", "-00001.wal",
  "99999999999999999999999.sst", "MANIFEST-99999999999999999999999",
}

-- Files that no manifest lists, some of them good ones of this or another
-- store.
local function strays(list, image, other, random)
  local contents = { empty = "", garbage = garbage(random, 9000) }
  for name, source in pairs { own = image, ["another store's"] = other } do
    for _, path in ipairs(damage.live(source)) do
      contents[name .. " " .. path] = source.env:read(path)
    end
  end
  local names = {}
  for name in pairs(contents) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, stray in ipairs(STRAYS) do
    local path = damage.PATH .. "/" .. stray
    for _, name in ipairs(image.env:files()[path] and {} or names) do
      list[#list + 1] = {
        text = ("a stray %s that holds %s"):format(path, name),
        stray = stray,
        apply = function(env) env:write(path, contents[name]) end,
      }
    end
  end
end

-- ---- looking ---------------------------------------------------------------

-- Where the last frame of the log is gone, nothing tells of earlier ones: from
-- the first one that was damaged on, they look as if never synced.
-- The log begins with frames of writes that stand in tables by now.
local function answers_for(image, damages)
  local least, is_end_gone = nil, false
  for _, one in ipairs(damages) do
    is_end_gone = is_end_gone or one.reaches_end
  end
  for _, one in ipairs(is_end_gone and damages or {}) do
    for i, frame in ipairs(one.frames or {}) do
      if one.first < frame.offset + frame.bytes then
        local in_tables = #one.frames - #image.writes + 1
        least = math.min(least or math.huge, math.max(1, i - in_tables))
        break
      end
    end
  end
  return least and table.move(image.writes, least, #image.writes, 1, {})
    or image.answers
end

local function same_files(before, after)
  for path, size in pairs(before) do
    if after[path] ~= size and not path:find "LOCK$" then
      return false, path
    end
  end
  return true
end

-- Says of a damage whether it takes the last frame of the log away.
local function mark_end(image, one)
  if one.reaches_end ~= nil or not (one.path and one.path:find "%.wal$") then
    return
  end
  local bytes = image.env:read(one.path)
  local frames = damage.frames(bytes)
  local left = one.change and one.change(bytes) or ""
  local last = frames[#frames].offset
  one.frames = frames
  one.reaches_end = bytes:sub(last + 1, last + 48)
    ~= left:sub(last + 1, last + 48)
end

local function try_damage(f, image, damages)
  local env <close> = image.env:copy()
  local texts = {}
  for i, one in ipairs(damages) do
    mark_end(image, one)
    if one.path == nil or env:files()[one.path] then
      one.apply(env)
    end
    texts[i] = one.text
  end
  f:state()
  local before = env:files()
  local wrong, outcome = damage.look(env,
    { answers = answers_for(image, damages) }, { codes = CODES })
  if not wrong and outcome == "refused" then
    local same, path = same_files(before, env:files())
    wrong = not same and "the refusal changed " .. path or nil
  end
  if wrong then
    f:fail("%s: %s", table.concat(texts, " and "), wrong)
  end
end

local function list_damages(image, other, random)
  local list = {}
  for _, path in ipairs(damage.live(image)) do
    local bytes = image.env:read(path)
    cuts(list, path, bytes)
    sectors(list, path, bytes, random)
    swaps(list, path, bytes)
    replacements(list, path, image, other)
  end
  strays(list, image, other, random)
  return list
end

-- Two damages that were not tried together before.
local function draw_pair(list, random, tried)
  local a, b, name
  repeat
    a, b = random:int(1, #list), random:int(1, #list)
    name = a * (#list + 1) + b
  until a ~= b and not tried[name]
  tried[name] = true
  return { list[a], list[b] }
end

local function packed(seed)
  return damage.closed(seed, seed % 2 == 0 and "lz4" or "zstd")
end

describe("a damaged directory", function()
  family.it(9, "structure", "directories with one or two damages", function(f)
    for sweep = 1, f:sweeps() do
      local random = Random.new(family.seed, sweep)
      for _, make in ipairs { damage.closed, damage.killed, packed } do
        local image, other = make(random:below(1 << 30)),
          make(random:below(1 << 30))
        local list = list_damages(image, other, random)
        for i = 1 + sweep % f:stride(), #list, f:stride() do
          try_damage(f, image, { list[i] })
        end
        local tried = {}
        for _ = 1, f:count(PAIRS) do
          local pair = draw_pair(list, random, tried)
          try_damage(f, image, pair)
        end
      end
    end
  end)
end)
