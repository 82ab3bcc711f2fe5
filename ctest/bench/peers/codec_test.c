/*
 * Which codec an engine takes, of several that are named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/peers/peer.h"

static const char *const two[] = {"lz4", "zstd", NULL};
static const peer_engine able = {.name = "Able", .codecs = two};
static const peer_engine plain = {.name = "Plain"};

static void
test_the_first_that_the_engine_has_is_taken(void **state)
{
  (void)state;
  assert_string_equal(peer_codec(&able, "lz4"), "lz4");
  assert_string_equal(peer_codec(&able, "zstd,lz4"), "zstd");
  assert_string_equal(peer_codec(&able, "snappy,lz4"), "lz4");
}

static void
test_an_engine_without_any_of_them_takes_none(void **state)
{
  (void)state;
  assert_null(peer_codec(&able, "snappy"));
  assert_null(peer_codec(&able, "lz"));
  assert_null(peer_codec(&able, "lz4x,zst"));
  assert_null(peer_codec(&able, ""));
  assert_null(peer_codec(&able, NULL));
  assert_null(peer_codec(&plain, "lz4,zstd,snappy"));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_first_that_the_engine_has_is_taken),
      cmocka_unit_test(test_an_engine_without_any_of_them_takes_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
