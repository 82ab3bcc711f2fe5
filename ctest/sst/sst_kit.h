/*
 * sst_kit: what the tests of tables share: entries made from a seed, a plain
 * array as the model, and tables written from it.
 *
 * Model: kit_entries owns entries in internal order, and their bytes. Keys
 * share prefixes, differ in length, and may be empty; some are followed by a
 * zero byte, which heads cannot tell apart.
 * Threads: one.
 */
#ifndef GS_CTEST_SST_SST_KIT_H
#define GS_CTEST_SST_SST_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "code/fixed.h"
#include "code/hash.h"
#include "data/entry.h"
#include "sst/block_builder.h"
#include "sst/format.h"
#include "sst/table.h"
#include "sst/writer.h"

enum { KIT_SALT = 0x5a17, KIT_ID = 7, KIT_KEY_ROOM = 64 };

/* Fails the test with the error's own words. */
#define KIT_OK(expr, err)                                       \
  do {                                                          \
    gs_status kit_status = (expr);                              \
    if (kit_status != GS_OK) {                                  \
      fail_msg("%s: %s: %s", #expr, gs_status_code(kit_status), \
               (err)->message);                                 \
    }                                                           \
  } while (0)

/* What tables are packed by: tests that take it in run once for each codec. */
static gs_codec kit_codec;

/* ---- chance -------------------------------------------------------------- */

static inline uint64_t
kit_random(uint64_t *state)
{
  *state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static inline uint64_t
kit_below(uint64_t *state, uint64_t limit)
{
  return kit_random(state) % limit;
}

/* ---- entries ------------------------------------------------------------- */

typedef struct kit_entries {
  gs_entry *list;
  size_t count;
  size_t capacity;
} kit_entries;

/* What random entries are like. */
typedef struct kit_taste {
  uint64_t seed;
  size_t key_count;
  uint32_t max_versions; /* at least 1 */
  uint32_t max_value;    /* bytes */
  uint64_t max_seq_jump; /* at least 1 */
} kit_taste;

static inline uint8_t *
kit_copy(gs_slice bytes)
{
  uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);
  assert_non_null(copy);
  if (bytes.size > 0) {
    memcpy(copy, bytes.data, bytes.size);
  }
  return copy;
}

/* Copies the entry to the end. */
static inline void
kit_entries_add(kit_entries *entries, const gs_entry *entry)
{
  if (entries->count == entries->capacity) {
    entries->capacity = entries->capacity * 2 + 16;
    entries->list =
        realloc(entries->list, entries->capacity * sizeof *entries->list);
    assert_non_null(entries->list);
  }
  gs_entry copy = *entry;
  copy.key.data = kit_copy(entry->key);
  copy.value.data = kit_copy(entry->value);
  entries->list[entries->count++] = copy;
}

static inline void
kit_entries_put(kit_entries *entries, const char *key, uint64_t seq,
                const char *value)
{
  gs_entry entry = {.key = gs_slice_str(key),
                    .value = gs_slice_str(value),
                    .seq = seq,
                    .kind = GS_KIND_PUT};
  kit_entries_add(entries, &entry);
}

static inline void
kit_entries_free(kit_entries *entries)
{
  for (size_t i = 0; i < entries->count; i++) {
    free((void *)(uintptr_t)entries->list[i].key.data);
    free((void *)(uintptr_t)entries->list[i].value.data);
  }
  free(entries->list);
  *entries = (kit_entries){.count = 0};
}

static inline int
kit_order(const void *a, const void *b)
{
  const gs_entry *left = a;
  const gs_entry *right = b;
  int order = gs_slice_compare(left->key, right->key);
  return order != 0 ? order
                    : (left->seq < right->seq) - (left->seq > right->seq);
}

/* A key into room for KIT_KEY_ROOM bytes. */
static inline gs_slice
kit_random_key(uint64_t *state, uint8_t *room)
{
  static const char *const starts[] = {"", "u", "user:", "user:0000",
                                       "user:0000:long-shared-part/"};
  const char *start = starts[kit_below(state, 5)];
  size_t size = strlen(start);
  memcpy(room, start, size);
  size_t tail = (size_t)kit_below(state, 9);
  for (size_t i = 0; i < tail; i++) {
    static const uint8_t bytes[] = {0, 1, 'a', 'b', 'c', 0xff};
    room[size++] = bytes[kit_below(state, sizeof bytes)];
  }
  return gs_slice_of(room, size);
}

/* The value of a version is made from its sequence number; where tables are
 * packed, so that most blocks shrink. */
static inline void
kit_fill_value(uint8_t *value, size_t size, uint64_t seq)
{
  size_t period = kit_codec == GS_CODEC_NONE ? size : 2;
  for (size_t i = 0; i < size; i++) {
    value[i] = (uint8_t)(seq * 31 + i % period * 7 + 1);
  }
}

static inline void
kit_add_version(kit_entries *entries, gs_slice key, uint64_t seq,
                const kit_taste *taste, uint64_t *state)
{
  gs_entry entry = {.key = key, .seq = seq, .kind = GS_KIND_PUT};
  uint8_t *value = NULL;
  if (kit_below(state, 6) == 0) {
    entry.kind = GS_KIND_DELETE;
  } else {
    size_t size = (size_t)kit_below(state, (uint64_t)taste->max_value + 1);
    value = malloc(size + 1);
    assert_non_null(value);
    kit_fill_value(value, size, seq);
    entry.value = gs_slice_of(value, size);
    entry.expires_at_ms = kit_below(state, 4) == 0 ? 1 + seq : 0;
  }
  kit_entries_add(entries, &entry);
  free(value);
}

/* Entries in internal order; sequence numbers are all different. */
static inline kit_entries
kit_entries_random(const kit_taste *taste)
{
  kit_entries entries = {.count = 0};
  uint64_t state = taste->seed;
  uint64_t seq = 1;
  for (size_t i = 0; i < taste->key_count; i++) {
    uint8_t room[KIT_KEY_ROOM];
    gs_slice key = kit_random_key(&state, room);
    uint64_t versions = 1 + kit_below(&state, taste->max_versions);
    for (uint64_t v = 0; v < versions; v++) {
      seq += 1 + kit_below(&state, taste->max_seq_jump);
      kit_add_version(&entries, key, seq, taste, &state);
    }
  }
  qsort(entries.list, entries.count, sizeof *entries.list, kit_order);
  return entries;
}

static inline bool
kit_is_older(const kit_entries *entries, size_t index)
{
  return index > 0 &&
         gs_slice_equal(entries->list[index - 1].key, entries->list[index].key);
}

/* So many zeros, then a block of all the entries. */
static inline gs_buffer
kit_block(gs_alloc *alloc, const kit_entries *entries, uint64_t seed,
          size_t zeros)
{
  gs_block_builder builder;
  gs_block_builder_init(&builder, alloc);
  for (size_t i = 0; i < entries->count; i++) {
    gs_block_builder_add(&builder, &entries->list[i], kit_is_older(entries, i));
  }
  gs_buffer out;
  gs_buffer_init(&out, alloc);
  gs_buffer_append_zeros(&out, zeros);
  gs_block_builder_finish(&builder, seed, &out);
  gs_block_builder_deinit(&builder);
  assert_int_equal(gs_buffer_status(&out, NULL), GS_OK);
  return out;
}

static inline void
kit_assert_same(const gs_entry *found, const gs_entry *wanted)
{
  assert_true(gs_slice_equal(found->key, wanted->key));
  assert_int_equal(found->seq, wanted->seq);
  assert_int_equal(found->kind, wanted->kind);
  assert_int_equal(found->expires_at_ms, wanted->expires_at_ms);
  assert_true(gs_slice_equal(found->value, wanted->value));
}

/* ---- tables -------------------------------------------------------------- */

static inline gs_table_writer_options
kit_options(const char *path)
{
  return (gs_table_writer_options){
      .path = path,
      .id = KIT_ID,
      .salt = KIT_SALT,
      .created_ms = 1000,
      .oldest_tombstone_ms = 900,
      .block_bytes = 256,
      .codec = kit_codec,
      .has_point_index = true,
  };
}

/* Blocks of the table's file that are packed. */
static inline size_t
kit_count_packed(const uint8_t *bytes, uint32_t block_count)
{
  size_t count = 0;
  size_t at = GS_TABLE_HEADER_BYTES;
  for (uint32_t i = 0; i < block_count; i++) {
    count += bytes[at + GS_BLOCK_CODEC_AT] != GS_CODEC_NONE;
    at += gs_get_u32(bytes + at);
  }
  return count;
}

/* All entries into a new table. On failure the writer is abandoned. */
static inline gs_status
kit_write(gs_env *env, const gs_table_writer_options *options,
          const kit_entries *entries, gs_table_meta *meta, gs_buffer *keys,
          gs_error *err)
{
  gs_table_writer *writer = NULL;
  gs_status status = gs_table_writer_new(env, options, &writer, err);
  for (size_t i = 0; status == GS_OK && i < entries->count; i++) {
    status = gs_table_writer_add(writer, &entries->list[i], err);
  }
  if (status == GS_OK) {
    status = gs_table_writer_finish(writer, meta, keys, err);
  }
  if (status != GS_OK) {
    gs_table_writer_abandon(writer);
  }
  return status;
}

/* A cache with its epoch, and one table in it. */
typedef struct kit_table {
  gs_env *env;
  gs_epoch *epoch;
  gs_cache *cache;
  gs_table *table;
  gs_table_meta meta; /* as the writer gave it */
  gs_buffer keys;
} kit_table;

enum { KIT_CACHE_BYTES = 1 << 20 };

static inline void
kit_table_start(kit_table *kit, gs_env *env, uint64_t cache_bytes)
{
  gs_error err;
  *kit = (kit_table){.env = env};
  gs_buffer_init(&kit->keys, env->alloc);
  KIT_OK(gs_epoch_new(env, &kit->epoch, &err), &err);
  KIT_OK(gs_cache_new(env, kit->epoch, cache_bytes, &kit->cache, &err), &err);
}

static inline gs_status
kit_table_open(kit_table *kit, const char *path, gs_error *err)
{
  return gs_table_open(kit->cache, path, KIT_SALT, &kit->meta, &kit->table,
                       err);
}

/* Writes the entries and opens the table. */
static inline void
kit_table_make(kit_table *kit, gs_env *env,
               const gs_table_writer_options *options,
               const kit_entries *entries)
{
  gs_error err;
  kit_table_start(kit, env, KIT_CACHE_BYTES);
  KIT_OK(kit_write(env, options, entries, &kit->meta, &kit->keys, &err), &err);
  KIT_OK(kit_table_open(kit, options->path, &err), &err);
}

static inline void
kit_table_end(kit_table *kit)
{
  gs_table_unref(kit->table);
  gs_cache_free(kit->cache);
  gs_epoch_free(kit->epoch);
  gs_buffer_deinit(&kit->keys);
}

/* A point read in an epoch of its own; the entry's bytes stay valid because
 * nothing else runs. */
static inline gs_status
kit_get(kit_table *kit, gs_slice key, uint64_t seq, gs_entry *out,
        gs_error *err)
{
  uint32_t slot = gs_epoch_enter(kit->epoch);
  gs_status status =
      gs_table_get(kit->table, key, gs_hash_key(key), seq, out, err);
  gs_epoch_leave(kit->epoch, slot);
  return status;
}

#endif
