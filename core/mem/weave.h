/*
 * weave: makes an order out of the one before and sorted newcomers.
 *
 * Threads: under the owner's mutex. The base is only read, except for the
 * links of the chunks that are given as replaced.
 */
#ifndef GS_MEM_WEAVE_H
#define GS_MEM_WEAVE_H

#include "mem/ordering.h"
#include "mem/sort.h"

/* An order with the base's keys and the items; NULL when out of memory. The
 * base may be NULL: then the items are all. Chunks of the base that the new
 * order does not have go to the list *replaced. Gives: the order goes into the
 * ordering's list. Requires: items sorted, with heads behind the prefix, none
 * in the base; the base has the same prefix. */
gs_order *gs_order_weave(gs_ordering *ordering, const gs_order *base,
                         const gs_sort_item *items, size_t count,
                         gs_slice prefix, gs_chunk **replaced);

/* Both also take themselves off the account. */
void gs_order_free(gs_ordering *ordering, gs_order *order);
void gs_chunk_free(gs_ordering *ordering, gs_chunk *chunk);

#endif
