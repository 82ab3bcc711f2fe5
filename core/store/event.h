/*
 * event: what a store did and why: its journal, as it is read.
 *
 * Model: an event is a value whose slices view the journal it came from. Its
 * number rises over all openings of the store; where numbers are missing,
 * events were lost: the power went, the disk was full, or they came faster than
 * they could be kept. The journal is bounded: what is old goes.
 * What fails, and what a writer waited for, often repeats: equal events under
 * the same tree, close to each other, are one with a count, dated by the first
 * of them.
 *
 * Life: gs_journal_read and gs_journal_read_path make a list that
 * gs_journal_free ends; events are valid until then.
 * Threads: a list belongs to one at a time.
 * Errors: a journal that is torn or damaged ends there, which is no error.
 */
#ifndef GS_STORE_EVENT_H
#define GS_STORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/api.h"
#include "base/error.h"
#include "base/slice.h"
#include "data/table_meta.h"
#include "tree/plan_types.h"

struct gs_env;
struct gs_store;

/* These numbers reach the disk. Names in Lua: the words in the comments. */
typedef enum gs_event_kind {
  GS_EVENT_FLUSH = 1,        /* flush: memory became tables */
  GS_EVENT_MERGE = 2,        /* merge */
  GS_EVENT_MOVE = 3,         /* move */
  GS_EVENT_DROP = 4,         /* drop */
  GS_EVENT_STALL = 5,        /* stall: a writer waited */
  GS_EVENT_REFUSED = 6,      /* refused: a plan */
  GS_EVENT_POLICY_ERROR = 7, /* policy_error */
  GS_EVENT_OPEN = 8,         /* open */
  GS_EVENT_CLOSE = 9,        /* close */
  GS_EVENT_RESUME = 10,      /* resume */
} gs_event_kind;

enum {
  GS_EVENT_KINDS = 10,
  GS_EVENT_WHY_BYTES = 256,  /* longer reasons are cut */
  GS_EVENT_TEXT_BYTES = 512, /* longer sentences too */
  GS_EVENT_MAX_RUNS = 128,   /* more are left out, the oldest */
  GS_EVENT_MAX_BYTES =
      65536, /* encoded; outputs that do not fit are left out */
};

/* A run of the tree. */
typedef struct gs_event_run {
  uint64_t id;
  uint32_t level;
  uint32_t table_count;
  uint64_t bytes;
  uint64_t entry_count;
} gs_event_run;

typedef struct gs_event {
  uint64_t number; /* from 1 */
  uint64_t time_ms;
  uint64_t count;      /* equal events in this one */
  uint64_t took_us;    /* of all of them; of a stall: what writers waited */
  uint64_t longest_us; /* of one of them */
  uint64_t job;        /* its number in this opening; 0: none */
  gs_event_kind kind;
  gs_slice why;  /* the plan's reason, what a writer waited for, … */
  gs_slice code; /* empty: it went well; the short name of a status or of a
                    refusal; of a policy's error "policy", and "aside" where the
                    policy was set aside */
  gs_slice text; /* a sentence, where there is a code */
  bool has_plan; /* the next four say something */
  gs_plan_op op;
  gs_plan_target target;
  int level;
  uint64_t run_id;
  gs_slice inputs;       /* tables, see gs_event_input */
  uint64_t output_count; /* tables made or moved */
  gs_slice outputs;      /* see gs_event_output */
  uint64_t read_bytes;   /* of a flush: keys and values in memory */
  uint64_t written_bytes;
  uint64_t dropped_covered; /* entries left out, by reason */
  uint64_t dropped_tombstones;
  uint64_t dropped_expired;
  uint64_t recovered_batches; /* of an opening, from the log */
  uint64_t recovered_torn_bytes;
  uint64_t recovered_bits;
  gs_slice runs; /* the tree when it was noted, newest first: gs_event_run_at */
} gs_event;

/* "flush", "merge", …; "unknown" for any other number. */
GS_API const char *gs_event_kind_name(gs_event_kind kind);

GS_API size_t gs_event_input_count(const gs_event *event);
/* Requires: index < gs_event_input_count. */
GS_API uint64_t gs_event_input(const gs_event *event, size_t index);

/* The output at *at, which begins with 0 and is moved on; false behind the
 * last. */
GS_API bool gs_event_output(const gs_event *event, size_t *at,
                            gs_table_meta *out);

GS_API size_t gs_event_run_count(const gs_event *event);
/* Requires: index < gs_event_run_count. */
GS_API void gs_event_run_at(const gs_event *event, size_t index,
                            gs_event_run *out);

/* ---- reading --------------------------------------------------------------- */

typedef struct gs_journal gs_journal; /* a list of events, oldest first */

typedef struct gs_journal_query {
  uint64_t since; /* events with higher numbers */
  uint32_t kinds; /* bits 1 << gs_event_kind; 0: all */
  size_t limit;   /* the newest so many; 0: all */
  bool in_memory; /* of an open store: what memory holds, no file is read */
} gs_journal_query;

/* What is kept of the store's life: files and memory. query may be NULL. */
GS_API GS_MUST_CHECK gs_status gs_journal_read(struct gs_store *store,
                                               const gs_journal_query *query,
                                               gs_journal **out, gs_error *err);

/* The same from the files of a directory, which a process may have open for
 * writing. GS_MISSING: there is no store. */
GS_API GS_MUST_CHECK gs_status gs_journal_read_path(
    struct gs_env *env, const char *path, const gs_journal_query *query,
    gs_journal **out, gs_error *err);

/* Of the store whose journal it is, which is that of its keys: a gs_store_kind;
 * 0 where no file tells. */
GS_API uint32_t gs_journal_store_kind(const gs_journal *journal);

GS_API size_t gs_journal_count(const gs_journal *journal);
/* Requires: index < gs_journal_count. */
GS_API void gs_journal_at(const gs_journal *journal, size_t index,
                          gs_event *out);
GS_API void gs_journal_free(gs_journal *journal); /* NULL is accepted */

/* Jobs that ended in this opening, well or not: it changes when there is
 * something new to read. No lock, any thread. */
GS_API uint64_t gs_jobs_noted(const struct gs_store *store);

/* ---- writing --------------------------------------------------------------- */

/* A plan that was refused before the store was asked: whoever read it found it
 * to be none. inputs and cuts are not looked at. */
GS_API void gs_note_refusal(struct gs_store *store, const gs_plan *plan,
                            const gs_refusal *refusal);

/* Whoever asks policies notes here what one did wrong, in words. */
GS_API void gs_note_policy_error(struct gs_store *store, const char *text,
                                 bool is_aside);

#endif
