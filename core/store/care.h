/*
 * care: what is done to directories rather than with stores: verifying one,
 * rebuilding one from what is left of it, and copying an open one.
 *
 * Model: verifying and repairing only read the directory they are given; not
 * even its LOCK is touched. What they find goes into a report that the caller
 * owns. A report is complete where the call returns GS_OK or GS_CORRUPT, and
 * can be ended whatever it returned.
 *
 * Life: a report is filled by one call and ended by its deinit function; its
 * texts and keys are valid until then.
 * Threads: any; a report belongs to one at a time.
 */
#ifndef GS_STORE_CARE_H
#define GS_STORE_CARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/api.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/status.h"

struct gs_env;
struct gs_store;

/* Told now and then how far the work is; no lock of the engine is held. What it
 * returns other than GS_OK ends the work and is what the call returns. */
typedef gs_status (*gs_progress)(void *context, uint64_t done_bytes,
                                 uint64_t total_bytes, const char *file,
                                 gs_error *err);

/* ---- verifying ------------------------------------------------------------- */

typedef enum gs_file_state {
  GS_STATE_SOUND = 0,
  GS_STATE_TORN = 1,    /* its end was never acknowledged as durable and is not
                           whole: a crash leaves that, and opening cuts it */
  GS_STATE_DAMAGED = 2, /* it is not what was written */
  GS_STATE_MISSING = 3, /* the manifest lists it */
  GS_STATE_UNREAD = 4,  /* the system could not read it */
  GS_STATE_UNUSED = 5,  /* not a part of the store */
} gs_file_state;

typedef struct gs_file_report {
  const char *name; /* in the directory */
  const char *kind; /* "manifest", "log", "table", "lock", "ballast", "journal",
                       "other" */
  gs_file_state state;
  bool has_offset;
  uint64_t offset; /* where the first thing wrong with it is */
  uint64_t bytes;
  uint64_t entries;    /* versions of a table, writes of a log, edits */
  const char *problem; /* what is wrong; "" where nothing is */
} gs_file_report;

typedef struct gs_verify_report {
  gs_alloc *alloc;
  gs_file_report *files; /* by name */
  size_t file_count;
  size_t file_capacity;
  size_t problem_count; /* files that are damaged, missing or unread */
  size_t torn_count;
  uint32_t kind;     /* a gs_store_kind; 0 where nothing tells */
  uint64_t bytes;    /* of all files */
  uint64_t entries;  /* in tables */
  uint64_t last_seq; /* the last one a reader would see */
  gs_error first;    /* the first problem, where there is one */
} gs_verify_report;

typedef struct gs_verify_options {
  bool is_shallow; /* passes over the blocks of tables */
  gs_progress progress;
  void *context;
} gs_verify_options;

/* Reads every byte of the files that are the store: checksums, order, bounds,
 * counts, the index for every key, manifest against files, log against
 * manifest. A process may have the store open for writing meanwhile. options
 * may be NULL. GS_OK: nothing is wrong, though a file may be torn. GS_CORRUPT:
 * the report says what, *err holds the first of it. GS_MISSING: there is no
 * store. */
GS_API GS_MUST_CHECK gs_status gs_verify_path(struct gs_env *env,
                                              const char *path,
                                              const gs_verify_options *options,
                                              gs_verify_report *report,
                                              gs_error *err);
GS_API void gs_verify_report_deinit(gs_verify_report *report);

/* "sound", "torn", … */
GS_API const char *gs_file_state_name(gs_file_state state);

/* ---- repairing ------------------------------------------------------------- */

typedef enum gs_loss_cause {
  GS_LOST_BLOCK = 1,    /* blocks of a table */
  GS_LOST_TABLE = 2,    /* all of a table */
  GS_LOST_LOG = 3,      /* writes of the log */
  GS_LOST_MANIFEST = 4, /* which tables were in use */
} gs_loss_cause;

/*
 * Something that does not verify. What it held of a key may have been newer
 * than what is saved of it: a tombstone, or a later value. Such keys are
 * counted as uncertain.
 */
typedef struct gs_loss {
  gs_loss_cause cause;
  const char *name; /* of the file */
  uint64_t offset;  /* in it, from where */
  uint64_t bytes;   /* and how many */
  gs_slice from;    /* keys from here on … */
  gs_slice to;      /* … and before here, where has_to */
  bool has_to;      /* false: to the last key of all */
  uint64_t
      first_seq; /* sequence numbers, as far as known; of a log those that */
  uint64_t last_seq; /* are missing; UINT64_MAX: it is not known up to where */
  uint64_t uncertain_keys;
} gs_loss;

typedef struct gs_repair_report {
  gs_verify_report found; /* the source before */
  gs_loss *losses;
  size_t loss_count;
  size_t loss_capacity;
  uint32_t kind;     /* a gs_store_kind */
  bool has_manifest; /* it was readable; else all tables and logs were taken */
  uint64_t tables_read; /* of which something was saved */
  uint64_t tables_lost;
  uint64_t blocks_read;
  uint64_t blocks_lost;     /* as far as their number is known */
  uint64_t writes_read;     /* batches of the log */
  uint64_t bits_fixed;      /* single wrong bits put right, in the copy */
  uint64_t seqs_lost;       /* sequence numbers missing from the log */
  uint64_t entries_found;   /* versions that verify, = the sum of these: */
  uint64_t entries_saved;   /* newest values of their keys */
  uint64_t entries_covered; /* older versions */
  uint64_t entries_doubled; /* found in two places */
  uint64_t entries_deleted; /* tombstones */
  uint64_t uncertain_keys;  /* saved, and perhaps not the newest */
  uint64_t last_seq;        /* no later one was ever given out */
} gs_repair_report;

typedef struct gs_repair_options {
  const char *into; /* directory to build: absent or empty. NULL: a dry run,
                       which gives the same report and writes nothing */
  uint32_t kind;    /* a gs_store_kind, for a store that has lost all that tells
                       it; 0: as found */
  gs_progress progress;
  void *context;
} gs_repair_options;

/* Builds a store of everything in the directory that verifies, and of nothing
 * else. It has a new identity. A crash on the way leaves no store in `into`, a
 * failure nothing. GS_OK also where much was lost: the report tells.
 * GS_LOCKED: the source is open. GS_EXISTS: into is in use. GS_KIND: nothing is
 * left that tells the kind. */
GS_API GS_MUST_CHECK gs_status gs_repair(struct gs_env *env, const char *path,
                                         const gs_repair_options *options,
                                         gs_repair_report *report,
                                         gs_error *err);
GS_API void gs_repair_report_deinit(gs_repair_report *report);

/* "block", "table", "log", "manifest" */
GS_API const char *gs_loss_cause_name(gs_loss_cause cause);

/* ---- copying --------------------------------------------------------------- */

/* Flushes, then makes a store in `into`, which must be absent or empty, that
 * holds everything up to one sequence number (*seq, may be NULL), at least all
 * that was committed before the call. Tables are linked, or copied where they
 * cannot be; writers go on. The copy lives on its own afterwards. A crash on
 * the way leaves no store there, a failure nothing. */
GS_API GS_MUST_CHECK gs_status gs_checkpoint(struct gs_store *store,
                                             const char *into, uint64_t *seq,
                                             gs_error *err);

#endif
