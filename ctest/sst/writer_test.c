/*
 * Tests of the table writer: its exact bytes, what it refuses, that sizes come
 * true, and that nothing is left behind when memory or disk give out.
 */
#include <errno.h>

#include "sst/format.h"
#include "sst/sst_kit.h"
#include "support/sim_machine.h"
#include "support/temp_dir.h"

/* clang-format off */
static const uint8_t golden[] = {
    /* header: magic, format, features, id, salt, checksum */
    0x47, 0x72, 0x61, 0x69, 0x6e, 0x54, 0x61, 0x62, 0x01, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x17, 0x5a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1a, 0xba, 0xd2, 0x7a,
    0xa3, 0x83, 0xb2, 0x33,
    /* block: head of it, heads, offsets, prefix */
    0x60, 0x00, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x0c, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x65,
    0x00, 0x00, 0x00, 0x65, 0x00, 0x65, 0x6c, 0x70, 0x0a, 0x00, 0x0e, 0x00,
    0x12, 0x00, 0x61, 0x70,
    /* ape@12 */
    0x01, 0x03, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x61, 0x70, 0x65, 0x79,
    0x65, 0x73, 0x00, 0x00,
    /* ape@3, older */
    0x41, 0x02, 0x03, 0x00, 0xf7, 0xff, 0xff, 0xff, 0x61, 0x70, 0x65, 0x6e,
    0x6f, 0x00, 0x00, 0x00,
    /* apple@7, a tombstone */
    0x02, 0x00, 0x05, 0x00, 0xfb, 0xff, 0xff, 0xff, 0x61, 0x70, 0x70, 0x6c,
    0x65, 0x00, 0x00, 0x00,
    /* the block's checksum */
    0xe2, 0x02, 0x26, 0x5d, 0x52, 0xd5, 0x8a, 0xb6,
    /* point index: one bucket */
    0xae, 0xc9, 0x00, 0x8a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x02, 0x0a, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00,
    /* fences: prefix ape, one block */
    0x03, 0x00, 0x61, 0x70, 0x65, 0x60, 0x00, 0x00, 0x00, 0x00, 0x00,
    /* properties */
    0x01, 0x00, 0x08, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x02, 0x00, 0x08, 0x00, 0x00, 0x00, 0x2b, 0x02, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x08, 0x00, 0x00, 0x00,
    0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x08, 0x00,
    0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06, 0x00,
    0x08, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x07, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x08, 0x00, 0x00, 0x00, 0x03, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x08, 0x00, 0x00, 0x00,
    0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x00, 0x08, 0x00,
    0x00, 0x00, 0xe8, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x00,
    0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x0d, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x0e, 0x00, 0x08, 0x00, 0x00, 0x00, 0x84, 0x03, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x0f, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x61, 0x70, 0x65, 0x11, 0x00, 0x05, 0x00, 0x00, 0x00, 0x61, 0x70, 0x70,
    0x6c, 0x65, 0x00, 0x00,
    /* footer: parts, numbers, magic, checksum */
    0x88, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x11, 0xab, 0x53, 0x4e, 0xfa, 0x62, 0xde, 0x76,
    0xc8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x75, 0x2a, 0x1c, 0x68, 0x1d, 0xe0, 0x3b, 0x63,
    0xd3, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe8, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x27, 0x28, 0x23, 0x25, 0x93, 0x78, 0xee, 0x09,
    0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x54, 0x61, 0x62, 0x47, 0x72, 0x61, 0x69, 0x6e, 0x26, 0x04, 0xe1, 0x07,
    0x88, 0xbe, 0x87, 0x9f,
};
/* clang-format on */

static gs_table_writer *
start(const gs_table_writer_options *options)
{
  gs_table_writer *writer = NULL;
  gs_error err;
  KIT_OK(gs_table_writer_new(sim_machine_env, options, &writer, &err), &err);
  return writer;
}

static gs_status
add(gs_table_writer *writer, const char *key, uint64_t seq)
{
  gs_entry entry = {.key = gs_slice_str(key), .seq = seq, .kind = GS_KIND_PUT};
  return gs_table_writer_add(writer, &entry, NULL);
}

static bool
exists(const char *path)
{
  gs_file_info info;
  return gs_env_stat(sim_machine_env, path, &info, NULL) == GS_OK;
}

static void
test_a_small_table_has_these_bytes(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "ape", 12, "yes");
  kit_entries_put(&entries, "ape", 3, "no");
  gs_entry tombstone = {
      .key = gs_slice_str("apple"), .seq = 7, .kind = GS_KIND_DELETE};
  kit_entries_add(&entries, &tombstone);
  gs_table_writer_options options = kit_options("/t");
  gs_alloc *alloc = sim_machine_env->alloc;
  gs_buffer keys;
  gs_buffer bytes;
  gs_buffer_init(&keys, alloc);
  gs_buffer_init(&bytes, alloc);
  gs_table_meta meta;
  gs_error err;
  KIT_OK(kit_write(sim_machine_env, &options, &entries, &meta, &keys, &err),
         &err);
  gs_file *file = sim_machine_open("/t", GS_OPEN_READ);
  KIT_OK(gs_file_read_all(file, &bytes, &err), &err);
  sim_machine_close(file);
  assert_int_equal(bytes.size, sizeof golden);
  assert_memory_equal(bytes.data, golden, sizeof golden);
  gs_buffer_deinit(&bytes);
  gs_buffer_deinit(&keys);
  kit_entries_free(&entries);
}

static void
test_the_metadata_tells_what_was_added(void **state)
{
  (void)state;
  kit_entries entries = {.count = 0};
  kit_entries_put(&entries, "ape", 12, "yes");
  kit_entries_put(&entries, "ape", 3, "no");
  kit_entries_put(&entries, "bee", 5, "");
  gs_table_writer_options options = kit_options("/t");
  gs_table_meta meta;
  gs_buffer keys;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  gs_buffer_append(&keys, "before", 6);
  gs_error err;
  KIT_OK(kit_write(sim_machine_env, &options, &entries, &meta, &keys, &err),
         &err);
  assert_int_equal(meta.id, KIT_ID);
  assert_int_equal(meta.entry_count, 3);
  assert_int_equal(meta.key_count, 2);
  assert_int_equal(meta.tombstone_count, 0);
  assert_int_equal(meta.oldest_tombstone_ms, 0);
  assert_int_equal(meta.data_bytes, 14);
  assert_int_equal(meta.min_seq, 3);
  assert_int_equal(meta.max_seq, 12);
  assert_int_equal(meta.created_ms, options.created_ms);
  assert_int_equal(meta.seq_override, 0);
  assert_true(gs_slice_equal(meta.min_key, gs_slice_str("ape")));
  assert_true(gs_slice_equal(meta.max_key, gs_slice_str("bee")));
  assert_ptr_equal(meta.min_key.data, keys.data + 6);
  gs_buffer_deinit(&keys);
  kit_entries_free(&entries);
}

static void
test_entries_out_of_order_are_misuse(void **state)
{
  (void)state;
  static const struct {
    const char *key;
    uint64_t seq;
  } wrong[] = {{"a", 4}, {"b", 5}, {"b", 6}, {"", 1}, {"azzz", 9}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    gs_table_writer_options options = kit_options("/t");
    gs_table_writer *writer = start(&options);
    assert_int_equal(add(writer, "b", 5), GS_OK);
    assert_int_equal(add(writer, wrong[i].key, wrong[i].seq), GS_MISUSE);
    gs_table_writer_abandon(writer);
  }
}

static void
test_what_is_no_entry_is_refused(void **state)
{
  (void)state;
  static uint8_t large[GS_KEY_MAX_BYTES + 1];
  gs_entry put = {.key = gs_slice_str("k"), .seq = 1, .kind = GS_KIND_PUT};
  gs_entry long_key = put;
  long_key.key = gs_slice_of(large, sizeof large);
  gs_entry long_value = put;
  long_value.value = gs_slice_of(large, (size_t)GS_VALUE_MAX_BYTES + 1);
  gs_entry no_kind = put;
  no_kind.kind = (gs_kind)3;
  gs_entry high_seq = put;
  high_seq.seq = GS_SEQ_MAX + 1;
  gs_entry with_value = put;
  with_value.kind = GS_KIND_DELETE;
  with_value.value = gs_slice_str("v");
  gs_entry with_expiry = put;
  with_expiry.kind = GS_KIND_DELETE;
  with_expiry.expires_at_ms = 1;
  const struct {
    gs_entry *entry;
    gs_status status;
  } wrong[] = {{&long_key, GS_TOOLARGE}, {&long_value, GS_TOOLARGE},
               {&no_kind, GS_MISUSE},    {&high_seq, GS_MISUSE},
               {&with_value, GS_MISUSE}, {&with_expiry, GS_MISUSE}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    gs_table_writer_options options = kit_options("/t");
    gs_table_writer *writer = start(&options);
    assert_int_equal(gs_table_writer_add(writer, wrong[i].entry, NULL),
                     wrong[i].status);
    gs_table_writer_abandon(writer);
  }
}

static void
test_block_sizes_out_of_range_are_misuse(void **state)
{
  (void)state;
  static const uint32_t wrong[] = {1, 255, 65537, UINT32_MAX};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    gs_table_writer_options options = kit_options("/t");
    options.block_bytes = wrong[i];
    gs_table_writer *writer = NULL;
    assert_int_equal(
        gs_table_writer_new(sim_machine_env, &options, &writer, NULL),
        GS_MISUSE);
    assert_null(writer);
    assert_false(exists("/t"));
  }
}

static void
test_a_table_without_entries_is_misuse(void **state)
{
  (void)state;
  gs_table_writer_options options = kit_options("/t");
  gs_table_writer *writer = start(&options);
  gs_buffer keys;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  gs_table_meta meta;
  assert_int_equal(gs_table_writer_entry_count(writer), 0);
  assert_int_equal(gs_table_writer_finish(writer, &meta, &keys, NULL),
                   GS_MISUSE);
  gs_table_writer_abandon(writer);
  gs_buffer_deinit(&keys);
}

static void
test_abandoning_removes_the_file(void **state)
{
  (void)state;
  gs_table_writer_options options = kit_options("/t");
  gs_table_writer *writer = start(&options);
  assert_int_equal(add(writer, "b", 5), GS_OK);
  assert_true(exists("/t"));
  gs_table_writer_abandon(writer);
  assert_false(exists("/t"));
  gs_table_writer_abandon(NULL);
}

static void
test_a_file_that_exists_is_left_alone(void **state)
{
  (void)state;
  sim_machine_make("/t", "precious");
  gs_table_writer_options options = kit_options("/t");
  gs_table_writer *writer = NULL;
  assert_int_equal(
      gs_table_writer_new(sim_machine_env, &options, &writer, NULL), GS_EXISTS);
  assert_string_equal(sim_machine_text(sim_machine, "/t"), "precious");
}

/* The size told before the end against that of the file. */
static void
check_size(uint64_t seed, size_t key_count)
{
  kit_taste taste = {.seed = seed,
                     .key_count = key_count,
                     .max_versions = 3,
                     .max_value = seed % 2 == 0 ? 20 : 700,
                     .max_seq_jump = 3};
  kit_entries entries = kit_entries_random(&taste);
  gs_table_writer_options options = kit_options("/t");
  options.has_point_index = seed % 3 != 0;
  gs_table_writer *writer = start(&options);
  gs_error err;
  for (size_t i = 0; i < entries.count; i++) {
    KIT_OK(gs_table_writer_add(writer, &entries.list[i], &err), &err);
    assert_int_equal(gs_table_writer_entry_count(writer), i + 1);
  }
  uint64_t told = gs_table_writer_bytes(writer);
  gs_buffer keys;
  gs_buffer_init(&keys, sim_machine_env->alloc);
  gs_table_meta meta;
  KIT_OK(gs_table_writer_finish(writer, &meta, &keys, &err), &err);
  gs_file_info info;
  KIT_OK(gs_env_stat(sim_machine_env, "/t", &info, &err), &err);
  assert_int_equal(meta.file_bytes, told);
  assert_int_equal(info.size_bytes, told);
  KIT_OK(gs_env_remove(sim_machine_env, "/t", &err), &err);
  gs_buffer_deinit(&keys);
  kit_entries_free(&entries);
}

static void
test_the_size_told_is_the_size_of_the_file(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    check_size(seed, 1 + (size_t)seed * 7 % 100);
  }
}

static void
test_the_size_told_rises_with_each_key(void **state)
{
  (void)state;
  gs_table_writer_options options = kit_options("/t");
  gs_table_writer *writer = start(&options);
  uint64_t before = 0;
  for (uint32_t i = 0; i < 300; i++) {
    uint8_t key[4];
    uint32_t big = __builtin_bswap32(i);
    memcpy(key, &big, sizeof key);
    gs_entry entry = {
        .key = gs_slice_of(key, sizeof key), .seq = 1 + i, .kind = GS_KIND_PUT};
    assert_int_equal(gs_table_writer_add(writer, &entry, NULL), GS_OK);
    uint64_t now = gs_table_writer_bytes(writer);
    assert_true(now > before);
    before = now;
  }
  gs_table_writer_abandon(writer);
}

static void
test_a_table_of_small_entries_is_at_most_a_quarter_larger_than_they(
    void **state)
{
  (void)state;
  gs_table_writer_options options = kit_options("/t");
  options.block_bytes = 0;
  gs_table_writer *writer = start(&options);
  static const uint8_t value[100] = {1};
  enum { COUNT = 5000 };
  uint64_t random = 1;
  for (uint64_t i = 0; i < COUNT; i++) {
    uint64_t key[2] = {__builtin_bswap64(i), kit_random(&random)};
    gs_entry entry = {.key = gs_slice_of(key, sizeof key),
                      .value = gs_slice_of(value, sizeof value),
                      .seq = 1 + i,
                      .kind = GS_KIND_PUT};
    assert_int_equal(gs_table_writer_add(writer, &entry, NULL), GS_OK);
  }
  assert_true(gs_table_writer_bytes(writer) * 4 < COUNT * UINT64_C(116) * 5);
  gs_table_writer_abandon(writer);
}

/* ---- a full table -------------------------------------------------------- */

enum { BIG_BLOCK = 32772, BIG_VALUE = 16400, BLOCK_LIMIT = 1 << 12 };

static gs_status
add_big(gs_table_writer *writer, uint32_t number, uint64_t seq)
{
  static const uint8_t value[BIG_VALUE] = {1};
  uint32_t key = __builtin_bswap32(number);
  gs_entry entry = {.key = gs_slice_of(&key, sizeof key),
                    .value = gs_slice_of(value, sizeof value),
                    .seq = seq,
                    .kind = GS_KIND_PUT};
  return gs_table_writer_add(writer, &entry, NULL);
}

static void
test_a_full_table_takes_versions_but_no_more_keys(void **state)
{
  (void)state;
  temp_dir dir;
  temp_dir_make(&dir);
  gs_table_writer_options options = kit_options(temp_dir_at(&dir, "t"));
  options.block_bytes = BIG_BLOCK;
  gs_table_writer *writer = NULL;
  gs_error err;
  KIT_OK(gs_table_writer_new(gs_env_posix(), &options, &writer, &err), &err);
  uint32_t number = 0;
  while (!gs_table_writer_is_full(writer)) {
    assert_int_equal(add_big(writer, ++number, 100), GS_OK);
  }
  assert_int_equal(number, BLOCK_LIMIT - 1);
  assert_int_equal(add_big(writer, number, 99), GS_OK);
  assert_int_equal(add_big(writer, number, 98), GS_OK);
  assert_int_equal(add_big(writer, number + 1, 100), GS_LIMIT);
  gs_table_writer_abandon(writer);
  temp_dir_remove(&dir);
}

/* ---- sweeps -------------------------------------------------------------- */

static kit_entries
sweep_entries(void)
{
  kit_taste taste = {.seed = 3,
                     .key_count = 40,
                     .max_versions = 2,
                     .max_value = 200,
                     .max_seq_jump = 3};
  return kit_entries_random(&taste);
}

static void
test_every_allocation_that_fails_is_told_and_leaves_nothing(void **state)
{
  (void)state;
  kit_entries entries = sweep_entries();
  gs_table_writer_options options = kit_options("/t");
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_table_meta meta;
    gs_buffer keys;
    gs_buffer_init(&keys, sim_machine_env->alloc);
    uint64_t before = gs_sim_allocated_bytes(sim_machine);
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = kit_write(sim_machine_env, &options, &entries, &meta, &keys, NULL);
    assert_true(status == GS_OK || status == GS_NOMEM);
    assert_true(nth > 20 || status == GS_NOMEM);
    if (status != GS_OK) {
      assert_false(exists("/t"));
      gs_buffer_deinit(&keys);
      assert_int_equal(gs_sim_allocated_bytes(sim_machine), before);
    } else {
      gs_buffer_deinit(&keys);
    }
  }
  gs_sim_fail_alloc(sim_machine, 0, 1);
  kit_entries_free(&entries);
}

static void
fail_each(gs_sim_op op, int os_errno, gs_status wanted)
{
  kit_entries entries = sweep_entries();
  gs_table_writer_options options = kit_options("/t");
  gs_status status = wanted;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    sim_machine_fail(op, nth, os_errno);
    gs_table_meta meta;
    gs_buffer keys;
    gs_buffer_init(&keys, sim_machine_env->alloc);
    status = kit_write(sim_machine_env, &options, &entries, &meta, &keys, NULL);
    gs_sim_heal(sim_machine);
    assert_true(status == GS_OK || status == wanted);
    assert_true(nth > 1 || status == wanted);
    assert_int_equal(exists("/t"), status == GS_OK);
    gs_buffer_deinit(&keys);
  }
  gs_error err;
  KIT_OK(gs_env_remove(sim_machine_env, "/t", &err), &err);
  kit_entries_free(&entries);
}

static void
test_every_file_operation_that_fails_is_told_and_leaves_no_file(void **state)
{
  (void)state;
  fail_each(GS_SIM_OPEN, EIO, GS_IO);
  fail_each(GS_SIM_WRITE, EIO, GS_IO);
  fail_each(GS_SIM_WRITE, ENOSPC, GS_FULL);
  fail_each(GS_SIM_SYNC, EIO, GS_IO);
}

static void
test_a_finished_table_survives_a_power_cut_with_its_name(void **state)
{
  (void)state;
  kit_entries entries = sweep_entries();
  gs_table_writer_options options = kit_options("/t");
  kit_table kit;
  kit_table_start(&kit, sim_machine_env, KIT_CACHE_BYTES);
  gs_error err;
  KIT_OK(kit_write(sim_machine_env, &options, &entries, &kit.meta, &kit.keys,
                   &err),
         &err);
  sim_machine_sync_dir("/");
  gs_sim *after = gs_sim_crash(sim_machine, GS_CRASH_SYNCED, 0);
  assert_non_null(after);
  gs_file_info info;
  KIT_OK(gs_env_stat(gs_sim_env(after), "/t", &info, &err), &err);
  assert_int_equal(info.size_bytes, kit.meta.file_bytes);
  gs_sim_free(after);
  kit_table_end(&kit);
  kit_entries_free(&entries);
}

#define ON_SIM(test)                                        \
  cmocka_unit_test_setup_teardown(test, sim_machine_set_up, \
                                  sim_machine_tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      ON_SIM(test_a_small_table_has_these_bytes),
      ON_SIM(test_the_metadata_tells_what_was_added),
      ON_SIM(test_entries_out_of_order_are_misuse),
      ON_SIM(test_what_is_no_entry_is_refused),
      ON_SIM(test_block_sizes_out_of_range_are_misuse),
      ON_SIM(test_a_table_without_entries_is_misuse),
      ON_SIM(test_abandoning_removes_the_file),
      ON_SIM(test_a_file_that_exists_is_left_alone),
      ON_SIM(test_the_size_told_is_the_size_of_the_file),
      ON_SIM(test_the_size_told_rises_with_each_key),
      ON_SIM(
          test_a_table_of_small_entries_is_at_most_a_quarter_larger_than_they),
      cmocka_unit_test(test_a_full_table_takes_versions_but_no_more_keys),
      ON_SIM(test_every_file_operation_that_fails_is_told_and_leaves_no_file),
      ON_SIM(test_a_finished_table_survives_a_power_cut_with_its_name),
  };
  const struct CMUnitTest packed_too[] = {
      ON_SIM(test_every_allocation_that_fails_is_told_and_leaves_nothing),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  for (int codec = 0; codec < GS_CODECS; codec++) {
    kit_codec = (gs_codec)codec;
    failed += cmocka_run_group_tests(packed_too, NULL, NULL);
  }
  return failed;
}
