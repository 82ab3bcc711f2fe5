/*
 * work: the workloads, and the databases they run on.
 *
 * Model: workloads that need the same database form a group and run in one
 * process, in a fixed order. Which entries are asked for is drawn before the
 * clock starts, by the same seed for each engine.
 */
#ifndef GS_BENCH_WORK_H
#define GS_BENCH_WORK_H

#include "bench/peers/peer.h"

enum { WORK_NAME_BYTES = 64 };

typedef struct work_setup {
  peer_setup peer;
  uint64_t entries;
  uint64_t sync_entries; /* durable writes of each thread */
  uint64_t seed;
  double limit_s; /* reads stop after that long */
  double stall_s; /* of the stall test, at 95 % of the highest rate */
} work_setup;

/* One measure, as it comes out of the process that ran it. */
typedef struct work_result {
  char name[WORK_NAME_BYTES];
  uint64_t growth_entries; /* of a measure that is taken at several sizes,
                              whose name then ends in ", " and the size */
  double value;            /* operations a second, or what the name says */
  double p50_us;
  double p99_us;
  double p999_us;
  double p9999_us;
  double longest_us;
} work_result;

typedef void (*work_sink)(void *context, const work_result *result);

/* When a group is run. */
typedef enum work_kind { WORK_PLAIN, WORK_STALL, WORK_GROWTH } work_kind;

typedef struct work_group {
  const char *name;
  work_kind kind;
  bool is_durable;
  bool needs_log;
  void (*run)(const peer_engine *engine, const work_setup *setup,
              work_sink sink, void *context);
} work_group;

extern const work_group work_groups[];
extern const size_t work_group_count;

#endif
