--- Debian's package lists as this machine has them: what the demo stores.
--
-- The lists that apt keeps are read through apt's own reader, because they may
-- be compressed. Where there are none, the status file of the installed
-- packages is read. Each source is a wave; a later wave may bring other
-- versions of packages that came before.

local M = {}

local LISTS = "/var/lib/apt/lists"
local READER = "/usr/lib/apt/apt-helper"
local STATUS = "/var/lib/dpkg/status"

local function lines_of(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  return pipe and pipe:lines() or function() end
end

local function list_files()
  local main, later = {}, {}
  for path in lines_of("ls " .. LISTS .. "/*_Packages*") do
    local is_later = path:find("security", 1, true)
      or path:find("updates", 1, true)
    local list = is_later and later or main
    list[#list + 1] = path
  end
  return main, later
end

--- The names a package depends on: "libc6 (>= 2.36), foo | bar:any" is libc6,
-- foo, bar.
-- @tparam string stanza the package's text
-- @treturn table names, each once
function M.dependencies(stanza)
  local names, seen = {}, {}
  local text = stanza:match("\nDepends: ([^\n]*)") or ""
  for part in text:gmatch("[^,|]+") do
    local name = part:match("^%s*([%w%.%+%-]+)")
    if name and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  return names
end

-- One stanza of a list -> package; nil for what is none.
local function parse(stanza)
  local name = stanza:match("^Package: (%S+)")
  local version = stanza:match("\nVersion: (%S+)")
  if not name or not version then
    return nil
  end
  return {
    name = name, version = version, text = stanza,
    size = tonumber(stanza:match("\nSize: (%d+)"))
      or tonumber(stanza:match("\nInstalled%-Size: (%d+)")) or 0,
  }
end

local function read(lines)
  local packages, stanza = {}, {}
  local function finish()
    local package = #stanza > 0 and parse(table.concat(stanza, "\n"))
    packages[#packages + 1] = package or nil
    stanza = {}
  end
  for line in lines do
    if line == "" then
      finish()
    else
      stanza[#stanza + 1] = line
    end
  end
  finish()
  return packages
end

local function read_lists(paths)
  local all = {}
  for _, path in ipairs(paths) do
    for _, p in ipairs(read(lines_of(READER .. " cat-file " .. path))) do
      all[#all + 1] = p
    end
  end
  return all
end

-- One source is not enough to show change: every twentieth package comes later.
local function hold_back(waves, packages)
  local now, later = {}, {}
  for i, package in ipairs(packages) do
    local list = i % 20 == 0 and later or now
    list[#list + 1] = package
  end
  waves[1].packages = now
  waves[2] = { name = "the rest of it", packages = later }
end

--- The waves of packages, first to last.
-- @treturn table array of {name = source, packages = array}
function M.waves()
  local main, later = list_files()
  local waves = {}
  local function add(name, packages)
    if #packages > 0 then
      waves[#waves + 1] = { name = name, packages = packages }
    end
  end
  add("the release", read_lists(main))
  add("updates and security", read_lists(later))
  if #waves == 0 then
    local file = io.open(STATUS)
    add("the installed packages", file and read(file:lines()) or {})
  end
  if #waves == 1 then
    hold_back(waves, waves[1].packages)
  end
  return waves
end

return M
