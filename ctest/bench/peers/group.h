/*
 * group: what the workloads of a group share; for the files of the comparison
 * only.
 *
 * Model: a running group has one database open, one session, one meter and the
 * numbers it draws. Every value read is checked.
 */
#ifndef GS_BENCH_GROUP_H
#define GS_BENCH_GROUP_H

#include "bench/peers/meter.h"
#include "bench/peers/work.h"

/* What a running group has at hand. */
typedef struct work {
  const peer_engine *engine;
  const work_setup *setup;
  work_sink sink;
  void *context;
  void *db;
  void *session;
  uint32_t *order; /* all numbers below entries, shuffled */
  uint64_t count;  /* entries there are now */
  uint64_t random;
  uint64_t growth; /* entries, where a measure is taken at several sizes */
  double written_before;
  double memory_before;
  meter meter;
} work;

/* group.c: measures go to the sink; requests are drawn beforehand; single
 * operations. What is read has to have one of the versions that are allowed;
 * work_verify reads everything, unmeasured, and allows these from there on. */

void work_emit(const work *w, const char *name, double value);
void work_emit_meter(const work *w, const char *name, const meter *m,
                     double per_tick);
bool work_is_over(const work *w);
void *work_memory(void *memory);
uint32_t *work_zipf_ranks(uint64_t count, uint64_t draws, uint64_t *state);
uint64_t work_spread(uint64_t rank, uint64_t count);
void work_begin(work *w, const peer_engine *engine, const work_setup *setup,
                work_sink sink, void *context);
void work_open(work *w);
void work_close(work *w);
void work_end(work *w);
void work_put(work *w, uint64_t number, uint32_t version);
bool work_get(work *w, uint64_t number);
void work_get_present(work *w, uint64_t number);
size_t work_scan(work *w, const uint64_t *from, size_t limit, bool is_reverse);
void work_verify(work *w, uint64_t count, uint32_t versions);

/* costs.c: what the process wrote, holds on disk and took of memory, from
 * work_begin_costs on. */

void work_begin_costs(work *w);
void work_emit_space(const work *w, const char *name);
void work_emit_written(const work *w);
void work_emit_memory(const work *w);

/* stall.c, growth.c: groups of their own */

void work_run_stall(const peer_engine *engine, const work_setup *setup,
                    work_sink sink, void *context);
void work_run_growth(const peer_engine *engine, const work_setup *setup,
                     work_sink sink, void *context);

/* load.c */

void work_fill(work *w, const char *name, bool is_random, uint32_t version);
void work_fill_in_batches(work *w, const char *name, bool is_random);

/* reads.c */

void work_read_random(work *w, const char *name, uint64_t below);
void work_read_hot(work *w);
void work_read_missing(work *w);
void work_read_all(work *w, const char *name, bool is_reverse);
void work_read_seq(work *w);
void work_seek_random(work *w);
void work_read_while_writing(work *w);
void work_ycsb(work *w);

#endif
