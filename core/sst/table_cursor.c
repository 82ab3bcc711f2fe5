/*
 * table_cursor: rows follow one another, so going forward needs no more than
 * where the last row ended; going back uses the block's offsets. A row's older
 * mark tells versions of one key from the next key without comparing keys; at
 * the end of a block the fences, which are in memory, tell whether the next
 * block goes on with the key.
 *
 * Rows of blocks in memory arrive from there at the speed of memory only if
 * they are asked for in time, and every block lies elsewhere. So each step also
 * asks for the same place in the block that the walk will come to next, or, as
 * long as the walk is short, for the next row. That block may leave memory
 * meanwhile: its address is only ever asked for. A seek waits twice, for a
 * block and for a row; aim divides it there.
 *
 * A cursor that leaves the cache alone reads through a window of the file; each
 * block of it is verified, and unpacked if need be, when it is entered. So does a
 * reader's cursor on a long walk, where the cache has no room: a call for each
 * block costs more than the block. But blocks that walks come back to may be
 * worth a place, so the cache is asked whether it recalls them.
 */
#include <stddef.h>

#include "sst/table_impl.h"
#include "sst/window.h"

enum {
  SHORT_WALK = 8,        /* rows, after which a walk counts as long */
  SHORT_WALK_BLOCKS = 8, /* blocks in a row, likewise */
};

/* How far a seek has come. */
typedef enum aim_state { AIM_NOWHERE, AIM_BLOCK, AIM_ROW } aim_state;

typedef struct table_cursor {
  gs_cursor base;
  gs_table *table;
  gs_block block;  /* the one stood on; meaningful while has_block */
  uint32_t number; /* of that block */
  uint32_t row;    /* number of the row stood on */
  uint32_t at;     /* where that row begins */
  uint32_t next;   /* where the row after it begins */
  uint32_t walked; /* rows since the last seek, no more than SHORT_WALK */
  aim_state aim;
  uint32_t aim_below; /* blocks that begin below the key aimed for */
  uint32_t aim_row;   /* in the last of them: the first row not below it */
  bool has_block;
  bool fills_cache;
  bool goes_back;      /* the last move to another block did */
  uint32_t neighbours; /* blocks in a row, no more than SHORT_WALK_BLOCKS */
  gs_frame *frame;     /* pinned; NULL when the block lies in the window */
  uintptr_t ahead;     /* address of the next block's bytes, or of this one's */
  gs_window window;
  gs_unpacker unpacker; /* of blocks in the window */
} table_cursor;

static table_cursor *
of(gs_cursor *base)
{
  return (table_cursor *)(void *)base;
}

/* The cursor stands nowhere; true and GS_OK mean the end was reached. */
static void
stop(table_cursor *cursor, gs_status status)
{
  cursor->base.valid = false;
  cursor->base.status = status;
}

/* ---- blocks ------------------------------------------------------------- */

/* Whether a block that is not in memory is brought into the cache: while the
 * walk is short, unless the window has it, and on a long one where there is
 * room, or a walk came to it before. */
static bool
may_load(const table_cursor *cursor, uint32_t number)
{
  gs_table *table = cursor->table;
  const gs_fence *fence = &table->fences.list[number];
  if (!cursor->fills_cache) {
    return false;
  }
  if (cursor->neighbours < SHORT_WALK_BLOCKS) {
    return gs_window_find(&cursor->window, number) == NULL;
  }
  return fence->size > GS_WINDOW_BYTES || !gs_cache_is_full(table->cache) ||
         gs_cache_recalls(table->cache, gs_table_seed(table, fence->offset));
}

/* Pins the block's frame: the one in memory or, where it may be loaded, a new
 * one. NULL when it is to be read through the window. */
static gs_status
pin_block(table_cursor *cursor, uint32_t number, gs_frame **out)
{
  gs_table *table = cursor->table;
  gs_status status = GS_OK;
  uint32_t slot = gs_epoch_enter(table->epoch);
  gs_frame *frame =
      atomic_load_explicit(&table->homes[number], memory_order_acquire);
  if (frame == NULL && may_load(cursor, number)) {
    const uint8_t *stored = gs_window_find(&cursor->window, number);
    gs_error *err = cursor->base.error;
    status = stored == NULL ? gs_group_load(table, number, &frame, err)
                            : gs_table_load(table, number, stored, &frame, err);
  }
  if (status == GS_OK && frame != NULL) {
    gs_frame_prefetch(frame);
    gs_frame_pin(frame);
  }
  gs_epoch_leave(table->epoch, slot);
  *out = status == GS_OK ? frame : NULL;
  return status;
}

static gs_status
enter_window(table_cursor *cursor, uint32_t number)
{
  gs_table *table = cursor->table;
  uint64_t offset = table->fences.list[number].offset;
  gs_slice bytes;
  gs_status status = gs_window_show(&cursor->window, number, cursor->goes_back,
                                    &bytes, cursor->base.error);
  if (status != GS_OK) {
    return status;
  }
  status = gs_unpacker_open(&cursor->unpacker, bytes,
                            gs_table_seed(table, offset), gs_table_codec(table),
                            &cursor->block, cursor->base.error);
  return status == GS_OK
             ? GS_OK
             : gs_table_fail_at(table, cursor->base.error, status, offset);
}

/* Brings two cache lines, most of a row. */
static inline void
ask_for(const uint8_t *at)
{
  __builtin_prefetch(at);
  __builtin_prefetch(at + GS_CACHE_LINE_BYTES);
}

/* Brings the same place of the block the walk comes to next. */
static inline void
ask_ahead(const table_cursor *cursor, uint32_t at)
{
  uintptr_t address = cursor->ahead + at;
  ask_for((const uint8_t *)address);
}

/* Chooses that block, in the direction of the last move, and asks for what
 * entering it will read. */
static void
look_ahead(table_cursor *cursor, bool goes_back)
{
  const gs_table *table = cursor->table;
  uint32_t next = goes_back ? cursor->number - 1 : cursor->number + 1;
  const gs_frame *frame = NULL;
  if (next < table->fences.count) {
    frame = atomic_load_explicit(&table->homes[next], memory_order_relaxed);
  }
  cursor->ahead = (uintptr_t)cursor->block.data;
  if (frame != NULL) {
    cursor->ahead = (uintptr_t)frame + offsetof(gs_frame, data);
    ask_ahead(cursor, 0);
    ask_ahead(cursor, 2 * GS_CACHE_LINE_BYTES);
  }
}

/* Counts blocks in a row; after a jump or a turn nobody knows how far the walk
 * goes. */
static void
count_neighbour(table_cursor *cursor, uint32_t number)
{
  bool goes_back = cursor->has_block && number < cursor->number;
  bool is_next =
      cursor->has_block &&
      number == (goes_back ? cursor->number - 1 : cursor->number + 1);
  bool is_turn = goes_back != cursor->goes_back;
  cursor->goes_back = goes_back;
  if (!is_next && cursor->fills_cache) {
    gs_window_drop(&cursor->window);
  }
  if (!is_next || is_turn) {
    cursor->neighbours = 0;
  } else if (cursor->neighbours < SHORT_WALK_BLOCKS) {
    cursor->neighbours++;
  }
}

/* Makes the block the one stood on; false after a failure. */
static bool
enter_block(table_cursor *cursor, uint32_t number)
{
  if (cursor->has_block && cursor->number == number) {
    return true;
  }
  gs_frame *frame = NULL;
  count_neighbour(cursor, number);
  gs_status status = pin_block(cursor, number, &frame);
  if (status == GS_OK && frame == NULL) {
    status = enter_window(cursor, number);
  }
  gs_frame_unpin(cursor->frame);
  cursor->frame = frame;
  cursor->has_block = status == GS_OK;
  if (status != GS_OK) {
    stop(cursor, status);
    return false;
  }
  if (frame != NULL) {
    cursor->block = gs_frame_block(frame);
  }
  cursor->number = number;
  look_ahead(cursor, cursor->goes_back);
  return true;
}

/* ---- rows --------------------------------------------------------------- */

/* Reads the row at a place of the block, and asks for what the walk reads
 * later; where the next row begins, or 0. */
static inline uint32_t
read_row(table_cursor *cursor, uint32_t at, gs_entry *out)
{
  if (cursor->walked >= SHORT_WALK) {
    ask_ahead(cursor, at);
    return gs_block_row(&cursor->block, at, out);
  }
  uint32_t next = gs_block_row(&cursor->block, at, out);
  cursor->walked++;
  ask_for(cursor->block.data + next);
  return next;
}

/* Stands on the row at a place of the block; false when it is unsound. */
static bool
enter_row_at(table_cursor *cursor, uint32_t row, uint32_t at)
{
  cursor->row = row;
  cursor->at = at;
  cursor->next = read_row(cursor, at, &cursor->base.entry);
  if (cursor->next == 0) {
    gs_table *table = cursor->table;
    uint64_t offset = table->fences.list[cursor->number].offset + at;
    gs_status status =
        gs_block_row_fail(&cursor->block, at, cursor->base.error);
    stop(cursor, gs_table_fail_at(table, cursor->base.error, status, offset));
    return false;
  }
  return true;
}

static bool
enter_row(table_cursor *cursor, uint32_t row)
{
  return enter_row_at(cursor, row, gs_block_row_at(&cursor->block, row));
}

static bool
enter_first_row(table_cursor *cursor, uint32_t number)
{
  return enter_block(cursor, number) && enter_row(cursor, 0);
}

static bool
enter_last_row(table_cursor *cursor, uint32_t number)
{
  return enter_block(cursor, number) &&
         enter_row(cursor, cursor->block.row_count - 1);
}

/* To the next row; false at the end and after a failure, the cursor stopped. */
static bool
step_forward(table_cursor *cursor)
{
  if (cursor->row + 1 < cursor->block.row_count) {
    return enter_row_at(cursor, cursor->row + 1, cursor->next);
  }
  if (cursor->number + 1 < cursor->table->fences.count) {
    return enter_first_row(cursor, cursor->number + 1);
  }
  stop(cursor, GS_OK);
  return false;
}

static bool
step_back(table_cursor *cursor)
{
  if (cursor->row > 0) {
    return enter_row(cursor, cursor->row - 1);
  }
  if (cursor->number > 0) {
    return enter_last_row(cursor, cursor->number - 1);
  }
  stop(cursor, GS_OK);
  return false;
}

/* Back to the newest version of the key. */
static bool
back_to_newest(table_cursor *cursor)
{
  while (gs_block_is_older(&cursor->block, cursor->at)) {
    if (!step_back(cursor)) {
      return false;
    }
  }
  return true;
}

/* ---- the contract ------------------------------------------------------- */

/* Before a move to anywhere. */
static void
start(table_cursor *cursor)
{
  cursor->base.status = GS_OK;
  cursor->base.valid = true;
}

/* The last block that begins below the key. */
static void
aim_at_block(table_cursor *cursor, gs_slice key)
{
  gs_table *table = cursor->table;
  uint32_t below = gs_fences_below(&table->fences, key);
  uint32_t number = below == 0 ? 0 : below - 1;
  const gs_frame *frame =
      atomic_load_explicit(&table->homes[number], memory_order_relaxed);
  if (frame != NULL) {
    gs_frame_prefetch(frame); /* an address that is only asked for */
  }
  cursor->aim_below = below;
  cursor->aim = AIM_BLOCK;
}

/* Enters the block and finds the row; false after a failure. */
static bool
aim_at_row(table_cursor *cursor, gs_slice key)
{
  uint32_t below = cursor->aim_below;
  start(cursor);
  if (!enter_block(cursor, below == 0 ? 0 : below - 1)) {
    cursor->aim = AIM_NOWHERE;
    return false;
  }
  const gs_block *block = &cursor->block;
  uint32_t row = below == 0 ? 0 : gs_block_seek(block, key);
  if (row < block->row_count) {
    ask_for(block->data + gs_block_row_at(block, row));
  }
  cursor->walked = 0;
  cursor->aim_row = row;
  cursor->aim = AIM_ROW;
  return true;
}

static bool
cursor_aim(gs_cursor *base, gs_slice key)
{
  table_cursor *cursor = of(base);
  if (cursor->aim == AIM_NOWHERE) {
    aim_at_block(cursor, key);
    return true;
  }
  return cursor->aim == AIM_BLOCK && aim_at_row(cursor, key) && false;
}

/* Goes the rest of the way to the row; false after a failure. */
static bool
reach(table_cursor *cursor, gs_slice key)
{
  if (cursor->aim == AIM_NOWHERE) {
    aim_at_block(cursor, key);
  }
  bool is_there = cursor->aim == AIM_ROW || aim_at_row(cursor, key);
  cursor->aim = AIM_NOWHERE;
  return is_there;
}

static void
cursor_seek(gs_cursor *base, gs_slice key)
{
  table_cursor *cursor = of(base);
  if (!reach(cursor, key)) {
    return;
  }
  if (cursor->aim_row < cursor->block.row_count) {
    enter_row(cursor, cursor->aim_row);
  } else if (cursor->aim_below < cursor->table->fences.count) {
    enter_first_row(cursor, cursor->aim_below);
  } else {
    stop(cursor, GS_OK);
  }
}

static void
cursor_seek_before(gs_cursor *base, gs_slice key)
{
  table_cursor *cursor = of(base);
  if (!reach(cursor, key)) {
    return;
  }
  if (cursor->aim_below == 0) {
    stop(cursor, GS_OK);
    return;
  }
  uint32_t row = cursor->aim_row;
  if (enter_row(cursor, row > 0 ? row - 1 : 0)) {
    back_to_newest(cursor);
  }
}

static void
cursor_first(gs_cursor *base)
{
  start(of(base));
  enter_first_row(of(base), 0);
}

static void
cursor_last(gs_cursor *base)
{
  table_cursor *cursor = of(base);
  start(cursor);
  if (enter_last_row(cursor, cursor->table->fences.count - 1)) {
    back_to_newest(cursor);
  }
}

static void
cursor_next(gs_cursor *base)
{
  table_cursor *cursor = of(base);
  while (step_forward(cursor) &&
         gs_block_is_older(&cursor->block, cursor->at)) {
  }
}

static void
cursor_prev(gs_cursor *base)
{
  table_cursor *cursor = of(base);
  if (back_to_newest(cursor) && step_back(cursor)) {
    back_to_newest(cursor);
  }
}

static bool
cursor_older(gs_cursor *base)
{
  table_cursor *cursor = of(base);
  if (cursor->row + 1 < cursor->block.row_count) {
    return gs_block_is_older(&cursor->block, cursor->next) &&
           enter_row_at(cursor, cursor->row + 1, cursor->next);
  }
  uint32_t number = cursor->number + 1;
  return number < cursor->table->fences.count &&
         gs_fences_is_first(&cursor->table->fences, number,
                            cursor->base.entry.key) &&
         enter_first_row(cursor, number);
}

/* Whether the row at a place is the next key's only version: neither it nor the
 * one behind it, which is in the same block, is an older one. *behind: where
 * that begins. */
static bool
reads_alone(table_cursor *cursor, uint32_t at, gs_entry *out, uint32_t *behind)
{
  const gs_block *block = &cursor->block;
  if (gs_block_is_older(block, at)) {
    return false;
  }
  *behind = read_row(cursor, at, out);
  return *behind != 0 && !gs_block_is_older(block, *behind);
}

static size_t
cursor_ahead(gs_cursor *base, const gs_slice *below, gs_entry *into,
             size_t room)
{
  table_cursor *cursor = of(base);
  size_t count = 0;
  /* The next block may go on with the key of this one's last row. */
  while (count < room && cursor->row + 2 < cursor->block.row_count) {
    uint32_t behind;
    if (!reads_alone(cursor, cursor->next, &into[count], &behind) ||
        (below != NULL && gs_slice_compare(into[count].key, *below) >= 0)) {
      break;
    }
    cursor->row++;
    cursor->at = cursor->next;
    cursor->next = behind;
    count++;
  }
  if (count > 0) {
    base->entry = into[count - 1];
  }
  return count;
}

static void
cursor_end(gs_cursor *base)
{
  table_cursor *cursor = of(base);
  gs_frame_unpin(cursor->frame);
  cursor->frame = NULL;
  gs_window_deinit(&cursor->window);
  gs_unpacker_deinit(&cursor->unpacker);
  gs_table_unref(cursor->table);
}

static const gs_cursor_ops cursor_ops = {
    .aim = cursor_aim,
    .seek = cursor_seek,
    .seek_before = cursor_seek_before,
    .first = cursor_first,
    .last = cursor_last,
    .next = cursor_next,
    .prev = cursor_prev,
    .older = cursor_older,
    .ahead = cursor_ahead,
    .end = cursor_end,
};

gs_status
gs_table_cursor_new(gs_table *table, bool fills_cache, gs_cursor **out,
                    gs_error *err)
{
  *out = NULL;
  /* Whoever takes the table's place must have seen all of it sound. */
  gs_status status = fills_cache ? GS_OK : gs_table_need_index(table, err);
  if (status != GS_OK) {
    return status;
  }
  table_cursor *cursor = GS_NEW(table->env->alloc, table_cursor);
  if (cursor == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  cursor->base.ops = &cursor_ops;
  cursor->table = table;
  cursor->fills_cache = fills_cache;
  gs_window_init(&cursor->window, table, fills_cache);
  gs_unpacker_init(&cursor->unpacker, table->env->alloc);
  gs_table_ref(table);
  *out = &cursor->base;
  return GS_OK;
}

void
gs_table_cursor_free(gs_cursor *cursor)
{
  if (cursor != NULL) {
    table_cursor *whole = of(cursor);
    gs_alloc *alloc = whole->unpacker.bytes.alloc;
    gs_cursor_end(cursor);
    GS_DELETE(alloc, whole);
  }
}
