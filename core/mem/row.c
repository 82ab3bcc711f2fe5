/*
 * row: a version is written in full before anything points at it, and never
 * again. What only some rows need (jump, expiry) is there only in those, so
 * that the common item, a short key with its first version, stays small.
 */
#include "mem/row.h"

#include "base/check.h"

static uint64_t *
put_bytes(uint64_t *at, gs_slice bytes)
{
  if (bytes.size > 0) {
    memcpy(at, bytes.data, bytes.size);
  }
  return at + gs_arena_units(bytes.size);
}

static uint64_t
make_stamp(const gs_entry *entry)
{
  uint64_t mark = entry->expires_at_ms != 0 ? GS_ROW_EXPIRY_MARK : 0;
  return mark | (uint64_t)entry->kind << GS_ROW_KIND_SHIFT | entry->seq;
}

static uint64_t *
put_row(const gs_arena *arena, uint64_t *at, const gs_entry *entry,
        uint32_t older)
{
  gs_row row = {make_stamp(entry), older, (uint32_t)entry->value.size};
  at = put_bytes(at, gs_slice_of(&row, sizeof row));
  if (older != 0) {
    gs_skip skip = gs_row_skip_above(arena, older);
    at = put_bytes(at, gs_slice_of(&skip, sizeof skip));
  }
  if (entry->expires_at_ms != 0) {
    *at++ = entry->expires_at_ms;
  }
  return put_bytes(at, entry->value);
}

/* The words of a row after its fixed part and its skip. */
static const uint64_t *
row_rest(const gs_row *row)
{
  size_t skip_words = row->older != 0 ? 1 : 0;
  return (const uint64_t *)(row + 1) + skip_words;
}

uint32_t
gs_row_add_first(gs_arena *arena, const gs_entry *entry)
{
  uint32_t top = gs_arena_top(arena);
  gs_node *node = gs_node_at(arena, top);
  uint64_t *at =
      gs_arena_at(arena, top) + gs_arena_units(sizeof *node + entry->key.size);
  atomic_init(&node->newest, (uint32_t)(at - arena->words));
  node->key_size = (uint16_t)entry->key.size;
  node->zero = 0;
  if (entry->key.size > 0) {
    memcpy(node->key, entry->key.data, entry->key.size);
  }
  return (uint32_t)(put_row(arena, at, entry, 0) - arena->words);
}

uint32_t
gs_row_add_newer(gs_arena *arena, gs_node *node, const gs_entry *entry)
{
  uint32_t top = gs_arena_top(arena);
  uint32_t older = atomic_load_explicit(&node->newest, memory_order_relaxed);
  GS_ASSERT(gs_row_seq(gs_row_at(arena, older)) < entry->seq);
  uint64_t *end = put_row(arena, gs_arena_at(arena, top), entry, older);
  atomic_store_explicit(&node->newest, top, memory_order_release);
  return (uint32_t)(end - arena->words);
}

gs_skip
gs_row_skip(const gs_arena *arena, uint32_t unit)
{
  const gs_row *row = gs_row_at(arena, unit);
  gs_skip skip = {0, 0};
  if (row->older != 0) {
    memcpy(&skip, row + 1, sizeof skip);
  }
  return skip;
}

/* Jumps count in skew-binary: two of equal length become one over both. */
gs_skip
gs_row_skip_above(const gs_arena *arena, uint32_t older)
{
  gs_skip near = gs_row_skip(arena, older);
  gs_skip skip = {older, near.depth + 1};
  if (near.jump != 0) {
    gs_skip far = gs_row_skip(arena, near.jump);
    uint32_t far_end = far.jump != 0 ? far.jump : near.jump;
    uint32_t far_depth = gs_row_skip(arena, far_end).depth;
    if (near.depth - far.depth == far.depth - far_depth) {
      skip.jump = far_end;
    }
  }
  return skip;
}

uint32_t
gs_row_find(const gs_arena *arena, const gs_node *node, uint64_t seq)
{
  uint32_t unit = gs_node_newest(node);
  while (gs_row_seq(gs_row_at(arena, unit)) > seq) {
    uint32_t older = gs_row_at(arena, unit)->older;
    if (older == 0) {
      return 0;
    }
    uint32_t jump = gs_row_skip(arena, unit).jump;
    bool is_past = gs_row_seq(gs_row_at(arena, jump)) <= seq;
    unit = is_past ? older : jump;
  }
  return unit;
}

void
gs_row_read(const gs_arena *arena, const gs_node *node, uint32_t unit,
            gs_entry *out)
{
  const gs_row *row = gs_row_at(arena, unit);
  const uint64_t *rest = row_rest(row);
  out->key = gs_node_key(node);
  out->seq = gs_row_seq(row);
  out->kind = (gs_kind)(row->stamp >> GS_ROW_KIND_SHIFT & GS_ROW_KIND_MASK);
  out->expires_at_ms = 0;
  if ((row->stamp & GS_ROW_EXPIRY_MARK) != 0) {
    out->expires_at_ms = *rest++;
  }
  out->value = gs_slice_of(rest, row->value_size);
}

size_t
gs_item_units(const gs_arena *arena, uint32_t unit)
{
  if (gs_item_is_node(arena, unit)) {
    const gs_node *node = gs_node_at(arena, unit);
    return gs_arena_units(sizeof *node + node->key_size);
  }
  const gs_row *row = gs_row_at(arena, unit);
  size_t fixed = (size_t)(row_rest(row) - gs_arena_at(arena, unit));
  size_t expiry = (row->stamp & GS_ROW_EXPIRY_MARK) != 0 ? 1 : 0;
  return fixed + expiry + gs_arena_units(row->value_size);
}

size_t
gs_row_bytes_max(size_t key_size, size_t value_size)
{
  size_t node = gs_arena_units(sizeof(gs_node) + key_size);
  size_t row = gs_arena_units(sizeof(gs_row) + sizeof(uint64_t));
  return (node + row + gs_arena_units(value_size)) * GS_ARENA_UNIT_BYTES;
}
