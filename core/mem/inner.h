/*
 * inner: what the files of the memtable share.
 *
 * Model: see memtable.h. The counters have one writer and are read by anybody;
 * they stand apart from what every read needs.
 */
#ifndef GS_MEM_INNER_H
#define GS_MEM_INNER_H

#include "mem/index.h"
#include "mem/memtable.h"
#include "mem/ordering.h"

typedef struct gs_memtable_counters {
  _Atomic uint64_t entry_count;
  _Atomic uint64_t key_count; /* stored before the arena shows the node */
  _Atomic uint64_t tombstone_count;
  _Atomic uint64_t expiring_count;
  _Atomic uint64_t data_bytes;
  _Atomic uint64_t min_seq;
  _Atomic uint64_t max_seq; /* stored after all else of the entry */
} gs_memtable_counters;

struct gs_memtable {
  gs_env *env;
  gs_index index;
  _Atomic uint64_t seq_limit; /* entries above it are void */
  gs_arena arena;             /* ends in what the writer changes */
  gs_memtable_counters counters;
  uint64_t created_ms;
  gs_mutex *mutex; /* guards ordering */
  gs_ordering ordering;
  _Atomic uint64_t refs;
};

/* An order of all keys added so far; give it to gs_order_release. */
GS_MUST_CHECK gs_status gs_memtable_take_order(gs_memtable *table,
                                               gs_order **out, gs_error *err);

#endif
