/*
 * writer: makes one table from entries in internal order.
 *
 * Model: entries are gathered into blocks; full blocks are written in large
 * pieces; (hash, locator) pairs of the newest version of each key are kept and
 * become the point index at the end; then fences, properties and footer
 * follow. The bytes are described in FORMAT.md.
 *
 * Life: new opens (creates) the file; finish or abandon ends the writer and
 * closes the file; abandon also removes it. After a failed add or finish only
 * abandon is allowed.
 * Threads: one.
 * Errors: env errors; GS_MISUSE for entries out of order; GS_LIMIT when the
 * table can take no more blocks (see is_full).
 */
#ifndef GS_SST_WRITER_H
#define GS_SST_WRITER_H

#include "code/codec.h"
#include "data/entry.h"
#include "data/table_meta.h"
#include "env/env.h"

typedef struct gs_table_writer gs_table_writer;

typedef struct gs_table_writer_options {
  const char *path; /* borrowed until new returns */
  uint64_t id;      /* file number */
  uint64_t salt;    /* of the store; seeds every checksum */
  uint64_t created_ms;
  uint64_t oldest_tombstone_ms; /* for tombstones among the entries */
  uint32_t block_bytes;         /* target, 256 to 65536; 0: 4096 */
  gs_codec codec;               /* of blocks that it makes small enough */
  bool has_point_index;         /* false: cursors and gets search the fences */
} gs_table_writer_options;

GS_MUST_CHECK gs_status
gs_table_writer_new(gs_env *env, const gs_table_writer_options *options,
                    gs_table_writer **out, gs_error *err);

/* Copies the entry in. Requires: after the entry before in internal order. */
GS_MUST_CHECK gs_status gs_table_writer_add(gs_table_writer *writer,
                                            const gs_entry *entry,
                                            gs_error *err);

/* What the file would measure if it ended now; rises with each add, but for
 * what a codec saves when a block is full: until then it counts as plain. */
uint64_t gs_table_writer_bytes(const gs_table_writer *writer);

uint64_t gs_table_writer_entry_count(const gs_table_writer *writer);

/* Whether the next new key must go to another table. */
bool gs_table_writer_is_full(const gs_table_writer *writer);

/* Writes the rest, syncs and closes the file, fills *meta; the key slices view
 * bytes appended to *keys. Frees the writer on success. Requires: at least one
 * entry. The directory entry is the caller's to sync. */
GS_MUST_CHECK gs_status gs_table_writer_finish(gs_table_writer *writer,
                                               gs_table_meta *meta,
                                               gs_buffer *keys, gs_error *err);

/* Takes the writer, removes the file; NULL is accepted. */
void gs_table_writer_abandon(gs_table_writer *writer);

#endif
