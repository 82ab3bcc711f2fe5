/*
 * visible: one loop per direction that passes over keys which show nothing.
 *
 * The common key has one version, a live put below the reader's sequence
 * number, and costs two comparisons of numbers besides the source's own step.
 * Only the bound ahead is tested while walking; the one behind was passed when
 * the walk began.
 */
#include "merge/visible.h"

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

/* Moves --------------------------------------------------------------- */

static void
visible_seek(gs_cursor *cursor, gs_slice key)
{
  gs_visible_cursor *visible = visible_of(cursor);
  gs_relay_nowhere(cursor);
  bool is_low = gs_slice_compare(key, visible->view.from) < 0;
  gs_cursor_seek(visible->source, is_low ? visible->view.from : key);
  settle_up(visible);
}

static void
visible_seek_before(gs_cursor *cursor, gs_slice key)
{
  gs_visible_cursor *visible = visible_of(cursor);
  gs_relay_nowhere(cursor);
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
  gs_relay_nowhere(cursor);
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
  gs_relay_nowhere(cursor);
  gs_cursor_last(visible->source);
  settle_down(visible);
}

static void
visible_next(gs_cursor *cursor)
{
  gs_visible_cursor *visible = visible_of(cursor);
  gs_cursor_next(visible->source);
  settle_up(visible);
}

static void
visible_prev(gs_cursor *cursor)
{
  gs_visible_cursor *visible = visible_of(cursor);
  gs_cursor_prev(visible->source);
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
  *cursor = (gs_visible_cursor){
      .base = {.ops = &visible_ops, .error = source->error},
      .source = source,
      .view = *view,
      .from_head = gs_slice_head(view->from),
      .to_head = gs_slice_head(view->to),
  };
}
