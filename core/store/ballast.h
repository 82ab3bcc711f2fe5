/*
 * ballast: room on the disk that is there when none is left.
 *
 * Model: a file of zeros, BALLAST, as large as the log, since what a flush must
 * write is what the log holds; but not above disk_reserve_bytes, nor above two
 * memtables. So a store of five keys keeps a few pages of zeros and one under
 * load what it takes to empty a memtable. When the disk is full the file is
 * deleted, and what it took is used for flushes, the manifest and deletes,
 * which in turn let segments go. Once there is space again it is made anew,
 * with the next segment.
 *   1. Nothing depends on it: where it cannot be made, the store goes on.
 *   2. It is made only while more than disk_reserve_bytes stay free beside it.
 *   3. A store that is closed in order leaves none behind; a crash leaves it,
 *      and so does a log that could not be flushed.
 *
 * Life: a part of the store; begun by open, ended by close.
 * Threads: any; growing from one at a time.
 */
#ifndef GS_STORE_BALLAST_H
#define GS_STORE_BALLAST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct gs_ballast {
  atomic_uint_fast64_t bytes; /* of the file; 0: there is none */
} gs_ballast;

struct gs_store;

/* Finds what an earlier opening left. */
void gs_ballast_begin(struct gs_store *store);

/* Makes or enlarges it for a log of that many bytes. No lock held. */
void gs_ballast_grow(struct gs_store *store, uint64_t log_bytes);

/* Whether so many bytes more leave disk_reserve_bytes free. Any thread. */
bool gs_ballast_has_space(struct gs_store *store, uint64_t bytes);

/* Gives its room back. True where there was some: what failed for want of it
 * may be tried again. */
bool gs_ballast_release(struct gs_store *store);

/* The same, and waits for files that are about to go. For what is tried once
 * more and then fails. */
bool gs_ballast_find_space(struct gs_store *store);

/* The same where less than that is free. */
void gs_ballast_make_way(struct gs_store *store, uint64_t bytes);

#endif
