/*
 * remains: what of a table verifies, block by block.
 *
 * Model: a block proves by its checksum that it stands in its place in this
 * table of this store; salt and number of the table are all that must be known
 * for it. Where fences and footer verify they say where the blocks are; else
 * the file is walked, each block naming its own size, and behind damage the
 * next block is searched for at every fourth byte. A single wrong bit of a
 * block, of the fences, the properties or one of the two ends is found by
 * trying them all.
 *   1. Blocks are taken in order, and their rows with them.
 *   2. What lies between two blocks taken, or between them and what is known of
 *      the table's bounds, is a gap; its keys are as tight as the neighbours
 *      and fences tell.
 *
 * Life: init, read, then walked by gather.c; deinit.
 * Threads: one.
 * Errors: those of the machine; damage is no error.
 */
#ifndef GS_STORE_REMAINS_H
#define GS_STORE_REMAINS_H

#include "data/table_meta.h"
#include "env/env.h"

typedef struct gs_remains_block {
  uint64_t offset;
  uint32_t size;
  uint32_t wrong_bit; /* or GS_MEND_NONE */
} gs_remains_block;

/* Keys k with from <= k, and k < to where has_to. */
typedef struct gs_remains_gap {
  uint64_t offset;
  uint64_t bytes;
  uint64_t blocks; /* 0: their number is not known */
  gs_buffer from;
  gs_buffer to;
  bool has_to;
} gs_remains_gap;

typedef struct gs_remains {
  gs_env *env;
  gs_buffer path; /* with a terminating NUL; the caller fills it */
  uint32_t place; /* the caller's: where in the tree, 1 the newest */
  uint64_t id;
  uint64_t salt;
  gs_buffer blocks; /* gs_remains_block */
  size_t block_count;
  gs_buffer gaps; /* gs_remains_gap */
  size_t gap_count;
  gs_buffer first_key; /* of the first row taken */
  uint64_t entries;    /* rows taken */
  uint64_t max_seq; /* of the table as far as it is known, else of the rows */
  uint64_t created_ms; /* 0: not known */
  bool is_max_known;
  uint64_t bits_fixed;
  bool is_foreign; /* a sound footer says that it is another table */
} gs_remains;

/* Which table it has to be. */
typedef struct gs_remains_identity {
  uint64_t id;
  uint64_t salt;
  const gs_table_meta *listed; /* what the manifest says; NULL: nothing */
} gs_remains_identity;

void gs_remains_init(gs_remains *s, gs_env *env);
void gs_remains_deinit(gs_remains *s);

/* Reads the file at path, which is set before; the metadata is borrowed until it
 * returns. GS_MISSING where there is no file. */
GS_MUST_CHECK gs_status gs_remains_read(gs_remains *s,
                                        const gs_remains_identity *identity,
                                        gs_error *err);

static inline const char *
gs_remains_path(const gs_remains *s)
{
  return (const char *)s->path.data;
}

gs_remains_block gs_remains_get_block(const gs_remains *s, size_t index);
const gs_remains_gap *gs_remains_get_gap(const gs_remains *s, size_t index);

#endif
