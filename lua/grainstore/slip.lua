--- Names that were meant to be others.
--
-- A slip leaves a letter out, puts one in, takes a wrong one or swaps two. What
-- has something before or behind a whole name (flush2, layouts, _throttle) is a
-- name of its own, and so is a short word, which is near too many others.
-- @module grainstore.slip

local LETTERS_LEAST = 5

-- The first place where they differ.
local function first_difference(a, b)
  local i = 1
  while i <= #a and a:byte(i) == b:byte(i) do i = i + 1 end
  return i
end

local function is_slip(given, meant)
  local i = first_difference(given, meant)
  local rest_given, rest_meant = given:sub(i), meant:sub(i)
  if #given == #meant then
    return rest_given:sub(2) == rest_meant:sub(2)
      or rest_given:sub(1, 2):reverse() == rest_meant:sub(1, 2)
        and rest_given:sub(3) == rest_meant:sub(3)
  elseif #given + 1 == #meant then
    return rest_given == rest_meant:sub(2)
  end
  local is_within = i > 1 and i < #given
  return #given == #meant + 1 and is_within and rest_given:sub(2) == rest_meant
end

--- Which of the names was meant, or nil. One that is there too was not.
-- @param given
-- @tparam table names array of strings
-- @tparam table owner where the meant one would be, read without metamethods
-- @treturn ?string
return function(given, names, owner)
  if type(given) ~= "string" then return nil end
  for _, name in ipairs(names) do
    if #name >= LETTERS_LEAST and rawget(owner, name) == nil
      and is_slip(given, name) then
      return name
    end
  end
end
