/*
 * directory: what stands in a store's directory.
 *
 * Threads: pure, one call.
 */
#ifndef GS_STORE_DIRECTORY_H
#define GS_STORE_DIRECTORY_H

#include "store/store.h"

typedef struct gs_directory {
  bool exists;
  bool has_lock; /* the file; nobody need hold it */
  size_t manifest_count;
  size_t data_count;    /* segments and tables */
  size_t foreign_count; /* names that are not ours */
  uint64_t max_manifest;
  uint64_t max_number;  /* largest number of a segment or table */
  uint64_t max_journal; /* of a file of events */
} gs_directory;

/* GS_MISSING is no error here: exists is false then. */
GS_MUST_CHECK gs_status gs_directory_look(gs_env *env, const char *path,
                                          gs_directory *out, gs_error *err);

/* Whether there is something that a sweep would delete. */
GS_MUST_CHECK gs_status gs_directory_has_rest(const gs_store *store,
                                              uint64_t manifest, bool *out,
                                              gs_error *err);

/* Deletes what no manifest lists: other manifests, and segments and tables the
 * state does not hold. Failures are left for the next open. Requires: the state
 * is durable. */
void gs_directory_sweep(gs_env *env, gs_alloc *alloc, const char *path,
                        const gs_manifest_state *state, uint64_t manifest);

/* The same of what came after the manifest: manifests with a higher number,
 * and segments and tables whose numbers the state has not given out. For a
 * state that was read and may not be durable: no state before it can list
 * these. */
void gs_directory_sweep_newer(gs_env *env, gs_alloc *alloc, const char *path,
                              const gs_manifest_state *state,
                              uint64_t manifest);

#endif
