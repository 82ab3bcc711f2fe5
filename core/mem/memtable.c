/*
 * memtable: an entry is written to the arena, then linked, then counted, then
 * shown to walkers; readers that find it by any of these ways find it whole.
 * What can fail (room in the hash) comes before the first byte is written.
 */
#include "mem/memtable.h"

#include "base/check.h"
#include "code/hash.h"
#include "mem/inner.h"

/* ---- life ---------------------------------------------------------------- */

static void
table_free(gs_memtable *table)
{
  gs_ordering_deinit(&table->ordering);
  gs_index_deinit(&table->index);
  gs_arena_deinit(&table->arena);
  gs_mutex_free(table->mutex);
  GS_DELETE(table->env->alloc, table);
}

gs_status
gs_memtable_new(gs_env *env, gs_spare *spare, size_t capacity_bytes,
                uint64_t created_ms, gs_memtable **out, gs_error *err)
{
  gs_memtable *table = GS_NEW(env->alloc, gs_memtable);
  if (table == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  table->env = env;
  table->created_ms = created_ms;
  table->index.alloc = env->alloc;
  table->arena.alloc = env->alloc;
  gs_ordering_init(&table->ordering, env->alloc, &table->arena);
  atomic_init(&table->refs, 1);
  atomic_init(&table->seq_limit, UINT64_MAX);
  gs_status status = gs_mutex_new(env, &table->mutex, err);
  if (status == GS_OK) {
    status =
        gs_arena_init(&table->arena, env->alloc, spare, capacity_bytes, err);
  }
  if (status == GS_OK) {
    status = gs_index_init(&table->index, env->alloc, err);
  }
  if (status != GS_OK) {
    table_free(table);
    return status;
  }
  *out = table;
  return GS_OK;
}

void
gs_memtable_ref(gs_memtable *table)
{
  atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
}

void
gs_memtable_unref(gs_memtable *table)
{
  if (table != NULL &&
      atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1) {
    table_free(table);
  }
}

/* ---- writing ------------------------------------------------------------- */

size_t
gs_memtable_entry_bytes(size_t key_size, size_t value_size)
{
  return gs_row_bytes_max(key_size, value_size);
}

static uint64_t
get(const _Atomic uint64_t *counter)
{
  return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
count_up(_Atomic uint64_t *counter, uint64_t by)
{
  atomic_store_explicit(counter, get(counter) + by, memory_order_relaxed);
}

bool
gs_memtable_has_room(const gs_memtable *table, size_t bytes, size_t entry_count)
{
  uint64_t free_keys = GS_INDEX_MAX_KEYS - get(&table->counters.key_count);
  return bytes <= gs_arena_free_bytes(&table->arena) &&
         entry_count <= free_keys;
}

gs_status
gs_memtable_reserve(gs_memtable *table, size_t entry_count, gs_error *err)
{
  uint64_t key_count = get(&table->counters.key_count) + entry_count;
  return gs_index_reserve(&table->index, key_count, err);
}

void
gs_memtable_expect(gs_memtable *table, uint64_t key_count)
{
  gs_index_expect(&table->index, key_count);
}

static void
count_entry(gs_memtable_counters *counters, const gs_entry *entry)
{
  count_up(&counters->entry_count, 1);
  count_up(&counters->tombstone_count, entry->kind == GS_KIND_DELETE ? 1 : 0);
  count_up(&counters->expiring_count, entry->expires_at_ms != 0 ? 1 : 0);
  count_up(&counters->data_bytes, entry->key.size + entry->value.size);
  if (get(&counters->min_seq) == 0) {
    atomic_store_explicit(&counters->min_seq, entry->seq, memory_order_relaxed);
  }
}

gs_status
gs_memtable_add(gs_memtable *table, const gs_entry *entry, gs_error *err)
{
  GS_ASSERT(entry->seq > get(&table->counters.max_seq));
  size_t bytes = gs_memtable_entry_bytes(entry->key.size, entry->value.size);
  if (!gs_memtable_has_room(table, bytes, 1)) {
    return GS_FAIL(err, GS_LIMIT, "the memtable has no room for %zu bytes",
                   bytes);
  }
  gs_arena *arena = &table->arena;
  uint64_t hash = gs_hash_key(entry->key);
  uint32_t node = gs_index_find(&table->index, arena, entry->key, hash);
  uint32_t top;
  if (node != 0) {
    top = gs_row_add_newer(arena, gs_node_at(arena, node), entry);
  } else {
    gs_status status = gs_memtable_reserve(table, 1, err);
    if (status != GS_OK) {
      return status;
    }
    node = gs_arena_top(arena);
    top = gs_row_add_first(arena, entry);
    gs_index_insert(&table->index, hash, node);
    count_up(&table->counters.key_count, 1);
  }
  count_entry(&table->counters, entry);
  gs_arena_publish(arena, top);
  atomic_store_explicit(&table->counters.max_seq, entry->seq,
                        memory_order_release);
  return GS_OK;
}

/* ---- reading ------------------------------------------------------------- */

bool
gs_memtable_get(const gs_memtable *table, gs_slice key, uint64_t hash,
                uint64_t seq, gs_entry *out)
{
  const gs_arena *arena = &table->arena;
  uint32_t unit = gs_index_find(&table->index, arena, key, hash);
  if (unit == 0) {
    return false;
  }
  const gs_node *node = gs_node_at(arena, unit);
  uint64_t limit =
      atomic_load_explicit(&table->seq_limit, memory_order_relaxed);
  uint32_t row = gs_row_find(arena, node, seq < limit ? seq : limit);
  if (row == 0) {
    return false;
  }
  gs_row_read(arena, node, row, out);
  return true;
}

void
gs_memtable_void_above(gs_memtable *table, uint64_t seq)
{
  atomic_store_explicit(&table->seq_limit, seq, memory_order_release);
}

void
gs_memtable_prefetch(const gs_memtable *table, uint64_t hash)
{
  gs_index_prefetch(&table->index, hash);
}

void
gs_memtable_prefetch_row(const gs_memtable *table, uint64_t hash)
{
  gs_index_prefetch_node(&table->index, &table->arena, hash);
}

uint64_t
gs_memtable_used_bytes(const gs_memtable *table)
{
  uint32_t units = gs_arena_used(&table->arena) - GS_ARENA_FIRST;
  return (uint64_t)units * GS_ARENA_UNIT_BYTES;
}

bool
gs_memtable_is_empty(const gs_memtable *table)
{
  return get(&table->counters.entry_count) == 0;
}

void
gs_memtable_get_stats(const gs_memtable *table, gs_memtable_stats *out)
{
  const gs_memtable_counters *counters = &table->counters;
  size_t order_bytes =
      atomic_load_explicit(&table->ordering.bytes, memory_order_relaxed);
  *out = (gs_memtable_stats){
      .used_bytes = gs_memtable_used_bytes(table),
      .allocated_bytes = gs_arena_bytes(&table->arena) +
                         gs_index_bytes(&table->index) + order_bytes,
      .entry_count = get(&counters->entry_count),
      .key_count = get(&counters->key_count),
      .tombstone_count = get(&counters->tombstone_count),
      .expiring_count = get(&counters->expiring_count),
      .data_bytes = get(&counters->data_bytes),
      .min_seq = get(&counters->min_seq),
      .max_seq = get(&counters->max_seq),
      .created_ms = table->created_ms,
  };
}

gs_status
gs_memtable_take_order(gs_memtable *table, gs_order **out, gs_error *err)
{
  gs_mutex_lock(table->mutex);
  uint32_t end = gs_arena_used(&table->arena);
  uint64_t key_count = get(&table->counters.key_count);
  gs_status status =
      gs_ordering_take(&table->ordering, end, key_count, out, err);
  gs_mutex_unlock(table->mutex);
  return status;
}
