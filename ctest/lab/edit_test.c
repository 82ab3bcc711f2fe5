/*
 * Tests of versions after a change, written as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "lab/edit.h"
#include "support/test_alloc.h"

/* Tables by one letter: a table "c" has the key c, and id 'c'. */
static gs_tree_table *
table_of(gs_alloc *alloc, char name)
{
  uint8_t key = (uint8_t)name;
  const gs_table_meta meta = {.id = key,
                              .file_bytes = 10,
                              .entry_count = 1,
                              .min_key = gs_slice_of(&key, 1),
                              .max_key = gs_slice_of(&key, 1)};
  gs_tree_table *table = gs_tree_table_new(alloc, &meta);
  assert_non_null(table);
  return table;
}

/* Runs 1, 2, … of levels 0, 1, …, newest first, as "ab c def". */
static gs_version *
version_of(gs_alloc *alloc, const char *text)
{
  gs_run *runs[8];
  size_t count = 0;
  while (*text != '\0') {
    gs_tree_table *tables[16];
    size_t used = 0;
    while (*text != '\0' && *text != ' ') {
      tables[used++] = table_of(alloc, *text++);
    }
    text += *text == ' ';
    runs[count] = gs_run_new(alloc, count + 1, (uint32_t)count, tables, used);
    assert_non_null(runs[count++]);
    for (size_t i = 0; i < used; i++) {
      gs_tree_table_unref(tables[i]);
    }
  }
  gs_version *version = gs_version_new(alloc, 1, runs, count);
  assert_non_null(version);
  for (size_t i = 0; i < count; i++) {
    gs_run_unref(runs[i]);
  }
  return version;
}

/* As "id/level:tables". */
static void
expect(gs_version *version, const char *text)
{
  char seen[128];
  size_t at = 0;
  assert_non_null(version);
  for (size_t r = 0; r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    at += (size_t)snprintf(seen + at, sizeof seen - at,
                           "%s%d/%d:", r == 0 ? "" : " ", (int)run->id,
                           (int)run->level);
    for (size_t t = 0; t < run->table_count; t++) {
      seen[at++] = (char)run->tables[t]->meta.id;
    }
  }
  seen[at] = '\0';
  assert_string_equal(seen, text);
}

/* The change that takes some tables away and adds others. */
static void
check(const char *before, const char *removed, const char *added,
      gs_lab_edit edit, const char *after)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *version = version_of(&alloc.base, before);
  uint64_t ids[16];
  gs_tree_table *tables[16];
  for (size_t i = 0; removed[i] != '\0'; i++) {
    ids[edit.removed_count++] = (uint64_t)removed[i];
  }
  for (size_t i = 0; added[i] != '\0'; i++) {
    tables[edit.added_count++] = table_of(&alloc.base, added[i]);
  }
  edit.removed = ids;
  edit.added = tables;
  edit.new_run_id = 9;
  gs_version *made = NULL;
  for (uint64_t left = 0; made == NULL; left++) {
    assert_true(left < 100);
    alloc.allocations_left = left;
    made = gs_lab_edit_apply(&alloc.base, version, &edit);
  }
  expect(made, after);
  assert_int_equal(made->number, 2);
  gs_version_unref(made);
  gs_version_unref(version);
  for (size_t i = 0; i < edit.added_count; i++) {
    gs_tree_table_unref(tables[i]);
  }
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_flush_makes_a_run_on_top(void **state)
{
  (void)state;
  const gs_lab_edit edit = {.is_flush = true};
  check("ab c", "", "mn", edit, "9/0:mn 1/0:ab 2/1:c");
  check("", "", "m", edit, "9/0:m");
  check("ab c", "", "", edit, "1/0:ab 2/1:c");
}

static void
test_outputs_go_into_a_run_where_the_inputs_were(void **state)
{
  (void)state;
  gs_lab_edit edit = {.target = GS_TARGET_INTO, .run_id = 2, .level = -1};
  check("ab ckx z", "ack", "hm", edit, "1/0:b 2/1:hmx 3/2:z");
  check("ab ckx z", "abckx", "m", edit, "2/1:m 3/2:z");
  edit.level = 5;
  check("ab ckx z", "a", "", edit, "1/0:b 2/5:ckx 3/2:z");
}

static void
test_outputs_go_above_a_run_even_where_that_run_ends(void **state)
{
  (void)state;
  gs_lab_edit edit = {.target = GS_TARGET_ABOVE, .run_id = 2, .level = -1};
  check("ab c z", "abc", "hm", edit, "9/1:hm 3/2:z");
  check("ab c z", "a", "m", edit, "1/0:b 9/0:m 2/1:c 3/2:z");
  edit.level = 7;
  check("ab c z", "a", "m", edit, "1/0:b 9/7:m 2/1:c 3/2:z");
}

static void
test_outputs_go_to_the_bottom(void **state)
{
  (void)state;
  const gs_lab_edit edit = {.target = GS_TARGET_BOTTOM, .level = 3};
  check("ab c", "b", "b", edit, "1/0:a 2/1:c 9/3:b");
}

static void
test_a_drop_leaves_the_rest(void **state)
{
  (void)state;
  const gs_lab_edit edit = {.target = GS_TARGET_NONE, .level = -1};
  check("ab c def", "cef", "", edit, "1/0:ab 3/2:d");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_flush_makes_a_run_on_top),
      cmocka_unit_test(test_outputs_go_into_a_run_where_the_inputs_were),
      cmocka_unit_test(test_outputs_go_above_a_run_even_where_that_run_ends),
      cmocka_unit_test(test_outputs_go_to_the_bottom),
      cmocka_unit_test(test_a_drop_leaves_the_rest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
