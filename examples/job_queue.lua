--- A durable job queue over GrainStore.
--
--     local queue = require "examples.job_queue".new(store)
--     local id = queue:enqueue "send the letters"
--     local id, task = queue:claim("worker 1", 60000)
--     queue:finish(id, "worker 1", "sent")
--     queue:result(id)
--
-- Keys of the store:
--
--     job/<number>      task, until it is done
--     lease/<number>    who works on it; expires
--     done/<number>     result
--     next              number of the next job
--
-- A lease that expires gives the job back. What belongs together is one batch:
-- a job is either to do or done, whenever the power goes. The store is opened
-- with `durability = "sync"`, or what was promised may be lost with the power.

local Queue = {}
Queue.__index = Queue

local function key(kind, id)
  return ("%s/%010d"):format(kind, id)
end

--- @param store an open store, used by this queue only
function Queue.new(store)
  return setmetatable({ store = store }, Queue)
end

--- Adds a job.
-- @tparam string task
-- @treturn integer its number, or nil, message, code
function Queue:enqueue(task)
  local number, message, code = self.store:get "next"
  if code then
    return nil, message, code -- not known is not the same as not there
  end
  local id = math.tointeger(number or 1)
  local batch <close> = self.store:batch()
  batch:put(key("job", id), task)
  batch:put("next", tostring(id + 1))
  local ok
  ok, message, code = batch:commit()
  if not ok then
    return nil, message, code
  end
  return id
end

--- Takes the oldest job that nobody works on.
-- @tparam string worker
-- @tparam integer lease_ms after that long another may take it
-- @treturn integer its number; nil where there is none; nil, message, code
-- @treturn string its task
function Queue:claim(worker, lease_ms)
  for name, task in self.store:scan { prefix = "job/" } do
    local id = math.tointeger(name:sub(5))
    local lease = key("lease", id)
    local is_free, message, code =
      self.store:put_if(lease, nil, worker, { ttl_ms = lease_ms })
    if is_free then
      return id, task
    elseif is_free == nil then
      return nil, message, code
    end
  end
end

--- Ends a job that the worker has claimed, and keeps its result.
-- @treturn boolean true; false where the lease was lost meanwhile; or nil,
-- message, code
function Queue:finish(id, worker, result)
  local owner, message, code = self.store:get(key("lease", id))
  if code then
    return nil, message, code
  elseif owner ~= worker then
    return false
  end
  local batch <close> = self.store:batch()
  batch:put(key("done", id), result)
  batch:delete(key("job", id))
  batch:delete(key("lease", id))
  local ok
  ok, message, code = batch:commit()
  if not ok then
    return nil, message, code
  end
  return true
end

--- The result of a job that is done.
function Queue:result(id)
  return self.store:get(key("done", id))
end

--- How many jobs are to do.
function Queue:count()
  return self.store:count { prefix = "job/" }
end

return Queue
