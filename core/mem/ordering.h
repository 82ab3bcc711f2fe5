/*
 * ordering: makes the order of a memtable's keys when somebody asks, and keeps
 * what cursors still walk.
 *
 * Model: making the next order sorts the nodes added since the last and weaves
 * them into the chunks they fall in; all other chunks are taken over as they
 * are. One key more costs one chunk and a copy of the fences, a million more
 * cost one sort.
 *
 *   order 4   [A] [B] [C]         a cursor walks it
 *   order 5   [A] [D] [E] [C]     B was woven into D and E; freed
 *   order 6   [A] [D] [F] [C]     the current one
 *
 *   1. A chunk is in the orders from number `birth` on, without a gap. `dead`
 *      of an order lists those of its chunks that the next order of the list
 *      lacks. So when an order goes, its dead go with it, except those that
 *      the order before it has too: they are handed down. Above, B is dead in
 *      4; E died in 5, was not in 4, and went with 5.
 *   2. A key that does not begin with the prefix shortens it, and every chunk
 *      is made anew. That happens at most once per byte of the shortest key,
 *      so all such makings together read the arena's bytes a few times.
 *
 * Life: init / deinit in the caller's memory; an order is the cursor's from
 * take to release. What is neither the newest nor in use goes when the next
 * order is made.
 * Threads: take under the owner's mutex; release and the byte count from any
 * thread, without it.
 * Errors: GS_NOMEM from take; what was there is unchanged.
 */
#ifndef GS_MEM_ORDERING_H
#define GS_MEM_ORDERING_H

#include "mem/order.h"

typedef struct gs_ordering {
  gs_alloc *alloc;
  const gs_arena *arena;
  gs_order *current;    /* the newest order; NULL before the first take */
  uint32_t walked;      /* current has every node below this unit */
  _Atomic size_t bytes; /* of all orders and chunks */
} gs_ordering;

void gs_ordering_init(gs_ordering *ordering, gs_alloc *alloc,
                      const gs_arena *arena);

/* Requires: every order taken was released. */
void gs_ordering_deinit(gs_ordering *ordering);

/* An order of all nodes below the unit `end`, and perhaps of some more; release
 * it. Requires: key_count is no less than the number of nodes below end, and
 * end no more than the arena's used. */
GS_MUST_CHECK gs_status gs_ordering_take(gs_ordering *ordering, uint32_t end,
                                         uint64_t key_count, gs_order **out,
                                         gs_error *err);
void gs_order_release(gs_order *order);

#endif
