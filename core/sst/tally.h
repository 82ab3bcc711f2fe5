/*
 * tally: the numbers of a table's metadata, gathered entry by entry. The writer
 * gathers them while it writes, verification once more from what was written.
 */
#ifndef GS_SST_TALLY_H
#define GS_SST_TALLY_H

#include "data/entry.h"
#include "data/table_meta.h"

/* Counts the entry into the counts, sums and bounds of meta, which begin at
 * zero; keys and oldest_tombstone_ms are not touched. is_older: it is not the
 * newest version of its key. */
void gs_tally_add(gs_table_meta *meta, const gs_entry *entry, bool is_older);

/* Whether both were counted from the same entries, as far as can be told. */
bool gs_tally_equal(const gs_table_meta *a, const gs_table_meta *b);

#endif
