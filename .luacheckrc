std = "lua54"
max_line_length = 80
codes = true
files["spec"] = {
  std = "+busted", read_globals = { "tmpenv", "tmpstore" },
}
files["examples/*_spec.lua"] = { std = "+busted" }
