/*
 * What is made of samples: medians, paired ratios, growth, and the texts and
 * the picture that show them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/peers/goals.h"
#include "bench/peers/report.h"

static const peer_engine ours = {.name = "Ours", .is_lsm = true};
static const peer_engine lsm = {.name = "Log", .is_lsm = true};
static const peer_engine tree = {.name = "Tree"};

static report r;

static int
begin(void **state)
{
  (void)state;
  r = (report){.engines = {&ours, &lsm, &tree},
               .engine_count = 3,
               .head = "a <machine> & more\nsettings\n"};
  return 0;
}

static void
add(int engine, const char *name, double value)
{
  work_result result = {.value = value};
  snprintf(result.name, sizeof result.name, "%s", name);
  report_add(&r, engine, &result);
}

static void
add_size(int engine, const char *name, uint64_t entries, double value)
{
  work_result result = {
      .value = value, .growth_entries = entries, .longest_us = 1};
  snprintf(result.name, sizeof result.name, "%s", name);
  report_add(&r, engine, &result);
}

/* ---- figures ---------------------------------------------------------------*/

static void
test_each_figure_of_a_cell_has_its_own_median(void **state)
{
  (void)state;
  double values[] = {30, 10, 20};
  double longest[] = {1, 9, 5};
  for (int i = 0; i < 3; i++) {
    work_result result = {
        .name = "fillseq", .value = values[i], .longest_us = longest[i]};
    report_add(&r, 0, &result);
  }
  work_result m = report_median(&r.cells[0][0]);
  assert_true(m.value == 20);
  assert_true(m.longest_us == 5);
  add(0, "fillseq", 24);
  assert_true(report_median(&r.cells[0][0]).value == 22);
  assert_true(report_median(&r.cells[0][1]).value == 0);
}

static void
test_ratios_are_taken_run_by_run(void **state)
{
  (void)state;
  double mine[] = {100, 10, 40};
  double its[] = {50, 5, 10}; /* ratios 2, 2, 4; of the medians: 4 */
  for (int i = 0; i < 3; i++) {
    add(0, "fillseq", mine[i]);
    add(1, "fillseq", its[i]);
  }
  assert_true(report_ratio(&r, 0, REPORT_LSM) == 2);
}

static void
test_the_best_peer_is_the_one_with_the_least_ratio(void **state)
{
  (void)state;
  add(0, "fillseq", 60);
  add(1, "fillseq", 30);
  add(2, "fillseq", 120);
  assert_true(report_ratio(&r, 0, REPORT_LSM) == 2);
  assert_true(report_ratio(&r, 0, REPORT_ALL) == 0.5);
  add(0, "alone", 1);
  assert_true(report_ratio(&r, 1, REPORT_ALL) == 0);
}

static void
test_growth_compares_with_the_smallest_of_the_same_values(void **state)
{
  (void)state;
  add_size(0, "readrandom, 100 k entries", 100000, 800);
  add_size(0, "readrandom, 10 M entries", 10000000, 400);
  add_size(0, "readrandom, 50 k entries of 4 KiB", 50000, 100);
  add_size(0, "readmissing, 10 M entries", 10000000, 400);
  assert_int_equal(-1, report_smallest(&r, 0));
  assert_int_equal(0, report_smallest(&r, 1));
  assert_int_equal(-1, report_smallest(&r, 2));
  assert_int_equal(-1, report_smallest(&r, 3));
  assert_true(report_growth(&r, 1, 0, 0) == 2);
}

static void
test_more_runs_than_there_is_room_for_are_left_out(void **state)
{
  (void)state;
  for (int i = 0; i < REPORT_RUNS + 5; i++) {
    add(0, "fillseq", i);
  }
  assert_int_equal(REPORT_RUNS, r.cells[0][0].count);
}

static void
test_goals_are_those_of_twenty_five_rows(void **state)
{
  (void)state;
  assert_int_equal(25, goal_count);
  assert_true(goal_find("fillrandom")->best_lsm == 3);
  assert_true(goal_find("overwrite")->best_of_all == 4);
  assert_null(goal_find("peak memory, MiB"));
  assert_true(goal_growth("readrandom", 10) == 2.5);
  assert_true(goal_growth("readrandom", 4) == 0);
  assert_true(goal_growth("readrandom (warm)", 17) == 2.5);
}

/* ---- texts -----------------------------------------------------------------*/

static char text[1 << 16];

static const char *
shown(void (*show)(const report *r, FILE *out))
{
  FILE *out = fmemopen(text, sizeof text, "w");
  assert_non_null(out);
  show(&r, out);
  assert_int_equal(0, fclose(out));
  return text;
}

static void
fill_report(void)
{
  for (int run = 0; run < 3; run++) {
    add(0, "fillseq", 6000000);
    add(1, "fillseq", 2000000);
    add(2, "fillseq", 12000000);
    add(0, "peak memory, MiB", 12.5);
    add(0, "read, <all>", 0);
    add_size(0, "readrandom, 1 k entries", 1000, 900);
    add_size(0, "readrandom, 2 k entries", 2000, 300);
  }
}

static void
test_the_table_tells_ratios_floors_and_goals(void **state)
{
  (void)state;
  fill_report();
  const char *said = shown(report_print);
  assert_non_null(strstr(said, "a <machine> & more\nsettings\n"));
  assert_non_null(strstr(said, "| fillseq | 6.00 M | 2.00 M | 12.00 M | "
                               "**3.00** | 1.50 | 0.50 | 3.00 |\n"));
  assert_non_null(strstr(said, "| peak memory, MiB | 12.50 | – | – |\n"));
  assert_non_null(strstr(said, "| readrandom, 2 k entries | 3.00 | – | – | "
                               "2.50 |\n"));
  assert_non_null(strstr(said, "Of 1 rows with a goal (25 in a whole run): 1 "
                               "at or above the floor, 0 at least even with "
                               "the best of all (20 are asked for), 0 at or "
                               "above the goal."));
}

static void
test_comma_separated_values_keep_the_head_and_all_samples(void **state)
{
  (void)state;
  fill_report();
  const char *said = shown(report_csv);
  assert_non_null(strstr(said, "# a <machine> & more\n# settings\nengine,"));
  assert_non_null(strstr(said, "Log,\"fillseq\",3,2000000.000,0.000,0.000,"
                               "0.000,0.000,0.000,2000000.000 2000000.000 "
                               "2000000.000\n"));
}

static int
count_of(const char *all, const char *word)
{
  int count = 0;
  for (const char *at = all; (at = strstr(at, word)) != NULL; at++) {
    count++;
  }
  return count;
}

static void
test_the_picture_stands_alone_and_shows_rates_only(void **state)
{
  (void)state;
  fill_report();
  const char *said = shown(report_svg);
  assert_ptr_equal(said, strstr(said, "<svg xmlns="));
  assert_non_null(strstr(said, "</svg>\n"));
  assert_non_null(strstr(said, "a &lt;machine&gt; &amp; more</text>"));
  assert_null(strstr(said, "peak memory"));
  assert_null(strstr(said, "href"));
  /* background, legend, three of fillseq, two of readrandom */
  assert_int_equal(1 + 3 + 3 + 2, count_of(said, "<rect "));
  assert_int_equal(count_of(said, "<text "), count_of(said, "</text>"));
  assert_non_null(strstr(said, "width=\"560.0\"")); /* the best */
  assert_non_null(strstr(said, "width=\"280.0\"")); /* half of it */
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_each_figure_of_a_cell_has_its_own_median,
                             begin),
      cmocka_unit_test_setup(test_ratios_are_taken_run_by_run, begin),
      cmocka_unit_test_setup(test_the_best_peer_is_the_one_with_the_least_ratio,
                             begin),
      cmocka_unit_test_setup(
          test_growth_compares_with_the_smallest_of_the_same_values, begin),
      cmocka_unit_test_setup(test_more_runs_than_there_is_room_for_are_left_out,
                             begin),
      cmocka_unit_test(test_goals_are_those_of_twenty_five_rows),
      cmocka_unit_test_setup(test_the_table_tells_ratios_floors_and_goals,
                             begin),
      cmocka_unit_test_setup(
          test_comma_separated_values_keep_the_head_and_all_samples, begin),
      cmocka_unit_test_setup(test_the_picture_stands_alone_and_shows_rates_only,
                             begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
