--- What a misspelt name was meant to be.
-- @module grainstore.near

-- Letters to change, add or leave out to make one word of the other.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      corner, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1,
        corner + cost)
    end
  end
  return row[#b]
end

--- The end of a message about an unknown name: the nearest known one within two
-- letters, of several the first by the alphabet.
-- @param given
-- @tparam table names array of strings
-- @treturn string ", did you mean '...'?", or empty where none is near
return function(given, names)
  local best, least = nil, 3
  given = tostring(given)
  for _, name in ipairs(names) do
    local d = math.abs(#given - #name)
    d = d < 3 and distance(given, name) or d
    if d < least or d == least and best and name < best then
      best, least = name, d
    end
  end
  return best and (", did you mean '%s'?"):format(best) or ""
end
