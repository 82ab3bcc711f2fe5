/*
 * manifest: the file that says which files are the store.
 *
 * Model: MANIFEST-NNNNNN is a log whose first frame is a complete base and
 * whose later frames are edits. No file is ever renamed, and nothing points at
 * the manifest: the one with the highest number whose base is complete is it.
 *   1. An edit takes effect when its frame is on the device, not before.
 *   2. After a failed write or sync the file is never written again; the next
 *      edit goes to a new manifest with a fresh base.
 *   3. A new manifest is written and synced, its name is synced, and only then
 *      are the others removed.
 *   4. An edit is appended only where no other manifest is left, durably: one
 *      that came back could otherwise be taken for the newest.
 *   5. Behind every synced edit stands a mark that says so. It is not waited
 *      for; where it survives, damage to the edit is told from a torn write.
 *
 * Life: create gives a writable manifest, close ends it.
 * Threads: one at a time (the store's install lock).
 * Errors: as env. After a failed append is_doubtful is true: whether the edit
 * will be seen by a later open is unknown until rewrite succeeds, so the files
 * of both the edit and the state before it must stay until then.
 */
#ifndef GS_TREE_MANIFEST_H
#define GS_TREE_MANIFEST_H

#include "env/env.h"
#include "tree/edit.h"

typedef struct gs_manifest gs_manifest;

/* Writes MANIFEST-number with the state as its base; syncs it and the
 * directory; then the other manifests are removed. The state's facts name the
 * store. GS_EXISTS when a manifest with this number or a higher one is there.
 * On failure the file is removed; where even that fails a later open may find
 * it, so what the state refers to must stay. */
GS_MUST_CHECK gs_status gs_manifest_create(gs_env *env, const char *dir,
                                           uint64_t number,
                                           const gs_manifest_state *state,
                                           gs_manifest **out, gs_error *err);

/* Appends one edit and syncs it. GS_READONLY while the manifest is doubtful. */
GS_MUST_CHECK gs_status gs_manifest_append(gs_manifest *manifest,
                                           const gs_edit *edit, gs_error *err);

/* Whether the next edit needs a rewrite first. */
bool gs_manifest_is_doubtful(const gs_manifest *manifest);
uint64_t gs_manifest_number(const gs_manifest *manifest);
uint64_t gs_manifest_bytes(const gs_manifest *manifest);
/* Of these, what header and base took: when to rewrite is a question of the
 * ratio. */
uint64_t gs_manifest_base_bytes(const gs_manifest *manifest);

/* A new manifest with a higher number and this state as base takes the place of
 * the file; the old one is removed last. On failure the old one stays in use,
 * unless it was doubtful or the new file could not be taken back. */
GS_MUST_CHECK gs_status gs_manifest_rewrite(gs_manifest *manifest,
                                            const gs_manifest_state *state,
                                            gs_error *err);

void gs_manifest_close(gs_manifest *manifest); /* NULL is accepted */

typedef struct gs_manifest_found {
  uint64_t number; /* of the manifest read */
  bool is_torn;    /* its last edit was incomplete and never took effect */
  uint64_t torn_offset;
  uint64_t repaired_bits; /* put right while reading */
  size_t stale_count;     /* older manifests still present, and newer ones
                         without a complete base */
  bool is_unmade; /* GS_MISSING, and the first manifest is there, incomplete */
} gs_manifest_found;

/*
 * Reads the newest manifest with a complete base into state (initialised by
 * the caller, as it was on failure). Changes nothing on disk.
 * GS_MISSING when the directory holds no manifest, or none with a complete base
 * and MANIFEST-000001 is among them: then the store's creation was cut short, or,
 * where data lie beside it, it is damaged. A writer that is at work may take the
 * listed ones away: then it looks again, for a while. GS_CORRUPT when one is damaged in a way a crash cannot
 * explain; GS_VERSION for a newer format.
 */
GS_MUST_CHECK gs_status gs_manifest_read(gs_env *env, const char *dir,
                                         gs_manifest_state *state,
                                         gs_manifest_found *found,
                                         gs_error *err);

/* The content of out becomes "dir/MANIFEST-NNNNNN" with a terminating NUL. */
void gs_manifest_path(gs_buffer *out, const char *dir, uint64_t number);

/* Whether a file name is a manifest's, and its number. */
bool gs_manifest_parse_name(const char *name, uint64_t *number);

#endif
