/*
 * visible: one loop per direction that passes over keys which show nothing.
 *
 * The common key has one version, a live put below the reader's sequence
 * number, and costs two comparisons of numbers besides the source's own step.
 * Only the bound ahead is tested while walking; the one behind was passed when
 * the walk began.
 *
 * A walk up that has gone some steps lets the source take entries in groups,
 * which saves a call through all layers for each, and tries less often where
 * groups are small: runs that interleave give one or two entries at a time.
 * Whoever turns round goes back to what is shown first.
 */
#include "merge/visible.h"

#include "base/check.h"
#include "merge/relay.h"

static gs_visible_cursor *
visible_of(gs_cursor *cursor)
{
  return (gs_visible_cursor *)cursor;
}

/* Bounds -------------------------------------------------------------- */

static bool
is_past_end(const gs_visible_cursor *visible, gs_slice key)
{
  if (!visible->view.has_to || gs_slice_head(key) < visible->to_head) {
    return false;
  }
  return gs_slice_compare(key, visible->view.to) >= 0;
}

static bool
is_before_start(const gs_visible_cursor *visible, gs_slice key)
{
  if (gs_slice_head(key) > visible->from_head) {
    return false;
  }
  return gs_slice_compare(key, visible->view.from) < 0;
}

/* Settling ------------------------------------------------------------ */

/* Steps down to the version the reader sees; true when that is a live put. */
static bool
has_live_version(gs_visible_cursor *visible)
{
  gs_cursor *source = visible->source;
  while (source->entry.seq > visible->view.seq) {
    if (!gs_cursor_older(source)) {
      return false;
    }
  }
  return gs_entry_is_live(&source->entry, visible->view.now_ms);
}

static void
show(gs_visible_cursor *visible)
{
  visible->base.entry = visible->source->entry;
  visible->base.valid = true;
}

/* Where the source has nothing more to show. */
static void
stop(gs_visible_cursor *visible)
{
  gs_cursor *source = visible->source;
  if (!source->valid && source->status != GS_OK) {
    gs_relay_failure(&visible->base, source);
  } else {
    gs_relay_nowhere(&visible->base);
  }
}

static void
settle_up(gs_visible_cursor *visible)
{
  gs_cursor *source = visible->source;
  while (source->valid && !is_past_end(visible, source->entry.key)) {
    if (has_live_version(visible)) {
      show(visible);
      return;
    }
    if (source->valid) {
      gs_cursor_next(source);
    }
  }
  stop(visible);
}

static void
settle_down(gs_visible_cursor *visible)
{
  gs_cursor *source = visible->source;
  while (source->valid && !is_before_start(visible, source->entry.key)) {
    if (has_live_version(visible)) {
      show(visible);
      return;
    }
    if (source->valid) {
      gs_cursor_prev(source);
    }
  }
  stop(visible);
}

/* Groups -------------------------------------------------------------- */

enum {
  STEPS_AT_FIRST = 3, /* of a walk, one by one */
  ROOM_AT_FIRST = 4,
  STEPS_OF_REST = 8, /* after a group that was not worth asking for */
  WORTH_ASKING = 2,
};

/* Nothing is taken any more: the source stands on what is shown, or is about to
 * move. */
static void
drop_group(gs_visible_cursor *visible)
{
  visible->shown = 0;
  visible->count = 0;
}

/* Nobody knows how far a walk up goes that has just begun. */
static void
start_slowly(gs_visible_cursor *visible)
{
  visible->room = ROOM_AT_FIRST;
  visible->rest = STEPS_AT_FIRST;
}

/* Before a seek: a walk begins, and the source is to stand elsewhere. */
static void
begin_walk(gs_visible_cursor *visible)
{
  gs_relay_nowhere(&visible->base);
  drop_group(visible);
  start_slowly(visible);
}

/* Each taken entry is the only version of its key. False when none is left. */
static bool
show_taken(gs_visible_cursor *visible)
{
  while (visible->shown < visible->count) {
    const gs_entry *entry = &visible->taken[visible->shown++];
    if (entry->seq <= visible->view.seq &&
        gs_entry_is_live(entry, visible->view.now_ms)) {
      visible->base.entry = *entry;
      return true;
    }
  }
  return false;
}

static void
take_group(gs_visible_cursor *visible)
{
  const gs_slice *below = visible->view.has_to ? &visible->view.to : NULL;
  uint32_t room = visible->room;
  GS_ASSERT(room <= GS_VISIBLE_TAKEN_MAX);
  visible->shown = 0;
  visible->count =
      (uint32_t)gs_cursor_ahead(visible->source, below, visible->taken, room);
  if (visible->count < WORTH_ASKING) {
    visible->rest = STEPS_OF_REST;
  } else if (visible->count == room && room < GS_VISIBLE_TAKEN_MAX) {
    visible->room = 2 * room;
  }
}

/* True when a group has the next entry. */
static bool
goes_on_in_group(gs_visible_cursor *visible)
{
  if (show_taken(visible)) {
    return true;
  }
  if (visible->rest > 0) {
    visible->rest--;
    return false;
  }
  take_group(visible);
  return show_taken(visible);
}

/* The source goes back to what is shown. */
static void
return_to_shown(gs_visible_cursor *visible)
{
  while (visible->shown < visible->count && visible->source->valid) {
    gs_cursor_prev(visible->source);
    visible->count--;
  }
  drop_group(visible);
}

/* Moves --------------------------------------------------------------- */

static void
visible_seek(gs_cursor *cursor, gs_slice key)
{
  gs_visible_cursor *visible = visible_of(cursor);
  begin_walk(visible);
  bool is_low = gs_slice_compare(key, visible->view.from) < 0;
  gs_cursor_seek(visible->source, is_low ? visible->view.from : key);
  settle_up(visible);
}

static void
visible_seek_before(gs_cursor *cursor, gs_slice key)
{
  gs_visible_cursor *visible = visible_of(cursor);
  begin_walk(visible);
  const gs_visible_view *view = &visible->view;
  bool is_high = view->has_to && gs_slice_compare(key, view->to) > 0;
  gs_cursor_seek_before(visible->source, is_high ? view->to : key);
  settle_down(visible);
}

static void
visible_first(gs_cursor *cursor)
{
  gs_visible_cursor *visible = visible_of(cursor);
  if (visible->view.from.size > 0) {
    visible_seek(cursor, visible->view.from);
    return;
  }
  begin_walk(visible);
  gs_cursor_first(visible->source);
  settle_up(visible);
}

static void
visible_last(gs_cursor *cursor)
{
  gs_visible_cursor *visible = visible_of(cursor);
  if (visible->view.has_to) {
    visible_seek_before(cursor, visible->view.to);
    return;
  }
  begin_walk(visible);
  gs_cursor_last(visible->source);
  settle_down(visible);
}

static void
visible_next(gs_cursor *cursor)
{
  gs_visible_cursor *visible = visible_of(cursor);
  if (goes_on_in_group(visible)) {
    return;
  }
  drop_group(visible);
  gs_cursor_next(visible->source);
  settle_up(visible);
}

static void
visible_prev(gs_cursor *cursor)
{
  gs_visible_cursor *visible = visible_of(cursor);
  return_to_shown(visible);
  start_slowly(visible);
  if (visible->source->valid) {
    gs_cursor_prev(visible->source);
  }
  settle_down(visible);
}

static bool
visible_older(gs_cursor *cursor)
{
  (void)cursor;
  return false;
}

static void
visible_end(gs_cursor *cursor)
{
  gs_relay_nowhere(cursor);
}

static const gs_cursor_ops visible_ops = {
    .seek = visible_seek,
    .seek_before = visible_seek_before,
    .first = visible_first,
    .last = visible_last,
    .next = visible_next,
    .prev = visible_prev,
    .older = visible_older,
    .end = visible_end,
};

void
gs_visible_cursor_init(gs_visible_cursor *cursor, gs_cursor *source,
                       const gs_visible_view *view)
{
  cursor->base = (gs_cursor){.ops = &visible_ops, .error = source->error};
  cursor->source = source;
  cursor->view = *view;
  cursor->from_head = gs_slice_head(view->from);
  cursor->to_head = gs_slice_head(view->to);
  begin_walk(cursor);
}
