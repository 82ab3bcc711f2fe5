/*
 * options: defaults, bounds, and the numbers that may change while open.
 */
#include "store/options.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)
/* Larger memtables spare little writing, take the cache's memory, and cost a
 * put more misses than they save. */
#define MEMTABLE_MOST (64 * MIB)

enum {
  DEFAULT_BLOCK_BYTES = 4096,
  INDEX_PART =
      5, /* a memtable's hash and order take about a fifth as much again
                     where entries have a hundred bytes, and as much again where
                     they have eight */
};

void
gs_options_init(gs_options *options)
{
  *options = (gs_options){
      .create = true,
      .durability = GS_DURABILITY_BATCH,
      .wal_batch_ms = 10,
      .wal_batch_bytes = MIB,
      .memory_bytes = 256 * MIB,
      .table_bytes = 64 * MIB,
      .block_bytes = DEFAULT_BLOCK_BYTES,
      .compression = GS_COMPRESSION_NONE,
      .threads = 1,
      .max_stall_ms = 1000,
      .disk_reserve_bytes = 64 * MIB,
      .journal_bytes = MIB,
  };
}

/* ---- bounds ------------------------------------------------------------------------ */

/* One number that a caller may give. */
typedef struct number_rule {
  const char *name;
  size_t offset;
  uint64_t least;
  uint64_t most;
  bool may_be_zero; /* 0: derived, or none */
} number_rule;

#define RULE(field, least, most, zero)                           \
  {                                                              \
#field, offsetof(gs_options, field), (least), (most), (zero) \
  }

static const number_rule rules[] = {
    RULE(wal_batch_ms, 1, 60000, false),
    RULE(wal_batch_bytes, 4096, UINT64_C(1) << 40, false),
    RULE(memory_bytes, MIB, UINT64_C(1) << 44, false),
    RULE(memtable_bytes, 4096, UINT64_C(1) << 34, true),
    RULE(max_wal_bytes, 65536, UINT64_C(1) << 44, true),
    RULE(table_bytes, 4096, UINT64_C(1) << 28, false),
    RULE(default_ttl_ms, 1, UINT64_C(1) << 62, true),
    RULE(max_stall_ms, 1, 3600000, false),
    RULE(disk_reserve_bytes, 1, UINT64_C(1) << 50, true),
    RULE(journal_bytes, GS_JOURNAL_MIN_BYTES, GS_JOURNAL_MAX_BYTES, true),
};

static gs_status
check_number(const number_rule *rule, uint64_t value, gs_error *err)
{
  if (value == 0 && rule->may_be_zero) {
    return GS_OK;
  }
  if (value < rule->least || value > rule->most) {
    return GS_FAIL(err, GS_MISUSE, "option '%s' takes %llu to %llu, got %llu",
                   rule->name, (unsigned long long)rule->least,
                   (unsigned long long)rule->most, (unsigned long long)value);
  }
  return GS_OK;
}

static gs_status
check_modes(const gs_options *o, gs_error *err)
{
  if (o->durability < GS_DURABILITY_SYNC ||
      o->durability > GS_DURABILITY_MEMORY) {
    return GS_FAIL(err, GS_MISUSE, "option 'durability' has no value %d",
                   (int)o->durability);
  }
  if (o->block_bytes < 256 || o->block_bytes > 65536) {
    return GS_FAIL(err, GS_MISUSE, "option 'block_bytes' takes 256 to 65536");
  }
  if (o->compression < GS_COMPRESSION_NONE ||
      o->compression > GS_COMPRESSION_ZSTD) {
    return GS_FAIL(err, GS_MISUSE, "option 'compression' has no value %d",
                   (int)o->compression);
  }
  if (o->threads > GS_THREADS_MAX) {
    return GS_FAIL(err, GS_MISUSE, "option 'threads' takes 0 to %d",
                   GS_THREADS_MAX);
  }
  if (o->must_create && !o->create) {
    return GS_FAIL(err, GS_MISUSE,
                   "option 'must_create' does not go with create = false");
  }
  if (o->degraded && !o->readonly) {
    return GS_FAIL(err, GS_MISUSE, "option 'degraded' needs 'readonly'");
  }
  if (o->salvage != GS_SALVAGE_NONE && o->salvage != GS_SALVAGE_PREFIX) {
    return GS_FAIL(err, GS_MISUSE, "option 'salvage' has no value %d",
                   (int)o->salvage);
  }
  if (o->must_create && o->readonly) {
    return GS_FAIL(err, GS_MISUSE,
                   "option 'must_create' does not go with 'readonly'");
  }
  return GS_OK;
}

gs_status
gs_options_check(const gs_options *options, gs_error *err)
{
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    uint64_t value;
    memcpy(&value, (const char *)options + rules[i].offset, sizeof value);
    gs_status status = check_number(&rules[i], value, err);
    if (status != GS_OK) {
      return status;
    }
  }
  return check_modes(options, err);
}

void
gs_options_derive(gs_options *options)
{
  if (options->memtable_bytes == 0) {
    uint64_t part = options->memory_bytes / 8;
    options->memtable_bytes = part < MEMTABLE_MOST ? part : MEMTABLE_MOST;
  }
  if (options->max_wal_bytes == 0) {
    options->max_wal_bytes = 4 * options->memtable_bytes;
  }
  if (options->max_wal_bytes < 65536) {
    options->max_wal_bytes = 65536;
  }
  if (!options->env->has_threads) {
    options->threads = 0;
  }
}

/* ---- while open -------------------------------------------------------------------- */

uint64_t
gs_options_cache_bytes(uint64_t memory_bytes, uint64_t memtable_bytes)
{
  uint64_t each = memtable_bytes + memtable_bytes / INDEX_PART;
  uint64_t memtables = (GS_SEALED_MAX + 1) * each;
  uint64_t least = memory_bytes / 4;
  return memory_bytes > memtables + least ? memory_bytes - memtables : least;
}

void
gs_options_publish(gs_store *store)
{
  const gs_options *o = &store->options;
  atomic_store(&store->limits.memtable_bytes, o->memtable_bytes);
  atomic_store(&store->limits.wal_batch_ms, o->wal_batch_ms);
  atomic_store(&store->limits.max_stall_ms, o->max_stall_ms);
  atomic_store(&store->limits.default_ttl_ms, o->default_ttl_ms);
  atomic_store(&store->limits.max_wal_bytes, o->max_wal_bytes);
  atomic_store(&store->limits.table_bytes, o->table_bytes);
  atomic_store(&store->limits.disk_reserve_bytes, o->disk_reserve_bytes);
  atomic_store(&store->limits.memory_bytes, o->memory_bytes);
}

static const number_rule *
find_rule(const char *name)
{
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    if (strcmp(rules[i].name, name) == 0) {
      return &rules[i];
    }
  }
  return NULL;
}

static atomic_uint_fast64_t *
find_limit(gs_store *store, const char *name)
{
  const struct {
    const char *name;
    atomic_uint_fast64_t *limit;
  } limits[] = {
      {"memtable_bytes", &store->limits.memtable_bytes},
      {"wal_batch_ms", &store->limits.wal_batch_ms},
      {"max_stall_ms", &store->limits.max_stall_ms},
      {"default_ttl_ms", &store->limits.default_ttl_ms},
      {"max_wal_bytes", &store->limits.max_wal_bytes},
      {"table_bytes", &store->limits.table_bytes},
      {"disk_reserve_bytes", &store->limits.disk_reserve_bytes},
      {"memory_bytes", &store->limits.memory_bytes},
  };
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    if (strcmp(limits[i].name, name) == 0) {
      return limits[i].limit;
    }
  }
  return NULL;
}

bool
gs_can_set_option(gs_store *store, const char *name)
{
  return find_limit(store, name) != NULL;
}

gs_status
gs_set_option(gs_store *store, const char *name, uint64_t value, gs_error *err)
{
  atomic_uint_fast64_t *limit = find_limit(store, name);
  const number_rule *rule = find_rule(name);
  if (limit == NULL || rule == NULL) {
    return GS_FAIL(err, GS_MISUSE,
                   "option '%s' cannot change while the store is open", name);
  }
  if (value == 0 && (limit == &store->limits.memtable_bytes ||
                     limit == &store->limits.max_wal_bytes)) {
    return GS_FAIL(err, GS_MISUSE, "option '%s' takes no 0 here", name);
  }
  gs_status status = check_number(rule, value, err);
  if (status != GS_OK) {
    return status;
  }
  atomic_store(limit, value);
  gs_cache_set_capacity(
      store->cache,
      gs_options_cache_bytes(gs_limit(&store->limits.memory_bytes),
                             gs_limit(&store->limits.memtable_bytes)));
  return GS_OK;
}

void
gs_get_options(const gs_store *store, gs_options *out)
{
  *out = store->options;
  out->memtable_bytes = atomic_load(&store->limits.memtable_bytes);
  out->wal_batch_ms = atomic_load(&store->limits.wal_batch_ms);
  out->max_stall_ms = atomic_load(&store->limits.max_stall_ms);
  out->default_ttl_ms = atomic_load(&store->limits.default_ttl_ms);
  out->max_wal_bytes = atomic_load(&store->limits.max_wal_bytes);
  out->table_bytes = atomic_load(&store->limits.table_bytes);
  out->disk_reserve_bytes = atomic_load(&store->limits.disk_reserve_bytes);
  out->memory_bytes = atomic_load(&store->limits.memory_bytes);
}
