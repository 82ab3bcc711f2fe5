/*
 * epoch: lets readers follow shared pointers without locks or counts.
 *
 * Model: a global number, and a slot per thread that holds the number at which
 * the thread entered, or 0 outside. What is unlinked from the shared structure
 * is retired with the number of that moment, and released once every slot is 0
 * or later: then no reader can still hold it. [the scheme is K. Fraser's
 * epoch-based reclamation]
 *
 *   reader:  slot = enter; p = load(shared); use p; leave(slot)
 *   writer:  old = exchange(shared, new); retire(old)
 *
 * Life: new/free; free releases everything still retired and requires that no
 * thread is inside.
 * Threads: all calls from any thread. A thread is inside at most once at a
 * time. Threads beyond the number of slots share one slot, behind a mutex.
 * A reader that stays inside holds back every release: stay short.
 */
#ifndef GS_ENV_EPOCH_H
#define GS_ENV_EPOCH_H

#include "env/env.h"

typedef struct gs_epoch gs_epoch;

/* enter answers with a number below this. From GS_EPOCH_OWN_SLOTS on a slot is
 * shared by several threads. */
enum {
  GS_EPOCH_OWN_SLOTS = 256,
  GS_EPOCH_SLOTS = 258,
};

/* Embedded in what is to be retired. */
typedef struct gs_retired gs_retired;
struct gs_retired {
  gs_retired *next;
  uint64_t number;
  void (*release)(gs_retired *item); /* frees what embeds it */
};

GS_MUST_CHECK gs_status gs_epoch_new(gs_env *env, gs_epoch **out,
                                     gs_error *err);
void gs_epoch_free(gs_epoch *epoch); /* NULL is accepted */

/* The slot goes to leave. */
uint32_t gs_epoch_enter(gs_epoch *epoch);
void gs_epoch_leave(gs_epoch *epoch, uint32_t slot);

/* Takes the item: release is called later, by some thread that calls retire or
 * collect, holding no lock. Requires: the item is no longer reachable for
 * readers that enter from now on. */
void gs_epoch_retire(gs_epoch *epoch, gs_retired *item,
                     void (*release)(gs_retired *item));

/* Releases what no reader can hold any more. */
void gs_epoch_collect(gs_epoch *epoch);

#endif
