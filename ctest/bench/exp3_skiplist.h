#ifndef GS_CTEST_BENCH_EXP3_SKIPLIST_H
#define GS_CTEST_BENCH_EXP3_SKIPLIST_H

/*
 * Experiment 3: a skip list with inline keys.  A node is its links above level
 * 0 in descending order, the link of level 0, then the row; so the link most
 * walked lies beside the key.  A level goes on with probability 1/4.  The
 * writer remembers where it went last, so rising keys need no search.
 */

#include "exp3_memtable.h"

enum { SKIP_MAX_HEIGHT = 12 };

typedef struct skip_node skip_node;
typedef _Atomic(skip_node *) skip_link;

struct skip_node {
  skip_link next;
  uint8_t row[ROW_BYTES];
};

typedef struct skip_list {
  row_arena arena;
  skip_node *head;
  skip_node *last[SKIP_MAX_HEIGHT]; /* last node of each level */
  uint64_t random;
} skip_list;

static skip_link *
skip_link_at(skip_node *node, int level)
{
  return &node->next - level;
}

static skip_node *
skip_next(skip_node *node, int level)
{
  return atomic_load_explicit(skip_link_at(node, level), memory_order_acquire);
}

static skip_node *
skip_new_node(skip_list *list, int height)
{
  size_t upper_bytes = (size_t)(height - 1) * sizeof(skip_link);
  uint8_t *memory = arena_take(&list->arena, upper_bytes + sizeof(skip_node),
                               sizeof(skip_link));
  void *node = memory + upper_bytes;
  return node;
}

static void *
skip_open(size_t row_count, size_t skip)
{
  (void)skip;
  skip_list *list = bench_alloc(1, sizeof *list);
  arena_init(&list->arena, row_count * (sizeof(skip_node) + 16) + (1 << 20));
  list->head = skip_new_node(list, SKIP_MAX_HEIGHT);
  for (int i = 0; i < SKIP_MAX_HEIGHT; i++) {
    atomic_init(skip_link_at(list->head, i), NULL);
    list->last[i] = list->head;
  }
  list->random = 88172645463325252u;
  return list;
}

static void
skip_close(void *table)
{
  skip_list *list = table;
  arena_deinit(&list->arena);
  free(list);
}

/* The first node with a key >= `key`; `before` (may be NULL) receives the node
 * in front of it on every level. */
static skip_node *
skip_find(skip_list *list, const uint8_t *key, skip_node **before)
{
  skip_node *node = list->head;
  skip_node *next = NULL;
  for (int level = SKIP_MAX_HEIGHT - 1; level >= 0; level--) {
    next = skip_next(node, level);
    while (next != NULL && key_compare(row_key(next->row), key) < 0) {
      node = next;
      next = skip_next(node, level);
    }
    if (before != NULL) {
      before[level] = node;
    }
  }
  return next;
}

static int
skip_random_height(skip_list *list)
{
  int height = 1;
  while (height < SKIP_MAX_HEIGHT && bench_random(&list->random) >> 62 == 0) {
    height++;
  }
  return height;
}

static bool
skip_is_last(const skip_list *list, const uint8_t *key)
{
  skip_node *last = list->last[0];
  return last == list->head || key_compare(row_key(last->row), key) < 0;
}

static void
skip_insert(void *table, const uint8_t *key, const uint8_t *value)
{
  skip_list *list = table;
  skip_node *found[SKIP_MAX_HEIGHT];
  skip_node **before = list->last;
  if (!skip_is_last(list, key)) {
    skip_find(list, key, found);
    before = found;
  }
  int height = skip_random_height(list);
  skip_node *node = skip_new_node(list, height);
  row_write(node->row, key, value);
  for (int level = 0; level < height; level++) {
    skip_node *next = skip_next(before[level], level);
    atomic_init(skip_link_at(node, level), next);
    atomic_store_explicit(skip_link_at(before[level], level), node,
                          memory_order_release);
    if (next == NULL) {
      list->last[level] = node;
    }
  }
}

static const uint8_t *
skip_get(void *table, const uint8_t *key)
{
  skip_node *node = skip_find(table, key, NULL);
  if (node == NULL || key_compare(row_key(node->row), key) != 0) {
    return NULL;
  }
  return node->row;
}

static void
skip_scan(void *table, const uint8_t *from, row_sink *sink)
{
  skip_list *list = table;
  skip_node *node =
      from == NULL ? skip_next(list->head, 0) : skip_find(list, from, NULL);
  while (node != NULL && !sink_is_full(sink)) {
    sink_add(sink, node->row);
    node = skip_next(node, 0);
  }
}

static const contender skip_contender = {
    .name = "skip list, inline keys",
    .can_share = true,
    .can_mix = true,
    .open = skip_open,
    .close = skip_close,
    .insert = skip_insert,
    .get = skip_get,
    .scan = skip_scan,
};

#endif
