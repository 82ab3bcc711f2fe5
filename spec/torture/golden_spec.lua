-- Stores that earlier versions wrote open, verify, give their content, and can
-- be written on; what a newer version might have written is refused as such.

local damage = require "spec.support.damage"
local family = require "spec.support.family"
local grainstore = require "grainstore"
local machines = require "grainstore.testing.env"
local tmp = require "grainstore.testing.tmp"
local xxh3 = require "spec.support.xxh3"

local ROOT, PATH = "spec/golden", "/store"
local DAY = 86400000
local MADE = 1767225600000 -- what the clock showed when the stores were made

-- ---- golden stores ---------------------------------------------------------

local function unhex(text)
  return (text:gsub("%x%x", function(byte)
    return string.char(tonumber(byte, 16))
  end))
end

-- What is to be read: key -> value, and the note.
local function read_expected(folder, is_u32)
  local map, note = {}, nil
  for line in io.lines(folder .. "/expected.txt") do
    local key, value = line:match "^(%x*) (%x*)$"
    if not key then
      note = line:match "^note (.*)$" or note
    elseif is_u32 then
      map[tonumber(key, 16)] = tonumber(value, 16)
    else
      map[unhex(key)] = unhex(value)
    end
  end
  return map, note
end

local function read_files(folder)
  local files = {}
  for _, name in ipairs(tmp.list(folder)) do
    if name ~= "expected.txt" then
      files[PATH .. "/" .. name] = tmp.read(folder .. "/" .. name)
    end
  end
  return files
end

local function golden_stores()
  local stores = {}
  for _, format in ipairs(tmp.list(ROOT)) do
    for _, name in ipairs(format:find "^format" and tmp.list(ROOT .. "/"
      .. format) or {}) do
      local folder = ("%s/%s/%s"):format(ROOT, format, name)
      local is_u32 = name:find "u32" ~= nil
      local map, note = read_expected(folder, is_u32)
      stores[#stores + 1] = {
        folder = folder, is_u32 = is_u32, map = map, note = note,
        answers = { damage.answers(map) }, files = read_files(folder),
      }
    end
  end
  return stores
end

-- A machine with the files of a golden store, a day later.
local function machine_with(golden)
  local env = machines.env { wall_ms = MADE + DAY }
  assert(grainstore.open(PATH, { env = env })):close() -- makes the directory
  for path in pairs(env:files()) do
    env:remove(path)
  end
  for path, bytes in pairs(golden.files) do
    env:write(path, bytes)
  end
  return env
end

local function fail_if_heard(code, message)
  error(("%s: %s"):format(code, message), 0)
end

local function check(golden, store)
  local wrong = golden.answers[1]:check(store, fail_if_heard)
  if wrong then
    error(wrong, 0)
  end
  assert(store:meta() == golden.note, "another note")
end

local function write_on(golden, store)
  local key, value = "new", "v"
  if golden.is_u32 then
    key, value = 3, 4
  end
  assert(store:put(key, value))
  assert(store:compact())
  assert(store:get(key) == value)
  assert(store:delete(key))
  assert(store:compact())
end

local function read_golden(golden, open)
  local store = assert(open())
  check(golden, store)
  assert(store:verify())
  write_on(golden, store)
  assert(store:close())
  store = assert(open())
  check(golden, store)
  assert(store:verify())
  assert(store:close())
end

local function in_memory(golden)
  local env <close> = machine_with(golden)
  assert(grainstore.info(PATH, { env = env }))
  assert(grainstore.verify(PATH, { env = env }))
  read_golden(golden, function()
    return grainstore.open(PATH, damage.options(env, { create = false }))
  end)
end

-- The entries that expire in a hundred years are there on the real clock too.
local function on_disk(golden)
  local path = tmp.copy(golden.folder)
  os.remove(path .. "/expected.txt")
  read_golden(golden, function()
    return grainstore.open(path, damage.options(nil, { create = false }))
  end)
end

-- ---- newer formats ---------------------------------------------------------

local function splice(bytes, at, piece)
  return bytes:sub(1, at) .. piece .. bytes:sub(at + #piece + 1)
end

local function seed_of(salt, number, offset)
  return xxh3(("<i8i8i8"):pack(salt, number, offset))
end

-- A log's header page with other bytes and a right checksum.
local function page_with(bytes, at, piece)
  local number = ("<i8"):unpack(bytes, 41)
  bytes = splice(bytes, at, piece)
  local sum = xxh3(bytes:sub(17, 4096), seed_of(0, number, 0))
  return splice(bytes, 8, ("<i8"):pack(sum))
end

local function with_header_sum(bytes, offset)
  local number, salt = ("<i8"):unpack(bytes, 41), ("<i8"):unpack(bytes, 57)
  local sum = xxh3(bytes:sub(offset + 5, offset + 48),
    seed_of(salt, number, offset))
  return splice(bytes, offset, ("<I4"):pack(sum & 0xFFFFFFFF))
end

local function fold_of(bytes)
  local fold = 0
  for at = 1, #bytes, 8 do
    fold = fold ~ ("<i8"):unpack(bytes, at)
  end
  return (fold ~ (fold >> 32)) & 0xFFFFFFFF
end

-- A frame with another payload of the same size, right checksums, and a link
-- to it in the frame behind it.
local function frame_with(bytes, offset, payload)
  local number, salt = ("<i8"):unpack(bytes, 41), ("<i8"):unpack(bytes, 57)
  local padded = payload .. ("\0"):rep(-#payload % 8)
  local sum = xxh3(padded, seed_of(salt, number, offset))
  local behind = offset + 48 + #padded
  bytes = splice(bytes, offset + 48, padded)
  bytes = splice(bytes, offset + 8, ("<i8"):pack(sum))
  bytes = splice(bytes, offset + 44, ("<I4"):pack(fold_of(padded)))
  bytes = with_header_sum(bytes, offset)
  if behind + 48 <= #bytes and bytes:byte(behind + 41) ~= 0 then
    bytes = splice(bytes, behind + 36, ("<I4"):pack(sum & 0xFFFFFFFF))
    bytes = with_header_sum(bytes, behind)
  end
  return bytes
end

local function payload_of(bytes, offset)
  local size = ("<I4"):unpack(bytes, offset + 5)
  return bytes:sub(offset + 49, offset + 48 + size)
end

local function table_header_with(bytes, at, piece)
  bytes = splice(bytes, at, piece)
  local number = ("<i8"):unpack(bytes, 17)
  local sum = xxh3(bytes:sub(1, 32), seed_of(0, number, 0))
  return splice(bytes, 32, ("<i8"):pack(sum))
end

local function first_block_with(bytes, at, piece)
  local number, salt = ("<i8i8"):unpack(bytes, 17)
  local size = ("<I4"):unpack(bytes, 41)
  bytes = splice(bytes, 40 + at, piece)
  local sum = xxh3(bytes:sub(41, 40 + size - 8), seed_of(salt, number, 40))
  return splice(bytes, 40 + size - 8, ("<i8"):pack(sum))
end

-- The manifest's base with another tag, or other feature bits in its facts.
local function base_with(bytes, at, piece)
  return frame_with(bytes, 4096,
    splice(payload_of(bytes, 4096), at, piece))
end

-- The log's last frame with another kind or other flags in its first record.
local function record_with(bytes, at, piece)
  local frames = damage.frames(bytes)
  local offset = frames[#frames].offset
  return frame_with(bytes, offset, splice(payload_of(bytes, offset), at, piece))
end

local NEWER = {
  { "MANIFEST", "feature bit", page_with, 104, "\1" },
  { "MANIFEST", "highest feature bit", page_with, 111, "\x80" },
  { "MANIFEST", "format", page_with, 16, "\2" },
  { "MANIFEST", "facts feature bit", base_with, 6 + 16 + 8 + 8, "\1" },
  { "MANIFEST", "unknown tag", base_with, 0, "\x63\0" },
  { "wal", "feature bit", page_with, 104, "\1" },
  { "wal", "format", page_with, 16, "\2" },
  { "wal", "record kind", record_with, 8, "\5" },
  { "wal", "record flag", record_with, 9, "\x80" },
  { "sst", "feature bit", table_header_with, 12, "\x81" },
  { "sst", "format", table_header_with, 8, "\2" },
  { "sst", "block codec", first_block_with, 16, "\3" },
}

-- Every file of that kind that the store is made of, one by one.
local function refuse_newer(f, golden, newer)
  local kind, what, change, at, piece = table.unpack(newer)
  local env <close> = machine_with(golden)
  for _, path in ipairs(damage.live { env = env }) do
    local bytes = env:read(path)
    local has_frames = change ~= record_with or #damage.frames(bytes) > 0
    if path:find(kind, 1, true) and has_frames then
      f:state()
      local copy <close> = env:copy()
      copy:write(path, change(bytes, at, piece))
      local wrong, outcome = damage.look(copy, golden,
        { codes = { version = true }, file = path })
      if wrong or outcome == "answered" then
        f:fail("%s, %s of %s: %s", golden.folder, what, path,
          wrong or "not noticed")
      end
    end
  end
end

describe("formats", function()
  family.it(33, "golden", "golden stores and newer ones", function(f)
    local stores = golden_stores()
    assert(#stores >= 5, "there are no golden stores")
    for _, golden in ipairs(stores) do
      f:try(golden.folder .. " in memory", in_memory, golden)
      f:try(golden.folder .. " on disk", on_disk, golden)
      for _, newer in ipairs(NEWER) do
        refuse_newer(f, golden, newer)
      end
    end
  end)
end)
