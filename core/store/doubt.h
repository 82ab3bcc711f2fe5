/*
 * doubt: which saved values may not be the newest of their keys.
 *
 * Model: a loss may have held a newer version of a key than the one saved: a
 * tombstone, or a later value. That is so where the key lies in the loss's
 * range and the version is not known to be newer than all that was lost there:
 * by its place in the tree, where the tree is known, or by its sequence number.
 *
 * Life: add for each loss, begin, ask for keys that rise, deinit. The losses
 * are the report's and stay where they are from begin on.
 * Threads: one.
 */
#ifndef GS_STORE_DOUBT_H
#define GS_STORE_DOUBT_H

#include "base/buffer.h"
#include "data/entry.h"
#include "store/care.h"

#define GS_PLACE_UNKNOWN   UINT32_MAX
#define GS_PLACE_BELOW_ALL (UINT32_MAX - 1)

typedef struct gs_doubt {
  gs_repair_report *report;
  gs_buffer places; /* u32 for each loss: where in the tree, 0 the log */
  gs_buffer order;  /* size_t: losses by the keys they begin with */
  gs_buffer active; /* size_t: those whose range the last key was in */
  size_t next;      /* in order */
} gs_doubt;

void gs_doubt_init(gs_doubt *doubt, gs_repair_report *report);
void gs_doubt_deinit(gs_doubt *doubt);

/* Adds the loss to the report too. */
GS_MUST_CHECK gs_status gs_doubt_add(gs_doubt *doubt, const gs_loss *loss,
                                     uint32_t place, gs_error *err);

GS_MUST_CHECK gs_status gs_doubt_begin(gs_doubt *doubt, gs_error *err);

/* Whether this version may not be the newest; counts it with the losses that
 * make it so. Keys rise from call to call. */
bool gs_doubt_ask(gs_doubt *doubt, const gs_entry *entry, uint32_t place);

#endif
