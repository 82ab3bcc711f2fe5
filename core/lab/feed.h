/*
 * feed: a lab whose writes are told flush by flush, as a journal tells them.
 *
 * Model: a batch is what one memtable took. The active memtable is full where
 * its batch ends, however many bytes that makes; without a batch it never is.
 * The writer takes until the batch's time, or writes as fast as may be where
 * that has passed.
 *
 * Threads: one.
 */
#ifndef GS_LAB_FEED_H
#define GS_LAB_FEED_H

#include "lab/fill.h"

typedef struct gs_lab_fed {
  double from; /* the batch, in writes */
  double to;
  gs_lab_batch batch;
  /* of all batches before */
  double puts;
  double gones;
  double lasting;
} gs_lab_fed;

struct gs_lab;

/* The writes at which the active memtable is full. */
double gs_lab_fed_end(const struct gs_lab *lab);

/* What the active memtable holds; its end is where the writer is. */
gs_fill_span gs_lab_active_span(const struct gs_lab *lab);

/* Key and value bytes written so far; and those that a reader could see, where
 * what was written before so many writes has expired. */
double gs_lab_fed_bytes(const struct gs_lab *lab);
double gs_lab_fed_live(const struct gs_lab *lab, double expired);

#endif
