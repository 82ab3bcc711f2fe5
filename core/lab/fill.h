/*
 * fill: what a workload's writes amount to: in a memtable, in its flush, and in
 * what is alive.
 *
 * Model: writes are counted from 0; a memtable is the writes from … to, a real
 * interval. Of a queue, the first `keys` writes insert; then inserts and
 * deletes take turns, and deletes follow the order of inserts.
 *
 * Threads: pure.
 */
#ifndef GS_LAB_FILL_H
#define GS_LAB_FILL_H

#include "lab/content.h"
#include "lab/lab.h"
#include "lab/size.h"

typedef struct gs_fill {
  const gs_lab_options *options;
  const gs_mix *mix;
  const gs_lab_format *format;
} gs_fill;

typedef struct gs_fill_span {
  double from; /* writes */
  double to;
  double from_ms;
  double to_ms;
  double gone;     /* share of the writes that delete */
  double lasting;  /* and of those that never expire */
  double distinct; /* keys, where they are known; else 0 */
} gs_fill_span;

/* Keys that the key space has room for: of a queue all that are ever inserted,
 * in that order. */
double gs_fill_keys(const gs_lab_options *options);

/* Versions among these writes. */
gs_count gs_fill_entries(const gs_fill *fill, double from, double to);

gs_count gs_fill_span_entries(const gs_fill *fill, const gs_fill_span *span);

/* Arena bytes of a memtable of these writes. */
double gs_fill_memory(const gs_fill *fill, double from, double to);

/* The number of writes at which a memtable begun at `from` is full. */
double gs_fill_end(const gs_fill *fill, double from, double capacity_bytes);

/* Appends the newest versions of a memtable's keys. */
void gs_fill_content(const gs_fill *fill, const gs_fill_span *span,
                     gs_content *out);

/* Keys that are there after `writes` writes where those before `expired` have
 * run out of time. */
double gs_fill_live(const gs_fill *fill, double writes, double expired);

#endif
