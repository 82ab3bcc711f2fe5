/*
 * journal_kit: events for tests: one that has everything, and short words for
 * reading the journal of a store.
 */
#ifndef GS_CTEST_JOURNAL_KIT_H
#define GS_CTEST_JOURNAL_KIT_H

#include "store_kit.h"

#include "store/event_format.h"

/* Tables and runs of an event, as bytes. */
typedef struct journal_lists {
  uint8_t ids[2 * GS_EVENT_ID_BYTES];
  gs_buffer outputs;
  gs_buffer runs;
} journal_lists;

static inline void
journal_make_lists(journal_lists *lists, gs_alloc *alloc)
{
  static const uint8_t ids[sizeof lists->ids] = {7, 0, 0, 0, 0, 0, 0, 0,
                                                 0, 1, 0, 0, 0, 0, 0, 0};
  memcpy(lists->ids, ids, sizeof ids);
  gs_table_meta meta = {
      .id = 11,
      .file_bytes = 4711,
      .entry_count = 3,
      .min_seq = 5,
      .max_seq = 9,
      .min_key = gs_slice_str("a"),
      .max_key = gs_slice_str("m"),
  };
  gs_buffer_init(&lists->outputs, alloc);
  gs_buffer_init(&lists->runs, alloc);
  gs_table_meta_encode(&meta, &lists->outputs);
  meta.id = 12;
  meta.min_key = gs_slice_str("n");
  meta.max_key = gs_slice_str("z");
  gs_table_meta_encode(&meta, &lists->outputs);
  gs_event_add_run(&lists->runs, &(gs_event_run){30, 0, 1, 100, 10});
  gs_event_add_run(&lists->runs, &(gs_event_run){31, 2, 3, 999, 77});
}

static inline void
journal_free_lists(journal_lists *lists)
{
  gs_buffer_deinit(&lists->outputs);
  gs_buffer_deinit(&lists->runs);
}

/* A merge with every field set, as no merge ever has. */
static inline gs_event
journal_full_event(const journal_lists *lists)
{
  return (gs_event){
      .number = 0x0102030405060708,
      .time_ms = 1700000000000,
      .count = 2,
      .took_us = 30,
      .longest_us = 20,
      .job = 4,
      .kind = GS_EVENT_MERGE,
      .why = gs_slice_str("too many runs"),
      .code = gs_slice_str("io"),
      .text = gs_slice_str("it broke"),
      .has_plan = true,
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_INTO,
      .level = -1,
      .run_id = 31,
      .inputs = gs_slice_of(lists->ids, sizeof lists->ids),
      .output_count = 3,
      .outputs = gs_buffer_slice(&lists->outputs),
      .read_bytes = 1000,
      .written_bytes = 900,
      .dropped_covered = 1,
      .dropped_tombstones = 2,
      .dropped_expired = 3,
      .recovered_batches = 4,
      .recovered_torn_bytes = 5,
      .recovered_bits = 6,
      .runs = gs_buffer_slice(&lists->runs),
  };
}

static inline gs_journal *
journal_of(gs_store *store, uint64_t since)
{
  gs_journal *journal = NULL;
  gs_journal_query query = {.since = since};
  KIT_OK(gs_journal_read(store, &query, &journal, &kit_err));
  return journal;
}

static inline gs_journal *
journal_of_path(void)
{
  gs_journal *journal = NULL;
  KIT_OK(
      gs_journal_read_path(sim_machine_env, "/db", NULL, &journal, &kit_err));
  return journal;
}

/* The kinds of its events, "open flush flush merge"; valid until the next. */
static inline const char *
journal_kinds(const gs_journal *journal)
{
  static char text[4096];
  size_t at = 0;
  text[0] = '\0';
  for (size_t i = 0; i < gs_journal_count(journal); i++) {
    gs_event event;
    gs_journal_at(journal, i, &event);
    int size = snprintf(text + at, sizeof text - at, "%s%s", i == 0 ? "" : " ",
                        gs_event_kind_name(event.kind));
    at += (size_t)size;
  }
  return text;
}

/* The newest event of the kind. */
static inline gs_event
journal_last(const gs_journal *journal, gs_event_kind kind)
{
  gs_event event = {.number = 0};
  size_t at = gs_journal_count(journal);
  while (at > 0 && event.kind != kind) {
    gs_journal_at(journal, --at, &event);
  }
  assert_int_equal(event.kind, kind);
  return event;
}

static inline void
journal_expect(gs_slice found, const char *expected)
{
  char text[1024];
  snprintf(text, sizeof text, "%.*s", (int)found.size,
           (const char *)found.data);
  assert_string_equal(text, expected);
}

#endif
