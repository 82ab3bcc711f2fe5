/*
 * throttle: a rate that writers keep to while merges catch up.
 *
 * Model: a bucket. Each write adds its bytes to what was asked for, and the rate
 * lets bytes by; a write waits until what was asked for before it has passed, but
 * for a millisecond's worth, so that small writes are not put to sleep one by
 * one. So each write makes the next one wait, in proportion to its bytes, and
 * the first after a pause does not wait: nothing is saved up.
 *   1. passed_bytes <= asked_bytes.
 *   2. Both only rise, whatever the rate becomes. Without a rate they are equal.
 * Waiting is outside the commit lock and counts against the write's patience;
 * then GS_BUSY, and its bytes are forgotten. Where there are no workers a write
 * does a step of due work instead, and owes nothing more.
 *
 * Threads: any.
 */
#ifndef GS_STORE_THROTTLE_H
#define GS_STORE_THROTTLE_H

#include "store/store.h"

/* The slow half of gs_throttle_pass. */
GS_MUST_CHECK gs_status gs_throttle_wait(gs_store *store, gs_room *room,
                                         gs_error *err);

/* Before a write takes commit; without a throttle this is one load. */
static inline gs_status
gs_throttle_pass(gs_store *store, gs_room *room, gs_error *err)
{
  return gs_limit(&store->throttle.bytes_per_s) == 0
             ? GS_OK
             : gs_throttle_wait(store, room, err);
}

#endif
