/*
 * Tests of the text of versions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/test_alloc.h"
#include "tree/layout.h"

static void
test_a_version_is_written_as_text(void **state)
{
  (void)state;
  test_alloc alloc;
  test_alloc_init(&alloc);
  static const char text[] = "run 7 L0: 12[a..f]#10-20 13[g..k]#12-19\n"
                             "run 5 L63: 9[a..z]#1-2\n";
  gs_version *version = layout_version(&alloc.base, text);
  layout_expect(version, &alloc.base, text);
  gs_version_unref(version);
  gs_version *empty = gs_version_new_empty(&alloc.base);
  layout_expect(empty, &alloc.base, "");
  gs_version_unref(empty);
  version = layout_version(&alloc.base, "run 1 L0: 1[a b..\x01\x7f\xff\\]\n");
  layout_expect(version, &alloc.base,
                "run 1 L0: 1[a\\x20b..\\x01\\x7f\\xff\\x5c]#1-1\n");
  gs_version_unref(version);
  assert_int_equal(alloc.live_bytes, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_version_is_written_as_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
