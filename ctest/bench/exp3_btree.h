#ifndef GS_CTEST_BENCH_EXP3_BTREE_H
#define GS_CTEST_BENCH_EXP3_BTREE_H

/*
 * Experiment 3: a B+tree with 8-byte key heads.
 *
 * Model: a node holds up to 64 entries in order: the head of the key (8 bytes
 * after the bytes that all keys share), the offset of the row that holds the
 * full key, and in inner nodes a child.  Entry 0 of an inner node stands for
 * everything below entry 1.  Each node knows the first key right of it and its
 * right neighbour, so a reader that comes to a node just split goes right.
 *
 * Threads: one writer.  Readers take no lock: a node's version is odd while it
 * changes, and a reader looks again when the version moved.  Nodes stay until
 * the tree goes.  The tree is told the shared bytes beforehand; a real one
 * would keep them per node.
 */

#include "exp3_memtable.h"

enum { TREE_SLOTS = 64, TREE_MAX_HEIGHT = 8, TREE_NODE_ALIGN = 64 };

typedef struct tree_node {
  _Atomic(uint32_t) version;
  _Atomic(uint32_t) count;
  _Atomic(uint32_t) high_row; /* first key to the right, 0: none */
  bool is_leaf;               /* never changes */
  _Atomic(struct tree_node *) right;
  _Atomic(uint64_t) heads[TREE_SLOTS];
  _Atomic(uint32_t) rows[TREE_SLOTS];
  _Atomic(struct tree_node *)
      children[]; /* TREE_SLOTS of them, not in leaves */
} tree_node;

typedef struct btree {
  row_arena rows;
  row_arena nodes;
  size_t skip;
  _Atomic(tree_node *) root;
  tree_node *last_leaf; /* the writer's */
} btree;

/* What a reader knows of a node after one consistent look. */
typedef struct tree_look {
  tree_node *next; /* child or right neighbour to go on with, or NULL */
  uint32_t row;    /* in a leaf: the entry <= the key, 0: none */
} tree_look;

#define TREE_LOAD(place) atomic_load_explicit(&(place), memory_order_acquire)
#define TREE_STORE(place, value) \
  atomic_store_explicit(&(place), (value), memory_order_release)

static const uint8_t *
tree_key(const btree *tree, uint32_t row)
{
  return row_key(tree->rows.base + row);
}

static tree_node *
tree_new_node(btree *tree, bool is_leaf)
{
  size_t bytes = sizeof(tree_node);
  if (!is_leaf) {
    bytes += TREE_SLOTS * sizeof(_Atomic(tree_node *));
  }
  tree_node *node = arena_take(&tree->nodes, bytes, TREE_NODE_ALIGN);
  node->is_leaf = is_leaf;
  return node;
}

static void *
tree_open(size_t row_count, size_t skip)
{
  btree *tree = bench_alloc(1, sizeof *tree);
  arena_init(&tree->rows, row_count * ROW_BYTES + (1 << 20));
  arena_init(&tree->nodes, row_count * 32 + (1 << 20));
  tree->skip = skip;
  tree->last_leaf = tree_new_node(tree, true);
  TREE_STORE(tree->root, tree->last_leaf);
  return tree;
}

static void
tree_close(void *table)
{
  btree *tree = table;
  arena_deinit(&tree->rows);
  arena_deinit(&tree->nodes);
  free(tree);
}

/* --- searching --- */

/* How many of the entries [first, count) have a head <= `head`, plus first. */
static uint32_t
tree_count_heads(const tree_node *node, uint32_t first, uint32_t count,
                 uint64_t head)
{
  uint32_t at = first;
  uint32_t left = count > first ? count - first : 0;
  while (left > 1) {
    uint32_t half = left / 2;
    at = TREE_LOAD(node->heads[at + half - 1]) <= head ? at + half : at;
    left -= half;
  }
  return left == 1 && TREE_LOAD(node->heads[at]) <= head ? at + 1 : at;
}

/* How many entries from `first` on are <= `key`, plus first. */
static uint32_t
tree_upper(const btree *tree, const tree_node *node, uint32_t first,
           const uint8_t *key, uint64_t head)
{
  uint32_t count = TREE_LOAD(node->count);
  uint32_t at = tree_count_heads(node, first, count, head);
  while (at > first && TREE_LOAD(node->heads[at - 1]) == head &&
         key_compare(tree_key(tree, TREE_LOAD(node->rows[at - 1])), key) > 0) {
    at--;
  }
  return at;
}

static bool
tree_is_right_of(const btree *tree, const tree_node *node, const uint8_t *key)
{
  uint32_t high = TREE_LOAD(node->high_row);
  return high != 0 && key_compare(tree_key(tree, high), key) <= 0;
}

/* Looks at a node once; false when a writer was there meanwhile. */
static bool
tree_look_once(const btree *tree, tree_node *node, const uint8_t *key,
               uint64_t head, tree_look *look)
{
  uint32_t version = TREE_LOAD(node->version);
  if (version % 2 != 0) {
    return false;
  }
  look->row = 0;
  look->next = NULL;
  if (tree_is_right_of(tree, node, key)) {
    look->next = TREE_LOAD(node->right);
  } else {
    uint32_t first = node->is_leaf ? 0 : 1;
    uint32_t at = tree_upper(tree, node, first, key, head);
    if (!node->is_leaf) {
      look->next = TREE_LOAD(node->children[at - 1]);
    } else if (at > 0) {
      look->row = TREE_LOAD(node->rows[at - 1]);
    }
  }
  return TREE_LOAD(node->version) == version;
}

/* The leaf for `key`, and in `row` its last entry <= key (0: none). */
static tree_node *
tree_find(btree *tree, const uint8_t *key, uint32_t *row)
{
  uint64_t head = key_head(key, tree->skip);
  tree_node *node = TREE_LOAD(tree->root);
  tree_look look;
  for (;;) {
    while (!tree_look_once(tree, node, key, head, &look)) {
    }
    if (look.next == NULL) {
      break;
    }
    node = look.next;
  }
  *row = look.row;
  return node;
}

static const uint8_t *
tree_get(void *table, const uint8_t *key)
{
  btree *tree = table;
  uint32_t row = 0;
  tree_find(tree, key, &row);
  if (row == 0 || key_compare(tree_key(tree, row), key) != 0) {
    return NULL;
  }
  return tree->rows.base + row;
}

/* --- inserting; the writer alone --- */

static void
tree_begin_change(tree_node *node)
{
  TREE_STORE(node->version, TREE_LOAD(node->version) + 1);
}

static void
tree_end_change(tree_node *node)
{
  TREE_STORE(node->version, TREE_LOAD(node->version) + 1);
}

static void
tree_copy_entry(tree_node *to, uint32_t to_slot, const tree_node *from,
                uint32_t from_slot)
{
  TREE_STORE(to->heads[to_slot], TREE_LOAD(from->heads[from_slot]));
  TREE_STORE(to->rows[to_slot], TREE_LOAD(from->rows[from_slot]));
  if (!to->is_leaf) {
    TREE_STORE(to->children[to_slot], TREE_LOAD(from->children[from_slot]));
  }
}

/* Puts an entry into a node with room. */
static void
tree_put_entry(btree *tree, tree_node *node, uint32_t row, tree_node *child)
{
  const uint8_t *key = tree_key(tree, row);
  uint64_t head = key_head(key, tree->skip);
  uint32_t count = TREE_LOAD(node->count);
  uint32_t at = tree_upper(tree, node, node->is_leaf ? 0 : 1, key, head);
  tree_begin_change(node);
  for (uint32_t i = count; i > at; i--) {
    tree_copy_entry(node, i, node, i - 1);
  }
  TREE_STORE(node->heads[at], head);
  TREE_STORE(node->rows[at], row);
  if (!node->is_leaf) {
    TREE_STORE(node->children[at], child);
  }
  TREE_STORE(node->count, count + 1);
  tree_end_change(node);
}

/* Moves the entries from `keep` on to a new right neighbour.  A full last node
 * that grows at its end keeps nearly all, so rising keys leave full nodes. */
static tree_node *
tree_split(btree *tree, tree_node *node, bool is_append)
{
  uint32_t keep = is_append ? TREE_SLOTS - 1 : TREE_SLOTS / 2;
  tree_node *right = tree_new_node(tree, node->is_leaf);
  for (uint32_t i = keep; i < TREE_SLOTS; i++) {
    tree_copy_entry(right, i - keep, node, i);
  }
  TREE_STORE(right->count, TREE_SLOTS - keep);
  TREE_STORE(right->right, TREE_LOAD(node->right));
  TREE_STORE(right->high_row, TREE_LOAD(node->high_row));
  tree_begin_change(node);
  TREE_STORE(node->count, keep);
  TREE_STORE(node->high_row, TREE_LOAD(right->rows[0]));
  TREE_STORE(node->right, right);
  tree_end_change(node);
  if (tree->last_leaf == node) {
    tree->last_leaf = right;
  }
  return right;
}

static void
tree_grow_root(btree *tree, tree_node *left, tree_node *right)
{
  tree_node *root = tree_new_node(tree, false);
  TREE_STORE(root->children[0], left);
  TREE_STORE(root->rows[0], TREE_LOAD(left->rows[0]));
  TREE_STORE(root->count, 1);
  tree_put_entry(tree, root, TREE_LOAD(right->rows[0]), right);
  TREE_STORE(tree->root, root);
}

/* The way down to the leaf for `key`; gives the number of nodes. */
static int
tree_path(btree *tree, const uint8_t *key, tree_node **path)
{
  uint64_t head = key_head(key, tree->skip);
  tree_node *node = TREE_LOAD(tree->root);
  int depth = 0;
  while (!node->is_leaf) {
    BENCH_REQUIRE(depth < TREE_MAX_HEIGHT - 1);
    path[depth++] = node;
    node = TREE_LOAD(node->children[tree_upper(tree, node, 1, key, head) - 1]);
  }
  path[depth++] = node;
  return depth;
}

static bool
tree_is_at_end(const btree *tree, const tree_node *node, const uint8_t *key)
{
  uint32_t count = TREE_LOAD(node->count);
  return count > 0 && TREE_LOAD(node->high_row) == 0 &&
         key_compare(tree_key(tree, TREE_LOAD(node->rows[count - 1])), key) < 0;
}

static void
tree_insert_from_root(btree *tree, uint32_t row)
{
  const uint8_t *key = tree_key(tree, row);
  tree_node *path[TREE_MAX_HEIGHT];
  tree_node *child = NULL;
  for (int depth = tree_path(tree, key, path); depth > 0; depth--) {
    tree_node *node = path[depth - 1];
    if (TREE_LOAD(node->count) < TREE_SLOTS) {
      tree_put_entry(tree, node, row, child);
      return;
    }
    tree_node *right = tree_split(tree, node, tree_is_at_end(tree, node, key));
    bool goes_right = tree_is_right_of(tree, node, tree_key(tree, row));
    tree_put_entry(tree, goes_right ? right : node, row, child);
    row = TREE_LOAD(right->rows[0]);
    child = right;
    if (depth == 1) {
      tree_grow_root(tree, node, right);
    }
  }
}

static void
tree_insert(void *table, const uint8_t *key, const uint8_t *value)
{
  btree *tree = table;
  uint32_t row = arena_add_row(&tree->rows, key, value);
  tree_node *last = tree->last_leaf;
  if (TREE_LOAD(last->count) < TREE_SLOTS && tree_is_at_end(tree, last, key)) {
    tree_put_entry(tree, last, row, NULL);
  } else {
    tree_insert_from_root(tree, row);
  }
}

/* --- scanning --- */

/* Copies the rows of a leaf; gives their number, and the next leaf. */
static uint32_t
tree_copy_leaf(const tree_node *leaf, uint32_t *rows, tree_node **next)
{
  for (;;) {
    uint32_t version = TREE_LOAD(leaf->version);
    uint32_t count = TREE_LOAD(leaf->count);
    for (uint32_t i = 0; i < count; i++) {
      rows[i] = TREE_LOAD(leaf->rows[i]);
    }
    *next = TREE_LOAD(leaf->right);
    if (version % 2 == 0 && TREE_LOAD(leaf->version) == version) {
      return count;
    }
  }
}

static uint32_t
tree_skip_rows(const btree *tree, const uint32_t *rows, uint32_t count,
               const uint8_t *from)
{
  uint32_t low = 0;
  while (low < count) {
    uint32_t middle = (low + count) / 2;
    if (key_compare(tree_key(tree, rows[middle]), from) < 0) {
      low = middle + 1;
    } else {
      count = middle;
    }
  }
  return low;
}

static void
tree_emit(const btree *tree, const uint32_t *rows, uint32_t count,
          row_sink *sink)
{
  enum { AHEAD = 8 };
  for (uint32_t i = 0; i < count && !sink_is_full(sink); i++) {
    if (i + AHEAD < count) {
      __builtin_prefetch(tree->rows.base + rows[i + AHEAD]);
    }
    sink_add(sink, tree->rows.base + rows[i]);
  }
}

static void
tree_scan(void *table, const uint8_t *from, row_sink *sink)
{
  static const uint8_t lowest[KEY_BYTES];
  btree *tree = table;
  uint32_t rows[TREE_SLOTS];
  uint32_t row = 0;
  tree_node *leaf = tree_find(tree, from == NULL ? lowest : from, &row);
  while (leaf != NULL && !sink_is_full(sink)) {
    tree_node *next = NULL;
    uint32_t count = tree_copy_leaf(leaf, rows, &next);
    uint32_t first = from == NULL ? 0 : tree_skip_rows(tree, rows, count, from);
    from = NULL;
    tree_emit(tree, rows + first, count - first, sink);
    leaf = next;
  }
}

static const contender tree_contender = {
    .name = "B+tree, 8-byte heads",
    .can_share = true,
    .can_mix = true,
    .open = tree_open,
    .close = tree_close,
    .insert = tree_insert,
    .get = tree_get,
    .scan = tree_scan,
};

#endif
