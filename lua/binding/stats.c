/*
 * stats: counters as nested tables with stable names.
 */
#include "gsl.h"

/* One number of a group. */
typedef struct field {
  const char *name;
  uint64_t value;
} field;

static void
push_group(lua_State *L, const char *name, const field *fields, size_t count)
{
  lua_createtable(L, 0, (int)count);
  for (size_t i = 0; i < count; i++) {
    lua_pushinteger(L, (lua_Integer)fields[i].value);
    lua_setfield(L, -2, fields[i].name);
  }
  lua_setfield(L, -2, name);
}

#define PUSH(L, name, ...)                                             \
  do {                                                                 \
    const field fields[] = {__VA_ARGS__};                              \
    push_group((L), (name), fields, sizeof fields / sizeof fields[0]); \
  } while (0)

static void
push_activity(lua_State *L, const gs_stats *x)
{
  PUSH(L, "ops", {"puts", x->puts}, {"deletes", x->deletes}, {"gets", x->gets},
       {"hits", x->get_hits}, {"scans", x->scans}, {"batches", x->batches},
       {"commits", x->commits});
  PUSH(L, "bytes", {"user", x->user_bytes_written},
       {"wal", x->wal_bytes_written}, {"flush", x->flush_bytes_written},
       {"merge_written", x->merge_bytes_written},
       {"merge_read", x->merge_bytes_read});
  PUSH(L, "jobs", {"flushes", x->flushes}, {"merges", x->merges},
       {"moves", x->moves}, {"drops", x->drops}, {"refused", x->plans_refused},
       {"failed", x->jobs_failed});
  PUSH(L, "dropped", {"covered", x->dropped_covered},
       {"tombstones", x->dropped_tombstones}, {"expired", x->dropped_expired});
}

static void
push_state(lua_State *L, const gs_stats *x)
{
  PUSH(L, "memory", {"memtables", x->memtable_bytes}, {"cache", x->cache_bytes},
       {"cache_capacity", x->cache_capacity_bytes},
       {"indexes", x->index_bytes});
  PUSH(L, "wal", {"bytes", x->wal_bytes}, {"syncs", x->wal_syncs},
       {"sync_waits", x->sync_waits});
  PUSH(L, "tables", {"count", x->table_count}, {"runs", x->run_count},
       {"bytes", x->table_bytes}, {"entries", x->entry_count},
       {"tombstones", x->tombstone_count});
  PUSH(L, "cache", {"loads", x->cache_loads},
       {"evictions", x->cache_evictions});
  PUSH(L, "views", {"snapshots", x->snapshot_count});
  PUSH(L, "recovery", {"batches", x->recovered_batches},
       {"torn_bytes", x->recovered_torn_bytes}, {"bits", x->recovered_bits},
       {"salvaged", x->is_salvaged}, {"degraded_tables", x->degraded_tables},
       {"foreign_files", x->foreign_files}, {"resumes", x->resumes});
  PUSH(L, "clock", {"warnings", x->clock_warnings});
  PUSH(L, "disk", {"ballast", x->ballast_bytes});
  PUSH(L, "journal", {"events", x->journal_events}, {"lost", x->journal_lost});
}

/* tables.levels: { level =, bytes =, data = } for each that holds any */
static void
push_levels(lua_State *L, const gs_stats *x)
{
  lua_getfield(L, -1, "tables");
  lua_newtable(L);
  lua_Integer count = 0;
  for (int i = 0; i <= GS_PLAN_MAX_LEVEL; i++) {
    if (x->levels[i].bytes > 0) {
      lua_createtable(L, 0, 3);
      lua_pushinteger(L, i);
      lua_setfield(L, -2, "level");
      lua_pushinteger(L, (lua_Integer)x->levels[i].bytes);
      lua_setfield(L, -2, "bytes");
      lua_pushinteger(L, (lua_Integer)x->levels[i].data_bytes);
      lua_setfield(L, -2, "data");
      lua_rawseti(L, -2, ++count);
    }
  }
  lua_setfield(L, -2, "levels");
  lua_pop(L, 1);
}

static void
push_reason(lua_State *L, gs_stall reason, const gs_stall_stats *x)
{
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, (lua_Integer)x->count);
  lua_setfield(L, -2, "count");
  lua_pushnumber(L, (lua_Number)x->total_us / 1000);
  lua_setfield(L, -2, "total_ms");
  lua_pushnumber(L, (lua_Number)x->max_us / 1000);
  lua_setfield(L, -2, "max_ms");
  lua_setfield(L, -2, gs_stall_name(reason));
}

static void
push_stalls(lua_State *L, const gs_stats *x)
{
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, (lua_Integer)x->stall_count);
  lua_setfield(L, -2, "count");
  lua_pushnumber(L, (lua_Number)x->stall_total_us / 1000);
  lua_setfield(L, -2, "total_ms");
  lua_pushnumber(L, (lua_Number)x->stall_max_us / 1000);
  lua_setfield(L, -2, "max_ms");
  lua_pushstring(L, x->stall_reason);
  lua_setfield(L, -2, "last_reason");
  lua_createtable(L, 0, GS_STALL_REASONS);
  for (int i = 0; i < GS_STALL_REASONS; i++) {
    push_reason(L, (gs_stall)i, &x->stalls[i]);
  }
  lua_setfield(L, -2, "by_reason");
  lua_setfield(L, -2, "stalls");
}

/* store:_stats() -> plain table; lua/grainstore/stats.lua gives it its methods */
static int
stats(lua_State *L)
{
  gsl_store *s = gsl_check_store(L);
  gs_stats now;
  gs_get_stats(s->store, &now);
  lua_newtable(L);
  push_activity(L, &now);
  push_state(L, &now);
  push_levels(L, &now);
  push_stalls(L, &now);
  return 1;
}

const luaL_Reg gsl_store_stats[] = {
    {"_stats", stats},
    {NULL, NULL},
};
