/*
 * recover: from what the disk holds to a store that serves.
 *
 * Model: the manifest gives the tables and the list of segments; the log gives
 * what was not flushed. What is replayed is written to new tables and a new
 * manifest before anything is served, so that what a reader has once seen no
 * further crash can take back; the old segments are never written again.
 * A clean store is only read.
 *
 * Threads: one; the store is not yet shared.
 */
#ifndef GS_STORE_RECOVER_H
#define GS_STORE_RECOVER_H

#include "store/store.h"

/* Reads manifest and log into the store: tree, view, sequences, clock. */
GS_MUST_CHECK gs_status gs_recover(gs_store *store, bool *is_unmade,
                                   gs_error *err);

/* First facts of a store that is being made, under the store's manifest
 * number. */
GS_MUST_CHECK gs_status gs_recover_fresh(gs_store *store, gs_error *err);

#endif
