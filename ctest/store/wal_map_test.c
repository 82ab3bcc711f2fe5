/*
 * What of the log a process has mapped, on a real file system.
 */
#include "store_kit.h"

#include <stdio.h>

#include "store/store.h"
#include "support/temp_test.h"

/* Segments that are mapped, and KiB of them that are present. */
static void
look(size_t *segments, unsigned *kib)
{
  char line[1024];
  bool is_segment = false;
  FILE *maps = fopen("/proc/self/smaps", "r");
  assert_non_null(maps);
  *segments = 0;
  *kib = 0;
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned present;
    if (strstr(line, dir.path) != NULL) {
      is_segment = strstr(line, ".wal") != NULL;
      *segments += is_segment;
    } else if (is_segment && sscanf(line, "Rss: %u", &present) == 1) {
      *kib += present;
      is_segment = false;
    }
  }
  fclose(maps);
}

static gs_store *
open_real(void)
{
  gs_store *store = NULL;
  gs_options options;
  char path[sizeof dir.path + 4];
  gs_options_init(&options);
  options.threads = 0;
  options.wal_batch_ms = 60000;
  options.wal_batch_bytes = 1 << 30;
  snprintf(path, sizeof path, "%s/db", dir.path);
  KIT_OK(gs_open(path, &options, &store, &kit_err));
  return store;
}

static void
fill(gs_store *store, int megabytes)
{
  static const uint8_t value[1024];
  for (int i = 0; i < megabytes * 1024; i++) {
    KIT_OK(gs_put(store, gs_slice_str("k"), gs_slice_of(value, sizeof value),
                  NULL, NULL, &kit_err));
  }
}

static void
test_a_sync_leaves_what_is_still_to_be_written_mapped(void **state)
{
  (void)state;
  size_t before;
  size_t after;
  unsigned kib;
  gs_store *store = open_real();
  fill(store, 12); /* the fourth segment, of 16 MiB */
  look(&before, &kib);
  assert_in_range(kib, 8 * 1024, 32 * 1024);
  KIT_OK(gs_sync(store, &kit_err));
  look(&after, &kib);
  assert_int_equal(before, 4);
  assert_int_equal(after, 1);
  assert_in_range(kib, 0, 4 * 1024 + 64);
  fill(store, 3);
  KIT_OK(gs_sync(store, &kit_err));
  look(&after, &kib);
  assert_int_equal(after, 1);
  assert_in_range(kib, 0, 4 * 1024 + 64);
  KIT_OK(gs_close(store, &kit_err));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          test_a_sync_leaves_what_is_still_to_be_written_mapped, set_up,
          tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
