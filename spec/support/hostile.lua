--- Makes the collector a spec's enemy: busted loads this before all specs.
-- GS_COLLECTOR is `generational`, or `incremental` for a collector that starts
-- its next cycle as soon as one ends. In both, every test ends with a full
-- collection, so an object that nothing holds is gone at once.

local busted = require "busted"
require "grainstore.busted"

local function begin()
  if os.getenv "GS_COLLECTOR" == "generational" then
    collectgarbage("generational")
  else
    collectgarbage("incremental", 0, 1000)
  end
end

begin()
busted.subscribe({ "test", "start" }, function()
  begin()
  return nil, true
end)
busted.subscribe({ "test", "end" }, function()
  collectgarbage()
  collectgarbage()
  return nil, true
end)
