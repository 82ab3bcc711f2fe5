/*
 * group: blocks that lie together in a file are read together, while the cache
 * has room for them.
 *
 * Model: the file of a table is thought of as cut into groups of 32 KiB; a block
 * belongs to the group in which it begins. A reader that misses a block reads from
 * its group what lies around it and is not in memory either, half as much again
 * as a group at the most, in one call: a call costs more than the bytes of a
 * block, and where nothing has to make way most of them will be wanted.
 *   1. Nothing is pushed out for neighbours: while the cache is full
 *      (gs_cache_is_full) or has not room for two groups, a miss brings its own
 *      block alone. So it does where blocks are packed, since unpacking costs
 *      more than the call, and where the block is larger than all that.
 *   2. Only the block that is wanted decides about success. One beside it that
 *      cannot be read is met by whoever wants it.
 *
 * Threads: any; inside an epoch.
 */
#ifndef GS_SST_GROUP_H
#define GS_SST_GROUP_H

#include "sst/table.h"

enum { GS_GROUP_BYTES = 1 << 15 };

/* As gs_table_load from the file, and on occasion with others. */
GS_MUST_CHECK gs_status gs_group_load(gs_table *table, uint32_t block,
                                      gs_frame **out, gs_error *err);

#endif
