/*
 * mem_kit: histories of writes for tests of the memtable, and what a reader of
 * one moment should see of them.
 *
 * Model: entry i of a history has sequence number i + 1. Keys come from a small
 * world in which orders go wrong: empty, prefixes of each other, zero bytes,
 * 0xFF bytes, equal beginnings longer than a head.
 *
 * Life: a history owns the bytes of its entries; one at a time is enough for a
 * test, so its arrays are of fixed size.
 */
#ifndef GS_CTEST_MEM_MEM_KIT_H
#define GS_CTEST_MEM_MEM_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "code/hash.h"
#include "env/env.h"
#include "env/sim.h"
#include "mem/inner.h"
#include "support/array_cursor.h"
#include "support/cursor_battery.h"

enum {
  KIT_KEY_BYTES = 40,
  KIT_VALUE_BYTES = 24,
  KIT_ENTRIES = 4000,
  KIT_CAPACITY = 1 << 20,
};

typedef struct history {
  uint64_t random; /* state; not 0 */
  size_t count;
  gs_entry entries[KIT_ENTRIES];
  uint8_t keys[KIT_ENTRIES][KIT_KEY_BYTES];
  uint8_t values[KIT_ENTRIES][KIT_VALUE_BYTES];
} history;

/* A key of few different bytes, behind one of a few beginnings. */
static inline gs_slice
kit_random_key(uint64_t *random, uint8_t bytes[KIT_KEY_BYTES])
{
  static const char *const beginnings[] = {"", "", "user/", "user/00000000000",
                                           "\xff\xff\xff\xff\xff\xff\xff\xff"};
  static const uint8_t alphabet[] = {0, 1, 'a', 'b', 0xfe, 0xff};
  const char *begin = beginnings[battery_random_below(random, 5)];
  size_t size = strlen(begin);
  memcpy(bytes, begin, size);
  for (size_t more = battery_random_below(random, 12); more > 0; more--) {
    bytes[size++] = alphabet[battery_random_below(random, sizeof alphabet)];
  }
  return gs_slice_of(bytes, size);
}

/* One more entry: an old key every other time, a tombstone now and then. */
static inline const gs_entry *
history_extend(history *past)
{
  size_t at = past->count++;
  assert_true(at < KIT_ENTRIES);
  gs_entry *entry = &past->entries[at];
  *entry = (gs_entry){.seq = at + 1, .kind = GS_KIND_PUT};
  if (at > 0 && battery_random_below(&past->random, 2) == 0) {
    entry->key = past->entries[battery_random_below(&past->random, at)].key;
  } else {
    entry->key = kit_random_key(&past->random, past->keys[at]);
  }
  if (battery_random_below(&past->random, 5) == 0) {
    entry->kind = GS_KIND_DELETE;
    return entry;
  }
  size_t size = battery_random_below(&past->random, KIT_VALUE_BYTES + 1);
  memset(past->values[at], (int)(at & 0xff), size);
  entry->value = gs_slice_of(past->values[at], size);
  if (battery_random_below(&past->random, 4) == 0) {
    entry->expires_at_ms = 1 + battery_random_below(&past->random, 1000);
  }
  return entry;
}

/* The newest version of the key among the first seq entries, or NULL. */
static inline const gs_entry *
history_get(const history *past, gs_slice key, uint64_t seq)
{
  for (size_t at = seq < past->count ? seq : past->count; at-- > 0;) {
    if (gs_slice_equal(past->entries[at].key, key)) {
      return &past->entries[at];
    }
  }
  return NULL;
}

/* The first seq entries in internal order; free the array. */
static inline gs_entry *
history_sorted(const history *past, size_t seq)
{
  gs_entry *sorted = malloc((seq + 1) * sizeof *sorted);
  assert_non_null(sorted);
  memcpy(sorted, past->entries, seq * sizeof *sorted);
  qsort(sorted, seq, sizeof *sorted, array_cursor_order);
  return sorted;
}

static inline void
kit_expect_entry(const gs_entry *got, const gs_entry *wanted)
{
  assert_true(gs_slice_equal(got->key, wanted->key));
  assert_true(gs_slice_equal(got->value, wanted->value));
  assert_int_equal(got->seq, wanted->seq);
  assert_int_equal(got->kind, wanted->kind);
  assert_int_equal(got->expires_at_ms, wanted->expires_at_ms);
}

static inline gs_entry
kit_put(const char *key, const char *value, uint64_t seq)
{
  return (gs_entry){.key = gs_slice_str(key),
                    .value = gs_slice_str(value),
                    .seq = seq,
                    .kind = GS_KIND_PUT};
}

static inline void
kit_add(gs_memtable *table, const gs_entry *entry)
{
  assert_int_equal(gs_memtable_add(table, entry, NULL), GS_OK);
}

static inline gs_memtable *
kit_table(gs_env *env, size_t capacity)
{
  gs_memtable *table = NULL;
  assert_int_equal(gs_memtable_new(env, NULL, capacity, 7, &table, NULL),
                   GS_OK);
  return table;
}

static inline void
kit_expect_sound(gs_memtable *table)
{
  gs_error err = {0};
  if (gs_memtable_verify(table, &err) != GS_OK) {
    fail_msg("%s", err.message);
  }
}

/* Nobody may still hold the current order. */
static inline void
kit_expect_unused_order(const gs_memtable *table)
{
  assert_int_equal(atomic_load(&table->ordering.current->users), 0);
}

/* A simulated machine per test, in *state; its end finds leaks. */
static inline int
kit_set_up(void **state)
{
  *state = gs_sim_new(1);
  return *state != NULL ? 0 : -1;
}

static inline int
kit_tear_down(void **state)
{
  bool is_clean = gs_sim_allocated_bytes(*state) == 0;
  gs_sim_free(*state);
  return is_clean ? 0 : -1;
}

#define KIT_TEST(name) \
  cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)

#endif
