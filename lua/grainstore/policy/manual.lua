--- Nothing by itself.
--
-- Flushed runs stay until `store:plan` or `store:compact` merges them. For
-- loading much at once and compacting at the end, for tests, and for programs
-- that make their plans themselves. With more than twenty runs the engine's own
-- rule merges some, whoever is in charge.
--
-- Write amplification 1, reads look at every run, space holds every version.

local check = require "grainstore.policy.options"

return function(options)
  check("manual", options, {})
  return { name = "manual/1", pick = function() return nil end }
end
