/*
 * trials: the calls of alloc_test, in Lua. Each runs in a state of its own,
 * after trial_begin, which never fails, and before trial_end, which must not.
 *
 * They find: env, a simulated machine; s, a bytes store on it, opened with a
 * policy and holding entries in tables and in memory; u, a u32 store; g and
 * core, the module; acked, to be told what was acknowledged.
 */
#ifndef GS_CTEST_BINDING_TRIALS_H
#define GS_CTEST_BINDING_TRIALS_H

#include <stddef.h>

typedef struct trial {
  const char *name;
  const char *text;
} trial;

static const char trial_begin[] =
    "package.path = './lua/?.lua;./lua/?/init.lua'\n"
    "g = require 'grainstore'\n"
    "core = require 'grainstore.core'\n"
    "policy = require 'grainstore.policy'\n"
    "require 'grainstore.keys'\n"
    "local testing = require 'grainstore.testing'\n"
    "env = testing.env { seed = 1 }\n"
    "options = { env = env, memtable_bytes = 4096, table_bytes = 4096,\n"
    "  block_bytes = 256, memory_bytes = 1 << 20, durability = 'os',\n"
    "  threads = 0, disk_reserve_bytes = 0 }\n"
    "s = assert(g.open_bytes('/db', options))\n"
    "u = assert(g.open_u32('/u32', options))\n"
    "for i = 1, 40 do assert(s:put('k' .. i, ('v'):rep(i))) end\n"
    "assert(s:flush())\n"
    "for i = 1, 9 do assert(s:put('m' .. i, 'v')) assert(u:put(i, i)) end\n"
    "acked = { a = false, b = false, c = false, d = false, e = false }\n";

static const char trial_end[] =
    "if is_broken then env:heal() s:close() end\n"
    "local store = s:is_open() and s or assert(g.open_bytes('/db', options))\n"
    "for key, seq in pairs(acked) do\n"
    "  assert(not seq or store:get(key), key .. ' is lost')\n"
    "end\n"
    "assert(store:get 'k7' == ('v'):rep(7))\n"
    "local before = store:count()\n"
    "assert(store:put('after', '1') and store:get 'after' == '1')\n"
    "assert(store:count() == before + 1)\n"
    "assert(store:flush() and store:verify())\n"
    "local cursor <close> = store:cursor()\n"
    "assert(cursor:first())\n"
    "cursor:close()\n"
    "store:close()\n"
    "store = assert(g.open_bytes('/db', options))\n"
    "assert(store:get 'after' == '1' and store:get 'm5')\n"
    "for key, seq in pairs(acked) do\n"
    "  assert(not seq or store:get(key), key .. ' is lost for good')\n"
    "end\n"
    "store:close()\n"
    "if u:is_open() then assert(u:get(3) == 3) u:close() end\n";

/* All that a handle can be asked. */
static const char trial_names[] =
    "names = {}\n"
    "local function add(from)\n"
    "  for name, value in pairs(from) do\n"
    "    if type(value) == 'function' and not name:find '^__' then\n"
    "      names[#names + 1] = name\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local function methods(handle)\n"
    "  local mt = debug.getmetatable(handle)\n"
    "  add(mt)\n"
    "  if type(mt.__index) == 'table' then add(mt.__index) end\n"
    "end\n"
    "add(core) add(core.store_methods)\n"
    "methods(s) methods(s:snapshot()) methods(s:cursor()) methods(s:batch())\n"
    "methods(env)\n"
    "local clock <close> = core.clock(0)\n"
    "methods(clock)\n"
    "local virtual <close> = core.lab { keys = 10, writes = 10,\n"
    "  key_bytes = 16, value_bytes = 100, memtable_bytes = 50000,\n"
    "  table_bytes = 20000, workers = 1, seed = 1, start_ms = 1000 }\n"
    "methods(virtual)\n";

static const trial trials[] = {
    {"put", "acked.a = s:put('a', '1')\n"
            "acked.b = s:put('b', ('2'):rep(100), { sync = true })\n"
            "acked.c = s:put('c', '3', { ttl_ms = 1000000 })\n"
            "u:put(11, 12)\n"},
    {"get", "s:get 'k1' s:get('m1', { meta = true }) s:get 'nothing'\n"
            "local snap <close> = s:snapshot()\n"
            "s:get('k2', { snapshot = snap, meta = true })\n"
            "s:contains 'k1' s:ttl 'k1' s:meta() u:get(3)\n"},
    {"change", "s:delete 'm1' s:take 'm2' s:put_if('m3', 'v', 'w')\n"
               "s:put_if('m4', 'x', 'w') s:expire('m6', 100000)\n"
               "s:persist 'm6' s:put_if('m7', 'v', nil)\n"},
    {"get_many", "local keys = { 'k1', 'k2', 'nothing', 'm5' }\n"
                 "local found = s:get_many(keys)\n"
                 "s:get_many(keys, found)\n"
                 "u:get_many { 1, 2, 77 }\n"},
    {"count", "s:count() s:count { prefix = 'k' }\n"
              "s:approx { from = 'k1', to = 'k3' }\n"},
    {"scan", "for k, v in s:scan { prefix = 'k', reverse = true } do end\n"
             "for k in s:scan { keys_only = true, limit = 5 } do end\n"
             "for k, v in pairs(u) do end\n"},
    {"cursor", "local c <close> = s:cursor { from = 'k', to = 'l' }\n"
               "c:first() c:next() c:last() c:prev() c:seek 'k3'\n"
               "local keys, values = {}, {}\n"
               "c:fill(keys, values, 4) tostring(c) c:close()\n"},
    {"snapshot", "local n <close> = s:snapshot()\n"
                 "n:get 'k1' n:get_many { 'k1', 'm1' } n:contains 'k1'\n"
                 "n:ttl 'k1' n:count() tostring(n) local _ = n.seq\n"
                 "local c <close> = n:cursor()\n"
                 "c:first()\n"
                 "for k in n:scan { limit = 3 } do end\n"
                 "n:close()\n"},
    {"batch", "local b <close> = s:batch()\n"
              "b:put('d', '1') b:put('e', ('x'):rep(300)):delete 'm8'\n"
              "b:count() b:bytes() tostring(b)\n"
              "local last = b:commit { meta = 'note' }\n"
              "acked.d, acked.e = last, last\n"
              "b:put('f', '1') b:clear() b:close()\n"},
    {"work", "s:flush() s:sync() s:compact { prefix = 'k' } s:step(1)\n"
             "s:verify() s:seq() s:durable_seq() s:_seal() s:compact()\n"
             "s:resume() s:trust_clock()\n"},
    {"set", "s:set('memtable_bytes', 8192) s:options() s:stats()\n"
            "s:_stats() s:tree() s:_shape() s:is_open() tostring(s)\n"
            "s:_opens() s:_track() local c <close> = s:cursor()\n"
            "s:_handles()\n"
            "s:set('policy', policy.leveled { l0_runs = 2 })\n"},
    {"plan", "local tree = s:tree()\n"
             "local run = tree.runs[1]\n"
             "s:plan({ op = 'merge', inputs = run, into = run.id },\n"
             "  { dry_run = true })\n"
             "s:_plan { op = 'merge', inputs = {} }\n"
             "pcall(s._plan, s, { op = 'nonsense' })\n"},
    {"wishes", "s:_drive(function() end, 'name') s:_policy() s:_decide()\n"
               "s:_ask(function() return 1 end) s:_ask(error, 'x')\n"
               "s:_throttle(1000000) s:_layout(0, 8192, 512)\n"
               "s:_flush_ask(4096) s:_wake(1000) s:_decided('wrong')\n"
               "s:_throttle(0) s:_shape(true)\n"},
    {"private", "local p, name = core.private('grainstore.policy.tiered',\n"
                "  { width = 3, }, package.path)\n"
                "core.private('no.such.module', nil, package.path)\n"
                "if p then s:_start(p, name) end\n"
                "acked.a = s:put('a', '1') or acked.a\n"
                "s:flush() s:step(1)\n"},
    {"policy", "s:_drive(function() end, 'none')\n"
               "s:set('policy', { name = 'mine', pick = function(tree)\n"
               "  return nil end })\n"
               "for i = 1, 3 do\n"
               "  acked.a = s:put('a', ('x'):rep(1500)) or acked.a\n"
               "  s:_seal() s:step(1)\n"
               "end\n"
               "s:flush()\n"},
    {"open", "local t <close> = assert(core.open('/t', options, 'bytes'))\n"
             "t:put('a', '1')\n"
             "local again <close> = assert(g.open('/t', options))\n"
             "again:close() t:close()\n"
             "core.info('/t', { env = env }) core.verify('/t', { env = env })\n"
             "core.repair('/t', { env = env, dry_run = true })\n"
             "core.repair('/t', { env = env, into = '/mended' })\n"
             "s:checkpoint '/copy' core.destroy('/t', { env = env })\n"
             "core.open('/none', { env = env, create = false }, 'any')\n"},
    {"on a real disk",
     "local t <close> = assert(g.open(DIR .. '/real', { threads = 1 }))\n"
     "t:put('a', '1', { sync = true }) t:close()\n"
     "assert(g.info(DIR .. '/real')) g.destroy(DIR .. '/real')\n"
     "local clock <close> = core.clock(1000)\n"
     "clock:now() clock:advance(5) clock:set(7) tostring(clock)\n"
     "local c <close> = assert(g.open(DIR .. '/c', { clock = clock }))\n"
     "c:put('a', '1', { ttl_ms = 5 }) c:close() clock:close()\n"
     "g.destroy(DIR .. '/c')\n"},
    {"close", "local n, c, b = s:snapshot(), s:cursor(), s:batch()\n"
              "c:first() b:put('x', '1')\n"
              "s:close() s:close() u:close()\n"
              "pcall(c.next, c) pcall(b.commit, b)\n"},
    {"misuse", "local function no(f, ...)\n"
               "  local ok, text = pcall(f, ...)\n"
               "  return not ok and tostring(text)\n"
               "end\n"
               "no(s.put, s, 1, 'x') no(s.put, s, 'x', {}) no(s.get, 7)\n"
               "no(s.get, s, 'x', { what = 1 }) no(core.open, '')\n"
               "no(core.open, '/x', { durability = 'some' })\n"
               "no(s.scan, s, { from = 1 }) no(s.set, s, 'what', 1)\n"
               "no(u.put, u, 'x', 1)\n"},
    {"failures", "is_broken = true\n"
                 "env:fail { op = 'write', errno = 'EIO', times = 0 }\n"
                 "local ok, message, code, detail = s:put('x', '1')\n"
                 "if code and detail then tostring(message) end\n"
                 "s:sync() s:flush() s:attach '/nothing'\n"
                 "s:get 'k1' s:verify()\n"
                 "env:heal() s:resume() s:close()\n"},
    {"env", "local e <close> = core.env { seed = 2 }\n"
            "e:ops() e:stop_at(nil) e:capacity(nil) e:used()\n"
            "e:open_files(nil) e:sector(512) e:fail_alloc(0) e:allocs()\n"
            "e:allocated() e:tracing(true)\n"
            "e:write('/f', 'text') e:read '/f' e:flip('/f', 3)\n"
            "e:files() e:remove '/f' e:trace() e:dump() tostring(e)\n"
            "e:close()\n"},
    {"crashes",
     "env:pending() env:choices 'subset'\n"
     "local dead <close> = env:crash { keep = 'random', choice = 3 }\n"
     "env:explain() \n"
     "local t <close> = assert(g.open('/db', { env = dead }))\n"
     "t:get 'k1' t:close()\n"
     "local copy <close> = env:copy()\n"
     "copy:files() copy:close() dead:close()\n"
     "env:watch(env:ops() + 1, env:ops() + 3)\n"
     "s:put('watched', '1') local c = env:next_copy()\n"
     "if c then c:close() end env:watch()\n"
     "for state in env:states { keep = 'prefix', limit = 2 } do\n"
     "  state:files() end\n"},
    {"fit", "core.fit { { writes = 100, distinct = 60, weight = 1 },\n"
            "  { writes = 1000, distinct = 200, weight = 2 } }\n"},
    {"watch", "local told = 0\n"
              "s:_watch(function() told = told + 1 end)\n"
              "s:put('watched', '1') s:flush() s:_noted()\n"
              "s:_bar(function(a) return a end, 1) s:_watch()\n"},
    {"lab_feed",
     "local v <close> = assert(core.lab { keys = 1000,\n"
     "  writes = 9000, key_bytes = 16, value_bytes = 100,\n"
     "  memtable_bytes = 50000, table_bytes = 20000, is_fed = true,\n"
     "  workers = 1, seed = 1, start_ms = 1000 })\n"
     "v:plant(0, { { run = 0, level = 1, lo = 0, hi = 1,\n"
     "  kept = 1, bytes = 20000, data_bytes = 11600,\n"
     "  entries = 100, min_seq = 1, max_seq = 100 } })\n"
     "v:sizes { key_bytes = 16, value_bytes = 90 }\n"
     "v:speed(1e6) v:mix { { keys = 500, rate = 1 / 500 } }\n"
     "v:feed { writes = 300, to_ms = 2000, distinct = 200 }\n"
     "v:advance(300)\n"},
    {"shadow", "local one <close> = s:shadow 'tiered'\n"
               "s:put('seen', '1') s:flush() one:report() one:close()\n"},
    {"lab", "local v <close> = assert(core.lab { keys = 1000, writes = 9000,\n"
            "  key_bytes = 16, value_bytes = 100, memtable_bytes = 50000,\n"
            "  table_bytes = 20000, workers = 1, seed = 1, start_ms = 1000 })\n"
            "v:_throttle(1000000) v:_layout(0, 8192, 512) v:_wake(1000)\n"
            "v:_flush_ask(4096) v:advance(500) v:_seal() v:advance(3000)\n"
            "local tree = v:_shape() local run = tree.runs[1]\n"
            "v:_plan { op = 'merge', inputs = { run.tables[1].id },\n"
            "  into = run.id }\n"
            "v:_plan { op = 'drop', inputs = { 999999 } }\n"
            "v:_plan { op = 'merge', inputs = {} }\n"
            "tree.shape:close() v:_aside() v:advance(9000) v:look()\n"
            "tostring(v) v:close()\n"},
    {"journal", "s:_journal { since = 0, limit = 3 } s:kind()\n"
                "core.journal('/db', { env = env }) s:journal()\n"},
    {"jobs", "local e <close> = core.env { tasks = true }\n"
             "local t <close> = assert(core.open('/t', { env = e,\n"
             "  threads = 1 }, 'bytes'))\n"
             "e:schedule(1) e:hold 'none' e:release 'none'\n"
             "local job = e:begin(t, 'put', 'a', '1')\n"
             "e:jobs() e:step(job, 1) e:drain() job:done() job:result()\n"
             "e:choices_made() tostring(job) e:schedule()\n"
             "t:close() e:close()\n"},
};

static const size_t trial_count = sizeof trials / sizeof trials[0];

#endif
