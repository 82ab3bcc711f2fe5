/*
 * merge: sources kept in the order of the keys they stand on.
 *
 *   order   [ -  -  -  0  3  5  1  4 ]     places of sources
 *                      ^--^                  members: all on the current key
 *                      front
 *
 *   1. order[front..source_count) are the sources that stand somewhere, by key
 *      in walking direction, then by place, so that newer members come first.
 *   2. heads[s] is the head of source s's key, inverted when walking down:
 *      along order heads never fall, whatever the direction. It takes in 16
 *      bytes, since the first 8 of dense keys are often the same in all.
 *   3. The members are the longest run at the front with equal keys.
 *
 * A step takes the members out from the last to the first, moves each and puts
 * it back at its rank; a source that reached its end is simply not put back.
 * The rank is looked for from the front: as long as one source stays below the
 * runner-up a single comparison settles it, and among few sources a scan costs
 * no more than the replay of a loser tree, which would have to keep track of
 * equal keys besides. Beyond the first few places the search is by halves, and
 * what moves is two bytes per source, so that thousands of sources stay
 * affordable.
 */
#include "merge/merge.h"

#include "base/check.h"
#include "merge/relay.h"

enum { SCANNED_PLACES = 8 };

/* The first 16 bytes of a key as two big-endian numbers. */
typedef struct key_head {
  uint64_t first;
  uint64_t second;
} key_head;

struct gs_merge_cursor {
  gs_cursor base;
  gs_alloc *alloc;
  gs_cursor **sources;
  size_t source_count;
  size_t front;
  size_t members_end; /* order[front..members_end) are the members */
  size_t stood_on;    /* where in order the member is whose entry is shown */
  bool is_down;       /* direction of the last move */
  uint16_t *order;
  key_head heads[]; /* by place; the order follows in the same block */
};

static gs_merge_cursor *
merge_of(gs_cursor *cursor)
{
  return (gs_merge_cursor *)cursor;
}

static gs_cursor *
source_at(const gs_merge_cursor *merge, size_t at)
{
  return merge->sources[merge->order[at]];
}

/* Order --------------------------------------------------------------- */

static key_head
head_of(gs_slice key, bool is_down)
{
  gs_slice rest = gs_slice_of(NULL, 0);
  if (key.size > sizeof(uint64_t)) {
    rest =
        gs_slice_of(key.data + sizeof(uint64_t), key.size - sizeof(uint64_t));
  }
  uint64_t mask = is_down ? UINT64_MAX : 0;
  return (key_head){gs_slice_head(key) ^ mask, gs_slice_head(rest) ^ mask};
}

static int
compare_whole_keys(const gs_merge_cursor *merge, size_t a, size_t b)
{
  gs_slice key_a = merge->sources[a]->entry.key;
  gs_slice key_b = merge->sources[b]->entry.key;
  return merge->is_down ? gs_slice_compare(key_b, key_a)
                        : gs_slice_compare(key_a, key_b);
}

/* In walking direction: negative when source a's key comes before b's. */
static inline int
compare_keys(const gs_merge_cursor *merge, size_t a, size_t b)
{
  const key_head *x = &merge->heads[a];
  const key_head *y = &merge->heads[b];
  if (x->first != y->first) {
    return x->first < y->first ? -1 : 1;
  }
  if (x->second != y->second) {
    return x->second < y->second ? -1 : 1;
  }
  return compare_whole_keys(merge, a, b);
}

static bool
comes_before(const gs_merge_cursor *merge, size_t a, size_t b)
{
  int order = compare_keys(merge, a, b);
  return order < 0 || (order == 0 && a < b);
}

/* Where among order[low..high) the source at place belongs. */
static size_t
rank_by_halves(const gs_merge_cursor *merge, uint16_t place, size_t low,
               size_t high)
{
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (comes_before(merge, merge->order[middle], place)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Puts a source that stands somewhere into order[front - 1..). */
static void
put_back(gs_merge_cursor *merge, uint16_t place)
{
  uint16_t *order = merge->order;
  merge->heads[place] =
      head_of(merge->sources[place]->entry.key, merge->is_down);
  size_t at = merge->front--;
  size_t end = merge->source_count;
  size_t scan_end = end - at > SCANNED_PLACES ? at + SCANNED_PLACES : end;
  while (at < scan_end && comes_before(merge, order[at], place)) {
    order[at - 1] = order[at];
    at++;
  }
  if (at == scan_end && at < end) {
    size_t rank = rank_by_halves(merge, place, at, end);
    memmove(order + at - 1, order + at, (rank - at) * sizeof *order);
    at = rank;
  }
  order[at - 1] = place;
}

/* False when the source failed, which ends the walk. */
static bool
take_in(gs_merge_cursor *merge, uint16_t place)
{
  const gs_cursor *source = merge->sources[place];
  if (source->valid) {
    put_back(merge, place);
    return true;
  }
  if (source->status != GS_OK) {
    gs_relay_failure(&merge->base, source);
    return false;
  }
  return true;
}

static void
show_front(gs_merge_cursor *merge, size_t members_end)
{
  merge->members_end = members_end;
  merge->stood_on = merge->front;
  merge->base.entry = source_at(merge, merge->front)->entry;
  merge->base.valid = true;
}

/* Stands on the key at the front. */
static void
settle(gs_merge_cursor *merge)
{
  const uint16_t *order = merge->order;
  if (merge->front == merge->source_count) {
    gs_relay_nowhere(&merge->base);
    return;
  }
  size_t end = merge->front + 1;
  while (end < merge->source_count &&
         compare_keys(merge, order[merge->front], order[end]) == 0) {
    end++;
  }
  show_front(merge, end);
}

/* Seeks --------------------------------------------------------------- */

typedef void (*arrival)(gs_cursor *source, gs_slice key);

static void
arrive_first(gs_cursor *source, gs_slice key)
{
  (void)key;
  gs_cursor_first(source);
}

static void
arrive_last(gs_cursor *source, gs_slice key)
{
  (void)key;
  gs_cursor_last(source);
}

static void
arrive_behind(gs_cursor *source, gs_slice key)
{
  gs_cursor_seek(source, key);
  if (source->valid && gs_slice_equal(source->entry.key, key)) {
    gs_cursor_next(source);
  }
}

/* Moves all sources but the spared one, also behind one that failed: an aim ends
 * with its seek. False when one failed; what is told is of the last that did. */
static bool
gather(gs_merge_cursor *merge, bool is_down, arrival arrive, gs_slice key,
       size_t spared)
{
  merge->is_down = is_down;
  merge->front = merge->source_count;
  bool is_well = true;
  for (size_t i = merge->source_count; i-- > 0;) {
    if (i == spared) {
      continue;
    }
    arrive(merge->sources[i], key);
    is_well = take_in(merge, (uint16_t)i) && is_well;
  }
  return is_well;
}

/* All sources take a step in turns, so that they wait for memory together. */
static void
aim_all(const gs_merge_cursor *merge, gs_slice key)
{
  bool is_on_the_way = merge->source_count > 1;
  while (is_on_the_way) {
    is_on_the_way = false;
    for (size_t i = 0; i < merge->source_count; i++) {
      is_on_the_way |= gs_cursor_aim(merge->sources[i], key);
    }
  }
}

static void
seek_all(gs_cursor *cursor, bool is_down, arrival arrive, gs_slice key)
{
  gs_merge_cursor *merge = merge_of(cursor);
  gs_relay_nowhere(cursor);
  if (gather(merge, is_down, arrive, key, SIZE_MAX)) {
    settle(merge);
  }
}

static void
merge_seek(gs_cursor *cursor, gs_slice key)
{
  aim_all(merge_of(cursor), key);
  seek_all(cursor, false, gs_cursor_seek, key);
}

static void
merge_seek_before(gs_cursor *cursor, gs_slice key)
{
  aim_all(merge_of(cursor), key);
  seek_all(cursor, true, gs_cursor_seek_before, key);
}

static void
merge_first(gs_cursor *cursor)
{
  seek_all(cursor, false, arrive_first, gs_slice_of(NULL, 0));
}

static void
merge_last(gs_cursor *cursor)
{
  seek_all(cursor, true, arrive_last, gs_slice_of(NULL, 0));
}

/* Steps --------------------------------------------------------------- */

static void
step(gs_cursor *source, bool is_down)
{
  if (is_down) {
    gs_cursor_prev(source);
  } else {
    gs_cursor_next(source);
  }
}

/* The front source moves last: its view of the current key leads the others
 * around it. */
static void
turn(gs_merge_cursor *merge, bool is_down)
{
  uint16_t leader = merge->order[merge->front];
  gs_cursor *source = merge->sources[leader];
  if (!gather(merge, is_down, is_down ? gs_cursor_seek_before : arrive_behind,
              source->entry.key, leader)) {
    return;
  }
  step(source, is_down);
  if (take_in(merge, leader)) {
    settle(merge);
  }
}

/* The common step: one source is on the key, and after its move it still
 * stands before the runner-up. True when that was all. */
static bool
stays_alone_in_front(gs_merge_cursor *merge)
{
  size_t front = merge->front;
  uint16_t place = merge->order[front];
  const gs_cursor *source = merge->sources[place];
  if (!source->valid) {
    return false;
  }
  merge->heads[place] = head_of(source->entry.key, merge->is_down);
  if (front + 1 < merge->source_count &&
      compare_keys(merge, place, merge->order[front + 1]) >= 0) {
    return false;
  }
  show_front(merge, front + 1);
  return true;
}

static void
leave_key(gs_merge_cursor *merge, bool is_down)
{
  GS_ASSERT(merge->base.valid);
  if (merge->is_down != is_down) {
    turn(merge, is_down);
    return;
  }
  size_t first = merge->front;
  size_t at = merge->members_end - 1;
  step(source_at(merge, at), is_down);
  if (at == first && stays_alone_in_front(merge)) {
    return;
  }
  merge->front = at + 1;
  while (take_in(merge, merge->order[at])) {
    if (at-- == first) {
      settle(merge);
      return;
    }
    step(source_at(merge, at), is_down);
  }
}

static void
merge_next(gs_cursor *cursor)
{
  leave_key(merge_of(cursor), false);
}

static void
merge_prev(gs_cursor *cursor)
{
  leave_key(merge_of(cursor), true);
}

static bool
merge_older(gs_cursor *cursor)
{
  gs_merge_cursor *merge = merge_of(cursor);
  gs_cursor *source = source_at(merge, merge->stood_on);
  if (!gs_cursor_older(source)) {
    if (!source->valid) {
      gs_relay_failure(cursor, source);
      return false;
    }
    if (merge->stood_on + 1 == merge->members_end) {
      return false;
    }
    source = source_at(merge, ++merge->stood_on);
  }
  cursor->entry = source->entry;
  return true;
}

/* Whatever the source at the front has below the runner-up it has alone. */
static size_t
merge_ahead(gs_cursor *cursor, const gs_slice *below, gs_entry *into,
            size_t room)
{
  gs_merge_cursor *merge = merge_of(cursor);
  size_t front = merge->front;
  if (merge->is_down || merge->members_end != front + 1) {
    return 0;
  }
  if (front + 1 < merge->source_count) {
    const gs_slice *other = &source_at(merge, front + 1)->entry.key;
    if (below == NULL || gs_slice_compare(*other, *below) < 0) {
      below = other;
    }
  }
  gs_cursor *source = source_at(merge, front);
  size_t count = gs_cursor_ahead(source, below, into, room);
  if (count > 0) {
    merge->heads[merge->order[front]] = head_of(source->entry.key, false);
    show_front(merge, front + 1);
  }
  return count;
}

/* Life ---------------------------------------------------------------- */

static size_t
merge_bytes(size_t source_count)
{
  return sizeof(gs_merge_cursor) +
         source_count * (sizeof(key_head) + sizeof(uint16_t));
}

static void
merge_end(gs_cursor *cursor)
{
  gs_merge_cursor *merge = merge_of(cursor);
  gs_alloc_free(merge->alloc, merge, merge_bytes(merge->source_count));
}

static const gs_cursor_ops merge_ops = {
    .seek = merge_seek,
    .seek_before = merge_seek_before,
    .first = merge_first,
    .last = merge_last,
    .next = merge_next,
    .prev = merge_prev,
    .older = merge_older,
    .ahead = merge_ahead,
    .end = merge_end,
};

gs_status
gs_merge_cursor_new(gs_alloc *alloc, gs_cursor **sources, size_t source_count,
                    gs_cursor **out, gs_error *err)
{
  if (source_count > GS_MERGE_MAX_SOURCES) {
    return GS_FAIL(err, GS_LIMIT, "a merge of %zu sources, more than %d",
                   source_count, GS_MERGE_MAX_SOURCES);
  }
  gs_merge_cursor *merge = gs_alloc_zeroed(alloc, merge_bytes(source_count));
  if (merge == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  merge->base.ops = &merge_ops;
  merge->alloc = alloc;
  merge->sources = sources;
  merge->source_count = source_count;
  merge->front = source_count;
  merge->order = (uint16_t *)(merge->heads + source_count);
  *out = &merge->base;
  return GS_OK;
}

gs_status
gs_merge_cursor_verify(const gs_cursor *cursor, gs_error *err)
{
  const gs_merge_cursor *merge = (const gs_merge_cursor *)cursor;
  if (!cursor->valid) {
    return GS_OK;
  }
  const uint16_t *order = merge->order;
  for (size_t at = merge->front; at < merge->source_count; at++) {
    key_head head = head_of(source_at(merge, at)->entry.key, merge->is_down);
    const key_head *kept = &merge->heads[order[at]];
    if (kept->first != head.first || kept->second != head.second) {
      return GS_FAIL(err, GS_CORRUPT, "source %u has a wrong head", order[at]);
    }
    if (at > merge->front && !comes_before(merge, order[at - 1], order[at])) {
      return GS_FAIL(err, GS_CORRUPT, "source %u is out of order", order[at]);
    }
    bool is_member = compare_keys(merge, order[merge->front], order[at]) == 0;
    if (is_member != (at < merge->members_end)) {
      return GS_FAIL(err, GS_CORRUPT, "source %u is a member or not",
                     order[at]);
    }
  }
  if (source_at(merge, merge->stood_on)->entry.seq != cursor->entry.seq) {
    return GS_FAIL(err, GS_CORRUPT, "the merge shows another entry");
  }
  return GS_OK;
}
