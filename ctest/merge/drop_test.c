/*
 * Tests of the dropping rules: in a small scope every history, every split of
 * it into what lies above, in and below the inputs, and every set of
 * snapshots; and the rules one by one under their names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "merge/drop_judges.h"
#include "support/family.h"

/* Every case of a scope --------------------------------------------------------- */

typedef struct scope {
  size_t max_versions;
  unsigned kinds;       /* how many of the kinds occur */
  unsigned clocks;      /* how many of the clocks occur */
  bool clocks_rise;     /* only snapshots whose clocks never run backward */
  bool is_exact;        /* judge three: where nothing lies above */
  bool merges_again;    /* follow each merge by every other */
  uint64_t cases;       /* counted */
  uint64_t later_cases; /* counted: merges after merges */
} scope;

static size_t
power(size_t base, size_t exponent)
{
  size_t result = 1;
  while (exponent-- > 0) {
    result *= base;
  }
  return result;
}

/* Which snapshots there are, digit by digit: 0 none, else its clock. */
static bool
choose_snapshots(merge_case *c, const scope *s, size_t code)
{
  c->snapshot_count = 0;
  uint64_t highest = 0;
  for (uint64_t seq = LOWEST_SEQ + 1; code > 0; seq++) {
    size_t digit = code % (s->clocks + 1);
    code /= s->clocks + 1;
    if (digit == 0) {
      continue;
    }
    uint64_t clock = clocks[digit - 1];
    if (s->clocks_rise && clock < highest) {
      return false;
    }
    highest = clock;
    c->snapshots[c->snapshot_count++] =
        (gs_snapshot_point){.seq = seq, .clock_ms = clock};
  }
  return true;
}

/* The oldest versions take their kinds from the code; those left are puts. */
static void
choose_kinds(merge_case *c, const scope *s, size_t code)
{
  for (size_t i = c->before.count; i-- > 0;) {
    c->before.versions[i] = make_version((unsigned)(code % s->kinds),
                                         LOWEST_SEQ + c->before.count - i);
    code /= s->kinds;
  }
}

static void
print_history(const char *name, const history *h)
{
  print_error("%s:", name);
  for (size_t i = 0; i < h->count; i++) {
    const gs_entry *entry = &h->versions[i];
    print_error(" @%d:%s", (int)entry->seq,
                entry->kind == GS_KIND_PUT ? "put" : "del");
    if (entry->expires_at_ms != 0) {
      print_error("<%d", (int)entry->expires_at_ms);
    }
  }
  print_error("\n");
}

static void
refuse(const merge_case *c, const history *written, const char *reason)
{
  print_history("before", &c->before);
  print_error("inputs: %zu after %zu; bottom %d; safe clock %d; snapshots:",
              c->inputs, c->above, c->is_bottom, (int)c->safe_clock);
  for (size_t i = 0; i < c->snapshot_count; i++) {
    print_error(" %d at %d", (int)c->snapshots[i].seq,
                (int)c->snapshots[i].clock_ms);
  }
  print_error("\n");
  print_history("written", written);
  fail_msg("%s", reason);
}

static history
judge(const merge_case *c, const scope *s)
{
  gs_drop_counts counts;
  gs_drop_counts wanted_counts;
  history written = run_drop(c, &counts);
  history wanted = rules_as_sets(c, &wanted_counts);
  history after = whole_after(c, &written);
  if (!reads_are_equal(c, &c->before, &after)) {
    refuse(c, &written, "a read changed");
  }
  if (!histories_are_equal(&written, &wanted)) {
    refuse(c, &written, "the rules say otherwise");
  }
  if (memcmp(&counts, &wanted_counts, sizeof counts) != 0 ||
      counts.offered !=
          counts.written + counts.covered + counts.doubled + counts.bottom) {
    refuse(c, &written, "the counts are wrong");
  }
  if (s->is_exact && c->above == 0 && could_drop_more(c, &written)) {
    refuse(c, &written, "a version was kept for nothing");
  }
  return after;
}

static void
release_older_half(merge_case *c)
{
  size_t gone = (c->snapshot_count + 1) / 2;
  c->snapshot_count -= gone;
  for (size_t i = 0; i < c->snapshot_count; i++) {
    c->snapshots[i] = c->snapshots[gone + i];
  }
}

/* Merges every split of what a merge left; first are the versions before it. */
static void
merge_every_split(merge_case *later, const history *first, scope *s)
{
  size_t count = later->before.count;
  for (later->above = 0; later->above < count; later->above++) {
    size_t rest = count - later->above;
    for (later->inputs = 1; later->inputs <= rest; later->inputs++) {
      later->is_bottom = later->inputs == rest;
      history last = judge(later, &(scope){.max_versions = 0});
      if (!reads_are_equal(later, first, &last)) {
        refuse(later, &last, "a later merge changed a read");
      }
      s->later_cases++;
    }
  }
}

/* With the same snapshots, then with the older half of them released; at the
 * latest clock. */
static void
merge_again(const merge_case *c, scope *s, const history *after)
{
  merge_case later = *c;
  later.before = *after;
  later.safe_clock = clocks[CLOCKS - 1];
  merge_every_split(&later, &c->before, s);
  release_older_half(&later);
  merge_every_split(&later, &c->before, s);
}

/* A single merge never looks above its inputs, and a read answered there stays
 * as it is: one kind stands for all. A later merge may take them in. */
static void
judge_kinds(merge_case *c, scope *s)
{
  size_t above = s->merges_again ? 0 : c->above;
  size_t codes = power(s->kinds, c->before.count - above);
  for (size_t code = 0; code < codes; code++) {
    choose_kinds(c, s, code);
    history after = judge(c, s);
    s->cases++;
    if (s->merges_again) {
      merge_again(c, s, &after);
    }
  }
}

/* The bottom flag is true where nothing lies below; there a job may also not
 * know it. */
static void
judge_splits(merge_case *c, scope *s)
{
  size_t count = c->before.count;
  for (c->above = 0; c->above < count; c->above++) {
    for (c->inputs = 1; c->above + c->inputs <= count; c->inputs++) {
      c->is_bottom = false;
      judge_kinds(c, s);
      if (c->above + c->inputs == count) {
        c->is_bottom = true;
        judge_kinds(c, s);
      }
    }
  }
}

static uint64_t all_cases;

/* Six versions of a key; more where more is asked for. */
static size_t
longest(void)
{
  size_t scale = family_count(1);
  return scale >= 100 ? 8 : scale >= 10 ? 7 : 6;
}

static void
judge_scope(scope *s)
{
  merge_case c = {.above = 0};
  for (size_t count = 1; count <= s->max_versions; count++) {
    c.before.count = count;
    size_t codes = power(s->clocks + 1, count);
    for (size_t code = 0; code < codes; code++) {
      if (!choose_snapshots(&c, s, code)) {
        continue;
      }
      for (size_t safe = 0; safe < s->clocks; safe++) {
        c.safe_clock = clocks[safe];
        judge_splits(&c, s);
      }
    }
  }
  all_cases += s->cases + s->later_cases;
  print_message("%zu versions, %u kinds, %u clocks: %llu cases, %llu later\n",
                s->max_versions, s->kinds, s->clocks,
                (unsigned long long)s->cases,
                (unsigned long long)s->later_cases);
}

static void
test_no_history_of_puts_and_deletes_reads_otherwise_or_keeps_too_much(
    void **state)
{
  (void)state;
  judge_scope(&(scope){
      .max_versions = longest(), .kinds = 2, .clocks = 1, .is_exact = true});
  judge_scope(&(scope){.max_versions = 4,
                       .kinds = 2,
                       .clocks = 1,
                       .is_exact = true,
                       .merges_again = true});
}

static void
test_no_history_with_expiry_reads_otherwise(void **state)
{
  (void)state;
  judge_scope(&(scope){
      .max_versions = longest(), .kinds = 3, .clocks = 2, .clocks_rise = true});
  judge_scope(&(scope){.max_versions = 4, .kinds = 4, .clocks = 3});
  judge_scope(&(scope){
      .max_versions = 3, .kinds = 4, .clocks = 3, .merges_again = true});
}

/* The rules by name --------------------------------------------------------------- */

/* One key's merge and what is left of it, newest first: a letter for the kind
 * (p put, d delete, x put that expires at 10) and a sequence number each. */
typedef struct rule_example {
  const char *before; /* letters only; seqs has the numbers */
  uint64_t seqs[MAX_VERSIONS];
  gs_snapshot_point snapshots[2];
  size_t snapshot_count;
  uint64_t safe_clock;
  bool is_bottom;
  const char *after; /* such as "p9d4" */
} rule_example;

static void
expect_left(const rule_example *example)
{
  merge_case c = {.inputs = strlen(example->before),
                  .snapshot_count = example->snapshot_count,
                  .safe_clock = example->safe_clock,
                  .is_bottom = example->is_bottom};
  c.before.count = c.inputs;
  for (size_t i = 0; i < c.inputs; i++) {
    unsigned kind = example->before[i] == 'p'   ? PUT
                    : example->before[i] == 'd' ? DELETE
                                                : PUT_UNTIL_10;
    c.before.versions[i] = make_version(kind, example->seqs[i]);
  }
  memcpy(c.snapshots, example->snapshots, sizeof example->snapshots);
  gs_drop_counts counts;
  history written = run_drop(&c, &counts);
  char left[2 * MAX_VERSIONS + 1] = "";
  for (size_t i = 0; i < written.count; i++) {
    const gs_entry *entry = &written.versions[i];
    const char *put = entry->expires_at_ms != 0 ? "x" : "p";
    const char *letter = entry->kind == GS_KIND_DELETE ? "d" : put;
    left[2 * i] = *letter;
    left[2 * i + 1] = (char)('0' + entry->seq);
    left[2 * i + 2] = '\0';
  }
  assert_string_equal(left, example->after);
}

static void
test_an_older_value_under_a_newer_tombstone_gives_the_tombstone(void **state)
{
  (void)state;
  expect_left(&(rule_example){.before = "dp", .seqs = {2, 1}, .after = "d2"});
}

static void
test_an_older_tombstone_under_a_newer_value_gives_the_value(void **state)
{
  (void)state;
  expect_left(&(rule_example){.before = "pd", .seqs = {2, 1}, .after = "p2"});
}

static void
test_a_tombstone_alone_stays_until_nothing_older_can_remain(void **state)
{
  (void)state;
  rule_example example = {.before = "d", .seqs = {2}, .after = "d2"};
  expect_left(&example);
  example.is_bottom = true;
  example.after = "";
  expect_left(&example);
}

static void
test_a_snapshot_keeps_what_it_sees_and_nothing_else(void **state)
{
  (void)state;
  rule_example example = {.before = "pppp",
                          .seqs = {8, 6, 4, 2},
                          .snapshots = {{.seq = 5}},
                          .snapshot_count = 1,
                          .is_bottom = true,
                          .after = "p8p4"};
  expect_left(&example);
  example.snapshots[0].seq = 4;
  expect_left(&example);
  example.snapshots[0].seq = 3;
  example.after = "p8p2";
  expect_left(&example);
  example.snapshots[0].seq = 8;
  example.after = "p8";
  expect_left(&example);
}

static void
test_the_older_of_two_tombstones_does_for_both(void **state)
{
  (void)state;
  rule_example example = {
      .before = "pdpdp",
      .seqs = {9, 7, 5, 4, 2},
      .snapshots = {{.seq = 4}, {.seq = 8}},
      .snapshot_count = 2,
      .after = "p9d4",
  };
  expect_left(&example);
  example.is_bottom = true;
  example.after = "p9";
  expect_left(&example);
}

static void
test_an_expired_value_becomes_a_tombstone_of_its_sequence(void **state)
{
  (void)state;
  rule_example example = {
      .before = "xp", .seqs = {2, 1}, .safe_clock = 9, .after = "x2"};
  expect_left(&example);
  example.safe_clock = 10;
  example.after = "d2";
  expect_left(&example);
  example.is_bottom = true;
  example.after = "";
  expect_left(&example);
}

static void
test_an_expired_value_stays_for_a_snapshot_of_an_earlier_clock(void **state)
{
  (void)state;
  rule_example example = {.before = "px",
                          .seqs = {4, 2},
                          .snapshots = {{.seq = 3, .clock_ms = 9}},
                          .snapshot_count = 1,
                          .safe_clock = 20,
                          .after = "p4x2"};
  expect_left(&example);
  example.snapshots[0].clock_ms = 10;
  example.after = "p4d2";
  expect_left(&example);
}

static void
test_keys_follow_one_another_and_the_counts_add_up(void **state)
{
  (void)state;
  gs_drop drop;
  gs_entry out[2];
  gs_drop_init(&drop, NULL, 0, 10);
  gs_entry tombstone = make_version(DELETE, 7);
  gs_entry expired = make_version(PUT_UNTIL_10, 5);
  for (int key = 0; key < 3; key++) {
    gs_drop_begin(&drop);
    assert_int_equal(gs_drop_offer(&drop, &tombstone, out), 0);
    assert_int_equal(gs_drop_offer(&drop, &expired, out), 0);
    assert_int_equal(gs_drop_finish(&drop, key == 2, out), key != 2);
    assert_int_equal(gs_drop_finish(&drop, true, out), 0);
  }
  gs_drop_begin(&drop);
  assert_int_equal(gs_drop_offer(&drop, &expired, out), 0);
  assert_true(gs_drop_finish(&drop, false, out));
  assert_int_equal(drop.counts.offered, 7);
  assert_int_equal(drop.counts.covered, 3);
  assert_int_equal(drop.counts.expired, 1);
  assert_int_equal(drop.counts.bottom, 1);
  assert_int_equal(drop.counts.doubled, 0);
  assert_int_equal(drop.counts.written, 3);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(
          test_an_older_value_under_a_newer_tombstone_gives_the_tombstone),
      cmocka_unit_test(
          test_an_older_tombstone_under_a_newer_value_gives_the_value),
      cmocka_unit_test(
          test_a_tombstone_alone_stays_until_nothing_older_can_remain),
      cmocka_unit_test(test_a_snapshot_keeps_what_it_sees_and_nothing_else),
      cmocka_unit_test(test_the_older_of_two_tombstones_does_for_both),
      cmocka_unit_test(
          test_an_expired_value_becomes_a_tombstone_of_its_sequence),
      cmocka_unit_test(
          test_an_expired_value_stays_for_a_snapshot_of_an_earlier_clock),
      cmocka_unit_test(test_keys_follow_one_another_and_the_counts_add_up),
      cmocka_unit_test(
          test_no_history_of_puts_and_deletes_reads_otherwise_or_keeps_too_much),
      cmocka_unit_test(test_no_history_with_expiry_reads_otherwise),
  };
  return family_report(17, "drop", all_cases,
                       cmocka_run_group_tests(tests, NULL, NULL),
                       "merges of histories in a small scope");
}
