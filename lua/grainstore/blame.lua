--- Calls functions written in C on the caller's behalf: what he did wrong is
-- reported at his place and under the name that he used.
-- @module grainstore.blame

local M = {}

local function rename(message, name, is_method)
  return message:gsub("^bad argument #(%d+) to '[^']*'", function(number)
    local position = tonumber(number) - (is_method and 1 or 0)
    return position == 0 and ("calling '%s' on bad self"):format(name)
      or ("bad argument #%d to '%s'"):format(position, name)
  end)
end

--- Blames the caller of the function that calls this for an argument.
-- @tparam boolean is_well whether there is nothing to blame
-- @tparam integer position of the argument
-- @tparam string name of that function
-- @tparam string what is expected
-- @param value the argument
function M.expect(is_well, position, name, what, value)
  if not is_well then
    error(("bad argument #%d to '%s' (%s expected, got %s)"):format(position,
      name, what, type(value)), 3)
  end
end

--- Calls f; to be used right in the function that the caller called.
-- @tparam string name of that function
-- @tparam boolean is_method whether its first argument is the handle
-- @tparam function f
-- @param ... arguments
-- @return what f returns
function M.call(name, is_method, f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  local message = results[2]
  if type(message) == "string" then
    message = rename(message, name, is_method)
  end
  error(message, 3)
end

return M
