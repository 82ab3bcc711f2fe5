/*
 * Tests of versions, runs and tables: what is counted, what is shared, and what
 * is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/test_alloc.h"
#include "tree/layout.h"

static const char two_runs[] = "run 7 L0: 12[b..d]#10-20 13[f..f]#11-11\n"
                               "run 5 L3: 9[aa..bb]#1-2 8[bc..x]#3-4\n";

static void
test_tables_of_a_run_stand_by_key_and_are_found_by_id(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *v = layout_version(&alloc.base, "run 1 L0: 7[x..z] 9[a..b] "
                                              "3[m..n] 8[e..e] 2[g..h]\n");
  layout_expect(v, &alloc.base,
                "run 1 L0: 9[a..b]#1-1 8[e..e]#1-1 2[g..h]#1-1 3[m..n]#1-1 "
                "7[x..z]#1-1\n");
  for (uint64_t id = 0; id < 12; id++) {
    size_t run = 99;
    gs_tree_table *table = gs_version_find_table(v, id, &run);
    bool is_there = id == 7 || id == 9 || id == 3 || id == 8 || id == 2;
    assert_int_equal(table != NULL, is_there);
    assert_int_equal(run, is_there ? 0 : 99);
    assert_true(table == NULL || table->meta.id == id);
  }
  gs_version_unref(v);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_run_knows_when_its_oldest_and_newest_table_were_made(void **state)
{
  (void)state;
  static const uint64_t times[][2] = {{7, 3}, {3, 7}, {5, 5}, {0, 4}};
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *v = layout_version(&alloc.base, two_runs);
  gs_tree_table **tables = v->runs[0]->tables;
  for (size_t i = 0; i < 4; i++) {
    tables[0]->meta.created_ms = times[i][0];
    tables[1]->meta.created_ms = times[i][1];
    gs_run *run = gs_run_new(&alloc.base, 9, 0, tables, 2);
    assert_non_null(run);
    bool is_rising = times[i][0] < times[i][1];
    assert_int_equal(run->begun_ms, times[i][is_rising ? 0 : 1]);
    assert_int_equal(run->written_ms, times[i][is_rising ? 1 : 0]);
    gs_run_unref(run);
  }
  gs_version_unref(v);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
expect_table(const gs_run *run, const char *key, uint64_t id)
{
  const gs_tree_table *table = gs_run_find(run, gs_slice_str(key));
  assert_int_equal(table == NULL ? 0 : table->meta.id, id);
}

static void
test_the_table_with_the_key_in_its_bounds_is_found(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *v = layout_version(&alloc.base, two_runs);
  expect_table(v->runs[0], "a", 0);
  expect_table(v->runs[0], "b", 12);
  expect_table(v->runs[0], "d", 12);
  expect_table(v->runs[0], "da", 0);
  expect_table(v->runs[0], "f", 13);
  expect_table(v->runs[0], "g", 0);
  expect_table(v->runs[1], "bb", 9);
  expect_table(v->runs[1], "bbb", 0);
  expect_table(v->runs[1], "bc", 8);
  assert_int_equal(gs_version_find_run(v, 5), 1);
  assert_int_equal(gs_version_find_run(v, 6), SIZE_MAX);
  gs_version_unref(v);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_keys_that_differ_after_eight_bytes_are_told_apart(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *v = layout_version(
      &alloc.base,
      "run 1 L0: 1[12345678..12345678a] 2[12345678c..12345678e]\n");
  expect_table(v->runs[0], "1234567", 0);
  expect_table(v->runs[0], "12345678", 1);
  expect_table(v->runs[0], "12345678a", 1);
  expect_table(v->runs[0], "12345678b", 0);
  expect_table(v->runs[0], "12345678d", 2);
  expect_table(v->runs[0], "12345678f", 0);
  gs_version_unref(v);
}

/* So many keys that begin alike, of few and extreme bytes, in order. */
static size_t
draw_keys(uint64_t *random, size_t shared, gs_slice *keys, uint8_t (*room)[20])
{
  static const uint8_t few[] = {0, 1, 'a', 0xff};
  size_t count = 0;
  for (size_t i = 0; i < 24; i++) {
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    uint64_t bits = *random >> 11;
    size_t size = shared + bits % 10;
    for (size_t b = 0; b < size; b++) {
      room[i][b] = b < shared ? 'p' : few[bits >> (4 + 2 * b) & 3];
    }
    gs_slice key = gs_slice_of(room[i], size);
    size_t at = count;
    while (at > 0 && gs_slice_compare(keys[at - 1], key) > 0) {
      at--;
    }
    if (at > 0 && gs_slice_equal(keys[at - 1], key)) {
      continue;
    }
    memmove(keys + at + 1, keys + at, (count - at) * sizeof *keys);
    keys[at] = key;
    count++;
  }
  return count;
}

/* A run whose tables hold one key each, every other one from the first on; all
 * keys are asked for. */
static void
ask_for_all(const gs_slice *keys, size_t count, size_t first,
            size_t table_count)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_tree_table *tables[12];
  for (size_t i = 0; i < table_count; i++) {
    gs_slice key = keys[first + 2 * i];
    gs_table_meta meta = {.id = i + 1, .min_key = key, .max_key = key};
    tables[i] = gs_tree_table_new(&alloc.base, &meta);
  }
  gs_run *run = gs_run_new(&alloc.base, 1, 0, tables, table_count);
  for (size_t k = 0; k < count; k++) {
    size_t wanted = 0;
    while (wanted < table_count &&
           gs_slice_compare(keys[first + 2 * wanted], keys[k]) < 0) {
      wanted++;
    }
    assert_int_equal(gs_run_lower_bound(run, keys[k]), wanted);
  }
  gs_run_unref(run);
  for (size_t i = 0; i < table_count; i++) {
    gs_tree_table_unref(tables[i]);
  }
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_the_first_table_that_may_hold_a_key_is_found_however_keys_begin(
    void **state)
{
  (void)state;
  uint64_t random = 7;
  for (size_t round = 0; round < 400; round++) {
    uint8_t room[24][20];
    gs_slice keys[25];
    size_t count = draw_keys(&random, round % 11, keys, room);
    size_t first = round % (count / 2);
    for (size_t tables = 1; first + 2 * tables <= count; tables++) {
      ask_for_all(keys, count, first, tables);
    }
  }
  const gs_slice last[] = {gs_slice_str("a"),
                           gs_slice_str("b"),
                           gs_slice_str("\xff\xff\xff\xff\xff\xff\xff\xff"
                                        "a"),
                           gs_slice_str("\xff\xff\xff\xff\xff\xff\xff\xff"
                                        "b"),
                           gs_slice_str("\xff\xff\xff\xff\xff\xff\xff\xff"
                                        "c"),
                           gs_slice_str("\xff\xff\xff\xff\xff\xff\xff\xff"
                                        "d")};
  ask_for_all(last, 6, 0, 3);
}

static void
expect_overlap(const gs_run *run, const char *min, const char *max,
               size_t begin, size_t end)
{
  size_t found_end;
  assert_int_equal(
      gs_run_overlap(run, gs_slice_str(min), gs_slice_str(max), &found_end),
      begin);
  assert_int_equal(found_end, end);
}

static void
test_the_tables_that_share_a_key_with_a_range_are_found(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *v =
      layout_version(&alloc.base, "run 1 L0: 1[b..d] 2[f..h] 3[j..l]\n");
  expect_overlap(v->runs[0], "a", "a", 0, 0);
  expect_overlap(v->runs[0], "a", "b", 0, 1);
  expect_overlap(v->runs[0], "d", "f", 0, 2);
  expect_overlap(v->runs[0], "e", "e", 1, 1);
  expect_overlap(v->runs[0], "g", "g", 1, 2);
  expect_overlap(v->runs[0], "i", "z", 2, 3);
  expect_overlap(v->runs[0], "a", "z", 0, 3);
  expect_overlap(v->runs[0], "m", "z", 3, 3);
  gs_version_unref(v);
}

static void
test_a_table_with_empty_keys_can_be_made(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_table_meta meta = {.id = 1};
  gs_tree_table *table = gs_tree_table_new(&alloc.base, &meta);
  assert_non_null(table);
  assert_int_equal(table->meta.max_key.size, 0);
  gs_tree_table_unref(table);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_table_keeps_its_own_copy_of_the_keys(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  char keys[] = "abyz";
  gs_table_meta meta = {.id = 1,
                        .min_key = gs_slice_of(keys, 2),
                        .max_key = gs_slice_of(keys + 2, 2)};
  gs_tree_table *table = gs_tree_table_new(&alloc.base, &meta);
  memset(keys, '-', sizeof keys);
  assert_true(gs_slice_equal(table->meta.min_key, gs_slice_str("ab")));
  assert_true(gs_slice_equal(table->meta.max_key, gs_slice_str("yz")));
  gs_tree_table_unref(table);
  assert_int_equal(alloc.live_bytes, 0);
}

static int releases;

static void
count_release(gs_tree_table *table)
{
  assert_int_equal(table->meta.id, 13);
  releases++;
}

static void
test_a_table_is_released_once_with_the_last_version_that_holds_it(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  releases = 0;
  gs_version *first = layout_version(&alloc.base, two_runs);
  layout_find(first, 13)->release = count_release;
  gs_version *second = gs_version_new(&alloc.base, 2, first->runs, 1);
  gs_version_ref(first);
  gs_version_unref(first);
  gs_version_unref(first);
  assert_int_equal(releases, 0);
  assert_int_equal(layout_find(second, 13)->meta.max_seq, 11);
  gs_version_unref(second);
  assert_int_equal(releases, 1);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_run_sums_up_its_tables(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_tree_table *tables[2];
  for (uint64_t i = 0; i < 2; i++) {
    gs_table_meta meta = {.id = i,
                          .file_bytes = 1 + i,
                          .entry_count = 10 + i,
                          .tombstone_count = 100 + i,
                          .expiring_count = 1000 + i,
                          .data_bytes = 10000 + i};
    tables[i] = gs_tree_table_new(&alloc.base, &meta);
  }
  gs_run *run = gs_run_new(&alloc.base, 1, 2, tables, 2);
  assert_int_equal(run->bytes, 3);
  assert_int_equal(run->entry_count, 21);
  assert_int_equal(run->tombstone_count, 201);
  assert_int_equal(run->expiring_count, 2001);
  assert_int_equal(run->data_bytes, 20001);
  gs_tree_table_unref(tables[0]);
  gs_tree_table_unref(tables[1]);
  gs_run_unref(run);
  assert_int_equal(alloc.live_bytes, 0);
}

/* A version of one run of two tables, or NULL with nothing left behind. */
static gs_version *
make_small(gs_alloc *alloc)
{
  gs_table_meta meta = {
      .id = 1, .min_key = gs_slice_str("a"), .max_key = gs_slice_str("b")};
  gs_tree_table *table = gs_tree_table_new(alloc, &meta);
  if (table == NULL) {
    return NULL;
  }
  gs_run *run = gs_run_new(alloc, 1, 0, &table, 1);
  gs_tree_table_unref(table);
  if (run == NULL) {
    return NULL;
  }
  gs_version *version = gs_version_new(alloc, 1, &run, 1);
  gs_run_unref(run);
  return version;
}

static void
test_a_failed_allocation_leaves_nothing_behind(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  uint64_t allowed = 0;
  for (;; allowed++) {
    alloc.allocations_left = allowed;
    gs_version *version = make_small(&alloc.base);
    if (version != NULL) {
      gs_version_unref(version);
      break;
    }
    assert_int_equal(alloc.live_bytes, 0);
  }
  assert_int_equal(allowed, 8);
  assert_int_equal(alloc.live_bytes, 0);
}

/* Every way to take some tables of a run away and to add some others. */
static void
test_a_changed_run_is_what_a_new_one_of_its_tables_would_be(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *v =
      layout_version(&alloc.base, "run 3 L1: 7[a..b] 2[d..e] 9[m..n]\n"
                                  "run 1 L0: 8[c..c] 30[f..g] 1[x..z]\n");
  const gs_run *old = v->runs[0];
  for (unsigned bits = 0; bits < 63; bits++) {
    const uint64_t ids[] = {2, 7, 9};
    uint64_t removed[4] = {1};
    gs_tree_table *added[3];
    gs_tree_table *all[6];
    gs_run_change change = {
        .level = 5, .removed = removed, .removed_count = 1, .added = added};
    size_t count = 0;
    for (unsigned i = 0; i < 3; i++) {
      if ((bits >> i & 1) != 0) {
        removed[change.removed_count++] = ids[i];
      }
      if ((bits >> (3 + i) & 1) != 0) {
        added[change.added_count++] = v->runs[1]->tables[i];
        all[count++] = v->runs[1]->tables[i];
      }
    }
    for (size_t i = 0; i < 3; i++) {
      size_t at = 0;
      while (at < change.removed_count &&
             removed[at] != old->tables[i]->meta.id) {
        at++;
      }
      if (at == change.removed_count) {
        all[count++] = old->tables[i];
      }
    }
    if (count == 0) {
      continue;
    }
    gs_run *wanted = gs_run_new(&alloc.base, 3, 5, all, count);
    gs_run *made = gs_run_changed(&alloc.base, old, &change);
    assert_non_null(wanted);
    assert_non_null(made);
    assert_int_equal(made->id, 3);
    assert_int_equal(made->level, 5);
    assert_int_equal(made->table_count, count);
    assert_memory_equal(made->tables, wanted->tables,
                        count * sizeof *made->tables);
    assert_memory_equal(made->by_id, wanted->by_id,
                        count * sizeof *made->by_id);
    assert_true(gs_slice_equal(made->prefix, wanted->prefix));
    assert_memory_equal(made->max_heads, wanted->max_heads,
                        count * sizeof *made->max_heads);
    assert_int_equal(made->bytes, wanted->bytes);
    assert_int_equal(made->largest_bytes, wanted->largest_bytes);
    assert_int_equal(made->begun_ms, wanted->begun_ms);
    assert_int_equal(made->written_ms, wanted->written_ms);
    gs_run_unref(wanted);
    gs_run_unref(made);
  }
  gs_version_unref(v);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_changed_run_survives_want_of_memory(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *v = layout_version(&alloc.base, "run 3 L1: 7[a..b] 2[d..e]\n");
  const uint64_t removed[] = {7};
  const gs_run_change change = {.removed = removed, .removed_count = 1};
  size_t before = alloc.live_bytes;
  gs_run *made = NULL;
  for (uint64_t left = 0; made == NULL; left++) {
    assert_true(left < 10);
    assert_int_equal(alloc.live_bytes, before);
    alloc.allocations_left = left;
    made = gs_run_changed(&alloc.base, v->runs[0], &change);
  }
  gs_run_unref(made);
  gs_version_unref(v);
  assert_int_equal(alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_a_changed_run_is_what_a_new_one_of_its_tables_would_be),
      cmocka_unit_test(test_a_changed_run_survives_want_of_memory),
      cmocka_unit_test(
          test_a_run_knows_when_its_oldest_and_newest_table_were_made),
      cmocka_unit_test(test_tables_of_a_run_stand_by_key_and_are_found_by_id),
      cmocka_unit_test(test_the_table_with_the_key_in_its_bounds_is_found),
      cmocka_unit_test(test_keys_that_differ_after_eight_bytes_are_told_apart),
      cmocka_unit_test(
          test_the_first_table_that_may_hold_a_key_is_found_however_keys_begin),
      cmocka_unit_test(test_the_tables_that_share_a_key_with_a_range_are_found),
      cmocka_unit_test(test_a_table_with_empty_keys_can_be_made),
      cmocka_unit_test(test_a_table_keeps_its_own_copy_of_the_keys),
      cmocka_unit_test(
          test_a_table_is_released_once_with_the_last_version_that_holds_it),
      cmocka_unit_test(test_a_run_sums_up_its_tables),
      cmocka_unit_test(test_a_failed_allocation_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
