-- Each layer includes only the layers it stands on. The table is the one in
-- the Makefile (uses_<layer>), which also decides what test programs link.

local tree = require "spec.support.tree"

-- layer -> set of layers it may include, itself among them
local function read_table()
  local allowed = {}
  for _, line in ipairs(tree.lines "Makefile") do
    local layer, names = line:match "^uses_(%w+) :=(.*)$"
    if layer then
      allowed[layer] = { [layer] = true }
      for name in names:gmatch "%w+" do
        allowed[layer][name] = true
      end
    end
  end
  return allowed
end

-- Tests see what their layer sees, and all that those layers see.
local function closure(allowed, layer, seen)
  seen = seen or {}
  for name in pairs(allowed[layer]) do
    if not seen[name] then
      seen[name] = true
      closure(allowed, name, seen)
    end
  end
  return seen
end

local function with(set, ...)
  local copy = {}
  for name in pairs(set) do
    copy[name] = true
  end
  for _, name in ipairs { ... } do
    copy[name] = true
  end
  return copy
end

local function names(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, " ")
end

-- Includes of files that match the pattern and lead where permitted(path), a
-- set of folders and headers, does not go; nil permits all.
local function complaints(pattern, permitted)
  local found = {}
  for _, path in ipairs(tree.files(pattern)) do
    local allowed = permitted(path)
    for number, line in ipairs(allowed and tree.lines(path) or {}) do
      local include = line:match '^%s*#%s*include%s+"([^"]+)"'
      local folder = include and include:match "^([^/]+)/" or include
      if include and not (allowed[include] or allowed[folder]) then
        found[#found + 1] = ('%s:%d includes "%s", but may include only: %s')
          :format(path, number, include, names(allowed))
      end
    end
  end
  return found
end

describe("the layers", function()
  local allowed = read_table()

  it("are the folders of core", function()
    for _, path in ipairs(tree.files "^core/.*/") do
      local layer = path:match "^core/([^/]+)/"
      assert(allowed[layer], path .. " lies in no layer of the Makefile")
    end
  end)

  it("stand on each other without a circle", function()
    for layer, below in pairs(allowed) do
      for name in pairs(below) do
        assert(name == layer or not closure(allowed, name)[layer],
          layer .. " and " .. name .. " stand on each other")
      end
    end
  end)

  it("include only what is beneath them", function()
    tree.assert_none(complaints("^core/.*%.[ch]$", function(path)
      local layer = path:match "^core/([^/]+)/"
      if layer == nil then
        -- The public header: what it hands to its users are plain types.
        return {
          base = true, ["store/care.h"] = true, ["store/event.h"] = true,
          ["store/layout_types.h"] = true,
          ["tree/plan_types.h"] = true, ["tree/shape_types.h"] = true,
        }
      end
      local set = allowed[layer] or {}
      return layer == "store" and with(set, "grainstore.h") or set
    end), "Move the code to its layer, or ask through a callback.")
  end)

  it("are tested without the layers above them", function()
    local pattern = "^ctest/.*%.[ch]$"
    tree.assert_none(complaints(pattern, function(path)
      local layer = path:match "^ctest/([^/]+)/"
      if layer == "bench" or layer == "fuzz" then
        return nil
      end
      local below = allowed[layer] and closure(allowed, layer) or allowed.store
      local set = with(below, "support")
      set["grainstore.h"] = layer == "store" or nil
      for _, neighbour in ipairs(tree.files("^ctest/" .. layer .. "/.*%.h$")) do
        set[neighbour:match "[^/]+$"] = true
      end
      return set
    end), "A test links only the layers its own layer may use.")
  end)
end)

describe("the binding", function()
  it("knows the engine by its public headers only", function()
    local set = {
      ["grainstore.h"] = true, ["env/sim.h"] = true, ["env/clocked.h"] = true,
      ["lab/lab.h"] = true,
    }
    for _, path in ipairs(tree.files "^lua/binding/.*%.h$") do
      set[path:match "[^/]+$"] = true
    end
    tree.assert_none(complaints("^lua/.*%.[ch]$", function()
      return set
    end), "Add what is missing to core/grainstore.h.")
  end)
end)
