/*
 * memtable: the newest versions, in memory.
 *
 * Model: an append-only arena of fixed capacity holds one key node per user
 * key and one version row per write; rows of a key are chained newest to
 * oldest from its node. A hash of 8-byte slots (tag, node offset) finds nodes.
 * Key order is made on demand: nodes added since the last ordering are sorted
 * and woven into the sorted chunks of the one before.
 *   1. A row, once linked, never changes; a node changes only in the offset of
 *      its newest row, by one release store.
 *   2. Sequence numbers given to add rise strictly.
 *   3. A reader that first read the store's published sequence s finds every
 *      entry <= s.
 *
 * Life: new / ref / unref; dies whole. Entries and slices given out are valid
 * while a reference is held.
 * Threads: add from one thread at a time; every other call from any thread at
 * any time, without locks except that making order takes the table's own mutex.
 * Errors: GS_LIMIT from add when the arena has no room (see has_room), and
 * from new for a capacity of 32 GiB or more; GS_NOMEM.
 */
#ifndef GS_MEM_MEMTABLE_H
#define GS_MEM_MEMTABLE_H

#include "data/cursor.h"
#include "data/entry.h"
#include "env/env.h"
#include "mem/order.h"
#include "mem/spare.h"

typedef struct gs_memtable gs_memtable;

typedef struct gs_memtable_stats {
  uint64_t used_bytes;      /* arena bytes in use */
  uint64_t allocated_bytes; /* arena, hash and order together */
  uint64_t entry_count;     /* versions */
  uint64_t key_count;       /* distinct user keys */
  uint64_t tombstone_count;
  uint64_t expiring_count; /* entries with an expiry */
  uint64_t data_bytes;     /* key and value bytes of all versions */
  uint64_t min_seq;        /* 0 while empty */
  uint64_t max_seq;
  uint64_t created_ms; /* wall time given at creation */
} gs_memtable_stats;

/* A table with one reference whose arena holds capacity_bytes. Its memory may
 * be that of one that ended before and was made with the same spare, which
 * outlives it; NULL for none. */
GS_MUST_CHECK gs_status gs_memtable_new(gs_env *env, gs_spare *spare,
                                        size_t capacity_bytes,
                                        uint64_t created_ms, gs_memtable **out,
                                        gs_error *err);
void gs_memtable_ref(gs_memtable *table);
void gs_memtable_unref(gs_memtable *table); /* NULL is accepted */

/* Arena bytes an upper bound for one entry of these sizes. */
size_t gs_memtable_entry_bytes(size_t key_size, size_t value_size);

/* Whether entries with these bounds in all (sum of entry_bytes, and their
 * count) certainly fit, hash growth included. */
bool gs_memtable_has_room(const gs_memtable *table, size_t bytes,
                          size_t entry_count);

/* Copies the entry in. Requires: has_room said yes; seq above all before. On
 * failure (GS_NOMEM while the hash grows) nothing was added. */
GS_MUST_CHECK gs_status gs_memtable_add(gs_memtable *table,
                                        const gs_entry *entry, gs_error *err);

/* Makes room for that many further keys in the hash now, so that adds up to
 * that count cannot fail. */
GS_MUST_CHECK gs_status gs_memtable_reserve(gs_memtable *table,
                                            size_t entry_count, gs_error *err);

/* So many keys are likely to come: the hash takes their size in one step, but not
 * before it has more than a few, which are found faster in a small one. */
void gs_memtable_expect(gs_memtable *table, uint64_t key_count);

/* The newest version with sequence <= seq into *out; false when there is none.
 * hash is gs_hash_key(key). */
bool gs_memtable_get(const gs_memtable *table, gs_slice key, uint64_t hash,
                     uint64_t seq, gs_entry *out);

/* From now on entries above the sequence are as if they had never been added,
 * for every reader; the stats still count them. Requires: none of them was ever
 * seen, and nothing is added later. */
void gs_memtable_void_above(gs_memtable *table, uint64_t seq);

/* Brings the hash slot of a key towards the processor's caches. */
void gs_memtable_prefetch(const gs_memtable *table, uint64_t hash);

/* Then, that slot being there, the key's node and newest row. */
void gs_memtable_prefetch_row(const gs_memtable *table, uint64_t hash);

/* Whether it has no entry yet. A reader that loaded the store's published
 * sequence before asking misses nothing it may see. */
bool gs_memtable_is_empty(const gs_memtable *table);

void gs_memtable_get_stats(const gs_memtable *table, gs_memtable_stats *out);

/* What used_bytes of the stats says. */
uint64_t gs_memtable_used_bytes(const gs_memtable *table);

/* A cursor over all entries with sequence <= seq that were added before the
 * call; it holds a reference on the table. */
typedef struct gs_memtable_cursor {
  gs_cursor base;
  gs_memtable *table;
  gs_order *order; /* the frozen order it walks; owned by the table */
  uint64_t seq;    /* versions above are passed over */
  gs_place place;  /* in the order */
  uint32_t row;    /* arena unit of the version stood on */
} gs_memtable_cursor;

GS_MUST_CHECK gs_status gs_memtable_cursor_init(gs_memtable_cursor *cursor,
                                                gs_memtable *table,
                                                uint64_t seq, gs_error *err);

/* Checks invariants 1 to 3 and the order; GS_CORRUPT names the first break. */
GS_MUST_CHECK gs_status gs_memtable_verify(gs_memtable *table, gs_error *err);

/* key@seq:put or key@seq:del, one per line, in internal order. */
GS_MUST_CHECK gs_status gs_memtable_dump(gs_memtable *table, gs_buffer *out,
                                         gs_error *err);

#endif
