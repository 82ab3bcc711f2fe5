/*
 * lab_kit: virtual stores for tests: small, instant, and counted.
 *
 * Requires: cmocka.h, included before.
 */
#ifndef GS_CTEST_LAB_KIT_H
#define GS_CTEST_LAB_KIT_H

#include <math.h>

#include "lab/state.h"
#include "support/test_alloc.h"

/* A thousand writes of 100 bytes to a memtable, no device. */
static inline gs_lab_options
kit_options(void)
{
  return (gs_lab_options){
      .keys = 10000,
      .writes = 100000,
      .key_bytes = 16,
      .value_bytes = 100,
      .memtable_bytes = 152000,
      .table_bytes = 1 << 20,
      .workers = 1,
      .start_ms = 1000000,
      .seed = 1,
  };
}

static inline gs_lab *
kit_lab(test_alloc *alloc, const gs_lab_options *options)
{
  gs_lab *lab = NULL;
  test_alloc_init(alloc);
  assert_int_equal(gs_lab_new(&alloc->base, options, &lab, NULL), GS_OK);
  return lab;
}

static inline void
kit_end(gs_lab *lab, test_alloc *alloc)
{
  gs_lab_free(lab);
  assert_int_equal(alloc->live_bytes, 0);
}

/* Lets the machine run without a policy. */
static inline void
kit_run(gs_lab *lab, double writes)
{
  gs_lab_event event = GS_LAB_DECIDE;
  while (event == GS_LAB_DECIDE) {
    assert_int_equal(gs_lab_advance(lab, writes, &event, NULL), GS_OK);
  }
}

/* Lets it run until it has so many runs. */
static inline void
kit_run_until(gs_lab *lab, size_t runs)
{
  while (lab->version->run_count < runs) {
    gs_lab_event event;
    assert_int_equal(gs_lab_advance(lab, lab->options.writes, &event, NULL),
                     GS_OK);
    assert_int_equal(event, GS_LAB_DECIDE);
  }
}

/* The merge of the newest runs of the lab in their place; the inputs are the
 * caller's to free. */
static inline gs_plan
kit_merge(gs_lab *lab, size_t runs)
{
  gs_plan plan;
  assert_int_equal(gs_floor_plan(lab->alloc, lab->version, runs, &plan, NULL),
                   GS_OK);
  return plan;
}

static inline void
kit_submit(gs_lab *lab, gs_plan *plan)
{
  gs_refusal refusal;
  assert_int_equal(gs_lab_submit(lab, plan, false, NULL, &refusal, NULL),
                   GS_OK);
  gs_alloc_free(lab->alloc, (void *)plan->inputs,
                plan->input_count * sizeof *plan->inputs);
}

/* Whether a is b within a share of b. */
static inline bool
kit_is_near(double a, double b, double share)
{
  return fabs(a - b) <= share * fabs(b) + 1e-9;
}

#define ASSERT_NEAR(a, b, share)                                  \
  do {                                                            \
    if (!kit_is_near((a), (b), (share))) {                        \
      print_error("%s is %.6f, expected %.6f\n", #a, (double)(a), \
                  (double)(b));                                   \
      fail();                                                     \
    }                                                             \
  } while (0)

/* Random numbers of the test's own. */
static inline uint64_t
kit_random(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

#endif
