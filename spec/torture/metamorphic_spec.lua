-- The same operations under other options and policies give the same answers
-- and the same sequence numbers.

local Life = require "grainstore.testing.life"
local T = require "grainstore.testing"
local Random = require "grainstore.testing.random"
local family = require "spec.support.family"
local policies = require "grainstore.policy"

local LISTS, STEPS = 20, 5000

-- ---- policies --------------------------------------------------------------

local manual = { name = "manual", pick = function() end }

-- Merges runs that lie beside each other, any of them, whenever it is asked.
local function random_policy(seed)
  local random = Random.new(seed, 41)
  local function pick(tree)
    if #tree.runs < 3 or tree.running > 0 then
      return nil
    end
    local first = random:int(1, #tree.runs - 1)
    local last = random:int(first + 1, math.min(#tree.runs, first + 4))
    local inputs = {}
    for i = first, last do
      for _, t in ipairs(tree.runs[i].tables) do
        inputs[#inputs + 1] = t.id
      end
    end
    return {
      op = "merge", inputs = inputs, into = tree.runs[last].id,
      level = math.max(1, tree.runs[last].level), why = "by chance",
    }
  end
  return { name = "random", pick = pick }
end

-- Runs of about the same size become one.
local function tiered(width)
  local function pick(tree)
    if tree.running > 0 or #tree.runs < width then
      return nil
    end
    for first = 1, #tree.runs - width + 1 do
      local last = first + width - 1
      local small, large = tree.runs[first].bytes, tree.runs[last].bytes
      if large <= small * width then
        local inputs = {}
        for i = first, last do
          for _, t in ipairs(tree.runs[i].tables) do
            inputs[#inputs + 1] = t.id
          end
        end
        return {
          op = "merge", inputs = inputs, into = tree.runs[last].id,
          level = math.max(1, tree.runs[last].level), why = "a tier",
        }
      end
    end
  end
  return { name = "tiered", pick = pick }
end

-- The policy, with another codec on each level.
local function by_level(policy)
  local words = { [0] = "lz4", "none", "zstd" }
  function policy.layout(level)
    return { compression = words[level % 3] }
  end
  return policy
end

local function sets(seed)
  local leveled, bounded = policies.leveled, policies.bounded_l0
  local function set(durability, memtable, block, table_bytes, policy,
                     compression)
    return {
      durability = durability, memtable_bytes = memtable, block_bytes = block,
      table_bytes = table_bytes, policy = policy, compression = compression,
    }
  end
  return {
    set("os", 1 << 20, 4096, 1 << 20, manual),
    set("os", 4096, 256, 4096, leveled()),
    set("batch", 4096, 256, 4096, bounded { runs = 2 }),
    set("memory", 4096, 512, 8192, tiered(3)),
    set("sync", 16384, 1024, 8192, leveled { fanout = 3, l0_runs = 2,
      base_bytes = 16384 }),
    set("os", 4096, 256, 4096, random_policy(seed)),
    set("batch", 8192, 4096, 65536, random_policy(seed + 1)),
    set("os", 65536, 256, 4096, manual),
    set("memory", 8192, 65536, 1 << 20, bounded { runs = 1 }),
    set("batch", 32768, 4096, 4096, tiered(2)),
    set("os", 4096, 65536, 4096, tiered(5)),
    set("sync", 4096, 256, 16384, leveled { fanout = 10, l0_runs = 4 }),
    set("os", 16384, 512, 4096, leveled { fanout = 2, l0_runs = 1,
      base_bytes = 4096 }),
    set("batch", 4096, 1024, 4096, bounded()),
    set("memory", 65536, 256, 4096, random_policy(seed + 2)),
    set("os", 1 << 20, 65536, 1 << 20, leveled()),
    set("os", 4096, 256, 4096, leveled(), "lz4"),
    set("batch", 8192, 4096, 65536, by_level(tiered(3)), "zstd"),
    set("memory", 4096, 512, 8192, by_level(random_policy(seed + 3))),
  }
end

-- ---- one list under one set ------------------------------------------------

-- Every answer is compared with the model's by the life; this gives the rest:
-- sequence numbers, one for each operation.
local function transcript(ops, options, kind)
  local life = Life.new {
    env = T.env { seed = family.seed }, kind = kind, options = options,
    history = false,
  }
  local seqs = {}
  local ok, message = pcall(function()
    assert(life:open())
    for i, op in ipairs(ops) do
      local done, why, code = life:perform(op)
      if not done then
        error(("operation %d, %s: %s (%s)"):format(i, op[1], why, code), 0)
      end
      seqs[i] = life.store:seq()
    end
    life:perform { "check" }
    assert(life.store:verify())
  end)
  life:close()
  life.env:close()
  if not ok then
    error(message, 0)
  end
  return seqs
end

local function compare(first, seqs)
  for i, seq in ipairs(first) do
    if seqs[i] ~= seq then
      error(("after operation %d the last number is %d, elsewhere %d"):format(i,
        seqs[i], seq), 0)
    end
  end
end

describe("options and policies", function()
  family.it(14, "metamorphic", "operations under other options", function(f)
    local lists, steps = f:sweeps(LISTS), STEPS
    if family.scale < 1 / LISTS then
      steps = math.ceil(f:count(LISTS * STEPS))
    end
    for list = 1, lists do
      local seed = Random.mix(family.seed, list) & 0xFFFFFF
      local kind = list % 4 == 0 and "u32" or "bytes"
      local ops = T.script.random(seed, { steps = steps, kind = kind })
      local first
      for i, options in ipairs(sets(seed)) do
        local ok, found = pcall(transcript, ops, options, kind)
        f:state(steps)
        if ok and first then
          ok, found = pcall(compare, first, found)
        elseif ok then
          first = found
        end
        if not ok then
          f:fail("list %d (seed %d, %s, %d steps), options %d: %s", list, seed,
            kind, steps, i, tostring(found))
        end
      end
    end
  end)
end)
