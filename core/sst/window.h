/*
 * window: some blocks of a table's file in a row, read at once, past the cache.
 *
 * Model: bytes of the file from at on, whole blocks as they are stored and not
 * verified. A merge's windows are as large as may be. A reader's begin small,
 * since nobody knows how far it goes, double while each begins where the one
 * before ended, and end before a block that is in memory. What a reader's window
 * takes of memory is the cache's loss.
 *   1. size is 0, or the window holds whole blocks.
 *   2. A window that cannot be read shrinks to the block that is wanted, and so
 *      do those of its other blocks: damage beside them is not theirs.
 *
 * Life: init / deinit in the caller's memory; borrows the table. What show gives
 * is valid until the next show or drop.
 * Threads: one at a time.
 */
#ifndef GS_SST_WINDOW_H
#define GS_SST_WINDOW_H

#include "base/slice.h"
#include "sst/table.h"

enum { GS_WINDOW_BYTES = 1 << 17 }; /* but for a larger block */

typedef struct gs_window {
  gs_table *table;
  uint8_t *bytes;
  size_t capacity;
  size_t size;
  uint64_t at;     /* offset in the file */
  uint64_t bad_at; /* the last part that could not be read in one go */
  uint64_t bad_end;
  size_t next_bytes;
  bool is_reader;
} gs_window;

void gs_window_init(gs_window *window, gs_table *table, bool is_reader);
void gs_window_deinit(gs_window *window);

/* Gives the memory back; the next one begins small. */
void gs_window_drop(gs_window *window);

/* The stored bytes of the block if the window has them, else NULL. */
const uint8_t *gs_window_find(const gs_window *window, uint32_t block);

/* The stored bytes of the block, and in a new window what comes after it or, on
 * the way back, before it. On failure the window is empty. */
GS_MUST_CHECK gs_status gs_window_show(gs_window *window, uint32_t block,
                                       bool goes_back, gs_slice *out,
                                       gs_error *err);

#endif
