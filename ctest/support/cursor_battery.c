/*
 * cursor_battery: the model is an index into the array, NOWHERE included, and
 * five linear searches. Probe keys are the stored keys, their prefixes and
 * extensions: where orders go wrong.
 */
#include "support/cursor_battery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOWHERE SIZE_MAX

enum { PROBE_BYTES = 70, AHEAD_MAX = 5 };

size_t
battery_random_below(uint64_t *random, size_t limit)
{
  uint64_t x = *random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *random = x;
  x *= UINT64_C(0x2545F4914F6CDD1D);
  return (size_t)((x >> 32) % limit);
}

/* The model --------------------------------------------------------------- */

static bool
starts_key(const cursor_battery *battery, size_t at)
{
  const gs_entry *entries = battery->entries;
  return at == 0 || !gs_slice_equal(entries[at - 1].key, entries[at].key);
}

static size_t
model_seek(const cursor_battery *battery, gs_slice key)
{
  for (size_t at = 0; at < battery->entry_count; at++) {
    if (gs_slice_compare(battery->entries[at].key, key) >= 0) {
      return at;
    }
  }
  return NOWHERE;
}

static size_t
model_last_before(const cursor_battery *battery, size_t end)
{
  for (size_t at = end; at-- > 0;) {
    if (starts_key(battery, at)) {
      return at;
    }
  }
  return NOWHERE;
}

static size_t
model_seek_before(const cursor_battery *battery, gs_slice key)
{
  size_t end = model_seek(battery, key);
  return model_last_before(battery,
                           end == NOWHERE ? battery->entry_count : end);
}

static size_t
model_next(const cursor_battery *battery, size_t at)
{
  for (at++; at < battery->entry_count; at++) {
    if (starts_key(battery, at)) {
      return at;
    }
  }
  return NOWHERE;
}

static size_t
model_prev(const cursor_battery *battery, size_t at)
{
  while (!starts_key(battery, at)) {
    at--;
  }
  return model_last_before(battery, at);
}

/* Comparison -------------------------------------------------------------- */

static void
expect_entry(const gs_entry *entry, const gs_entry *wanted)
{
  assert_true(gs_slice_equal(entry->key, wanted->key));
  assert_int_equal(entry->seq, wanted->seq);
  assert_int_equal(entry->kind, wanted->kind);
  assert_int_equal(entry->expires_at_ms, wanted->expires_at_ms);
  assert_true(gs_slice_equal(entry->value, wanted->value));
}

static void
expect(const cursor_battery *battery, const gs_cursor *cursor, size_t at)
{
  assert_int_equal(cursor->status, GS_OK);
  assert_int_equal(cursor->valid, at != NOWHERE);
  if (at != NOWHERE) {
    expect_entry(&cursor->entry, &battery->entries[at]);
  }
  if (battery->check != NULL) {
    battery->check(cursor);
  }
}

/* Steps down from at; the index stood on afterwards. */
static size_t
expect_older(const cursor_battery *battery, gs_cursor *cursor, size_t at)
{
  bool has_older =
      at + 1 < battery->entry_count && !starts_key(battery, at + 1);
  assert_int_equal(gs_cursor_older(cursor), has_older);
  return has_older ? at + 1 : at;
}

/* A key worth seeking: a stored one, cut short or made longer. */
static gs_slice
probe(cursor_battery *battery, uint8_t bytes[PROBE_BYTES])
{
  size_t size = 0;
  if (battery->entry_count > 0) {
    size_t at = battery_random_below(&battery->random, battery->entry_count);
    gs_slice key = battery->entries[at].key;
    size = key.size < PROBE_BYTES - 1 ? key.size : PROBE_BYTES - 1;
    if (size > 0) {
      memcpy(bytes, key.data, size);
    }
  }
  switch (battery_random_below(&battery->random, 8)) {
  case 0:
    bytes[size++] = 0;
    break;
  case 1:
    size = battery_random_below(&battery->random, size + 1);
    break;
  case 2:
    if (size > 0) {
      bytes[size - 1] = (uint8_t)battery_random_below(&battery->random, 256);
    }
    break;
  default:
    break;
  }
  return gs_slice_of(bytes, size);
}

/* Seeks -------------------------------------------------------------------- */

/* Some of the way or all of it, and once more than there is. */
static void
random_aim(cursor_battery *battery, gs_cursor *cursor, gs_slice key)
{
  size_t steps = battery_random_below(&battery->random, 5);
  while (steps-- > 0) {
    if (!gs_cursor_aim(cursor, key)) {
      assert_false(gs_cursor_aim(cursor, key));
      return;
    }
  }
}

static size_t
random_seek(cursor_battery *battery, gs_cursor *cursor)
{
  uint8_t bytes[PROBE_BYTES];
  gs_slice key = probe(battery, bytes);
  switch (battery_random_below(&battery->random, 6)) {
  case 0:
    gs_cursor_first(cursor);
    return battery->entry_count > 0 ? 0 : NOWHERE;
  case 1:
    gs_cursor_last(cursor);
    return model_last_before(battery, battery->entry_count);
  case 2:
  case 3:
    random_aim(battery, cursor, key);
    gs_cursor_seek_before(cursor, key);
    return model_seek_before(battery, key);
  default:
    random_aim(battery, cursor, key);
    gs_cursor_seek(cursor, key);
    return model_seek(battery, key);
  }
}

/* Groups ------------------------------------------------------------------- */

/* Takes entries ahead, below a key or to the end; the index stood on. */
static size_t
random_ahead(cursor_battery *battery, gs_cursor *cursor, size_t at)
{
  uint8_t bytes[PROBE_BYTES];
  gs_slice key = probe(battery, bytes);
  bool is_bounded = battery_random_below(&battery->random, 2) == 0;
  gs_entry into[AHEAD_MAX];
  size_t room = 1 + battery_random_below(&battery->random, AHEAD_MAX);
  size_t count = gs_cursor_ahead(cursor, is_bounded ? &key : NULL, into, room);
  assert_true(count <= room);
  for (size_t i = 0; i < count; i++) {
    at = model_next(battery, at);
    assert_true(at != NOWHERE);
    assert_true(at + 1 == battery->entry_count || starts_key(battery, at + 1));
    assert_true(!is_bounded || gs_slice_compare(into[i].key, key) < 0);
    expect_entry(&into[i], &battery->entries[at]);
  }
  battery->taken += count;
  return at;
}

void
cursor_battery_run(cursor_battery *battery, gs_cursor *cursor,
                   size_t move_count)
{
  size_t at = random_seek(battery, cursor);
  bool is_down = false;
  expect(battery, cursor, at);
  for (size_t i = 0; i < move_count; i++) {
    size_t choice = battery_random_below(&battery->random, 16);
    if (choice == 0) {
      is_down = !is_down;
    }
    if (at == NOWHERE || choice == 1) {
      at = random_seek(battery, cursor);
    } else if (choice < 6) {
      at = expect_older(battery, cursor, at);
    } else if (is_down) {
      gs_cursor_prev(cursor);
      at = model_prev(battery, at);
    } else if (choice < 9) {
      at = random_ahead(battery, cursor, at);
    } else {
      gs_cursor_next(cursor);
      at = model_next(battery, at);
    }
    expect(battery, cursor, at);
  }
}

void
cursor_battery_sweep(cursor_battery *battery, gs_cursor *cursor)
{
  gs_cursor_first(cursor);
  for (size_t at = 0; at < battery->entry_count; at++) {
    expect(battery, cursor, at);
    if (!gs_cursor_older(cursor)) {
      gs_cursor_next(cursor);
    }
  }
  expect(battery, cursor, NOWHERE);
  gs_cursor_last(cursor);
  size_t end = battery->entry_count;
  size_t at = model_last_before(battery, end);
  for (; at != NOWHERE; at = model_prev(battery, at)) {
    for (size_t version = at; version < end; version++) {
      expect(battery, cursor, version);
      assert_int_equal(gs_cursor_older(cursor), version + 1 < end);
    }
    end = at;
    gs_cursor_prev(cursor);
  }
  expect(battery, cursor, NOWHERE);
}
