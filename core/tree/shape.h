/*
 * shape: how shapes are made, by a store or by anything else that has a
 * version.
 *
 * Threads: pure.
 */
#ifndef GS_TREE_SHAPE_H
#define GS_TREE_SHAPE_H

#include "tree/plan.h"
#include "tree/shape_types.h"

/* Runs that a read of a key is expected to look at. */
double gs_shape_expected_runs(const gs_version *version);

/* A shape with the version, its runs and their busy tables; the other figures
 * are the caller's to fill in. References the version; claims are borrowed. */
GS_MUST_CHECK gs_status gs_shape_new_of(gs_alloc *alloc, gs_version *version,
                                        const gs_claim *const *claims,
                                        size_t claim_count, gs_shape **out,
                                        gs_error *err);

#endif
