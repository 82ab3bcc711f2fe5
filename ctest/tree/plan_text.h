/*
 * plan_text: plans and verdicts as text.
 *
 *   plan     := ("merge" | "move" | "drop") id* ["into" run | "above" run |
 *               "bottom"]
 *   verdict  := "ok" | code ": " sentence " [" table ids "]"
 *
 * Requires: cmocka.h, included before.
 */
#ifndef GS_CTEST_TREE_PLAN_TEXT_H
#define GS_CTEST_TREE_PLAN_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test_alloc.h"
#include "tree/layout.h"
#include "tree/plan.h"

enum { PLAN_TEXT_INPUTS = 16, PLAN_TEXT_CLAIMS = 4 };

typedef struct plan_text {
  gs_plan plan;
  uint64_t inputs[PLAN_TEXT_INPUTS];
} plan_text;

/* A tree, the claims on it, and the limits a plan is checked with. */
typedef struct plan_bench {
  test_alloc alloc;
  gs_version *version;
  gs_claim *claims[PLAN_TEXT_CLAIMS];
  size_t claim_count;
  gs_plan_limits limits;
} plan_bench;

/* The rest of the text behind the word, or NULL where it is another word. */
static inline const char *
plan_text_word(const char *text, const char *word)
{
  size_t size = strlen(word);
  if (strncmp(text, word, size) != 0) {
    return NULL;
  }
  return text + size + strspn(text + size, " ");
}

static inline void
plan_text_parse(const char *text, plan_text *out)
{
  static const char *const ops[] = {"", "merge", "move", "drop"};
  static const char *const targets[] = {"", "into", "above", "bottom"};
  *out = (plan_text){.plan = {.level = -1}};
  for (int op = GS_PLAN_MERGE; op <= GS_PLAN_DROP; op++) {
    const char *rest = plan_text_word(text, ops[op]);
    if (rest != NULL) {
      out->plan.op = (gs_plan_op)op;
      text = rest;
      break;
    }
  }
  while (*text >= '0' && *text <= '9') {
    assert_true(out->plan.input_count < PLAN_TEXT_INPUTS);
    char *end;
    out->inputs[out->plan.input_count++] = strtoull(text, &end, 10);
    text = end + strspn(end, " ");
  }
  for (int target = GS_TARGET_INTO; target <= GS_TARGET_BOTTOM; target++) {
    const char *rest = plan_text_word(text, targets[target]);
    if (rest != NULL) {
      out->plan.target = (gs_plan_target)target;
      out->plan.run_id = strtoull(rest, NULL, 10);
    }
  }
  out->plan.inputs = out->inputs;
}

static inline void
plan_bench_begin(plan_bench *bench, const char *tree)
{
  *bench = (plan_bench){
      .limits = {.max_runs = 64,
                 .free_bytes = 1000000,
                 .oldest_snapshot_seq = UINT64_MAX,
                 .oldest_snapshot_clock_ms = UINT64_MAX},
  };
  test_alloc_init(&bench->alloc);
  bench->version = layout_version(&bench->alloc.base, tree);
}

static inline void
plan_bench_end(plan_bench *bench)
{
  for (size_t i = 0; i < bench->claim_count; i++) {
    gs_claim_free(&bench->alloc.base, bench->claims[i]);
  }
  gs_version_unref(bench->version);
  assert_int_equal(bench->alloc.live_bytes, 0);
}

/* Starts a job: jobs are numbered from 1. */
static inline void
plan_bench_claim(plan_bench *bench, const char *text)
{
  plan_text parsed;
  plan_text_parse(text, &parsed);
  assert_true(bench->claim_count < PLAN_TEXT_CLAIMS);
  uint64_t job = bench->claim_count + 1;
  assert_int_equal(gs_claim_new(&bench->alloc.base, job, bench->version,
                                &parsed.plan,
                                &bench->claims[bench->claim_count], NULL),
                   GS_OK);
  bench->claim_count++;
}

/* The tree changes; the claims stay. */
static inline void
plan_bench_change(plan_bench *bench, const char *tree)
{
  gs_version_unref(bench->version);
  bench->version = layout_version(&bench->alloc.base, tree);
}

static inline void
plan_bench_expect_plan(plan_bench *bench, const gs_plan *plan,
                       const char *verdict)
{
  gs_refusal refusal;
  char text[600] = "ok";
  if (!gs_plan_check(bench->version, plan,
                     (const gs_claim *const *)bench->claims, bench->claim_count,
                     &bench->limits, &refusal)) {
    int at = snprintf(text, sizeof text, "%s: %s [",
                      gs_refusal_name(refusal.code), refusal.text);
    for (size_t i = 0; i < refusal.table_count; i++) {
      at += snprintf(text + at, sizeof text - (size_t)at, "%s%lu",
                     i == 0 ? "" : " ", refusal.tables[i]);
    }
    snprintf(text + at, sizeof text - (size_t)at, "]");
  }
  assert_string_equal(text, verdict);
}

static inline void
plan_bench_expect(plan_bench *bench, const char *plan, const char *verdict)
{
  plan_text parsed;
  plan_text_parse(plan, &parsed);
  plan_bench_expect_plan(bench, &parsed.plan, verdict);
}

/* The same on a tree of its own. */
static inline void
plan_text_expect(const char *tree, const char *plan, const char *verdict)
{
  plan_bench bench;
  plan_bench_begin(&bench, tree);
  plan_bench_expect(&bench, plan, verdict);
  plan_bench_end(&bench);
}

#endif
