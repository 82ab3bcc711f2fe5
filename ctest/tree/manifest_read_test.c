/*
 * Tests of reading manifests: which file is chosen, which damage is told from a
 * crash, and that nothing but a verdict comes of damaged bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>

#include <cmocka.h>

#include "code/fixed.h"
#include "tree/manifest_kit.h"
#include "wal/writer.h"

#define FIRST  KIT_DIR "/MANIFEST-000001"
#define SECOND KIT_DIR "/MANIFEST-000002"

/* The first three states in one file, and all of its bytes. */
typedef struct fixture {
  gs_sim *sim;
  gs_env *env;
  test_alloc alloc;
  gs_buffer bytes;
  uint64_t ends[3]; /* of the frames of states 0 to 2 */
} fixture;

static void
keep_bytes(fixture *f, const char *path)
{
  gs_file *file;
  gs_buffer_clear(&f->bytes);
  assert_int_equal(gs_file_open(f->env, path, GS_OPEN_READ, &file, NULL),
                   GS_OK);
  assert_int_equal(gs_file_read_all(file, &f->bytes, NULL), GS_OK);
  assert_int_equal(gs_file_close(file, NULL), GS_OK);
}

static void
write_three(fixture *f)
{
  gs_manifest *manifest = NULL;
  gs_manifest_state state;
  assert_int_equal(gs_manifest_state_init(&state, &f->alloc.base, NULL), GS_OK);
  kit_run run = {KIT_NOTHING, KIT_NOTHING};
  for (int step = 0; step < 3; step++) {
    assert_int_equal(kit_step(f->env, &manifest, &state, step, 0, &run), GS_OK);
    f->ends[step] = gs_manifest_bytes(manifest) - 48;
  }
  gs_manifest_close(manifest);
  gs_manifest_state_deinit(&state);
}

static void
begin(fixture *f)
{
  kit_begin();
  f->sim = kit_machine(1);
  f->env = gs_sim_env(f->sim);
  test_alloc_init(&f->alloc);
  gs_buffer_init(&f->bytes, &f->alloc.base);
  write_three(f);
  keep_bytes(f, FIRST);
}

static void
end(fixture *f)
{
  gs_buffer_deinit(&f->bytes);
  assert_int_equal(f->alloc.live_bytes, 0);
  kit_free(f->sim);
}

static void
replace(fixture *f, const char *path, size_t size)
{
  assert_int_equal(
      gs_sim_replace(f->sim, path, gs_slice_of(f->bytes.data, size), NULL),
      GS_OK);
}

static gs_status
read_it(fixture *f, gs_manifest_found *found, int *number)
{
  gs_status status;
  *number = kit_read(f->sim, found, &status);
  return status;
}

static void
expect(fixture *f, gs_status wanted, int wanted_number)
{
  gs_manifest_found found;
  int number;
  assert_int_equal(read_it(f, &found, &number), wanted);
  if (wanted == GS_OK) {
    assert_int_equal(number, wanted_number);
  }
}

/* ---- which file ----------------------------------------------------------- */

static void
test_an_empty_directory_is_missing(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  assert_int_equal(gs_env_remove(f.env, FIRST, NULL), GS_OK);
  expect(&f, GS_MISSING, 0);
  assert_int_equal(gs_env_remove_dir(f.env, KIT_DIR, NULL), GS_OK);
  expect(&f, GS_MISSING, 0);
  end(&f);
}

static void
test_a_newer_file_without_a_base_is_passed_over(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  static const size_t sizes[] = {0, 1, 4095, 4096, 4100};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    /* Of its own bytes only the header page would be another; a frame cut short
     * at 4100 does not verify there either. */
    gs_buffer_clear(&f.bytes);
    gs_buffer_append_zeros(&f.bytes, sizes[i]);
    replace(&f, SECOND, sizes[i]);
    gs_manifest_found found;
    int number;
    assert_int_equal(read_it(&f, &found, &number), GS_OK);
    assert_int_equal(number, 2);
    assert_int_equal(found.number, 1);
    assert_int_equal(found.stale_count, 1);
    assert_false(found.is_torn);
  }
  end(&f);
}

/* MANIFEST-000002 as its creation leaves it when cut short after so many
 * bytes, beside MANIFEST-000001. */
static void
test_a_rewrite_cut_short_at_any_byte_is_passed_over(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  size_t size = f.bytes.size;
  gs_manifest_state tree;
  gs_manifest_found found;
  assert_int_equal(gs_manifest_state_init(&tree, &f.alloc.base, NULL), GS_OK);
  assert_int_equal(gs_manifest_read(f.env, KIT_DIR, &tree, &found, NULL),
                   GS_OK);
  gs_manifest *manifest;
  assert_int_equal(
      gs_manifest_create(f.env, KIT_DIR, 2, &tree, &manifest, NULL), GS_OK);
  uint64_t base_bytes = gs_manifest_base_bytes(manifest);
  gs_manifest_close(manifest);
  gs_manifest_state_deinit(&tree);
  replace(&f, FIRST, size);
  keep_bytes(&f, SECOND);
  for (size_t cut = 0; cut <= f.bytes.size; cut += cut < 4090 ? 89 : 1) {
    replace(&f, SECOND, cut);
    int number;
    assert_int_equal(read_it(&f, &found, &number), GS_OK);
    assert_int_equal(number, 2);
    assert_int_equal(found.number, cut < base_bytes ? 1 : 2);
    assert_int_equal(found.is_torn, cut > base_bytes && cut < f.bytes.size);
  }
  end(&f);
}

static void
test_a_creation_cut_short_is_missing_at_any_byte(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  for (size_t cut = 0; cut <= f.ends[0]; cut += cut < 4090 ? 89 : 1) {
    replace(&f, FIRST, cut);
    expect(&f, cut < f.ends[0] ? GS_MISSING : GS_OK, 0);
  }
  end(&f);
}

static void
test_a_later_file_without_a_base_and_nothing_before_it_is_corrupt(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  assert_int_equal(gs_env_remove(f.env, FIRST, NULL), GS_OK);
  replace(&f, SECOND, 100);
  expect(&f, GS_CORRUPT, 0);
  end(&f);
}

static void
test_of_two_complete_files_the_newer_is_read(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  size_t size = f.bytes.size;
  gs_manifest_state tree;
  gs_manifest_found found;
  assert_int_equal(gs_manifest_state_init(&tree, &f.alloc.base, NULL), GS_OK);
  assert_int_equal(state_text_apply(&tree, kit_script[0], NULL), GS_OK);
  gs_manifest *manifest;
  assert_int_equal(
      gs_manifest_create(f.env, KIT_DIR, 2, &tree, &manifest, NULL), GS_OK);
  gs_manifest_close(manifest);
  gs_manifest_state_deinit(&tree);
  replace(&f, FIRST, size);
  int number;
  assert_int_equal(read_it(&f, &found, &number), GS_OK);
  assert_int_equal(number, 0);
  assert_int_equal(found.number, 2);
  assert_int_equal(found.stale_count, 1);
  end(&f);
}

static void
test_a_file_under_another_number_is_corrupt(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  replace(&f, SECOND, f.bytes.size);
  expect(&f, GS_CORRUPT, 0);
  end(&f);
}

/* ---- torn and damaged ----------------------------------------------------- */

static void
test_a_last_edit_cut_short_at_any_byte_never_took_effect(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  uint64_t marked = f.ends[1] + 48;
  for (size_t cut = (size_t)f.ends[1]; cut <= f.ends[2]; cut++) {
    replace(&f, FIRST, cut);
    gs_manifest_found found;
    int number;
    assert_int_equal(read_it(&f, &found, &number), GS_OK);
    assert_int_equal(number, cut < f.ends[2] ? 1 : 2);
    bool is_whole = cut == f.ends[1] || cut == marked || cut == f.ends[2];
    assert_int_equal(found.is_torn, !is_whole);
    if (!is_whole) {
      assert_int_equal(found.torn_offset, cut < marked ? f.ends[1] : marked);
    }
  }
  end(&f);
}

/* Every bit of the file, flipped: put right. */
static void
test_every_flipped_bit_is_put_right(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  for (uint64_t bit = 0; bit < f.bytes.size * 8;
       bit += bit < 4096 * 8 ? 11 : 1) {
    assert_int_equal(gs_sim_flip(f.sim, FIRST, bit, NULL), GS_OK);
    gs_manifest_found found = {0};
    int number;
    assert_int_equal(read_it(&f, &found, &number), GS_OK);
    assert_int_equal(number, 2);
    assert_int_equal(found.repaired_bits, 1);
    assert_false(found.is_torn);
    assert_int_equal(gs_sim_flip(f.sim, FIRST, bit, NULL), GS_OK);
  }
  end(&f);
}

/* Two bits of one frame or of the page. */
static void
flip_two(fixture *f, const char *path, uint64_t bit)
{
  assert_int_equal(gs_sim_flip(f->sim, path, bit, NULL), GS_OK);
  assert_int_equal(gs_sim_flip(f->sim, path, bit ^ 9, NULL), GS_OK);
}

/* Two wrong bits anywhere in the file: found out, but for the last mark, which
 * carries nothing. */
static void
test_two_flipped_bits_are_found_out(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  uint64_t corrupt = 0;
  for (uint64_t bit = 0; bit < f.bytes.size * 8; bit++) {
    if (bit < 4096 * 8 && bit % 8 != bit / 8 % 8 && bit > 120 * 8) {
      continue; /* one bit of each byte of the empty part of the header page */
    }
    flip_two(&f, FIRST, bit);
    gs_manifest_found found = {0};
    int number;
    gs_status status = read_it(&f, &found, &number);
    if (bit / 8 >= f.ends[2]) {
      assert_int_equal(status, GS_OK);
      assert_int_equal(number, 2);
      assert_true(found.is_torn);
    } else {
      assert_int_equal(status, GS_CORRUPT);
      corrupt++;
    }
    flip_two(&f, FIRST, bit);
  }
  print_message("%llu pairs of flipped bits, all found out\n",
                (unsigned long long)corrupt);
  expect(&f, GS_OK, 2);
  end(&f);
}

/* Without the mark, which a power cut may take, damage to what the last sync
 * covered (the edit, and the mark of the edit before) cannot be told from a
 * torn write; all else still is. */
static void
test_without_the_mark_only_the_last_edit_can_pass_for_torn(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  replace(&f, FIRST, (size_t)f.ends[2]);
  for (uint64_t bit = 4096 * 8; bit < f.ends[2] * 8; bit++) {
    flip_two(&f, FIRST, bit);
    bool is_last = bit / 8 >= f.ends[1];
    gs_manifest_found found;
    int number;
    gs_status status = read_it(&f, &found, &number);
    assert_int_equal(status, is_last ? GS_OK : GS_CORRUPT);
    assert_true(!is_last || (number == 1 && found.is_torn));
    flip_two(&f, FIRST, bit);
  }
  end(&f);
}

/* A complete older manifest must not stand in for a damaged newer one. */
static void
test_damage_to_the_newest_is_not_covered_up_by_an_older_one(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_manifest_state tree;
  gs_manifest_found found;
  assert_int_equal(gs_manifest_state_init(&tree, &f.alloc.base, NULL), GS_OK);
  assert_int_equal(gs_manifest_read(f.env, KIT_DIR, &tree, &found, NULL),
                   GS_OK);
  gs_manifest *manifest;
  size_t size = f.bytes.size;
  assert_int_equal(
      gs_manifest_create(f.env, KIT_DIR, 2, &tree, &manifest, NULL), GS_OK);
  uint64_t base_bytes = gs_manifest_base_bytes(manifest);
  gs_manifest_close(manifest);
  gs_manifest_state_deinit(&tree);
  replace(&f, FIRST, size);
  for (uint64_t bit = 0; bit < base_bytes * 8; bit += 7) {
    flip_two(&f, SECOND, bit);
    expect(&f, GS_CORRUPT, 0);
    flip_two(&f, SECOND, bit);
  }
  end(&f);
}

static void
test_a_damaged_file_is_named_with_the_place(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  flip_two(&f, FIRST, 8 * (f.ends[0] + 48 + 60));
  gs_manifest_state tree;
  gs_manifest_found found;
  gs_error err;
  assert_int_equal(gs_manifest_state_init(&tree, &f.alloc.base, NULL), GS_OK);
  assert_int_equal(gs_manifest_read(f.env, KIT_DIR, &tree, &found, &err),
                   GS_CORRUPT);
  assert_string_equal(err.path, FIRST);
  assert_true(err.has_offset);
  assert_int_equal(err.offset, f.ends[0] + 48);
  assert_int_equal(tree.version->run_count, 0);
  gs_manifest_state_deinit(&tree);
  end(&f);
}

/* ---- sound frames that say nonsense --------------------------------------- */

/* A manifest written frame by frame. id is the first byte of the store's id in
 * the header page; 0: all of it is zeros. */
static void
write_frames(fixture *f, uint64_t number, gs_log_kind kind, uint8_t id,
             const char *const *edits, size_t count)
{
  gs_log_writer *writer;
  gs_log_header header = {.kind = kind,
                          .store_id = state_text_facts().store_id,
                          .number = number,
                          .salt = 5};
  header.store_id.bytes[0] = id;
  if (id == 0) {
    header.store_id = (gs_store_id){{0}};
  }
  GS_IGNORE(gs_env_remove(f->env, FIRST, NULL), "it may be gone");
  assert_int_equal(gs_log_prepare(f->env, FIRST, 0, &writer, NULL), GS_OK);
  assert_int_equal(gs_log_start(writer, &header, NULL), GS_OK);
  for (size_t i = 0; i < count; i++) {
    gs_edit *edit = state_text_edit(&f->alloc.base, edits[i]);
    assert_int_equal(gs_log_append(writer, GS_FRAME_EDIT, 0, 0,
                                   gs_edit_encoding(edit), NULL),
                     GS_OK);
    gs_edit_free(edit);
  }
  gs_log_close(writer);
}

static void
test_sound_frames_that_do_not_fit_are_corrupt(void **state)
{
  (void)state;
  static const char *const good[] = {"next 9", "segment 3 1"};
  static const char *const no_facts[] = {"segment 3 1"};
  static const char *const wrong_edit[] = {"next 9", "unsegment 3"};
  fixture f;
  begin(&f);
  gs_manifest_found found;
  gs_manifest_state tree;
  write_frames(&f, 1, GS_LOG_MANIFEST, 1, good, 2);
  assert_int_equal(gs_manifest_state_init(&tree, &f.alloc.base, NULL), GS_OK);
  assert_int_equal(gs_manifest_read(f.env, KIT_DIR, &tree, &found, NULL),
                   GS_OK);
  gs_manifest_state_deinit(&tree);
  write_frames(&f, 1, GS_LOG_MANIFEST, 2, good, 2);
  expect(&f, GS_CORRUPT, 0);
  write_frames(&f, 7, GS_LOG_MANIFEST, 1, good, 2);
  expect(&f, GS_CORRUPT, 0);
  write_frames(&f, 1, GS_LOG_MANIFEST, 0, no_facts, 1);
  expect(&f, GS_CORRUPT, 0);
  write_frames(&f, 1, GS_LOG_MANIFEST, 1, wrong_edit, 2);
  expect(&f, GS_CORRUPT, 0);
  write_frames(&f, 1, GS_LOG_WAL, 1, NULL, 0);
  expect(&f, GS_CORRUPT, 0);
  end(&f);
}

static void
test_a_file_that_does_not_begin_with_an_edit_is_corrupt(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  gs_log_writer *writer;
  gs_log_header header = {.kind = GS_LOG_MANIFEST, .number = 2};
  assert_int_equal(gs_log_prepare(f.env, SECOND, 0, &writer, NULL), GS_OK);
  assert_int_equal(gs_log_start(writer, &header, NULL), GS_OK);
  assert_int_equal(
      gs_log_append(writer, GS_FRAME_MARK, 0, 0, gs_slice_of(NULL, 0), NULL),
      GS_OK);
  gs_log_close(writer);
  expect(&f, GS_CORRUPT, 0);
  end(&f);
}

static void
test_an_edit_of_a_later_library_is_not_passed_over(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  static const char *const good[] = {"next 9"};
  write_frames(&f, 1, GS_LOG_MANIFEST, 1, good, 1);
  gs_log_writer *writer;
  gs_log_header header = {.kind = GS_LOG_MANIFEST, .number = 2};
  assert_int_equal(gs_log_prepare(f.env, SECOND, 0, &writer, NULL), GS_OK);
  assert_int_equal(gs_log_start(writer, &header, NULL), GS_OK);
  static const uint8_t later[] = {99, 0, 0, 0, 0, 0};
  assert_int_equal(gs_log_append(writer, GS_FRAME_EDIT, 0, 0,
                                 gs_slice_of(later, sizeof later), NULL),
                   GS_OK);
  gs_log_close(writer);
  expect(&f, GS_VERSION, 0);
  end(&f);
}

/* ---- errors that are no verdict ------------------------------------------- */

static void
test_a_failed_operation_is_no_verdict(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  replace(&f, SECOND, 0);
  uint64_t before = gs_sim_ops(f.sim);
  expect(&f, GS_OK, 2);
  uint64_t ops = gs_sim_ops(f.sim) - before;
  for (uint64_t nth = 1; nth <= ops; nth++) {
    gs_sim_fault fault = {
        .op = GS_SIM_ANY, .nth = nth, .times = 1, .os_errno = EIO};
    assert_int_equal(gs_sim_fail(f.sim, &fault, NULL), GS_OK);
    expect(&f, GS_IO, 0);
    gs_sim_heal(f.sim);
  }
  expect(&f, GS_OK, 2);
  assert_true(ops >= 5);
  end(&f);
}

static void
test_reading_without_memory_leaves_nothing_behind(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  replace(&f, SECOND, 10);
  gs_manifest_found found;
  uint64_t nth = 1;
  for (gs_status status = GS_NOMEM; status != GS_OK; nth++) {
    gs_manifest_state tree;
    assert_int_equal(gs_manifest_state_init(&tree, &f.alloc.base, NULL), GS_OK);
    gs_sim_fail_alloc(f.sim, nth, 1);
    status = gs_manifest_read(f.env, KIT_DIR, &tree, &found, NULL);
    gs_sim_fail_alloc(f.sim, 0, 1);
    assert_true(status == GS_OK || status == GS_NOMEM);
    assert_int_equal(tree.version->run_count, status == GS_OK ? 2 : 0);
    gs_manifest_state_deinit(&tree);
    assert_int_equal(gs_sim_allocated_bytes(f.sim), 0);
  }
  assert_true(nth > 30);
  end(&f);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_empty_directory_is_missing),
      cmocka_unit_test(test_a_newer_file_without_a_base_is_passed_over),
      cmocka_unit_test(test_a_rewrite_cut_short_at_any_byte_is_passed_over),
      cmocka_unit_test(test_a_creation_cut_short_is_missing_at_any_byte),
      cmocka_unit_test(
          test_a_later_file_without_a_base_and_nothing_before_it_is_corrupt),
      cmocka_unit_test(test_of_two_complete_files_the_newer_is_read),
      cmocka_unit_test(test_a_file_under_another_number_is_corrupt),
      cmocka_unit_test(
          test_a_last_edit_cut_short_at_any_byte_never_took_effect),
      cmocka_unit_test(test_every_flipped_bit_is_put_right),
      cmocka_unit_test(test_two_flipped_bits_are_found_out),
      cmocka_unit_test(
          test_without_the_mark_only_the_last_edit_can_pass_for_torn),
      cmocka_unit_test(
          test_damage_to_the_newest_is_not_covered_up_by_an_older_one),
      cmocka_unit_test(test_a_damaged_file_is_named_with_the_place),
      cmocka_unit_test(test_sound_frames_that_do_not_fit_are_corrupt),
      cmocka_unit_test(test_a_file_that_does_not_begin_with_an_edit_is_corrupt),
      cmocka_unit_test(test_an_edit_of_a_later_library_is_not_passed_over),
      cmocka_unit_test(test_a_failed_operation_is_no_verdict),
      cmocka_unit_test(test_reading_without_memory_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
