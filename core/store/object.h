/*
 * object: a store in memory, without anything behind it.
 *
 * Model: what every store has before its directory is looked at: options,
 * path, locks, epoch, cache, an empty tree.
 *
 * Life: new, and free in whatever state it is.
 * Threads: one; no other knows of it, or knows of it any more.
 */
#ifndef GS_STORE_OBJECT_H
#define GS_STORE_OBJECT_H

#include "store/job.h"

/* On failure *out is NULL, or what was made so far; either may be freed. */
GS_MUST_CHECK gs_status gs_object_new(const char *path,
                                      const gs_options *options, gs_store **out,
                                      gs_error *err);

/* NULL is accepted. Closes files and gives up the lock; writes nothing. */
void gs_object_free(gs_store *store);

/* Jobs that no thread will run any more. */
void gs_object_free_jobs(gs_store *store);

#endif
