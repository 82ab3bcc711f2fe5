/*
 * A repaired store holds what verifies, nothing else, and says what is missing;
 * the original stays as it is, byte for byte.
 */
#include "care_kit.h"
#include "support/family.h"

static uint64_t states;
static uint64_t saved_whole;

/* ---- looking at a repair --------------------------------------------------------- */

static bool
covers(const gs_loss *loss, int key, uint64_t seq)
{
  char name[16];
  snprintf(name, sizeof name, "key%03d", key);
  gs_slice k = gs_slice_str(name);
  return gs_slice_compare(loss->from, k) <= 0 &&
         (!loss->has_to || gs_slice_compare(k, loss->to) < 0) &&
         seq <= loss->last_seq;
}

/* Whether some loss says that the write may be missing. */
static bool
is_lost(const gs_repair_report *report, int write)
{
  const care_write *w = &care_writes[write];
  for (size_t i = 0; i < report->loss_count; i++) {
    if (covers(&report->losses[i], w->key, w->seq)) {
      return true;
    }
  }
  return false;
}

/* Every key reads as its newest write, unless a loss speaks of that. Returns
 * how many do not. */
static size_t
check_keys(gs_store *store, const gs_repair_report *report)
{
  size_t wrong = 0;
  size_t stale = 0;
  for (int key = 0; key < CARE_KEYS; key++) {
    int seen = care_seen(store, key);
    if (seen == care_wanted(key)) {
      continue;
    }
    wrong++;
    stale += seen >= 0;
    if (!is_lost(report, care_newest(key))) {
      fail_msg("key %d reads as of write %d, not %d, and no loss says so", key,
               seen, care_newest(key));
    }
  }
  if (stale > report->uncertain_keys) {
    fail_msg("%zu keys are out of date, %llu are said to be uncertain", stale,
             (unsigned long long)report->uncertain_keys);
  }
  return wrong;
}

static void
check_same_report(const gs_repair_report *a, const gs_repair_report *b)
{
  assert_int_equal(a->tables_read, b->tables_read);
  assert_int_equal(a->tables_lost, b->tables_lost);
  assert_int_equal(a->blocks_read, b->blocks_read);
  assert_int_equal(a->blocks_lost, b->blocks_lost);
  assert_int_equal(a->writes_read, b->writes_read);
  assert_int_equal(a->bits_fixed, b->bits_fixed);
  assert_int_equal(a->seqs_lost, b->seqs_lost);
  assert_int_equal(a->entries_found, b->entries_found);
  assert_int_equal(a->entries_saved, b->entries_saved);
  assert_int_equal(a->uncertain_keys, b->uncertain_keys);
  assert_int_equal(a->loss_count, b->loss_count);
  for (size_t i = 0; i < a->loss_count; i++) {
    assert_int_equal(a->losses[i].cause, b->losses[i].cause);
    assert_int_equal(a->losses[i].offset, b->losses[i].offset);
    assert_int_equal(a->losses[i].uncertain_keys, b->losses[i].uncertain_keys);
    assert_string_equal(a->losses[i].name, b->losses[i].name);
  }
}

static void
check_account(const gs_repair_report *r)
{
  assert_int_equal(r->entries_found, r->entries_saved + r->entries_covered +
                                         r->entries_doubled +
                                         r->entries_deleted);
}

/* Repairs /db into /new, dry and wet; returns how many keys do not read as they
 * should. */
static size_t
repair(const char *what, gs_repair_report *report)
{
  gs_repair_report dry;
  gs_repair_options options = {.into = NULL};
  uint64_t before = care_fingerprint("/db");
  gs_status status =
      gs_repair(sim_machine_env, "/db", &options, &dry, &kit_err);
  if (status != GS_OK) {
    fail_msg("%s: dry: %s: %s", what, gs_status_code(status), kit_err.message);
  }
  assert_int_equal(care_list("/new").count, 0);
  options.into = "/new";
  status = gs_repair(sim_machine_env, "/db", &options, report, &kit_err);
  if (status != GS_OK) {
    fail_msg("%s: %s: %s", what, gs_status_code(status), kit_err.message);
  }
  if (care_fingerprint("/db") != before) {
    fail_msg("%s: the original changed", what);
  }
  check_same_report(&dry, report);
  check_account(report);
  gs_repair_report_deinit(&dry);
  gs_verify_report verified;
  status = gs_verify_path(sim_machine_env, "/new", NULL, &verified, &kit_err);
  if (status != GS_OK || verified.torn_count > 0) {
    fail_msg("%s: what was built: %s", what, kit_err.message);
  }
  assert_int_equal(verified.entries, report->entries_saved);
  gs_verify_report_deinit(&verified);
  gs_options open = care_options();
  gs_store *store = NULL;
  KIT_OK(gs_open("/new", &open, &store, &kit_err));
  size_t wrong = check_keys(store, report);
  kit_close(store);
  KIT_OK(gs_destroy(sim_machine_env, "/new", &kit_err));
  states++;
  return wrong;
}

/* ---- damages ----------------------------------------------------------------------- */

static bool
is_live(const char *path)
{
  return !care_ends_with(path, "LOCK") && !care_ends_with(path, "BALLAST");
}

/* Nothing lists the files of a journal. */
static bool
is_listed(const char *path)
{
  return is_live(path) && strstr(path, "JOURNAL") == NULL;
}

/* One wrong bit anywhere takes nothing away. */
static void
flip_every_byte(size_t stride, size_t life)
{
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    for (uint64_t byte = life % stride; byte < files.sizes[i]; byte += stride) {
      char what[96];
      uint64_t bit = byte * 8 + (byte + life) % 8;
      if (!is_live(files.paths[i])) {
        break;
      }
      snprintf(what, sizeof what, "%s byte %llu", files.paths[i],
               (unsigned long long)byte);
      KIT_OK(gs_sim_flip(sim_machine, files.paths[i], bit, &kit_err));
      gs_repair_report report;
      size_t wrong = repair(what, &report);
      if (wrong > 0) {
        fail_msg("%s: %zu keys do not read as they should", what, wrong);
      }
      saved_whole++;
      gs_repair_report_deinit(&report);
      KIT_OK(gs_sim_flip(sim_machine, files.paths[i], bit, &kit_err));
    }
  }
}

static void
test_one_wrong_bit_anywhere_loses_nothing(void **state)
{
  (void)state;
  family_size size = family_size_of(1);
  care_make_killed();
  for (size_t life = 0; life < size.count; life++) {
    flip_every_byte(size.stride, life);
  }
}

static void
damage_pieces(size_t piece, size_t stride)
{
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    for (uint64_t at = 0; at < files.sizes[i]; at += piece * stride) {
      char what[96];
      if (!is_live(files.paths[i])) {
        break;
      }
      gs_buffer sound = care_content(files.paths[i]);
      gs_buffer bytes = care_content(files.paths[i]);
      size_t size = bytes.size - at < piece ? bytes.size - (size_t)at : piece;
      memset(bytes.data + at, 0xA5, size);
      care_put_back(files.paths[i], &bytes);
      snprintf(what, sizeof what, "%s %zu bytes at %llu", files.paths[i], size,
               (unsigned long long)at);
      gs_repair_report report;
      size_t wrong = repair(what, &report);
      /* A block of 256 bytes holds at most 8 rows; a sector meets four. */
      if (care_ends_with(files.paths[i], ".sst") && wrong > 32) {
        fail_msg("%s: %zu keys do not read as they should", what, wrong);
      }
      gs_repair_report_deinit(&report);
      care_put_back(files.paths[i], &sound);
    }
  }
}

static void
test_a_damaged_sector_loses_no_more_than_what_it_held(void **state)
{
  (void)state;
  care_make_killed();
  damage_pieces(512, 1);
}

static void
test_a_file_cut_at_any_length_gives_what_is_left(void **state)
{
  (void)state;
  family_size size = family_size_of(10);
  care_make_killed();
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    size_t stride = 1 + (size_t)(files.sizes[i] / 24) * size.stride / 5;
    for (uint64_t at = 0; is_live(files.paths[i]) && at < files.sizes[i];
         at += stride) {
      char what[96];
      gs_buffer sound = care_content(files.paths[i]);
      KIT_OK(gs_sim_replace(sim_machine, files.paths[i],
                            gs_slice_of(sound.data, (size_t)at), &kit_err));
      snprintf(what, sizeof what, "%s cut to %llu", files.paths[i],
               (unsigned long long)at);
      gs_repair_report report;
      GS_IGNORE(repair(what, &report) > CARE_KEYS, "any number may be lost");
      gs_repair_report_deinit(&report);
      care_put_back(files.paths[i], &sound);
    }
  }
}

static void
test_a_file_that_is_gone_is_a_loss_that_is_told(void **state)
{
  (void)state;
  care_make_killed();
  care_files files = care_list("/db");
  size_t losses = 0;
  for (size_t i = 0; i < files.count; i++) {
    if (!is_listed(files.paths[i])) {
      continue;
    }
    gs_buffer sound = care_content(files.paths[i]);
    KIT_OK(gs_sim_remove(sim_machine, files.paths[i], &kit_err));
    gs_repair_report report;
    size_t wrong = repair(files.paths[i], &report);
    bool is_manifest = strstr(files.paths[i], "MANIFEST") != NULL;
    assert_true(report.loss_count > 0);
    assert_int_equal(report.has_manifest, !is_manifest);
    if (is_manifest) {
      assert_int_equal(wrong, 0);
      assert_int_equal(report.uncertain_keys, report.entries_saved);
    }
    losses += report.loss_count;
    gs_repair_report_deinit(&report);
    care_put_back(files.paths[i], &sound);
  }
  assert_true(losses >= 4);
}

/* ---- particular stores --------------------------------------------------------------- */

static void
test_a_sound_store_is_copied_as_it_is(void **state)
{
  (void)state;
  care_make_killed();
  gs_repair_report report;
  assert_int_equal(repair("nothing", &report), 0);
  assert_int_equal(report.loss_count, 0);
  assert_int_equal(report.uncertain_keys, 0);
  assert_int_equal(report.bits_fixed, 0);
  assert_int_equal(report.found.problem_count, 0);
  assert_int_equal(report.tables_read, 3);
  gs_repair_report_deinit(&report);
}

static void
test_numbers_under_numbers_are_saved_too(void **state)
{
  (void)state;
  gs_options options = care_options();
  options.kind = GS_STORE_U32;
  gs_store *store = kit_open(&options);
  uint8_t k[4];
  uint8_t v[4];
  for (uint32_t i = 0; i < 200; i++) {
    KIT_OK(gs_put(store, gs_key_from_u32(i * 77777, k), gs_value_from_u32(i, v),
                  NULL, NULL, &kit_err));
    if (i == 100) {
      KIT_OK(gs_flush(store, &kit_err));
    }
  }
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
  options.env = sim_machine_env;
  gs_repair_options how = {.into = "/new"};
  gs_repair_report report;
  KIT_OK(gs_repair(sim_machine_env, "/db", &how, &report, &kit_err));
  gs_repair_report_deinit(&report);
  KIT_OK(gs_open("/new", &options, &store, &kit_err));
  uint64_t count = 0;
  gs_range all = {.has_to = false};
  KIT_OK(gs_count(store, NULL, &all, &count, &kit_err));
  assert_int_equal(count, 200);
  gs_value value;
  gs_value_init(&value, store);
  for (uint32_t i = 0; i < 200; i++) {
    KIT_OK(
        gs_get(store, NULL, gs_key_from_u32(i * 77777, k), &value, &kit_err));
    assert_memory_equal(value.bytes.data, gs_value_from_u32(i, v).data, 4);
  }
  gs_value_deinit(&value);
  kit_close(store);
}

static void
remove_manifests(void)
{
  care_files files = care_list("/db");
  for (size_t i = 0; i < files.count; i++) {
    if (strstr(files.paths[i], "MANIFEST") != NULL) {
      KIT_OK(gs_sim_remove(sim_machine, files.paths[i], &kit_err));
    }
  }
}

static void
test_a_kind_that_nothing_tells_has_to_be_given(void **state)
{
  (void)state;
  gs_options options = care_options();
  options.kind = GS_STORE_U32;
  gs_store *store = kit_open(&options);
  uint8_t k[4];
  uint8_t v[4];
  KIT_OK(gs_put(store, gs_key_from_u32(7, k), gs_value_from_u32(9, v), NULL,
                NULL, &kit_err));
  kit_close(store);
  remove_manifests();
  gs_repair_options how = {.into = "/new"};
  gs_repair_report report;
  assert_int_equal(gs_repair(sim_machine_env, "/db", &how, &report, &kit_err),
                   GS_KIND);
  gs_repair_report_deinit(&report);
  assert_int_equal(care_list("/new").count, 0);
  how.kind = GS_STORE_U32;
  KIT_OK(gs_repair(sim_machine_env, "/db", &how, &report, &kit_err));
  gs_repair_report_deinit(&report);
  KIT_OK(gs_open("/new", &options, &store, &kit_err));
  gs_value value;
  gs_value_init(&value, store);
  KIT_OK(gs_get(store, NULL, gs_key_from_u32(7, k), &value, &kit_err));
  assert_int_equal(value.bytes.data[0], 9);
  gs_value_deinit(&value);
  kit_close(store);
}

static void
test_sequence_numbers_go_on_behind_all_that_were_given_out(void **state)
{
  (void)state;
  care_make_killed();
  gs_repair_options how = {.into = "/new"};
  gs_repair_report report;
  KIT_OK(gs_repair(sim_machine_env, "/db", &how, &report, &kit_err));
  gs_options options = care_options();
  gs_store *store = NULL;
  KIT_OK(gs_open("/new", &options, &store, &kit_err));
  assert_true(kit_put(store, "a", "b") > care_writes[care_count - 1].seq);
  assert_true(gs_last_seq(store) > report.last_seq);
  gs_repair_report_deinit(&report);
  kit_close(store);
}

/* ---- refusals -------------------------------------------------------------------------- */

static void
refused(gs_status wanted, const char *into)
{
  gs_repair_options how = {.into = into};
  gs_repair_report report;
  uint64_t before = care_fingerprint("/db");
  assert_int_equal(gs_repair(sim_machine_env, "/db", &how, &report, &kit_err),
                   wanted);
  gs_repair_report_deinit(&report);
  assert_int_equal(care_fingerprint("/db"), before);
}

static void
test_what_is_in_the_way_is_refused(void **state)
{
  (void)state;
  gs_options options = care_options();
  refused(GS_MISSING, "/new");
  gs_store *store = kit_open(&options);
  care_fill(store);
  refused(GS_LOCKED, "/new");
  refused(GS_LOCKED, NULL);
  kit_close(store);
  refused(GS_EXISTS, "/db");
  refused(GS_EXISTS, "/db/inside");
  KIT_OK(gs_env_make_dir(sim_machine_env, "/full", &kit_err));
  sim_machine_make("/full/letter", "dear");
  refused(GS_EXISTS, "/full");
  assert_string_equal(sim_machine_text(sim_machine, "/full/letter"), "dear");
}

static gs_status
stop_at(void *context, uint64_t done, uint64_t total, const char *file,
        gs_error *err)
{
  int *left = context;
  (void)file;
  assert_in_range(done, 0, total);
  return (*left)-- > 0 ? GS_OK : GS_FAIL(err, GS_CLOSED, "enough");
}

static void
test_the_caller_can_stop_it_at_any_word(void **state)
{
  (void)state;
  care_make_killed();
  gs_status status = GS_CLOSED;
  int words = 0;
  for (; status != GS_OK; words++) {
    int left = words;
    gs_repair_options how = {
        .into = "/new", .progress = stop_at, .context = &left};
    gs_repair_report report;
    status = gs_repair(sim_machine_env, "/db", &how, &report, &kit_err);
    gs_repair_report_deinit(&report);
    if (status != GS_OK) {
      assert_int_equal(status, GS_CLOSED);
      assert_int_equal(care_list("/new").count, 0);
    }
  }
  assert_true(words > 8);
}

/* Whatever fails, what is left is no store or a whole one. */
static void
test_a_failure_anywhere_leaves_nothing(void **state)
{
  (void)state;
  care_make_killed();
  gs_sim *whole = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_status status = GS_IO;
  for (uint64_t ops = 1; status != GS_OK; ops++) {
    gs_sim *sim = gs_sim_crash(whole, GS_CRASH_KILL, 0);
    gs_sim_stop_at(sim, gs_sim_ops(sim) + ops);
    gs_repair_options how = {.into = "/new"};
    gs_repair_report report;
    status = gs_repair(gs_sim_env(sim), "/db", &how, &report, NULL);
    gs_repair_report_deinit(&report);
    for (uint64_t choice = 0; choice < 4; choice++) {
      gs_sim *copy = gs_sim_crash(
          sim, choice == 0 ? GS_CRASH_KILL : GS_CRASH_RANDOM, choice);
      gs_options options = care_options();
      options.env = gs_sim_env(copy);
      options.create = false;
      gs_store *store = NULL;
      gs_status opened = gs_open("/new", &options, &store, &kit_err);
      if (opened == GS_OK) {
        care_check_whole(store);
        kit_close(store);
      } else {
        assert_true(opened == GS_MISSING || opened == GS_CORRUPT);
      }
      gs_sim_free(copy);
    }
    assert_int_equal(gs_sim_allocated_bytes(sim), 0);
    gs_sim_free(sim);
  }
  gs_sim_free(whole);
}

static void
test_memory_may_end_anywhere(void **state)
{
  (void)state;
  care_make_killed();
  gs_status status = GS_NOMEM;
  for (uint64_t nth = 1; status != GS_OK; nth++) {
    gs_repair_options how = {.into = "/new"};
    gs_repair_report report;
    gs_sim_fail_alloc(sim_machine, nth, 1);
    status = gs_repair(sim_machine_env, "/db", &how, &report, &kit_err);
    gs_sim_fail_alloc(sim_machine, 0, 0);
    gs_repair_report_deinit(&report);
    if (status != GS_OK) {
      assert_int_equal(status, GS_NOMEM);
      assert_int_equal(care_list("/new").count, 0);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_numbers_under_numbers_are_saved_too),
      KIT_TEST(test_a_kind_that_nothing_tells_has_to_be_given),
      KIT_TEST(test_sequence_numbers_go_on_behind_all_that_were_given_out),
      KIT_TEST(test_a_file_that_is_gone_is_a_loss_that_is_told),
      KIT_TEST(test_what_is_in_the_way_is_refused),
      KIT_TEST(test_the_caller_can_stop_it_at_any_word),
      KIT_TEST(test_a_failure_anywhere_leaves_nothing),
  };
  const struct CMUnitTest packed_too[] = {
      KIT_TEST(test_a_sound_store_is_copied_as_it_is),
      KIT_TEST(test_one_wrong_bit_anywhere_loses_nothing),
      KIT_TEST(test_a_damaged_sector_loses_no_more_than_what_it_held),
      KIT_TEST(test_a_file_cut_at_any_length_gives_what_is_left),
      KIT_TEST(test_memory_may_end_anywhere),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  for (int c = GS_COMPRESSION_NONE; c <= GS_COMPRESSION_ZSTD; c++) {
    care_compression = (gs_compression)c;
    failures += cmocka_run_group_tests(packed_too, NULL, NULL);
  }
  return family_report(34, "repair", states, failures, "damages repaired");
}
