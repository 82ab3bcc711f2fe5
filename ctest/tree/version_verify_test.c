/*
 * Tests of what verify can prove wrong about a version.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/test_alloc.h"
#include "tree/layout.h"

/* complaint NULL: the tree is fine. */
static void
expect_verdict(const char *text, const char *complaint)
{
  test_alloc alloc;
  test_alloc_init(&alloc);
  gs_version *version = layout_version(&alloc.base, text);
  gs_error err;
  gs_status status = gs_version_verify(version, &err);
  assert_int_equal(status, complaint == NULL ? GS_OK : GS_CORRUPT);
  if (complaint != NULL) {
    assert_string_equal(err.message, complaint);
  }
  gs_version_unref(version);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_sound_trees_are_not_complained_about(void **state)
{
  (void)state;
  expect_verdict("", NULL);
  expect_verdict("run 1 L0: 1[a..b] 2[c..d]\nrun 2 L1: 3[e..z]\n", NULL);
  expect_verdict("run 1 L0: 1[a..z]#5-9\nrun 2 L1: 3[b..y]#20-30\n", NULL);
}

static void
test_tables_that_meet_in_a_run_are_named(void **state)
{
  (void)state;
  expect_verdict("run 1 L0: 1[a..c] 2[c..d]\n",
                 "tables 1 and 2 of run 1 overlap");
  expect_verdict("run 1 L0: 1[a..b] 2[c..h] 3[d..e]\n",
                 "tables 2 and 3 of run 1 overlap");
}

static void
test_bounds_in_the_wrong_order_are_named(void **state)
{
  (void)state;
  expect_verdict("run 4 L0: 1[b..a]\n",
                 "the bounds of table 1 in run 4 are in the wrong order");
  expect_verdict("run 4 L0: 1[a..b]#3-2\n",
                 "the bounds of table 1 in run 4 are in the wrong order");
}

static void
test_ids_that_stand_twice_are_named(void **state)
{
  (void)state;
  expect_verdict("run 1 L0: 1[a..b] 1[c..d]\n", "table 1 stands twice");
  expect_verdict("run 1 L0: 1[a..b]\nrun 2 L0: 1[c..d]\n",
                 "table 1 stands twice");
  expect_verdict("run 1 L0: 1[a..b]\nrun 1 L0: 2[c..d]\n",
                 "run 1 stands twice");
}

/* Two tables, the first in the newer run. */
static void
test_sequences_that_cannot_be_in_order_are_named(void **state)
{
  (void)state;
  static const char wrong[] = "table 1 stands above table 2, shares a key with "
                              "it, and holds nothing newer";
  /* Both have other keys too: only a newest entry below all is proof. */
  expect_verdict("run 1 L0: 1[a..c]#5-9\nrun 2 L0: 2[c..e]#9-20\n", wrong);
  expect_verdict("run 1 L0: 1[a..c]#5-9\nrun 2 L0: 2[c..e]#8-20\n", NULL);
  expect_verdict("run 1 L0: 1[a..c]#5-9\nrun 2 L0: 2[a..e]#9-20\n", wrong);
  expect_verdict("run 1 L0: 1[b..c]#5-9\nrun 2 L0: 2[a..b]#9-20\n", wrong);
  /* The newer has the one key: its oldest entry counts. */
  expect_verdict("run 1 L0: 1[c..c]#5-9\nrun 2 L0: 2[c..e]#5-20\n", wrong);
  expect_verdict("run 1 L0: 1[c..c]#5-9\nrun 2 L0: 2[c..e]#4-20\n", NULL);
  /* The older has the one key: its newest entry counts. */
  expect_verdict("run 1 L0: 1[a..c]#5-9\nrun 2 L0: 2[c..c]#4-9\n", wrong);
  expect_verdict("run 1 L0: 1[a..c]#5-9\nrun 2 L0: 2[c..c]#4-8\n", NULL);
  /* The second of the overlapping tables shares the bound. */
  expect_verdict("run 1 L0: 1[a..c]#5-9\nrun 2 L0: 3[b..b]#1-2 2[c..d]#9-9\n",
                 wrong);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sound_trees_are_not_complained_about),
      cmocka_unit_test(test_tables_that_meet_in_a_run_are_named),
      cmocka_unit_test(test_bounds_in_the_wrong_order_are_named),
      cmocka_unit_test(test_ids_that_stand_twice_are_named),
      cmocka_unit_test(test_sequences_that_cannot_be_in_order_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
