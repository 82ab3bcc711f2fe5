/*
 * journal: what the store did and why, noted where it happens and written where
 * nobody waits.
 *
 * Model: events stand encoded in a ring in memory, numbered from 1 in this
 * opening. Whoever ends a job, or closes the store, writes what the ring holds
 * and no file does: as one plain write, never synced. Two files at most,
 * JOURNAL-NNNNNN, take half of journal_bytes each; a file that is full, or
 * failed once, is followed by a new one, and the one before the last goes.
 *   1. No call of the store fails because of its journal.
 *   2. Noting copies memory under the state lock; nothing is written under any
 *      of the store's locks.
 *   3. The number of an event is base + its number in this opening; base is the
 *      last number the files hold, looked up before it is first needed.
 *   4. An opening that did nothing but open and close writes nothing.
 *   5. What the ring loses before it was written is missing from the numbers.
 *
 * Life: a part of the store, init with it and deinit after the last event.
 * Threads: members say which lock guards them; `files` is taken before state
 * and after no other.
 */
#ifndef GS_STORE_JOURNAL_H
#define GS_STORE_JOURNAL_H

#include <stdatomic.h>

#include "env/env.h"
#include "store/event.h"

enum {
  GS_JOURNAL_SLOTS = 256,             /* events in memory */
  GS_JOURNAL_RING_BYTES = 512 * 1024, /* and their bytes */
  GS_JOURNAL_MIN_BYTES = 256 * 1024,  /* of journal_bytes: two files, each with
                                          room for any event */
  GS_JOURNAL_MAX_BYTES = 64 * 1024 * 1024, /* a file is read as a whole */
};

typedef struct gs_journal_slot {
  uint8_t *bytes; /* an encoded event, numbered in this opening */
  size_t size;
} gs_journal_slot;

typedef struct gs_recorder {
  /* Under state. */
  gs_journal_slot slots[GS_JOURNAL_SLOTS];
  size_t first; /* of the slots, the oldest */
  size_t count;
  size_t bytes;
  uint64_t last_number; /* of the last event in this opening */
  uint64_t sealed;      /* events up to here may no longer be changed */
  uint64_t taken;       /* events up to here are written or being written */
  uint64_t lost;        /* events that could not be kept or written */
  atomic_uint_fast64_t jobs; /* noted so far; read without a lock */
  atomic_bool has_news;      /* something worth writing is not yet written */

  /* Under files. */
  gs_mutex *files;
  gs_file *file;        /* the one that is written, or NULL */
  uint64_t file_number; /* of the newest in the directory; 0: none */
  uint64_t file_bytes;
  bool has_base;
  uint64_t base;
  uint64_t written; /* events up to here are in files */
  uint64_t hold_us; /* no writing before: the last one failed */
} gs_recorder;

struct gs_store;

GS_MUST_CHECK gs_status gs_journal_init(struct gs_store *store, gs_error *err);
void gs_journal_deinit(struct gs_store *store);

/* Notes an event. number, count and the tree are filled in here, and the time
 * where it is 0: the last one that the store knows. is_news: worth a write.
 * Requires: state held. */
void gs_journal_note(struct gs_store *store, gs_event *event, bool is_news);

/* Writes what is not yet written. No lock held. */
void gs_journal_write(struct gs_store *store);

/* The same whatever failed a moment ago, then ends the files. */
void gs_journal_finish(struct gs_store *store);

/* Looks up the number of the last event of earlier openings; false where that
 * cannot be done now. Requires: files held. */
bool gs_journal_find_base(struct gs_store *store);

#endif
