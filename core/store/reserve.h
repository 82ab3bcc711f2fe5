/*
 * reserve: sequence numbers of a store without a log.
 *
 * Model: what a log holds tells the next opening which numbers may have been
 * given out. Without one ("memory") the manifest has to say it beforehand: its
 * last_seq stands ahead of what is in use, and no number beyond it is given
 * out. Every edit moves it on, so that only the first write of an opening and
 * one that comes many millions after the last edit wait for an edit of their
 * own. Numbers that were reserved and not used are burnt when the store is
 * opened again, unless it was closed cleanly.
 *
 * Threads: the commit lock is held, except for gs_reserve_ahead.
 */
#ifndef GS_STORE_RESERVE_H
#define GS_STORE_RESERVE_H

#include "base/error.h"

struct gs_store;

/* Whether so many more numbers may be given out. */
bool gs_reserve_suffices(const struct gs_store *store, uint32_t count);

/* Makes durable that more numbers are in use, as many as any batch takes. A
 * failure changes nothing and may be tried again. Takes install. */
GS_MUST_CHECK gs_status gs_reserve_more(struct gs_store *store, gs_error *err);

/* What an edit has to name as the last sequence, where `used` is in use. */
uint64_t gs_reserve_ahead(const struct gs_store *store, uint64_t used);

#endif
