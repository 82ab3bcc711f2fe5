rockspec_format = "3.0"
package = "grainstore"
version = "dev-1"
source = { url = "git+file://." }
description = {
  summary = "An embedded LSM key-value store whose policies are Lua",
  detailed = "Run `luarocks make` in a checkout.",
  license = "MIT",
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.4, < 5.5", "argparse" }
external_dependencies = {
  XXHASH = { header = "xxhash.h" }, LZ4 = { header = "lz4.h" },
  ZSTD = { header = "zstd.h" },
}
build = {
  type = "make",
  build_target = "all",
  build_variables = {
    CONFIG = "release",
    LUA_CFLAGS = "-I$(LUA_INCDIR)",
  },
  install_target = "install-lua",
  install_variables = {
    LUA_CFLAGS = "-I$(LUA_INCDIR)",
    LUADIR = "$(LUADIR)",
    LIBDIR = "$(LIBDIR)",
    BINDIR = "$(BINDIR)",
  },
}
