/*
 * array_cursor: positions are indices; a move decides on one, then shows it.
 */
#include "support/array_cursor.h"

#include <stdlib.h>

static array_cursor *
array_of(gs_cursor *cursor)
{
  return (array_cursor *)cursor;
}

/* For moves that start from an entry. */
static array_cursor *
standing_array_of(gs_cursor *cursor)
{
  if (!cursor->valid) {
    abort();
  }
  return array_of(cursor);
}

static void
take_back(array_cursor *array)
{
  free(array->lent);
  array->lent = NULL;
}

static uint8_t *
copy_slice(uint8_t *to, gs_slice *slice)
{
  if (slice->size > 0) {
    memcpy(to, slice->data, slice->size);
  }
  slice->data = to;
  return to + slice->size;
}

/* Replaces the entries' slices by copies; out of memory ends the program. */
static void
lend(array_cursor *array, gs_entry *entries, size_t count)
{
  size_t bytes = 1;
  for (size_t i = 0; i < count; i++) {
    bytes += entries[i].key.size + entries[i].value.size;
  }
  take_back(array);
  array->lent = malloc(bytes);
  if (array->lent == NULL) {
    abort();
  }
  uint8_t *to = array->lent;
  for (size_t i = 0; i < count; i++) {
    to = copy_slice(to, &entries[i].key);
    to = copy_slice(to, &entries[i].value);
  }
}

static bool
has_moves_left(array_cursor *array)
{
  array->move_count++;
  if (array->moves_left == NULL) {
    return true;
  }
  if (*array->moves_left == 0) {
    return false;
  }
  --*array->moves_left;
  return true;
}

static void
fail(array_cursor *array)
{
  take_back(array);
  array->base.valid = false;
  array->base.status =
      GS_FAIL(array->base.error, array->failure, "move %llu was told to fail",
              (unsigned long long)array->move_count);
}

/* Aims ------------------------------------------------------------------------ */

static bool
is_aimed_at(const array_cursor *array, gs_slice key)
{
  return gs_slice_equal(gs_slice_of(array->aimed_at, array->aimed_size), key);
}

static bool
array_aim(gs_cursor *cursor, gs_slice key)
{
  array_cursor *array = array_of(cursor);
  if (array->aims == 0) {
    array->aimed_at = malloc(key.size + 1);
    if (array->aimed_at == NULL) {
      abort();
    }
    if (key.size > 0) {
      memcpy(array->aimed_at, key.data, key.size);
    }
    array->aimed_size = key.size;
  }
  if (!is_aimed_at(array, key)) {
    abort();
  }
  array->aims += array->aims < 2;
  return array->aims < 2;
}

static void
end_aim(array_cursor *array)
{
  free(array->aimed_at);
  array->aimed_at = NULL;
  array->aims = 0;
}

/* Before a seek. */
static void
reach_aim(array_cursor *array, gs_slice key)
{
  if (array->aims > 0 && !is_aimed_at(array, key)) {
    abort();
  }
  end_aim(array);
}

/* Moves ----------------------------------------------------------------------- */

/* Stands on entries[at]; nowhere when there is none. */
static void
stand(array_cursor *array, size_t at)
{
  if (array->aims > 0) {
    abort();
  }
  if (!has_moves_left(array)) {
    fail(array);
    return;
  }
  array->base.status = GS_OK;
  array->base.valid = at < array->entry_count;
  if (!array->base.valid) {
    take_back(array);
    return;
  }
  array->at = at;
  array->base.entry = array->entries[at];
  lend(array, &array->base.entry, 1);
}

/* Index of the first entry whose key is not below the given one. */
static size_t
first_not_below(const array_cursor *array, gs_slice key)
{
  size_t at = 0;
  while (at < array->entry_count &&
         gs_slice_compare(array->entries[at].key, key) < 0) {
    at++;
  }
  return at;
}

static bool
is_same_key(const array_cursor *array, size_t a, size_t b)
{
  return gs_slice_equal(array->entries[a].key, array->entries[b].key);
}

/* Index of the newest version of the last key before index end, or nowhere. */
static size_t
newest_before(const array_cursor *array, size_t end)
{
  if (end == 0) {
    return array->entry_count;
  }
  size_t at = end - 1;
  while (at > 0 && is_same_key(array, at - 1, at)) {
    at--;
  }
  return at;
}

static void
array_seek(gs_cursor *cursor, gs_slice key)
{
  array_cursor *array = array_of(cursor);
  reach_aim(array, key);
  stand(array, first_not_below(array, key));
}

static void
array_seek_before(gs_cursor *cursor, gs_slice key)
{
  array_cursor *array = array_of(cursor);
  reach_aim(array, key);
  stand(array, newest_before(array, first_not_below(array, key)));
}

static void
array_first(gs_cursor *cursor)
{
  stand(array_of(cursor), 0);
}

static void
array_last(gs_cursor *cursor)
{
  array_cursor *array = array_of(cursor);
  stand(array, newest_before(array, array->entry_count));
}

static void
array_next(gs_cursor *cursor)
{
  array_cursor *array = standing_array_of(cursor);
  size_t at = array->at + 1;
  while (at < array->entry_count && is_same_key(array, at - 1, at)) {
    at++;
  }
  stand(array, at);
}

static void
array_prev(gs_cursor *cursor)
{
  array_cursor *array = standing_array_of(cursor);
  size_t newest = newest_before(array, array->at + 1);
  stand(array, newest_before(array, newest));
}

static bool
array_older(gs_cursor *cursor)
{
  array_cursor *array = standing_array_of(cursor);
  size_t at = array->at + 1;
  if (at < array->entry_count && is_same_key(array, at - 1, at)) {
    stand(array, at);
    return array->base.valid;
  }
  if (!has_moves_left(array)) {
    fail(array);
  }
  return false;
}

static bool
is_alone(const array_cursor *array, size_t at)
{
  return !is_same_key(array, at - 1, at) &&
         (at + 1 == array->entry_count || !is_same_key(array, at, at + 1));
}

static size_t
array_ahead(gs_cursor *cursor, const gs_slice *below, gs_entry *into,
            size_t room)
{
  array_cursor *array = standing_array_of(cursor);
  size_t most = array->is_generous ? room : 1 + array->move_count % 3;
  size_t count = 0;
  for (size_t at = array->at + 1;
       count < most && count < room && at < array->entry_count &&
       is_alone(array, at) &&
       (below == NULL || gs_slice_compare(array->entries[at].key, *below) < 0);
       at++) {
    into[count++] = array->entries[at];
  }
  if (count == 0 || (array->moves_left != NULL && *array->moves_left == 0)) {
    return 0;
  }
  GS_IGNORE(has_moves_left(array), "there are some");
  lend(array, into, count);
  array->at += count;
  cursor->entry = into[count - 1];
  return count;
}

static void
array_end(gs_cursor *cursor)
{
  take_back(array_of(cursor));
  end_aim(array_of(cursor));
}

static const gs_cursor_ops array_ops = {
    .aim = array_aim,
    .seek = array_seek,
    .seek_before = array_seek_before,
    .first = array_first,
    .last = array_last,
    .next = array_next,
    .prev = array_prev,
    .older = array_older,
    .ahead = array_ahead,
    .end = array_end,
};

void
array_cursor_init(array_cursor *cursor, const gs_entry *entries,
                  size_t entry_count)
{
  *cursor = (array_cursor){
      .base = {.ops = &array_ops},
      .entries = entries,
      .entry_count = entry_count,
      .failure = GS_IO,
  };
}

int
array_cursor_order(const void *a, const void *b)
{
  const gs_entry *x = a;
  const gs_entry *y = b;
  int order = gs_slice_compare(x->key, y->key);
  return order != 0 ? order : (x->seq < y->seq) - (x->seq > y->seq);
}
