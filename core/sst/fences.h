/*
 * fences: where each block of a table lies and which key it begins with, held
 * in memory; see format.h.
 *
 * Model: one array of heads (eight key bytes after the prefix that all first
 * keys share) for the search, one of records for the answer, and the section's
 * bytes, which hold the keys.
 *   1. Blocks follow one another from the table header to the end given.
 *   2. First keys do not fall; equal ones belong to versions of one key.
 *
 * Life: init/deinit in the caller's memory.
 * Threads: any, once loaded.
 * Errors: GS_CORRUPT for a section that breaks the grammar or 1 or 2.
 */
#ifndef GS_SST_FENCES_H
#define GS_SST_FENCES_H

#include "base/buffer.h"

typedef struct gs_fence {
  uint64_t offset;   /* of the block in the file */
  uint64_t key_at;   /* in the section's bytes */
  uint32_t size;     /* of the block */
  uint16_t key_size; /* less the prefix */
} gs_fence;

typedef struct gs_fences {
  gs_buffer bytes; /* the section as in the file */
  gs_fence *list;
  uint64_t *heads;
  uint32_t count;
  uint32_t prefix_size;
} gs_fences;

/* Takes the bytes, also on failure. blocks_end: where the last block ends. */
GS_MUST_CHECK gs_status gs_fences_load(gs_fences *fences, gs_buffer *bytes,
                                       uint32_t count, uint64_t blocks_end,
                                       gs_error *err);
void gs_fences_deinit(gs_fences *fences);

/* Bytes held in memory. */
uint64_t gs_fences_memory_bytes(const gs_fences *fences);

/* Number of blocks whose first key is < key. */
uint32_t gs_fences_below(const gs_fences *fences, gs_slice key);

/* Whether the block begins with the key. Requires: block < count. */
bool gs_fences_is_first(const gs_fences *fences, uint32_t block, gs_slice key);

/* Appends the block's first key. Requires: block < count. */
void gs_fences_append_key(const gs_fences *fences, uint32_t block,
                          gs_buffer *out);

/*
 * The writing side: fences gathered while a table is made.
 */
typedef struct gs_fence_list {
  gs_buffer bytes; /* fences with whole keys */
  uint32_t count;
  uint32_t prefix_size;
} gs_fence_list;

void gs_fence_list_init(gs_fence_list *list, gs_alloc *alloc);
void gs_fence_list_deinit(gs_fence_list *list);

/* Sticky: see gs_buffer_status of bytes. Requires: keys do not fall. */
void gs_fence_list_add(gs_fence_list *list, gs_slice first_key,
                       uint32_t block_size);

/* Size of the section now, and if it also held one fence with this key. */
uint64_t gs_fence_list_bytes(const gs_fence_list *list);
uint64_t gs_fence_list_bytes_with(const gs_fence_list *list, gs_slice key);

/* Appends the section. Requires: at least one fence. */
void gs_fence_list_encode(const gs_fence_list *list, gs_buffer *out);

#endif
