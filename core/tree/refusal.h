/*
 * refusal: how a plan is refused: a code, a sentence, the tables concerned.
 *
 * Model: a value, filled once. The sentence is born where errors are born, so
 * that a breakpoint on gs_trap stops at refusals too; it is cut where it does
 * not fit.
 *
 * Threads: pure.
 */
#ifndef GS_TREE_REFUSAL_H
#define GS_TREE_REFUSAL_H

#include "base/error.h"
#include "tree/plan_types.h"

/* Code and sentence; no tables so far. */
#define GS_REFUSE(refusal, number, ...)                   \
  do {                                                    \
    gs_error refused;                                     \
    GS_FAIL(&refused, GS_REFUSED, __VA_ARGS__);           \
    gs_refusal_set((refusal), (number), refused.message); \
  } while (0)

void gs_refusal_set(gs_refusal *refusal, gs_refusal_code code,
                    const char *text);

/* What does not fit is left out. */
void gs_refusal_add_table(gs_refusal *refusal, uint64_t table_id);

#endif
