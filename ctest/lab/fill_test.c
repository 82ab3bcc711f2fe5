/*
 * Tests of what writes amount to, beside a queue that is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab_kit.h"

typedef struct kit {
  gs_lab_options options;
  gs_mix mix;
  gs_lab_format format;
  gs_fill fill;
} kit;

static void
begin(kit *k, gs_lab_kind kind)
{
  k->options = kit_options();
  k->options.kind = kind;
  gs_mix_init(&k->mix, kind, gs_fill_keys(&k->options), 0);
  k->format = (gs_lab_format){16, 100, 4096, false, 0};
  k->fill = (gs_fill){&k->options, &k->mix, &k->format};
}

static void
test_a_memtable_is_full_at_the_first_write_that_does_not_fit(void **state)
{
  (void)state;
  for (gs_lab_kind kind = GS_LAB_RANDOM; kind <= GS_LAB_QUEUE; kind++) {
    kit k;
    begin(&k, kind);
    double room = 152000 - gs_size_room(&k.format);
    double end = gs_fill_end(&k.fill, 20000, 152000);
    assert_true(gs_fill_memory(&k.fill, 20000, end + 1) > room);
    assert_true(gs_fill_memory(&k.fill, 20000, end - 1) <= room);
  }
}

/* The queue, write by write. */
static void
test_a_queue_inserts_and_deletes_in_turns(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_QUEUE);
  double inserted = 0;
  double deleted = 0;
  for (double writes = 0; writes < 30000; writes++) {
    if (writes == 9000 || writes == 29000) {
      gs_count entries = gs_fill_entries(&k.fill, 0, writes);
      assert_true(fabs(entries.puts - inserted) <= 1);
      assert_true(fabs(entries.gones - deleted) <= 1);
      assert_true(
          fabs(gs_fill_live(&k.fill, writes, 0) - (inserted - deleted)) <= 1);
    }
    bool deletes = inserted - deleted > 10000;
    inserted += !deletes;
    deleted += deletes;
  }
}

static void
check_content(gs_lab_kind kind, double from, double to, double puts,
              double gones)
{
  kit k;
  test_alloc alloc;
  gs_content content;
  test_alloc_init(&alloc);
  gs_content_init(&content, &alloc.base);
  begin(&k, kind);
  gs_fill_content(
      &k.fill,
      &(gs_fill_span){.from = from, .to = to, .from_ms = 1, .to_ms = 2},
      &content);
  gs_count count = gs_content_count(&content, &k.mix);
  ASSERT_NEAR(count.puts, puts, 1e-6);
  ASSERT_NEAR(count.gones, gones, 1e-6);
  for (size_t i = 1; i < content.count; i++) {
    assert_true(content.pieces[i - 1].hi <= content.pieces[i].lo);
  }
  gs_content_deinit(&content);
  assert_int_equal(alloc.live_bytes, 0);
}

static void
test_a_flush_holds_the_newest_version_of_each_key(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_RANDOM);
  check_content(GS_LAB_RANDOM, 500, 3500, gs_mix_distinct(&k.mix, 3000), 0);
  check_content(GS_LAB_SEQUENCE, 500, 3500, 3000, 0);
  check_content(GS_LAB_SEQUENCE, 9000, 12000, 3000, 0);
  check_content(GS_LAB_SEQUENCE, 9000, 29000, 10000, 0);
  check_content(GS_LAB_QUEUE, 500, 3500, 3000, 0);
  check_content(GS_LAB_QUEUE, 20000, 23000, 1500, 1500);
  /* A queue that is shorter than a memtable: most keys come and go in it. */
  check_content(GS_LAB_QUEUE, 0, 50000, 10000, 20000);
}

static void
test_what_has_expired_is_not_alive(void **state)
{
  (void)state;
  kit k;
  begin(&k, GS_LAB_SEQUENCE);
  ASSERT_NEAR(gs_fill_live(&k.fill, 9000, 4000), 5000, 1e-9);
  begin(&k, GS_LAB_RANDOM);
  k.options.delete_share = 0.5;
  ASSERT_NEAR(gs_fill_live(&k.fill, 9000, 4000),
              gs_mix_distinct(&k.mix, 5000) / 2, 1e-9);
  begin(&k, GS_LAB_QUEUE);
  ASSERT_NEAR(gs_fill_live(&k.fill, 20000, 16000), 15000 - 13000, 1e-9);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_a_memtable_is_full_at_the_first_write_that_does_not_fit),
      cmocka_unit_test(test_a_queue_inserts_and_deletes_in_turns),
      cmocka_unit_test(test_a_flush_holds_the_newest_version_of_each_key),
      cmocka_unit_test(test_what_has_expired_is_not_alive),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
