/*
 * index: finds a key's node by hash.
 *
 * Model: an open-addressing array of 8-byte slots, probed linearly; a slot is
 * a tag (the upper half of the hash) above a node's unit, or 0 when free.
 *   1. A key's home slot is the top bits of its tag, so growth needs no key
 *      and no hash, and runs through both arrays from front to back.
 *   2. At most half of the slots are taken: a probe always ends.
 *   3. A taken slot never changes. Growth fills a new array and publishes it
 *      by a release store; older arrays stay as they were until the end, for
 *      readers inside them, and together are no larger than the newest.
 *
 * Life: init / deinit in the caller's memory.
 * Threads: one writer; find and prefetch from any thread, without locks. A
 * reader finds every node whose insertion happened before its call.
 * Errors: GS_NOMEM from init and reserve; nothing changed.
 */
#ifndef GS_MEM_INDEX_H
#define GS_MEM_INDEX_H

#include "mem/row.h"

/* Keys the largest array holds. */
#define GS_INDEX_MAX_KEYS (UINT64_C(1) << 31)

/* So many are found in what the processor keeps near, however large an array
 * is expected to be needed. */
enum { GS_INDEX_FEW_KEYS = 4096 };

typedef struct gs_slots {
  struct gs_slots *previous; /* the array this one replaced */
  uint32_t shift;            /* 32 less the bits of a home */
  uint32_t mask;             /* slots less one */
  _Atomic uint64_t slot[];
} gs_slots;

typedef struct gs_index {
  gs_alloc *alloc;
  _Atomic(gs_slots *) slots; /* the newest array */
  uint32_t expected_bits;    /* of a home, once there are more than few keys */
} gs_index;

GS_MUST_CHECK gs_status gs_index_init(gs_index *index, gs_alloc *alloc,
                                      gs_error *err);
void gs_index_deinit(gs_index *index);

/* Once keys are more than few, the array grows to this count in one step, where
 * there is memory for that. The writer's, as reserve is. */
void gs_index_expect(gs_index *index, uint64_t key_count);

/* Makes room for that many keys in all. */
GS_MUST_CHECK gs_status gs_index_reserve(gs_index *index, uint64_t key_count,
                                         gs_error *err);

/* Requires: room was reserved; the key is not there; the node is complete. */
void gs_index_insert(gs_index *index, uint64_t hash, uint32_t node);

/* The unit of the key's node; 0 when there is none. */
uint32_t gs_index_find(const gs_index *index, const gs_arena *arena,
                       gs_slice key, uint64_t hash);

void gs_index_prefetch(const gs_index *index, uint64_t hash);

/* Then, that being there, the node it most likely leads to. */
void gs_index_prefetch_node(const gs_index *index, const gs_arena *arena,
                            uint64_t hash);

/* Bytes of all arrays. */
size_t gs_index_bytes(const gs_index *index);

#endif
