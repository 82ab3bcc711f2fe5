/*
 * cursor_battery: random moves over any cursor, each answer compared with what
 * a plain array of the same entries says.
 *
 * Model: the battery keeps the index it expects the cursor to stand on and
 * finds every answer by walking the array, so it shares no idea with the
 * structures it tests. It fails the running cmocka test at the first
 * difference.
 *
 * Threads: one.
 */
#ifndef GS_CTEST_SUPPORT_CURSOR_BATTERY_H
#define GS_CTEST_SUPPORT_CURSOR_BATTERY_H

#include "data/cursor.h"

typedef struct cursor_battery {
  const gs_entry *entries; /* all that the cursor shows, in internal order */
  size_t entry_count;
  uint64_t random;                      /* state; any value but 0 */
  void (*check)(const gs_cursor *self); /* after every move; may be NULL */
  size_t taken;                         /* entries that ahead gave */
} cursor_battery;

/* A number below limit. */
size_t battery_random_below(uint64_t *random, size_t limit);

/* Makes that many moves; the cursor may stand anywhere before. */
void cursor_battery_run(cursor_battery *battery, gs_cursor *cursor,
                        size_t move_count);

/* Walks all entries, versions included, from the first key to the last and
 * back, and compares each. */
void cursor_battery_sweep(cursor_battery *battery, gs_cursor *cursor);

#endif
