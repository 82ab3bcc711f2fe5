-- What the archives of the layers ask of the C library. Files, clocks,
-- randomness, threads and memory are asked of an environment, so outside
-- core/env only functions without a world of their own remain: a list short
-- enough to be given whole. GS_BUILD names the build to look at.

local tree = require "spec.support.tree"

local BUILD = os.getenv "GS_BUILD" or "build/debug"

-- Pure functions over bytes that are handed in.
local PURE = [[
  memchr memcmp memcpy memmove memrchr memset strchr strcmp strlen strncmp
  strnlen strrchr __memcpy_chk __memmove_chk __memset_chk __errno_location
  __stack_chk_fail _GLOBAL_OFFSET_TABLE_
]]

-- What single files may use besides, and why.
local SPECIAL = {
  ["base/error"] = "vsnprintf", -- composes the message
  ["base/check"] = "fprintf stderr abort", -- the last words of the process
  ["code/codec"] = [[ LZ4_sizeofState LZ4_compress_fast_extState
    LZ4_decompress_safe ZSTD_createCCtx ZSTD_freeCCtx ZSTD_compressCCtx
    ZSTD_createDCtx ZSTD_freeDCtx ZSTD_decompressDCtx ZSTD_isError
    ZSTD_getErrorCode ]], -- the libraries it is made for
}

-- Functions of numbers, for the lab's expected values.
local NUMBERS = {
  lab = "exp expm1 floor ceil fmod fmax fmin log pow sqrt",
}

-- Printing into a buffer of the caller, as dumps do.
local DUMPS = "snprintf vsnprintf"

-- Functions that only core/env may name. The list above already excludes them;
-- this one tells the reader which door to take.
local DOORS = {
  ["gs_alloc"] = "malloc calloc realloc free posix_memalign aligned_alloc mmap",
  ["gs_env files"] = "open openat creat close read write pread pwrite fsync "
    .. "fdatasync fopen fclose fread fwrite rename unlink mkdir opendir stat",
  ["gs_env clock"] = "time clock clock_gettime gettimeofday nanosleep usleep",
  ["gs_env randomness"] = "rand srand random getrandom arc4random",
  ["gs_env threads"] = "pthread_create pthread_mutex_lock pthread_cond_wait",
}

local function set(words)
  local into = {}
  for word in words:gmatch "%S+" do
    into[word] = true
  end
  return into
end

local function door(symbol)
  for name, words in pairs(DOORS) do
    if set(words)[symbol] then
      return "use " .. name
    end
  end
  return "use the environment, or give a reason in this spec"
end

-- { object, symbol } for what the objects of a layer's archive leave open;
-- an object is named as in "wal/writer".
local function undefined(layer)
  local found = {}
  local archive = ("%s/lib/libgs_%s.a"):format(BUILD, layer)
  for _, line in ipairs(tree.run("nm -A --undefined-only " .. archive)) do
    local object, symbol = line:match ":([%w_]+)%.o:%s+[Uvw]%s+([^@%s]+)"
    if object then
      found[#found + 1] = { layer .. "/" .. object, symbol }
    end
  end
  return found
end

local function strangers(layer)
  local found = {}
  local pure = set(PURE .. DUMPS .. " " .. (NUMBERS[layer] or ""))
  for _, pair in ipairs(undefined(layer)) do
    local object, symbol = pair[1], pair[2]
    if not (symbol:find "^gs_" or pure[symbol]
        or set(SPECIAL[object] or "")[symbol]) then
      found[#found + 1] = ("core/%s.c asks for %s: %s"):format(object, symbol,
        door(symbol))
    end
  end
  return found
end

describe("outside the environment", function()
  local layers = "base code data wal mem sst merge tree store lab"
  for layer in layers:gmatch "%S+" do
    it(layer .. " asks the C library for pure functions only", function()
      local archive = BUILD .. "/lib/libgs_" .. layer .. ".a"
      assert(tree.exists(archive), archive .. " is not built")
      tree.assert_none(strangers(layer),
        "The engine has one door, and it is core/env.")
    end)
  end
end)

describe("the door", function()
  it("is where files, memory and threads are asked for", function()
    local found = strangers "env"
    assert.is_true(#found > 0)
    local text = table.concat(found, "\n")
    assert.truthy(text:find("pthread_create", 1, true))
    assert.truthy(text:find("fdatasync", 1, true))
    assert.truthy(text:find("malloc", 1, true) or text:find("realloc", 1, true))
  end)
end)

describe("what others link", function()
  local function exports(path)
    local names = {}
    for _, line in ipairs(tree.run("nm -D --defined-only " .. path)) do
      names[#names + 1] = line:match "%s(%S+)$"
    end
    return names
  end

  it("is, of the Lua module, its opener", function()
    assert.same({ "luaopen_grainstore_core" },
      exports(BUILD .. "/lua/grainstore/core.so"))
  end)

  -- The public headers, those they include, and the whole of base.
  local function public_text()
    local text = table.concat(tree.lines "core/grainstore.h", "\n")
      .. table.concat(tree.lines "core/env/sim.h", "\n")
      .. table.concat(tree.lines "core/env/clocked.h", "\n")
    for include in text:gmatch '#include "([^"]+)"' do
      text = text .. table.concat(tree.lines("core/" .. include), "\n")
    end
    for _, path in ipairs(tree.files "^core/base/.*%.h$") do
      text = text .. table.concat(tree.lines(path), "\n")
    end
    return text
  end

  it("is, of the shared library, what the public headers show", function()
    local text = public_text()
    local exported = {}
    for _, name in ipairs(exports(BUILD .. "/lib/libgrainstore.so")) do
      exported[name] = true
      assert(text:find("%f[%w_]" .. name .. "%("), name .. " is not public")
    end
    for name in text:gmatch "\nGS_API[^;]-%f[%w_](gs_[%w_]+)%(" do
      assert(exported[name], name .. " is not in the library")
    end
    assert.truthy(next(exported))
  end)
end)
