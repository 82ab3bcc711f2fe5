/*
 * decider: the thread that makes decisions where they are not made inside calls.
 *
 * Model: at most one per store. It sleeps until a decision is wanted, and then
 * calls whoever made it, who takes the shape and submits plans like any caller.
 * With threads = 0 there is no thread: gs_decide and gs_step call it.
 *   1. Its caller's function runs once at a time, with no lock held.
 *   2. release is called once, after the last of these calls.
 *
 * Life: gs_start_decider makes it; the next one, gs_stop_decider, gs_take_charge
 * and the closing of the store end it, and wait for it.
 * Threads: any.
 */
#ifndef GS_STORE_DECIDER_H
#define GS_STORE_DECIDER_H

#include "store/store.h"

/* A decider at work on a store; under state. */
typedef struct gs_deciding {
  gs_store *store;
  gs_decider given;
  gs_thread *thread; /* NULL: decisions are made inside calls */
  bool is_deciding;
  bool is_ending;
} gs_deciding;

#endif
