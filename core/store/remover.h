/*
 * remover: takes files off the disk beside everything else.
 *
 * Model: a line of paths and one thread, which is started for the first of
 * them. Where the file system tells the device at once what it gives back,
 * removing one file takes as long as dozens of its flushes, and whoever let go of
 * a table last, a job or a reader, would wait for that.
 *   1. A path is given once nothing that lasts lists the file, so that it may go
 *      at any time: a crash leaves it to the next opening, which removes it.
 *   2. Where there are no worker threads, or memory or a thread cannot be had,
 *      the caller removes the file.
 *   3. Files go in the order in which they were given.
 *
 * Life: a part of the store; it begins and ends with the workers, and the line is
 * empty then. What is given before or afterwards the caller removes.
 * Threads: any. Its lock is taken last, and no other is taken under it, so it
 * may be waited for with any lock held.
 */
#ifndef GS_STORE_REMOVER_H
#define GS_STORE_REMOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "env/env.h"

struct gs_store;
struct gs_removal;

typedef struct gs_remover {
  gs_mutex *lock; /* guards what follows */
  gs_cond *changed;
  struct gs_removal *oldest; /* NULL: the line is empty */
  struct gs_removal *newest;
  uint64_t given;
  uint64_t gone;
  uint64_t bytes;    /* of the files given and not gone */
  bool is_open;      /* between begin and end */
  gs_thread *thread; /* NULL: nothing was given yet */
} gs_remover;

/* From now on there may be a thread. */
void gs_remover_begin(struct gs_store *store);

/* The file of that size goes soon. Nobody asks whether it went: what stays is
 * removed at the next opening. */
void gs_remove_soon(struct gs_store *store, const char *path, uint64_t bytes);

/* What the files that are about to go take. */
uint64_t gs_remover_bytes(struct gs_store *store);

/* Stands for what was given so far. */
uint64_t gs_remover_mark(struct gs_store *store);

/* Waits until all that is gone. True where some of it was left to go: its space
 * is free now. */
bool gs_remover_wait(struct gs_store *store, uint64_t mark);

/* Waits for all of it and ends the thread. */
void gs_remover_end(struct gs_store *store);

#endif
