/*
 * layout_types: how the tables of a level are made: where they are cut, and
 * what their blocks are like.
 *
 * Threads: values.
 */
#ifndef GS_STORE_LAYOUT_TYPES_H
#define GS_STORE_LAYOUT_TYPES_H

#include <stdint.h>

/* What blocks are packed by, where that makes them smaller by an eighth at
 * least. Tables tell themselves what they were packed by. */
typedef enum gs_compression {
  GS_COMPRESSION_NONE = 1,
  GS_COMPRESSION_LZ4 = 2,
  GS_COMPRESSION_ZSTD = 3,
} gs_compression;

/* What is 0 is as the store's option says. */
typedef struct gs_layout {
  uint64_t table_bytes; /* where tables are cut; what a plan says goes first */
  uint32_t block_bytes;
  gs_compression compression;
} gs_layout;

#endif
