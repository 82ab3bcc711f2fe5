/*
 * verify: walks the arena once for what is there, follows the links for what
 * is reachable, and compares the two. A count and a sum of units stand for
 * each set, so no memory is needed and a writer may go on meanwhile: what lies
 * above the `used` read at the start is left out on both sides.
 *
 * dump: the same facts for people.
 */
#include "base/check.h"
#include "code/hash.h"
#include "mem/inner.h"

typedef struct tally {
  uint64_t count;
  uint64_t unit_sum;
} tally;

typedef struct inspection {
  gs_memtable *table;
  const gs_arena *arena;
  uint32_t end; /* what is above is not looked at */
  tally nodes;
  tally rows;
  tally linked;  /* rows reached from nodes */
  tally ordered; /* nodes reached from the order */
} inspection;

static void
add_to(tally *to, uint32_t unit)
{
  to->count++;
  to->unit_sum += unit;
}

static bool
is_same(tally a, tally b)
{
  return a.count == b.count && a.unit_sum == b.unit_sum;
}

static gs_status
broken(gs_error *err, const char *what, uint32_t unit)
{
  return GS_FAIL(err, GS_CORRUPT, "memtable, arena unit %u: %s", unit, what);
}

/* Whether a row of the table can begin there, and end in time. A row above the
 * end is one that the writer linked meanwhile; it may lie above `used` still. */
static bool
is_row(const inspection *in, uint32_t unit)
{
  uint32_t limit = unit < in->end ? in->end : in->arena->end;
  return unit >= GS_ARENA_FIRST && unit < limit &&
         limit - unit >= gs_arena_units(sizeof(gs_row)) &&
         !gs_item_is_node(in->arena, unit) &&
         gs_item_units(in->arena, unit) <= limit - unit;
}

/* Whether the row has no jump, or one that can be followed. */
static bool
can_jump(const inspection *in, uint32_t unit)
{
  uint32_t jump = gs_row_skip(in->arena, unit).jump;
  return gs_row_at(in->arena, unit)->older == 0 ||
         (jump < unit && is_row(in, jump));
}

static gs_status
verify_links(const inspection *in, uint32_t unit, gs_error *err)
{
  const gs_row *row = gs_row_at(in->arena, unit);
  if (row->older >= unit || !is_row(in, row->older)) {
    return broken(err, "a row points at no older row", unit);
  }
  const gs_row *older = gs_row_at(in->arena, row->older);
  if (gs_row_seq(older) >= gs_row_seq(row)) {
    return broken(err, "an older row has no smaller sequence number", unit);
  }
  uint32_t near = gs_row_skip(in->arena, row->older).jump;
  if (!can_jump(in, row->older) || (near != 0 && !can_jump(in, near))) {
    return broken(err, "an older row's jump leads nowhere", unit);
  }
  gs_skip has = gs_row_skip(in->arena, unit);
  gs_skip wants = gs_row_skip_above(in->arena, row->older);
  if (has.jump != wants.jump || has.depth != wants.depth) {
    return broken(err, "a row's jump or depth is wrong", unit);
  }
  return GS_OK;
}

static gs_status
verify_row(const inspection *in, const gs_node *node, uint32_t unit,
           gs_error *err)
{
  gs_entry entry;
  gs_row_read(in->arena, node, unit, &entry);
  if (entry.kind != GS_KIND_PUT && entry.kind != GS_KIND_DELETE) {
    return broken(err, "a row has an unknown kind", unit);
  }
  if (entry.kind == GS_KIND_DELETE &&
      (entry.value.size > 0 || entry.expires_at_ms != 0)) {
    return broken(err, "a tombstone has a value or an expiry", unit);
  }
  if (gs_row_at(in->arena, unit)->older != 0) {
    return verify_links(in, unit, err);
  }
  return GS_OK;
}

/* The rows of a node, those below the end. */
static gs_status
verify_chain(inspection *in, uint32_t unit, gs_error *err)
{
  const gs_node *node = gs_node_at(in->arena, unit);
  uint32_t first = unit + (uint32_t)gs_item_units(in->arena, unit);
  uint32_t row = gs_node_newest(node);
  uint32_t last = row;
  while (row != 0) {
    if (!is_row(in, row)) {
      return broken(err, "a node's newest row is no row", unit);
    }
    gs_status status = verify_row(in, node, row, err);
    if (status != GS_OK) {
      return status;
    }
    if (row < in->end) {
      add_to(&in->linked, row);
    }
    last = row;
    row = gs_row_at(in->arena, row)->older;
  }
  return last == first ? GS_OK
                       : broken(err, "a node lacks its first row", unit);
}

static gs_status
verify_node(inspection *in, uint32_t unit, gs_error *err)
{
  gs_slice key = gs_node_key(gs_node_at(in->arena, unit));
  uint64_t hash = gs_hash_key(key);
  if (gs_index_find(&in->table->index, in->arena, key, hash) != unit) {
    return broken(err, "the index does not find a key", unit);
  }
  return verify_chain(in, unit, err);
}

static gs_status
verify_items(inspection *in, gs_error *err)
{
  uint32_t unit = GS_ARENA_FIRST;
  while (unit < in->end) {
    bool is_cut = in->end - unit < gs_arena_units(sizeof(gs_row));
    size_t units = is_cut ? 0 : gs_item_units(in->arena, unit);
    if (is_cut || units > in->end - unit) {
      return broken(err, "an item goes beyond the used part", unit);
    }
    if (gs_item_is_node(in->arena, unit)) {
      gs_status status = verify_node(in, unit, err);
      if (status != GS_OK) {
        return status;
      }
      add_to(&in->nodes, unit);
    } else {
      add_to(&in->rows, unit);
    }
    unit += (uint32_t)units;
  }
  return is_same(in->rows, in->linked)
             ? GS_OK
             : broken(err, "rows and links before do not match", unit);
}

static gs_status
verify_order(inspection *in, const gs_order *order, gs_error *err)
{
  gs_status status = gs_order_verify(order, in->arena, err);
  if (status != GS_OK) {
    return status;
  }
  for (gs_place at = {0, 0}; at.chunk < order->chunk_count; at.chunk++) {
    size_t count = order->fences[at.chunk].chunk->count;
    for (at.slot = 0; at.slot < count; at.slot++) {
      uint32_t node = gs_order_node(order, at);
      if (node < in->end) {
        add_to(&in->ordered, node);
      }
    }
  }
  return is_same(in->nodes, in->ordered)
             ? GS_OK
             : broken(err, "keys before and the order do not match", in->end);
}

gs_status
gs_memtable_verify(gs_memtable *table, gs_error *err)
{
  inspection in = {.table = table,
                   .arena = &table->arena,
                   .end = gs_arena_used(&table->arena)};
  gs_status status = verify_items(&in, err);
  if (status != GS_OK) {
    return status;
  }
  gs_order *order = NULL;
  status = gs_memtable_take_order(table, &order, err);
  if (status == GS_OK) {
    status = verify_order(&in, order, err);
    gs_order_release(order);
  }
  return status;
}

/* ---- dump ---------------------------------------------------------------- */

static void
dump_key(gs_slice key, gs_buffer *out)
{
  for (size_t i = 0; i < key.size; i++) {
    uint8_t byte = key.data[i];
    bool is_plain = byte > ' ' && byte < 0x7f && byte != '@' && byte != '\\';
    if (is_plain) {
      gs_buffer_append(out, &byte, 1);
    } else {
      gs_buffer_printf(out, "\\%02x", byte);
    }
  }
}

gs_status
gs_memtable_dump(gs_memtable *table, gs_buffer *out, gs_error *err)
{
  gs_memtable_cursor cursor;
  gs_status status = gs_memtable_cursor_init(&cursor, table, GS_SEQ_MAX, err);
  if (status != GS_OK) {
    return status;
  }
  gs_cursor *at = &cursor.base;
  for (gs_cursor_first(at); at->valid; gs_cursor_next(at)) {
    do {
      bool is_put = at->entry.kind == GS_KIND_PUT;
      dump_key(at->entry.key, out);
      gs_buffer_printf(out, "@%llu:%s\n", (unsigned long long)at->entry.seq,
                       is_put ? "put" : "del");
    } while (gs_cursor_older(at));
  }
  gs_cursor_end(at);
  return gs_buffer_status(out, err);
}
