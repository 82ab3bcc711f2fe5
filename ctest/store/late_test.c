/*
 * Files that are newer than the manifest: a manifest cut off at any length is
 * refused, and nothing that a crash leaves is taken for such a file.
 */
#include "store/late.h"

#include "store_kit.h"

#include "code/fixed.h"
#include "sst/footer.h"
#include "wal/frame.h"

static gs_options
options_of(gs_durability durability)
{
  gs_options options = kit_options();
  options.durability = durability;
  options.has_policy = true;
  return options;
}

/* ---- cut manifests ---------------------------------------------------------- */

static void
read_file(const char *path, gs_buffer *out)
{
  gs_buffer_init(out, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(sim_machine, path, out, &kit_err));
}

/* The process is killed; what it had written is there. */
static void
kill_process(gs_store *store, gs_options *options)
{
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options->env = sim_machine_env;
}

/* Where the frame with this number ends, the base being 1. */
static size_t
frame_end(const gs_buffer *manifest, int number)
{
  size_t at = GS_LOG_HEADER_BYTES;
  for (int i = 0; i < number; i++) {
    at += (size_t)gs_frame_bytes(gs_get_u32(manifest->data + at + 4));
    assert_true(at <= manifest->size);
  }
  return at;
}

/* A store with tables of an earlier opening, and one that wrote ten keys. */
static void
make_store(gs_durability durability)
{
  gs_options options = options_of(durability);
  gs_store *store = kit_open(&options);
  kit_fill(store, "a", 1, 60);
  kit_close(store);
  store = kit_open(&options);
  kit_fill(store, "b", 1, 10);
  kit_close(store);
}

static void
refuse_cuts(gs_durability durability, int frames)
{
  static const char path[] = "/db/MANIFEST-000002";
  gs_options options = options_of(durability);
  gs_buffer whole;
  make_store(durability);
  read_file(path, &whole);
  /* The last frame is a mark, which nobody misses. */
  size_t end = frames == 0 ? whole.size - GS_FRAME_HEADER_BYTES
                           : frame_end(&whole, frames);
  for (size_t size = 0; size < end; size += 4) {
    gs_store *store = NULL;
    KIT_OK(gs_sim_replace(sim_machine, path, gs_slice_of(whole.data, size),
                          &kit_err));
    if (gs_open("/db", &options, &store, &kit_err) != GS_CORRUPT) {
      fail_msg("cut to %zu of %zu bytes: %s", size, whole.size,
               store == NULL ? kit_err.message : "opened");
    }
    if (size >= frame_end(&whole, 1) && size < frame_end(&whole, 2)) {
      assert_string_equal(kit_err.path, path);
      assert_true(kit_err.hint[0] != '\0');
    }
  }
  KIT_OK(gs_sim_replace(sim_machine, path, gs_buffer_slice(&whole), &kit_err));
  gs_store *store = kit_open(&options);
  for (int i = 1; i <= 60; i++) {
    assert_true(kit_has(store, "a", i));
  }
  for (int i = 1; i <= 10; i++) {
    assert_true(kit_has(store, "b", i));
  }
  kit_close(store);
  gs_buffer_deinit(&whole);
}

static void
test_a_manifest_cut_at_any_length_is_refused(void **state)
{
  (void)state;
  refuse_cuts(GS_DURABILITY_BATCH, 0);
}

static void
test_without_a_log_one_cut_back_to_its_clean_base_is_refused(void **state)
{
  (void)state;
  refuse_cuts(GS_DURABILITY_MEMORY, 2);
}

static void
test_a_cut_creation_is_refused_where_tables_came_later(void **state)
{
  (void)state;
  static const char path[] = "/db/MANIFEST-000001";
  gs_options options = options_of(GS_DURABILITY_BATCH);
  gs_buffer whole;
  gs_store *store = kit_open(&options);
  kit_fill(store, "a", 1, 60);
  kit_close(store);
  read_file(path, &whole);
  KIT_OK(gs_sim_replace(sim_machine, path,
                        gs_slice_of(whole.data, frame_end(&whole, 1)),
                        &kit_err));
  assert_int_equal(gs_open("/db", &options, &store, &kit_err), GS_CORRUPT);
  assert_string_equal(kit_err.path, path);
  assert_non_null(strstr(kit_err.hint, "repair"));
  gs_buffer_deinit(&whole);
}

/* A segment that was started shows it also behind an edit of a running store. */
static void
test_a_segment_that_no_edit_lists_any_more_refuses(void **state)
{
  (void)state;
  static const char path[] = "/db/MANIFEST-000001";
  gs_options options = options_of(GS_DURABILITY_OS);
  gs_buffer whole;
  gs_store *store = kit_open(&options);
  kit_put(store, "a", "1");
  KIT_OK(gs_sync(store, &kit_err));
  kill_process(store, &options);
  read_file(path, &whole);
  KIT_OK(gs_sim_replace(sim_machine, path,
                        gs_slice_of(whole.data, frame_end(&whole, 1)),
                        &kit_err));
  assert_int_equal(gs_open("/db", &options, &store, &kit_err), GS_CORRUPT);
  assert_string_equal(kit_err.path, path);
  gs_buffer_deinit(&whole);
}

/* ---- single files ----------------------------------------------------------- */

static gs_store_facts
make_facts(bool is_clean)
{
  gs_store_facts facts = {.salt = 77, .next_id = 5, .is_clean = is_clean};
  memset(facts.store_id.bytes, 3, sizeof facts.store_id.bytes);
  return facts;
}

static void
put_table(const char *path, uint64_t id, uint64_t salt)
{
  uint8_t bytes[GS_TABLE_HEADER_BYTES];
  gs_table_header header = {.id = id, .salt = salt};
  gs_table_header_encode(&header, bytes);
  KIT_OK(gs_sim_replace(sim_machine, path, gs_slice_of(bytes, sizeof bytes),
                        &kit_err));
}

static void
put_segment(const char *path, const gs_log_header *header)
{
  uint8_t page[GS_LOG_HEADER_BYTES];
  GS_IGNORE(gs_log_header_encode(header, page) == 0, "the link is not needed");
  KIT_OK(gs_sim_replace(sim_machine, path, gs_slice_of(page, sizeof page),
                        &kit_err));
}

static void
expect_late(bool is_clean, const char *name)
{
  gs_store_facts facts = make_facts(is_clean);
  gs_buffer late;
  gs_buffer_init(&late, sim_machine_env->alloc);
  KIT_OK(gs_late_find(sim_machine_env, "/db", &facts, &late, &kit_err));
  assert_string_equal(late.size == 0 ? "" : (const char *)late.data, name);
  gs_buffer_deinit(&late);
}

static void
test_a_table_counts_behind_the_clean_mark_by_number_salt_and_name(void **state)
{
  (void)state;
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  put_table("/db/000004.sst", 4, 77);
  put_table("/db/000007.sst", 6, 77);
  put_table("/db/000008.sst", 8, 78);
  KIT_OK(gs_sim_replace(sim_machine, "/db/000009.sst", gs_slice_str("torn"),
                        &kit_err));
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db/000010.sst", &kit_err));
  expect_late(true, "");
  put_table("/db/000005.sst", 5, 77);
  expect_late(true, "000005.sst");
  expect_late(false, "");
}

static void
test_a_segment_counts_once_it_has_a_header_page_of_the_store(void **state)
{
  (void)state;
  gs_store_facts facts = make_facts(false);
  gs_log_header header = {
      .kind = GS_LOG_WAL, .store_id = facts.store_id, .number = 6, .salt = 9};
  uint8_t zeros[GS_LOG_HEADER_BYTES] = {0};
  KIT_OK(gs_env_make_dir(sim_machine_env, "/db", &kit_err));
  KIT_OK(gs_sim_replace(sim_machine, "/db/000006.wal",
                        gs_slice_of(zeros, sizeof zeros), &kit_err));
  put_segment("/db/000007.wal", &header);
  header.number = 4;
  put_segment("/db/000004.wal", &header);
  header.number = 8;
  header.store_id.bytes[0] = 0;
  put_segment("/db/000008.wal", &header);
  expect_late(false, "");
  header.number = 6;
  header.store_id = facts.store_id;
  put_segment("/db/000006.wal", &header);
  expect_late(false, "000006.wal");
  expect_late(true, "000006.wal");
}

/* ---- no false alarm --------------------------------------------------------- */

/* An opening that writes tables and ends. */
static gs_status
live(gs_store *store)
{
  gs_status status = gs_compact(store, NULL, &kit_err);
  if (status == GS_OK) {
    status = gs_put(store, gs_slice_str("c"), gs_slice_str("1"), NULL, NULL,
                    &kit_err);
  }
  if (status == GS_OK) {
    status = gs_flush(store, &kit_err);
  }
  gs_status closed = gs_close(store, &kit_err);
  return status == GS_OK ? closed : status;
}

static void
expect_all(const gs_sim *sim, gs_options options, uint64_t choice)
{
  gs_crash_model model = choice == 0   ? GS_CRASH_KILL
                         : choice == 1 ? GS_CRASH_SYNCED
                                       : GS_CRASH_OBJECT;
  gs_sim *copy = gs_sim_crash(sim, model, choice);
  options.env = gs_sim_env(copy);
  gs_store *store = kit_open(&options);
  assert_true(kit_has(store, "a", 60));
  assert_true(kit_has(store, "b", 10));
  kit_close(store);
  gs_sim_free(copy);
}

static void
test_an_opening_cut_short_at_any_operation_raises_no_alarm(void **state)
{
  (void)state;
  static const gs_durability modes[] = {GS_DURABILITY_MEMORY, GS_DURABILITY_OS};
  for (size_t mode = 0; mode < 2; mode++) {
    gs_options options = options_of(modes[mode]);
    sim_machine_become(gs_sim_new(1));
    options.env = sim_machine_env;
    make_store(modes[mode]);
    gs_sim *base = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
    gs_status status = GS_IO;
    for (uint64_t nth = 1; status != GS_OK; nth++) {
      sim_machine_become(gs_sim_crash(base, GS_CRASH_KILL, 0));
      options.env = sim_machine_env;
      gs_store *store = kit_open(&options);
      gs_sim_fault fault = {
          .op = GS_SIM_ANY, .nth = nth, .os_errno = 5, .times = 0};
      KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
      status = live(store);
      gs_sim_heal(sim_machine);
      for (uint64_t choice = 0; choice < 6; choice++) {
        expect_all(sim_machine, options, choice);
      }
    }
    gs_sim_free(base);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_a_manifest_cut_at_any_length_is_refused),
      KIT_TEST(test_without_a_log_one_cut_back_to_its_clean_base_is_refused),
      KIT_TEST(test_a_cut_creation_is_refused_where_tables_came_later),
      KIT_TEST(test_a_segment_that_no_edit_lists_any_more_refuses),
      KIT_TEST(
          test_a_table_counts_behind_the_clean_mark_by_number_salt_and_name),
      KIT_TEST(test_a_segment_counts_once_it_has_a_header_page_of_the_store),
      KIT_TEST(test_an_opening_cut_short_at_any_operation_raises_no_alarm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
