std = "lua54"
max_line_length = 80
codes = true
files["spec"] = { std = "+busted" }
