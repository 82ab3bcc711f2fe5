/*
 * Tests of a table in words.
 */
#include "sst/sst_kit.h"
#include "support/sim_machine.h"

static const char wanted_head[] =
    "table 7: 560 bytes\n"
    "entries 3 keys 2 tombstones 1 expiring 0 data 17\n"
    "seq 3..12\n"
    "keys ape\\x20\\x40..apple\\xff\n"
    "blocks 1 of 256\n"
    "index at 136 size 64\n"
    "fences at 200 size 13\n"
    "properties at 213 size 235\n"
    "block 0 at 40 size 96 ape\\x20\\x40\n";

static const char wanted_entries[] = "ape\\x20\\x40@12:put\n"
                                     "ape\\x20\\x40@3:put\n"
                                     "apple\\xff@7:del\n";

static void
assert_dump(kit_table *kit, bool with_entries)
{
  gs_buffer out;
  gs_buffer_init(&out, kit->env->alloc);
  gs_error err;
  KIT_OK(gs_table_dump(kit->table, with_entries, &out, &err), &err);
  gs_buffer_append_zeros(&out, 1);
  char wanted[1000] = "";
  strcat(wanted, wanted_head);
  strcat(wanted, with_entries ? wanted_entries : "");
  assert_string_equal((const char *)out.data, wanted);
  gs_buffer_deinit(&out);
}

static void
make(kit_table *kit)
{
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "ape @", 12, "y");
  kit_entries_put(&entries, "ape @", 3, "");
  gs_entry tombstone = {
      .key = gs_slice_str("apple\xff"), .seq = 7, .kind = GS_KIND_DELETE};
  kit_entries_add(&entries, &tombstone);
  gs_table_writer_options options = kit_options("/t");
  kit_table_make(kit, sim_machine_env, &options, &entries);
  kit_entries_free(&entries);
}

static void
test_a_dump_tells_parts_fences_and_entries(void **state)
{
  (void)state;
  kit_table kit;
  make(&kit);
  assert_dump(&kit, false);
  assert_dump(&kit, true);
  kit_table_end(&kit);
}

static void
test_a_dump_tells_the_codec(void **state)
{
  (void)state;
  kit_codec = GS_CODEC_ZSTD;
  kit_table kit;
  make(&kit);
  kit_codec = GS_CODEC_NONE;
  gs_buffer out;
  gs_error err;
  gs_buffer_init(&out, kit.env->alloc);
  KIT_OK(gs_table_dump(kit.table, false, &out, &err), &err);
  gs_buffer_append_zeros(&out, 1);
  assert_non_null(
      strstr((const char *)out.data, "blocks 1 of 256 packed by zstd\n"));
  gs_buffer_deinit(&out);
  kit_table_end(&kit);
}

static void
test_a_dump_without_memory_says_so(void **state)
{
  (void)state;
  kit_table kit;
  make(&kit);
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_buffer out;
    gs_buffer_init(&out, kit.env->alloc);
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_table_dump(kit.table, true, &out, NULL);
    assert_true(status == GS_OK || status == GS_NOMEM);
    assert_true(nth > 3 || status == GS_NOMEM);
    gs_buffer_deinit(&out);
  }
  gs_sim_fail_alloc(sim_machine, 0, 1);
  kit_table_end(&kit);
}

#define ON_SIM(test)                                        \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ON_SIM(test_a_dump_tells_parts_fences_and_entries),
      ON_SIM(test_a_dump_tells_the_codec),
      ON_SIM(test_a_dump_without_memory_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
