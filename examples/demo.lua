--- A tour of GrainStore on data that this machine has anyway: Debian's package
-- lists. `make demo` runs it.
--
--   lua5.4 examples/demo.lua            the tour
--   lua5.4 examples/demo.lua load DIR   the writer that the tour kills

local grainstore = require "grainstore"
local keys = require "grainstore.keys"
local here = arg[0]:match("^(.*)/") or "."
package.path = here .. "/?.lua;" .. package.path
local packages = require "packages"
local policy = require "demo_policy"

local OPTIONS = {
  policy = policy,
  memory_bytes = 64 << 20,
  memtable_bytes = 4 << 20,
  table_bytes = 4 << 20,
}

local function say(...)
  print(string.format(...))
end

local began = os.time()

-- Three kinds of keys in one store: the package, who depends on it, and tickets
-- that run out.
local function package_key(name) return keys.tuple { "package", name } end
local function reverse_key(name, by)
  return keys.tuple { "needed", name, by }
end
local function ticket_key(name) return keys.tuple { "ticket", name } end

-- A package and its index entries go in together or not at all. What an older
-- version depended on and this one does not leaves the index in the same batch.
local function write_package(store, batch, package)
  local key = package_key(package.name)
  local before = store:get(key)
  local needed = {}
  for _, name in ipairs(packages.dependencies(package.text)) do
    needed[name] = true
    batch:put(reverse_key(name, package.name), "")
  end
  for _, name in ipairs(before and packages.dependencies(before) or {}) do
    if not needed[name] then
      batch:delete(reverse_key(name, package.name))
    end
  end
  batch:put(key, package.text)
  return assert(batch:commit())
end

-- ---- the writer that is killed ----------------------------------------------

local function load_and_acknowledge(dir)
  io.stdout:setvbuf("line")
  local store = assert(grainstore.open(dir, OPTIONS))
  local stat = assert(io.open("/proc/self/stat")):read("a")
  print("pid " .. stat:match("^%d+"))
  local batch = store:batch()
  for i, package in ipairs(packages.waves()[1].packages) do
    write_package(store, batch, package)
    print("ack " .. i)
  end
  store:close()
end

if arg[1] == "load" then
  load_and_acknowledge(arg[2])
  os.exit(0)
end

-- ---- the tour ---------------------------------------------------------------

local dir = os.tmpname()
os.remove(dir)

local function title(text)
  say("\n== %s", text)
end

local function shell_quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function run_writer_until_killed(total)
  local interpreter = arg[-1] or "lua5.4"
  local child = assert(io.popen(("exec %s %s load %s"):format(
    shell_quote(interpreter), shell_quote(arg[0]), shell_quote(dir))))
  local pid = assert(child:read("l"):match("pid (%d+)"), "the writer is mute")
  local last, stop = 0, total * 2 // 5
  for line in child:lines() do
    last = tonumber(line:match("ack (%d+)")) or last
    if last == stop then
      os.execute("kill -9 " .. pid)
    end
  end
  child:close()
  return last
end

local function load_with_progress(store, list, from)
  local batch = store:batch()
  local step = math.max(1, #list // 5)
  for i = from, #list do
    write_package(store, batch, list[i])
    if i % step == 0 then
      say("   %6d packages, %d runs", i, #store:tree().runs)
    end
  end
end

local function bar(part, whole, width)
  local n = whole > 0 and math.ceil(part / whole * width) or 0
  return ("#"):rep(math.max(1, n))
end

local function draw(store)
  local tree, widest = store:tree(), 0
  for _, run in ipairs(tree.runs) do
    widest = math.max(widest, run.bytes)
  end
  for _, run in ipairs(tree.runs) do
    say("   L%d  run %-4d %3d tables %8.1f KiB %7d entries  %s", run.level,
      run.id, #run.tables, run.bytes / 1024, run.entries,
      bar(run.bytes, widest, 30))
  end
end

local function names_needing(reader, name, limit)
  local found = {}
  local prefix = keys.tuple { "needed", name }
  for key in reader:scan { prefix = prefix, keys_only = true, limit = limit } do
    found[#found + 1] = keys.untuple(key)[3]
  end
  return found, reader:count { prefix = prefix }
end

local function popular(store)
  local best, name, count, current = 0, nil, 0, nil
  local prefix = keys.tuple { "needed" }
  for key in store:scan { prefix = prefix, keys_only = true } do
    local needed = keys.untuple(key)[2]
    count = needed == current and count + 1 or 1
    current = needed
    if count > best then best, name = count, needed end
  end
  return name, best
end

local function version_of(text)
  return text and text:match("\nVersion: (%S+)")
end

local waves = packages.waves()
if #waves == 0 then
  say("This machine has no package lists; run apt-get update and try again.")
  os.exit(1)
end
local first = waves[1].packages
say("GrainStore %s: %d packages from %s, %d from later lists",
  grainstore._VERSION, #first, waves[1].name,
  waves[2] and #waves[2].packages or 0)

title("A writer process loads them, and is killed in the middle (SIGKILL)")
local acknowledged = run_writer_until_killed(#first)
say("   it had acknowledged %d packages when it died", acknowledged)

title("The store is opened again: is every acknowledged package there?")
local store <close> = assert(grainstore.open(dir, OPTIONS))
local recovery = store:stats().recovery
say("   %d batches came back from the log", recovery.batches)
local last_text = {}
for i = 1, acknowledged do
  last_text[first[i].name] = first[i].text
end
local missing = 0
for name, text in pairs(last_text) do
  if store:get(package_key(name)) ~= text then missing = missing + 1 end
end
say("   %d checked, %d missing", acknowledged, missing)
assert(missing == 0, "an acknowledged package is missing")

title("The load goes on, under the policy of examples/demo_policy.lua")
load_with_progress(store, first, acknowledged + 1)

title("Who depends on libssl3?")
local some, all = names_needing(store, "libssl3", 5)
say("   %d packages, among them %s", all, table.concat(some, ", "))
local name, count = popular(store)
say("   most needed of all: %s, by %d packages", name, count)

local snapshot <close> = store:snapshot()
title("A snapshot is taken, then the later lists come in")
for i = 2, #waves do
  load_with_progress(store, waves[i].packages, 1)
end

title("What changed since the snapshot?")
local changed, shown, seen = 0, 0, {}
for i = 2, #waves do
  for _, p in ipairs(waves[i].packages) do
    local now = version_of(store:get(package_key(p.name)))
    local before = version_of(snapshot:get(package_key(p.name)))
    if now ~= before and not seen[p.name] then
      seen[p.name] = true
      changed = changed + 1
      if shown < 4 then
        shown = shown + 1
        say("   %-28s %s -> %s", p.name, before or "(new)", now)
      end
    end
  end
end
say("   %d packages in all; the snapshot still reads the old ones", changed)

title("Download tickets that run out in an hour")
local tickets = store:batch()
for i = 1, math.min(20000, #first) do
  tickets:put(ticket_key(first[i].name), tostring(first[i].size),
    { ttl_ms = 3600 * 1000 })
end
assert(tickets:commit())
local window = { prefix = keys.tuple { "ticket" } }
say("   %d tickets are good now", store:count(window))
local later = store:batch()
later:put("clock", "a day later")
assert(later:commit { now_ms = os.time() * 1000 + 86400 * 1000 })
say("   %d a day later (the clock came with a write)", store:count(window))

title("The tree, newest run first")
assert(store:flush())
draw(store)
snapshot:close()
assert(store:compact())
say("   after a full compaction, the snapshot given up:")
draw(store)
local dropped = store:stats().dropped
say("   left out: %d covered versions, %d expired, %d tombstones",
  dropped.covered, dropped.expired, dropped.tombstones)

title("What it cost")
local stats = store:stats()
local mib = 1 << 20
say("   user data %.1f MiB, log %.1f, flushed %.1f, merged %.1f",
  stats.bytes.user / mib, stats.bytes.wal / mib, stats.bytes.flush / mib,
  stats.bytes.merge_written / mib)
say("   write amplification of the tables %.2f; longest stall %.1f ms",
  stats.amp.tables, stats.stalls.max_ms)
assert(store:verify())
say("   every byte verified; %d seconds in all", os.difftime(os.time(), began))
store:close()
assert(grainstore.destroy(dir))
