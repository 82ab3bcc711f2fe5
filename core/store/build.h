/*
 * build: a whole store made at once, in a directory of its own.
 *
 * Model: first the tables, then the directory's entries, and as the last thing
 * a manifest that names them all.
 *   1. Without its manifest the directory is refused by every open, so a build
 *      that was cut short is no store; with it, it is complete.
 *   2. Unless committed, what was made is taken away again by end.
 *   3. While it is built nobody else can open it.
 *
 * Life: begin, add or link, commit, end; end always after begin, also where
 * begin failed.
 * Threads: one.
 * Errors: GS_EXISTS where the directory holds anything, env errors.
 */
#ifndef GS_STORE_BUILD_H
#define GS_STORE_BUILD_H

#include "data/entry.h"
#include "sst/writer.h"
#include "tree/manifest.h"

typedef struct gs_build {
  gs_env *env;
  const char *dir; /* borrowed */
  gs_buffer path;  /* of the file being made */
  gs_lock *lock;
  bool made_directory;
  bool is_begun; /* what stands in the directory is the build's */
  bool is_committed;
  gs_edit *edit; /* everything so far */
  uint64_t salt;
  uint64_t now_ms;
  uint64_t next_id;
  uint64_t run_id; /* of the tables written here; 0: none yet */
  gs_table_writer *writer;
} gs_build;

/* beside: a directory that must not come to hold the new one. */
GS_MUST_CHECK gs_status gs_build_begin(gs_build *build, gs_env *env,
                                       const char *dir, const char *beside,
                                       gs_error *err);

/* Writes an entry into the one run of tables that the build makes. salt, now_ms
 * and next_id are set before. Requires: keys rise. */
GS_MUST_CHECK gs_status gs_build_add(gs_build *build, const gs_entry *entry,
                                     gs_error *err);

/* Another name for a table's file, or a copy where that cannot be. The edit is
 * the caller's to fill. */
GS_MUST_CHECK gs_status gs_build_link(gs_build *build, const char *from,
                                      uint64_t id, gs_error *err);

/* Makes it a store. next_id is filled in where the build wrote tables. */
GS_MUST_CHECK gs_status gs_build_commit(gs_build *build,
                                        const gs_store_facts *facts,
                                        gs_slice note, uint64_t note_seq,
                                        gs_error *err);
void gs_build_end(gs_build *build);

#endif
