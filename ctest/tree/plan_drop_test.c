/*
 * Tests of what may be dropped unread, and of the words a drop is refused with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tree/plan_text.h"

static const char tree[] = "run 2 L0: 20[a..c]\n"
                           "run 1 L0: 10[b..d] 11[x..z]\n";

/* Of 10 entries that many expire, the last of them then. */
static void
set_expiry(const gs_version *version, uint64_t id, uint64_t count,
           uint64_t last_ms)
{
  gs_tree_table *table = layout_find(version, id);
  table->meta.entry_count = 10;
  table->meta.expiring_count = count;
  table->meta.min_expiry_ms = 1;
  table->meta.max_expiry_ms = last_ms;
}

static void
test_a_table_is_dropped_when_every_entry_has_expired(void **state)
{
  (void)state;
  static const char refused[] =
      "not_dead: not every entry of table 11 has expired; leave it out, merge "
      "it, or open the store with loss by policy allowed [11]";
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  set_expiry(bench.version, 11, 10, 500);
  bench.limits.safe_clock_ms = 499;
  plan_bench_expect(&bench, "drop 11", refused);
  bench.limits.safe_clock_ms = 500;
  plan_bench_expect(&bench, "drop 11", "ok");
  set_expiry(bench.version, 11, 9, 500);
  plan_bench_expect(&bench, "drop 11", refused);
  plan_bench_end(&bench);
}

static void
test_living_entries_go_where_loss_is_allowed(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  bench.limits.may_lose = true;
  plan_bench_expect(&bench, "drop 11", "ok");
  plan_bench_end(&bench);
}

static void
test_what_a_snapshot_reads_stays(void **state)
{
  (void)state;
  static const char refused[] =
      "not_dead: a snapshot may still read table 11; leave it out, or wait "
      "until the snapshot is closed [11]";
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  bench.limits.may_lose = true;
  bench.limits.oldest_snapshot_seq = 1000;
  bench.limits.oldest_snapshot_clock_ms = 499;
  plan_bench_expect(&bench, "drop 11", refused);
  set_expiry(bench.version, 11, 10, 500);
  bench.limits.safe_clock_ms = 1000;
  plan_bench_expect(&bench, "drop 11", refused);
  bench.limits.oldest_snapshot_clock_ms = 500;
  plan_bench_expect(&bench, "drop 11", "ok");
  plan_bench_end(&bench);
}

static void
test_what_an_input_hides_must_go_with_it(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  bench.limits.may_lose = true;
  plan_bench_expect(&bench, "drop 20 11",
                    "path_blocked: table 10 in run 1 stays and overlaps input "
                    "20, which hides its older entries: they would come back; "
                    "add it [20 10]");
  plan_bench_expect(&bench, "drop 20 10", "ok");
  plan_bench_expect(&bench, "drop 10", "ok");
  plan_bench_end(&bench);
}

static void
test_what_a_job_works_on_is_not_dropped(void **state)
{
  (void)state;
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  bench.limits.may_lose = true;
  plan_bench_claim(&bench, "merge 11 into 1");
  plan_bench_expect(&bench, "drop 11",
                    "busy_table: table 11 is an input of job 1, which is "
                    "running; wait for its end [11]");
  plan_bench_expect(&bench, "drop 10", "ok");
  plan_bench_claim(&bench, "merge 20 above 1");
  plan_bench_expect(&bench, "drop 10", "ok");
  plan_bench_claim(&bench, "merge 20 10 into 1");
  plan_bench_expect(&bench, "drop 10",
                    "busy_table: table 10 is an input of job 3, which is "
                    "running; wait for its end [10]");
  plan_bench_end(&bench);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_table_is_dropped_when_every_entry_has_expired),
      cmocka_unit_test(test_living_entries_go_where_loss_is_allowed),
      cmocka_unit_test(test_what_a_snapshot_reads_stays),
      cmocka_unit_test(test_what_an_input_hides_must_go_with_it),
      cmocka_unit_test(test_what_a_job_works_on_is_not_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
