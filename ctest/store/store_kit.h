/*
 * store_kit: short words for tests of whole stores. Each fails the running test
 * when the store says something else than the test expects.
 */
#ifndef GS_CTEST_STORE_KIT_H
#define GS_CTEST_STORE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "grainstore.h"
#include "support/sim_machine.h"

/* Fails with the error's own words. */
#define KIT_OK(call)                                            \
  do {                                                          \
    gs_status kit_status = (call);                              \
    if (kit_status != GS_OK) {                                  \
      fail_msg("%s: %s: %s", #call, gs_status_code(kit_status), \
               kit_err.message);                                \
    }                                                           \
  } while (0)

static gs_error kit_err;

/* Small tables and memtables, so that little data makes much structure. */
static inline gs_options
kit_options(void)
{
  gs_options options;
  gs_options_init(&options);
  options.env = sim_machine_env;
  options.memory_bytes = 1 << 20;
  options.memtable_bytes = 16384;
  options.table_bytes = 8192;
  options.block_bytes = 512;
  options.disk_reserve_bytes = 0;
  options.seed = 1;
  return options;
}

static inline gs_store *
kit_open(const gs_options *options)
{
  gs_store *store = NULL;
  KIT_OK(gs_open("/db", options, &store, &kit_err));
  return store;
}

static inline void
kit_close(gs_store *store)
{
  KIT_OK(gs_close(store, &kit_err));
}

static inline uint64_t
kit_put(gs_store *store, const char *key, const char *value)
{
  uint64_t seq = 0;
  KIT_OK(gs_put(store, gs_slice_str(key), gs_slice_str(value), NULL, &seq,
                &kit_err));
  return seq;
}

static inline void
kit_delete(gs_store *store, const char *key)
{
  KIT_OK(gs_delete(store, gs_slice_str(key), NULL, NULL, &kit_err));
}

/* The value as text, "(absent)" where there is none; valid until the next. */
static inline const char *
kit_get_at(gs_store *store, const gs_snapshot *snapshot, const char *key)
{
  static char text[256];
  gs_value value;
  gs_value_init(&value, store);
  gs_status status =
      gs_get(store, snapshot, gs_slice_str(key), &value, &kit_err);
  if (status == GS_ABSENT) {
    snprintf(text, sizeof text, "(absent)");
  } else {
    KIT_OK(status);
    snprintf(text, sizeof text, "%.*s", (int)value.bytes.size,
             (const char *)value.bytes.data);
  }
  gs_value_deinit(&value);
  return text;
}

static inline const char *
kit_get(gs_store *store, const char *key)
{
  return kit_get_at(store, NULL, key);
}

/* Keys "<prefix>NNNN" for the numbers from first to last, with values of their
 * own name and a hundred bytes more. */
static inline void
kit_fill(gs_store *store, const char *prefix, int first, int last)
{
  for (int i = first; i <= last; i++) {
    char key[32];
    char value[160];
    int size = snprintf(key, sizeof key, "%s%04d", prefix, i);
    memset(value, '.', sizeof value);
    memcpy(value, key, (size_t)size);
    KIT_OK(gs_put(store, gs_slice_str(key),
                  gs_slice_of(value, (size_t)size + 100), NULL, NULL,
                  &kit_err));
  }
}

/* Whether a read finds what kit_fill wrote under the number. */
static inline bool
kit_has(gs_store *store, const char *prefix, int number)
{
  char key[32];
  snprintf(key, sizeof key, "%s%04d", prefix, number);
  return strncmp(kit_get(store, key), key, strlen(key)) == 0;
}

static inline gs_stats
kit_stats(gs_store *store)
{
  gs_stats stats;
  gs_get_stats(store, &stats);
  return stats;
}

static inline gs_shape_table
kit_table(const gs_shape *shape, size_t run, size_t index)
{
  gs_shape_table table;
  gs_shape_table_at(shape, run, index, &table);
  return table;
}

/* Does all background work there is. */
static inline void
kit_work(gs_store *store)
{
  bool more = true;
  KIT_OK(gs_step(store, UINT64_MAX, &more, &kit_err));
  assert_false(more);
}

#define KIT_TEST(name)                                      \
  cmocka_unit_test_setup_teardown(name, sim_machine_set_up, \
                                  sim_machine_tear_down)

#endif
