/*
 * log_remains: the writes of logs that verify, and the facts of a manifest that
 * cannot be read as a whole.
 *
 * Model: a frame proves by its checksums that it stands in its place in this
 * log; salt and number are all that must be known for it. So frames behind
 * damage are found again, at every eighth byte. Their links are not asked for:
 * what is missing between them shows in the sequence numbers.
 *   1. entries are those of whole batches; after finish they stand in internal
 *      order, their keys as tables hold them.
 *   2. Everything given out views memory of this object.
 *
 * Life: init, file for each log, finish once, deinit.
 * Threads: one.
 * Errors: those of the machine; damage is no error.
 */
#ifndef GS_STORE_LOG_REMAINS_H
#define GS_STORE_LOG_REMAINS_H

#include "data/entry.h"
#include "tree/edit.h"
#include "wal/frame.h"

/* Sequence numbers of a batch. */
typedef struct gs_log_span {
  uint64_t first;
  uint64_t last;
} gs_log_span;

typedef struct gs_log_remains {
  gs_env *env;
  gs_buffer files;   /* gs_buffer: the bytes that entries view */
  gs_buffer entries; /* gs_entry */
  size_t entry_count;
  gs_buffer spans; /* gs_log_span, of batches with entries */
  size_t span_count;
  gs_buffer note;
  uint64_t note_seq;
  uint64_t batch_count;
  uint64_t bits_fixed;
  uint64_t max_seq;
  uint64_t now_ms;       /* the largest time a batch carried */
  uint64_t whole_from;   /* see regain; 0: not asked */
  bool has_other_shapes; /* a key or value that is not four bytes long */
} gs_log_remains;

/* What became of one log. */
typedef struct gs_log_outcome {
  uint64_t frames;
  uint64_t end;   /* behind the last frame */
  uint64_t used;  /* behind the last byte that is not zero */
  uint64_t bytes; /* of the file */
  bool lost_more; /* something stood behind the last entries */
} gs_log_outcome;

void gs_log_remains_init(gs_log_remains *s, gs_env *env);
void gs_log_remains_deinit(gs_log_remains *s);

/* Reads one log. salt NULL: that of its header page. */
GS_MUST_CHECK gs_status gs_log_remains_file(gs_log_remains *s, const char *path,
                                            gs_log_identity identity,
                                            bool is_salt_known,
                                            gs_log_outcome *out, gs_error *err);

/* Keys of a u32 store are turned, and all are sorted; spans too. Entries that a
 * u32 store cannot hold are left out. */
void gs_log_remains_finish(gs_log_remains *s, bool is_u32);

gs_entry *gs_log_remains_entries(const gs_log_remains *s);
const gs_log_span *gs_log_remains_spans(const gs_log_remains *s);

/* The newest facts that some frame of a manifest tells, if they are newer than
 * *facts; its note too. */
GS_MUST_CHECK gs_status gs_log_remains_facts(gs_env *env, const char *path,
                                             uint64_t number,
                                             gs_store_facts *facts,
                                             gs_buffer *note,
                                             uint64_t *note_seq, gs_error *err);

#endif
