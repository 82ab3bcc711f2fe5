--- Where a picture or a page goes: to a file, or to the caller.
-- @module grainstore.lab.report.output

local M = {}

local function write(path, text)
  local file, message = io.open(path, "wb")
  if not file then return nil, message, "io" end
  local is_written, failure = file:write(text)
  local is_closed, late = file:close()
  if is_written and is_closed then return true end
  return nil, ("%s: %s"):format(path, failure or late), "io"
end

--- Writes text to a file, or gives it back if no path is named.
-- @tparam string name of the method that was called
-- @tparam ?string path
-- @tparam function make gives the text
-- @treturn string|boolean the text, or true; nil, message, "io" if the file
-- cannot be written
function M.give(name, path, make)
  if path == nil then
    return make()
  elseif type(path) ~= "string" then
    error(("bad argument #1 to '%s' (string expected, got %s)")
      :format(name, type(path)), 3)
  end
  return write(path, make())
end

return M
