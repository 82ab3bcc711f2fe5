/*
 * cut: a stream of pieces into tables, as the engine's output cuts one (C8).
 *
 * Model: a table ends when its bytes reach the bound, at a cut of the plan, and
 * where a table that stays in the target run lies between. Where it ends within
 * a piece of random keys, the place is that of the n-th of so many independent
 * draws: its expected value and a deviation of sqrt(n) keys. That deviation is
 * what keeps the tables of two runs from beginning at the same keys. The bounds
 * of a table are those of its content: the few keys' breadth that lies between
 * true bounds of neighbours is theirs.
 *
 * Life: tables come with one reference each; their payload is a content of the
 * lab's, freed with them.
 * Threads: one at a time.
 */
#ifndef GS_LAB_CUT_H
#define GS_LAB_CUT_H

#include "lab/content.h"
#include "lab/size.h"
#include "tree/version.h"

/* A place where a table must end: at begin, and the next begins at end. */
typedef struct gs_lab_fence {
  uint64_t begin;
  uint64_t end; /* begin where nothing lies between */
} gs_lab_fence;

typedef struct gs_cut_rules {
  const gs_mix *mix;
  const gs_lab_format *format;
  double table_bytes;
  const gs_lab_fence *fences; /* rising */
  size_t fence_count;
  uint64_t min_seq;
  uint64_t max_seq;
  uint64_t now_ms;
  uint64_t ttl_ms; /* 0: nothing expires */
  uint64_t oldest_tombstone_ms;
  uint64_t *next_id; /* of tables */
  uint64_t *random;  /* state of the lab's random numbers */
} gs_cut_rules;

typedef struct gs_table_list {
  gs_alloc *alloc;
  gs_tree_table **tables;
  size_t count;
  size_t capacity;
} gs_table_list;

void gs_table_list_deinit(gs_table_list *list);
GS_MUST_CHECK gs_status gs_table_list_add(gs_table_list *list,
                                          gs_tree_table *table, gs_error *err);

/* Appends the tables of the stream to an initialised list. */
GS_MUST_CHECK gs_status gs_cut_tables(gs_alloc *alloc, const gs_content *stream,
                                      const gs_cut_rules *rules,
                                      gs_table_list *out, gs_error *err);

/* A table with one reference; takes the content. NULL: no memory. */
gs_tree_table *gs_table_of_content(gs_alloc *alloc, const gs_table_meta *meta,
                                   gs_content *content);

/* What a virtual table holds. */
const gs_content *gs_table_content(const gs_tree_table *table);

/* The key at a position, as 8 bytes; and the position of a key. */
void gs_position_put(uint8_t bytes[8], uint64_t position);
uint64_t gs_position_of(gs_slice key);

#endif
