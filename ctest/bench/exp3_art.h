#ifndef GS_CTEST_BENCH_EXP3_ART_H
#define GS_CTEST_BENCH_EXP3_ART_H

/*
 * Experiment 3: an adaptive radix tree.
 *
 * Model: an inner node has a prefix and branches by the key byte behind it; it
 * grows through room for 4, 16, 48 and 256 children.  A reference is a row
 * offset with the lowest bit set, a node offset, or 0.  Keys have one length,
 * so no key is the beginning of another.
 *
 * Threads: one; readers beside the writer are not supported here.  Nodes that
 * were outgrown stay in the arena.
 */

#include "exp3_memtable.h"

typedef uint32_t art_ref;

enum { ART_ALIGN = 8, ART_SMALL = 4, ART_MIDDLE = 16, ART_LARGE = 48 };
enum { ART_FULL = 256 };

typedef struct art_node {
  uint16_t room;  /* ART_SMALL ... ART_FULL */
  uint16_t count; /* children */
  uint32_t prefix_bytes;
  uint8_t prefix[KEY_BYTES];
} art_node;

/* Both smaller kinds; `bytes` are in order. */
typedef struct art_sorted {
  art_node node;
  uint8_t bytes[ART_MIDDLE];
  art_ref children[]; /* ART_SMALL or ART_MIDDLE */
} art_sorted;

typedef struct art_indexed {
  art_node node;
  uint8_t places[ART_FULL]; /* place of the child plus 1, or 0 */
  art_ref children[ART_LARGE];
} art_indexed;

typedef struct art_direct {
  art_node node;
  art_ref children[ART_FULL];
} art_direct;

typedef struct art_tree {
  row_arena rows;
  row_arena nodes;
  art_ref root;
} art_tree;

static bool
art_is_row(art_ref ref)
{
  return (ref & 1u) != 0;
}

/* Rows are 4-aligned, so the lowest bit is free. */
static const uint8_t *
art_row(const art_tree *tree, art_ref ref)
{
  return tree->rows.base + (ref & ~1u);
}

static void *
art_at(const art_tree *tree, art_ref ref)
{
  return tree->nodes.base + ref;
}

static void *
art_open(size_t row_count, size_t skip)
{
  (void)skip;
  art_tree *tree = bench_alloc(1, sizeof *tree);
  arena_init(&tree->rows, row_count * ROW_BYTES + (1 << 20));
  arena_init(&tree->nodes, row_count * 128 + (1 << 20));
  return tree;
}

static void
art_close(void *table)
{
  art_tree *tree = table;
  arena_deinit(&tree->rows);
  arena_deinit(&tree->nodes);
  free(tree);
}

static size_t
art_node_bytes(uint16_t room)
{
  if (room == ART_FULL) {
    return sizeof(art_direct);
  }
  if (room == ART_LARGE) {
    return sizeof(art_indexed);
  }
  return sizeof(art_sorted) + room * sizeof(art_ref);
}

static art_ref
art_new_node(art_tree *tree, uint16_t room, const uint8_t *prefix,
             size_t prefix_bytes)
{
  art_node *node = arena_take(&tree->nodes, art_node_bytes(room), ART_ALIGN);
  node->room = room;
  node->prefix_bytes = (uint32_t)prefix_bytes;
  memcpy(node->prefix, prefix, prefix_bytes);
  return (art_ref)((uint8_t *)node - tree->nodes.base);
}

/* --- children --- */

/* A mask with the top bit of each byte of `word` that equals `byte`; the
 * lowest set bit is exact. */
static uint64_t
art_match(uint64_t word, uint8_t byte)
{
  uint64_t ones = UINT64_C(0x0101010101010101);
  uint64_t x = word ^ (ones * byte);
  return (x - ones) & ~x & (ones << 7);
}

static art_ref *
art_find_sorted(art_sorted *node, uint8_t byte)
{
  for (unsigned base = 0; base < node->node.count; base += 8) {
    uint64_t word;
    memcpy(&word, node->bytes + base, sizeof word);
    uint64_t match = art_match(word, byte);
    if (match == 0) {
      continue;
    }
    unsigned at = base + (unsigned)__builtin_ctzll(match) / 8;
    return at < node->node.count ? &node->children[at] : NULL;
  }
  return NULL;
}

/* The place of the child for `byte`, or NULL. */
static art_ref *
art_find_child(void *at, uint8_t byte)
{
  art_node *node = at;
  if (node->room <= ART_MIDDLE) {
    return art_find_sorted(at, byte);
  }
  if (node->room == ART_LARGE) {
    art_indexed *indexed = at;
    uint8_t place = indexed->places[byte];
    return place == 0 ? NULL : &indexed->children[place - 1];
  }
  art_direct *direct = at;
  return direct->children[byte] == 0 ? NULL : &direct->children[byte];
}

/* The first child from `*byte` on, which receives its byte; 0: none. */
static art_ref
art_child_from(void *at, unsigned *byte)
{
  art_node *node = at;
  if (node->room <= ART_MIDDLE) {
    art_sorted *sorted = at;
    unsigned i = 0;
    while (i < node->count && sorted->bytes[i] < *byte) {
      i++;
    }
    *byte = i < node->count ? sorted->bytes[i] : ART_FULL;
    return i < node->count ? sorted->children[i] : 0;
  }
  for (; *byte < ART_FULL; (*byte)++) {
    art_ref *child = art_find_child(at, (uint8_t)*byte);
    if (child != NULL) {
      return *child;
    }
  }
  return 0;
}

static void
art_put_sorted(art_sorted *node, uint8_t byte, art_ref child)
{
  unsigned at = node->node.count;
  for (; at > 0 && node->bytes[at - 1] > byte; at--) {
    node->bytes[at] = node->bytes[at - 1];
    node->children[at] = node->children[at - 1];
  }
  node->bytes[at] = byte;
  node->children[at] = child;
}

/* Requires: room. */
static void
art_put_child(void *at, uint8_t byte, art_ref child)
{
  art_node *node = at;
  if (node->room <= ART_MIDDLE) {
    art_put_sorted(at, byte, child);
  } else if (node->room == ART_LARGE) {
    art_indexed *indexed = at;
    indexed->places[byte] = (uint8_t)(node->count + 1);
    indexed->children[node->count] = child;
  } else {
    art_direct *direct = at;
    direct->children[byte] = child;
  }
  node->count++;
}

static art_ref
art_grow(art_tree *tree, art_ref ref)
{
  art_node *node = art_at(tree, ref);
  uint16_t room = node->room == ART_SMALL    ? ART_MIDDLE
                  : node->room == ART_MIDDLE ? ART_LARGE
                                             : ART_FULL;
  art_ref grown = art_new_node(tree, room, node->prefix, node->prefix_bytes);
  for (unsigned byte = 0; byte < ART_FULL; byte++) {
    art_ref child = art_child_from(node, &byte);
    if (child != 0) {
      art_put_child(art_at(tree, grown), (uint8_t)byte, child);
    }
  }
  return grown;
}

/* --- inserting and finding --- */

static size_t
art_shared_bytes(const uint8_t *a, const uint8_t *b, size_t most)
{
  size_t shared = 0;
  while (shared < most && a[shared] == b[shared]) {
    shared++;
  }
  return shared;
}

/* Puts a node over the row at `*place`, and the new row beside it. */
static void
art_split_row(art_tree *tree, art_ref *place, const uint8_t *key, size_t depth,
              art_ref row)
{
  const uint8_t *other = row_key(art_row(tree, *place));
  size_t shared =
      art_shared_bytes(key + depth, other + depth, KEY_BYTES - depth);
  BENCH_REQUIRE(depth + shared < KEY_BYTES);
  art_ref ref = art_new_node(tree, ART_SMALL, key + depth, shared);
  art_put_child(art_at(tree, ref), other[depth + shared], *place);
  art_put_child(art_at(tree, ref), key[depth + shared], row);
  *place = ref;
}

/* Cuts the prefix of the node at `*place` after `shared` bytes. */
static void
art_split_prefix(art_tree *tree, art_ref *place, size_t shared, uint8_t byte,
                 art_ref row)
{
  art_node *node = art_at(tree, *place);
  art_ref ref = art_new_node(tree, ART_SMALL, node->prefix, shared);
  art_put_child(art_at(tree, ref), node->prefix[shared], *place);
  art_put_child(art_at(tree, ref), byte, row);
  node->prefix_bytes -= (uint32_t)shared + 1;
  memmove(node->prefix, node->prefix + shared + 1, node->prefix_bytes);
  *place = ref;
}

static void
art_insert(void *table, const uint8_t *key, const uint8_t *value)
{
  art_tree *tree = table;
  art_ref row = arena_add_row(&tree->rows, key, value) | 1u;
  art_ref *place = &tree->root;
  for (size_t depth = 0; *place != 0; depth++) {
    if (art_is_row(*place)) {
      art_split_row(tree, place, key, depth, row);
      return;
    }
    art_node *node = art_at(tree, *place);
    size_t shared =
        art_shared_bytes(node->prefix, key + depth, node->prefix_bytes);
    if (shared < node->prefix_bytes) {
      art_split_prefix(tree, place, shared, key[depth + shared], row);
      return;
    }
    depth += shared;
    art_ref *child = art_find_child(node, key[depth]);
    if (child == NULL) {
      if (node->count == node->room) {
        *place = art_grow(tree, *place);
      }
      art_put_child(art_at(tree, *place), key[depth], row);
      return;
    }
    place = child;
  }
  *place = row;
}

/* Skips prefixes unread: the row at the end confirms the key. */
static const uint8_t *
art_get(void *table, const uint8_t *key)
{
  art_tree *tree = table;
  art_ref ref = tree->root;
  size_t depth = 0;
  while (ref != 0 && !art_is_row(ref)) {
    art_node *node = art_at(tree, ref);
    depth += node->prefix_bytes;
    if (depth >= KEY_BYTES) {
      return NULL;
    }
    art_ref *child = art_find_child(node, key[depth++]);
    ref = child == NULL ? 0 : *child;
  }
  if (ref == 0) {
    return NULL;
  }
  const uint8_t *row = art_row(tree, ref);
  return key_compare(row_key(row), key) == 0 ? row : NULL;
}

/* --- scanning --- */

/* Hands out the rows below `ref` that are >= `from`; NULL: all. */
static void
art_walk(const art_tree *tree, art_ref ref, size_t depth, const uint8_t *from,
         row_sink *sink)
{
  if (art_is_row(ref)) {
    const uint8_t *row = art_row(tree, ref);
    if (from == NULL || key_compare(row_key(row), from) >= 0) {
      sink_add(sink, row);
    }
    return;
  }
  art_node *node = art_at(tree, ref);
  int side =
      from == NULL ? 1 : memcmp(node->prefix, from + depth, node->prefix_bytes);
  if (side < 0) {
    return;
  }
  if (side > 0) {
    from = NULL;
  }
  depth += node->prefix_bytes;
  unsigned first = from == NULL ? 0 : from[depth];
  for (unsigned byte = first; !sink_is_full(sink); byte++) {
    art_ref child = art_child_from(node, &byte);
    if (child == 0) {
      break;
    }
    art_walk(tree, child, depth + 1, byte == first ? from : NULL, sink);
  }
}

static void
art_scan(void *table, const uint8_t *from, row_sink *sink)
{
  art_tree *tree = table;
  if (tree->root != 0) {
    art_walk(tree, tree->root, 0, from, sink);
  }
}

static const contender art_contender = {
    .name = "adaptive radix tree",
    .can_share = false,
    .can_mix = true,
    .open = art_open,
    .close = art_close,
    .insert = art_insert,
    .get = art_get,
    .scan = art_scan,
};

#endif
