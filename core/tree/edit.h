/*
 * edit: a change of the tree and of the store's own facts, as one unit.
 *
 * Model: an edit is built in memory, encoded into one manifest frame, and
 * applied to a version to give the next version. A base is an edit that builds
 * everything from the empty version.
 * Order of application: removed tables leave their runs; new runs are placed,
 * in the order they were added; added tables join their runs; runs left
 * without tables vanish.
 *
 * Encoding: a list of records, see edit_format.h. Ended by the frame.
 *
 * Life: new/free. Slices given in are copied.
 * Threads: one.
 * Errors: building is sticky, see gs_edit_status.
 */
#ifndef GS_TREE_EDIT_H
#define GS_TREE_EDIT_H

#include "tree/version.h"
#include "wal/format.h"
#include "wal/replay.h"

/* Facts of the store that the manifest keeps. Once known, identity, kind and
 * salt never change, and no number goes back. */
typedef struct gs_store_facts {
  gs_store_id store_id;
  uint32_t store_kind;     /* 1 bytes, 2 u32 */
  uint64_t salt;           /* seeds the tables' checksums */
  uint64_t feature_bits;   /* unknown ones refuse */
  uint64_t incarnation;    /* rises with each open for writing */
  uint64_t flushed_seq;    /* entries up to here are in runs */
  uint64_t last_seq;       /* at least the largest sequence ever used, as far as
                              known when the edit was written */
  uint64_t next_id;        /* next file or run number; above those of all
                              tables and runs */
  uint64_t clock_floor_ms; /* the largest time seen; never goes back */
  uint64_t safe_clock_ms;  /* of these, the largest that was believed: what had
                              expired by then may be dropped */
  bool is_clean;           /* closed in order; no log holds anything */
} gs_store_facts;

typedef struct gs_edit gs_edit;

gs_edit *gs_edit_new(gs_alloc *alloc); /* NULL when out of memory */
void gs_edit_free(gs_edit *edit);      /* NULL is accepted */

/* Which position a new run takes. */
typedef enum gs_run_place {
  GS_PLACE_TOP = 1,    /* newest of all */
  GS_PLACE_ABOVE = 2,  /* just newer than run anchor_id */
  GS_PLACE_BOTTOM = 3, /* oldest of all */
} gs_run_place;

void gs_edit_add_run(gs_edit *edit, uint64_t run_id, uint32_t level,
                     gs_run_place place, uint64_t anchor_id);
void gs_edit_set_level(gs_edit *edit, uint64_t run_id, uint32_t level);
/* The metadata is encoded at once. */
void gs_edit_add_table(gs_edit *edit, uint64_t run_id,
                       const gs_table_meta *meta);
void gs_edit_remove_table(gs_edit *edit, uint64_t run_id, uint64_t table_id);
/* Whole set of facts. */
void gs_edit_set_facts(gs_edit *edit, const gs_store_facts *facts);
void gs_edit_add_segment(gs_edit *edit, const gs_segment *segment);
void gs_edit_remove_segment(gs_edit *edit, uint64_t number);
/* The application's last note (batch meta) and the sequence it came with. */
void gs_edit_set_note(gs_edit *edit, gs_slice note, uint64_t seq);

GS_MUST_CHECK gs_status gs_edit_status(const gs_edit *edit, gs_error *err);

/* Valid until the edit changes. */
gs_slice gs_edit_encoding(const gs_edit *edit);

/* What the manifest knows: the result of applying edits one after another.
 * Before the first, the facts are zeros and all else is empty. */
typedef struct gs_manifest_state {
  gs_alloc *alloc;
  gs_version *version; /* one reference */
  gs_store_facts facts;
  gs_segment *segments; /* numbers rise */
  size_t segment_count;
  size_t segment_capacity;
  gs_buffer note;
  uint64_t note_seq;
} gs_manifest_state;

GS_MUST_CHECK gs_status gs_manifest_state_init(gs_manifest_state *state,
                                               gs_alloc *alloc, gs_error *err);
void gs_manifest_state_deinit(gs_manifest_state *state);

/*
 * Makes *next from the state and an encoding; the state stays as it is. Runs
 * that the edit does not change are shared, and so is the whole version where
 * it changes none. Tables are used as they are where `known` (may be NULL) has
 * them, so that a caller can hang its payload on a table before it is
 * installed, or where they leave one run and join another; else they are new
 * objects.
 * GS_CORRUPT for an encoding that does not parse or a change that does not fit
 * the state. Ask before an edit is made durable: one that does not fit could
 * not be read back either.
 */
GS_MUST_CHECK gs_status
gs_manifest_state_prepare(const gs_manifest_state *state, gs_slice encoding,
                          gs_tree_table *const *known, size_t known_count,
                          gs_manifest_state *next, gs_error *err);

/* Puts *next, which it takes, in the place of the state. Cannot fail. */
void gs_manifest_state_adopt(gs_manifest_state *state, gs_manifest_state *next);

/* Both at once. On failure the state is as before. */
GS_MUST_CHECK gs_status gs_manifest_state_apply(gs_manifest_state *state,
                                                gs_slice encoding,
                                                gs_tree_table *const *known,
                                                size_t known_count,
                                                gs_error *err);

/* An edit that builds this state from nothing. */
GS_MUST_CHECK gs_status gs_manifest_state_base(const gs_manifest_state *state,
                                               gs_edit *edit, gs_error *err);

/* One line per record. */
GS_MUST_CHECK gs_status gs_edit_dump(gs_slice encoding, gs_buffer *out,
                                     gs_error *err);

#endif
