--- The writes of a workload, one by one, for a store that has bytes: with it a
-- real run is comparable with one in the lab.
-- @module grainstore.lab.writes

local SPACE = 2.0 ^ 63 -- positions of the key space, as the lab counts them

local function scramble(x)
  x = (x ~ (x >> 30)) * 0xBF58476D1CE4E5B9
  x = (x ~ (x >> 27)) * 0x94D049BB133111EB
  return x ~ (x >> 31)
end

-- Numbers from 0 up to 2^53, by a seed.
local function numbers(seed)
  local state = seed
  return function()
    state = state + 0x9E3779B97F4A7C15
    return scramble(state) >> 11
  end
end

local UNIT = 2.0 ^ -53

-- Ranks from 1 to keys, each as likely as the weight says; two look-ups each
-- (M. Vose, "A Linear Algorithm for Generating Random Numbers with a Given
-- Distribution", 1991).
local function zipf_ranks(keys, skew, draw)
  local sum, weight = 0, {}
  for i = 1, keys do
    weight[i] = i ^ -skew
    sum = sum + weight[i]
  end
  local small, large, other = {}, {}, {}
  for i = 1, keys do
    weight[i] = weight[i] * keys / sum
    local list = weight[i] < 1 and small or large
    list[#list + 1] = i
  end
  while small[1] and large[1] do
    local low, high = table.remove(small), large[#large]
    other[low] = high
    weight[high] = weight[high] + weight[low] - 1
    if weight[high] < 1 then small[#small + 1] = table.remove(large) end
  end
  return function()
    local at = draw() * UNIT * keys
    local i = at // 1 | 0
    local rank = i + 1
    return at - i < weight[rank] and rank or other[rank] or rank
  end
end

local function uniform_ranks(keys, draw)
  return function() return (draw() * UNIT * keys // 1 | 0) + 1 end
end

local pack = string.pack

-- Keys lie in the key space as the lab supposes: random ones evenly, others in
-- order.
local function random_writes(w, draw)
  local rank = w.skew and w.skew > 0 and zipf_ranks(w.keys, w.skew, draw)
    or uniform_ranks(w.keys, draw)
  local padding = ("."):rep(w.key_bytes - 8)
  local bound = w.delete_share / UNIT
  return function()
    local key = pack(">I8", scramble(rank() * 0x9E3779B97F4A7C15) >> 1)
    return key .. padding, bound > 0 and draw() < bound
  end
end

local function ordered_key(w, total)
  local padding, step = ("."):rep(w.key_bytes - 8), SPACE / total
  return function(number)
    return pack(">I8", number * step // 1 | 0) .. padding
  end
end

local function sequence_writes(w, draw)
  local key_of, next_key = ordered_key(w, w.keys), -1
  local bound = w.delete_share / UNIT
  return function()
    next_key = next_key + 1 < w.keys and next_key + 1 or 0
    return key_of(next_key), bound > 0 and draw() < bound
  end
end

local function queue_writes(w)
  local inserted = w.keys + math.max(0, w.writes - w.keys) / 2
  local key_of, first, last = ordered_key(w, inserted + 1), 0, 0
  local deletes = true
  return function()
    deletes = last - first >= w.keys and not deletes
    if deletes then
      first = first + 1
      return key_of(first - 1), true
    end
    last = last + 1
    return key_of(last - 1), false
  end
end

local kinds = {
  random = random_writes, sequence = sequence_writes, queue = queue_writes,
}

--- @tparam table w a workload with key_bytes of at least 8
-- @tparam integer seed
-- @treturn function that gives at each call a key and whether it is deleted
return function(w, seed)
  if w.key_bytes < 8 then
    error("a workload that is to be written needs key_bytes of at least 8", 2)
  end
  return kinds[w.kind](w, numbers(seed))
end
