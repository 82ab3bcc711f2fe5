--- What a policy may answer, and what is wrong with what it did answer.
--
-- Answers are read without metamethods, so that reading them costs what it
-- seems to; what comes out are plain tables. Each function returns what was
-- wrong as its last result: a sentence that names the function and the field.
-- @module grainstore.answers

local slip = require "grainstore.slip"

local M = {}

M.PLANS_MAX = 16 -- in one answer; more are not looked at
local INPUTS_MAX = 4096
local LEVEL_MAX = 63
local WAKE_MAX_MS = 1 << 40

local function is_count(value)
  return math.type(value) == "integer" and value >= 0
end

-- Numbers as people write them: 1e6 is an integer too.
local function whole(value)
  return type(value) == "number" and math.tointeger(value) or nil
end

local function what(value)
  if type(value) == "number" then return tostring(value) end
  if type(value) == "string" then return ("%q"):format(value:sub(1, 40)) end
  return "a " .. type(value)
end

--- The answer of `flush`.
-- @param answer true: seal the memtable; a number: ask again when it has grown
-- by so many bytes; nil or false: nothing
-- @treturn boolean whether to seal
-- @treturn integer bytes to ask again after; 0: at the next decision
-- @treturn string what was wrong, or nil
function M.flush(answer)
  if answer == nil or type(answer) == "boolean" then
    return answer == true, 0
  end
  local bytes = whole(answer)
  if not bytes or bytes <= 0 then
    return false, 0, "flush returned " .. what(answer)
      .. "; it returns true, a number of bytes, or nil"
  end
  return false, bytes
end

-- ---- plans -----------------------------------------------------------------

local targets = { "into", "above", "bottom" }
local has_target = { merge = true, move = true, drop = false }

local function wrong_target(plan)
  local op, given = rawget(plan, "op"), 0
  for _, name in ipairs(targets) do
    local value = rawget(plan, name)
    given = given + (value and 1 or 0)
    if value and name ~= "bottom" and not is_count(value) then
      return ("a plan whose '%s' is %s, not the id of a run")
        :format(name, what(value))
    end
  end
  if given > 1 then
    return "a plan with more than one of into, above, bottom"
  elseif has_target[op] and given == 0 then
    return ("a %s without a target: into, above or bottom"):format(op)
  elseif not has_target[op] and given > 0 then
    return "a drop with a target"
  end
end

local function wrong_inputs(plan)
  local inputs = rawget(plan, "inputs")
  if inputs == nil then
    return "a plan without inputs"
  elseif type(inputs) ~= "table" then
    return ("a plan whose inputs are %s, not an array of table ids")
      :format(what(inputs))
  end
  local count = rawlen(inputs)
  if count == 0 or count > INPUTS_MAX then
    return ("a plan with %d inputs; 1 to %d can be")
      :format(count, INPUTS_MAX)
  end
  for i = 1, count do
    if not is_count(rawget(inputs, i)) then
      return ("a plan whose input %d is %s, not the id of a table")
        :format(i, what(rawget(inputs, i)))
    end
  end
end

local function wrong_cuts(plan)
  local cuts = rawget(plan, "cuts")
  if cuts == nil then
    return nil
  elseif type(cuts) ~= "table" or rawlen(cuts) > INPUTS_MAX then
    return ("a plan whose cuts are not an array of at most %d keys")
      :format(INPUTS_MAX)
  end
  for i = 1, rawlen(cuts) do
    local kind = type(rawget(cuts, i))
    if kind ~= "string" and kind ~= "number" then
      return ("a plan whose cut %d is a %s, not a key"):format(i, kind)
    end
  end
end

local function wrong_numbers(plan)
  local level = rawget(plan, "level")
  if level ~= nil and not (is_count(level) and level <= LEVEL_MAX) then
    return ("a plan whose level is %s; 0 to %d can be")
      :format(what(level), LEVEL_MAX)
  end
  local bytes = rawget(plan, "table_bytes")
  if bytes ~= nil and not is_count(bytes) then
    return ("a plan whose table_bytes are %s"):format(what(bytes))
  end
  local why = rawget(plan, "why")
  if why ~= nil and type(why) ~= "string" then
    return ("a plan whose 'why' is %s, not a text"):format(what(why))
  end
end

local plan_fields = {
  "above", "bottom", "inputs", "level", "table_bytes", "wake_in_ms",
}
local OWN_FIELDS_MAX = 256 -- of a plan that are looked at

--- A field of a plan whose name is a slip of one that is known. Others are the
-- policy's own: a refused plan comes back with them.
-- @tparam table plan
-- @treturn ?string what is wrong
function M.misspelt(plan)
  local looked_at = 0
  for name in next, plan do
    local meant = slip(name, plan_fields, plan)
    if meant then
      return ("a plan with a field '%s', did you mean '%s'?"):format(name,
        meant)
    end
    looked_at = looked_at + 1
    if looked_at == OWN_FIELDS_MAX then break end
  end
end

local function wrong_plan(plan)
  if type(plan) ~= "table" then
    return what(plan) .. " where a plan should be: a plan is a table"
  end
  local op = rawget(plan, "op")
  if op == nil then
    return "a plan without op"
  elseif type(op) ~= "string" or has_target[op] == nil then
    return ("a plan whose op is %s, not \"merge\", \"move\" or \"drop\"")
      :format(what(op))
  end
  return wrong_inputs(plan) or wrong_target(plan) or wrong_numbers(plan)
    or wrong_cuts(plan) or M.misspelt(plan)
end

-- The same plan, without metatables. Its `why` may be as long as it likes; the
-- engine cuts it.
local function plain(plan)
  local out = {}
  for _, name in ipairs {
    "op", "into", "above", "bottom", "level", "table_bytes", "why",
  } do
    out[name] = rawget(plan, name)
  end
  for _, name in ipairs { "inputs", "cuts" } do
    local list = rawget(plan, name)
    out[name] = list and {}
    for i = 1, list and rawlen(list) or 0 do
      out[name][i] = rawget(list, i)
    end
  end
  return out
end

local function wake_of(answer)
  local wake = rawget(answer, "wake_in_ms")
  if wake == nil then
    return 0
  end
  local ms = whole(wake) or type(wake) == "number" and wake == wake
    and wake < WAKE_MAX_MS and math.ceil(wake) or nil
  if not ms or ms <= 0 or ms > WAKE_MAX_MS then
    return 0, ("pick returned wake_in_ms = %s; a positive number of "
      .. "milliseconds can be"):format(what(wake))
  end
  return ms
end

--- The answer of `pick`.
-- @param answer nil, a plan, or an array of plans that may have a field
-- wake_in_ms
-- @treturn table array of { plan = plain table, given = the policy's own }
-- @treturn integer milliseconds after which to ask again; 0: none
-- @treturn string what was wrong, or nil: then there are no plans
function M.pick(answer)
  if answer == nil then
    return {}, 0
  elseif type(answer) ~= "table" then
    return {}, 0, ("pick returned %s; it returns nil, a plan, or an array of "
      .. "plans"):format(what(answer))
  end
  local list = rawget(answer, "op") ~= nil and { answer } or answer
  local plans = {}
  for i = 1, math.min(rawlen(list), M.PLANS_MAX) do
    local given = rawget(list, i)
    local wrong = wrong_plan(given)
    if wrong then
      return {}, 0, "pick returned " .. wrong
    end
    plans[i] = { plan = plain(given), given = given }
  end
  local wake, wrong = wake_of(answer)
  if wrong then
    return {}, 0, wrong
  end
  return plans, wake
end

-- ---- the rest --------------------------------------------------------------

local layout_fields = {
  table_bytes = { 4096, 1 << 28 }, block_bytes = { 256, 65536 },
}

local compressions = { none = true, lz4 = true, zstd = true }

-- What is wrong with a field of a layout, or nil.
local function layout_fault(name, value)
  local bounds = layout_fields[name]
  local bytes = whole(value)
  if name == "compression" then
    return not compressions[value]
      and ('layout returned compression = %s; "none", "lz4" and "zstd" can be')
        :format(what(value)) or nil
  elseif not bounds then
    return ("layout returned an unknown field %s; table_bytes, block_bytes and "
      .. "compression can be"):format(what(name))
  elseif not bytes or bytes < bounds[1] or bytes > bounds[2] then
    return ("layout returned %s = %s; %d to %d can be"):format(name,
      what(value), bounds[1], bounds[2])
  end
end

--- The answer of `layout`.
-- @param answer nil, or a table with table_bytes, block_bytes and compression,
-- each of which may be absent
-- @treturn integer table_bytes; 0: the store's option
-- @treturn integer block_bytes; 0: the store's option
-- @treturn string compression; nil: the store's option
-- @treturn string what was wrong, or nil
function M.layout(answer)
  if answer == nil then
    return 0, 0
  elseif type(answer) ~= "table" then
    return 0, 0, nil, ("layout returned %s; it returns nil or a table"):format(
      what(answer))
  end
  for name, value in next, answer do
    local fault = layout_fault(name, value)
    if fault then
      return 0, 0, nil, fault
    end
  end
  return whole(rawget(answer, "table_bytes")) or 0,
    whole(rawget(answer, "block_bytes")) or 0, rawget(answer, "compression")
end

--- The answer of `throttle`.
-- @param answer nil, or bytes a second for writers; math.huge is none
-- @treturn integer bytes a second; 0: no throttle
-- @treturn string what was wrong, or nil
function M.throttle(answer)
  if answer == nil or answer == math.huge then
    return 0
  end
  local rate = type(answer) == "number" and answer == answer and answer > 0
    and (answer < 2^62 and math.ceil(answer) or math.tointeger(2^62))
  if not rate then
    return 0, ("throttle returned %s; it returns bytes a second, or nil")
      :format(what(answer))
  end
  return rate
end

return M
