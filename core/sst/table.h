/*
 * table: an immutable sorted file, open for reading.
 *
 * Model: footer, properties and fences are verified at open and stay in
 * memory, and so does the point index from the time when gets have shown that
 * it pays; blocks come through the cache, verified when they are loaded. A wrong checksum is GS_CORRUPT with file and offset, never an
 * answer.
 *
 * Life: open / ref / unref; the last unref closes the file and forgets its
 * frames. Entries given out are valid inside the epoch of the call.
 * Threads: get, prefetch and cursors from any thread, without locks while
 * blocks are in memory.
 */
#ifndef GS_SST_TABLE_H
#define GS_SST_TABLE_H

#include "data/cursor.h"
#include "data/table_meta.h"
#include "env/epoch.h"
#include "sst/cache.h"

typedef struct gs_table gs_table;

/* expected: what the manifest says; differences are GS_CORRUPT. NULL: trust
 * the file (tools, attach). salt: as given to the writer; with expected NULL
 * and salt 0 it is taken from the file. Borrows cache and epoch. */
GS_MUST_CHECK gs_status gs_table_open(gs_cache *cache, const char *path,
                                      uint64_t salt,
                                      const gs_table_meta *expected,
                                      gs_table **out, gs_error *err);
void gs_table_ref(gs_table *table);
void gs_table_unref(gs_table *table); /* NULL is accepted */

/* Valid as long as the table is open. */
const gs_table_meta *gs_table_get_meta(const gs_table *table);

/* Bytes held in memory besides cached blocks. */
uint64_t gs_table_memory_bytes(const gs_table *table);

/* Starts bringing the key's index line into the processor's caches. */
void gs_table_prefetch(const gs_table *table, uint64_t hash);

/* Where a row most likely stands: a block's place in memory and a place in it. */
typedef struct gs_table_hint {
  const void *home; /* NULL: the table has not the key */
  uint32_t at;
} gs_table_hint;

/* Then, that line being there: what it names, whose home is asked for; and then,
 * with the home there, the row. Require: inside an epoch. */
gs_table_hint gs_table_prefetch_home(const gs_table *table, uint64_t hash);
void gs_table_prefetch_row(gs_table_hint hint);

/* The newest version with sequence <= seq: GS_OK and *out; GS_ABSENT; or an
 * error. Requires: inside an epoch; *out is valid until it is left. */
GS_MUST_CHECK gs_status gs_table_get(gs_table *table, gs_slice key,
                                     uint64_t hash, uint64_t seq, gs_entry *out,
                                     gs_error *err);

/*
 * A cursor over all versions (gs_cursor contract). It pins the block it stands
 * on and enters epochs by itself while it moves, so the thread that moves it is
 * outside. Holds a reference on the table. fills_cache false: blocks that are
 * not in the cache are read into memory of the cursor's own, in large pieces,
 * so that a merge does not push out what readers use, and so are those of a
 * reader's long walk while the cache is full (window.h); for merges the index is
 * verified beforehand, so that no merge passes over damage there.
 * Its error is NULL until the caller sets it.
 * Gives: free with gs_table_cursor_free, which also ends it; gs_cursor_end lets
 * go of block and table and leaves the cursor's own memory.
 */
GS_MUST_CHECK gs_status gs_table_cursor_new(gs_table *table, bool fills_cache,
                                            gs_cursor **out, gs_error *err);
void gs_table_cursor_free(gs_cursor *cursor); /* NULL is accepted */

/* Reads every byte: checksums, order, bounds, counts, and the index for every
 * key. */
GS_MUST_CHECK gs_status gs_table_verify(gs_table *table, gs_error *err);

/* Footer, properties, fences, then key@seq:kind per line when with_entries. */
GS_MUST_CHECK gs_status gs_table_dump(gs_table *table, bool with_entries,
                                      gs_buffer *out, gs_error *err);

#endif
