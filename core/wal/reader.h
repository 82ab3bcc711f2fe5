/*
 * reader: the frames of one log file, and the verdict on its end.
 *
 * Model: the whole file is read into memory at open. Frames come in order; a
 * position that holds no valid frame ends the walk, and `end` says what that
 * means for this file alone:
 *   GS_LOG_SEALED  a SEAL frame was the last, only zeros follow
 *   GS_LOG_CLEAN   only zeros follow (nothing was ever written there)
 *   GS_LOG_TORN    something stands there that is no valid frame, or the file
 *                  is shorter than its header says
 * A frame with one wrong bit is no end: the bit is put right, in memory, and
 * counted (see format.h for how far that goes). The same is done to a header
 * page.
 * Whether a torn end is a lost tail or damage is decided with evidence: see
 * gs_log_find_evidence, and replay for what other files say.
 *
 * Life: open/close; payloads are views valid until close.
 * Threads: one.
 * Errors: env errors; GS_CORRUPT for a bad header page; GS_VERSION for an
 * unknown format or feature bit; GS_MISMATCH for another store's file.
 */
#ifndef GS_WAL_READER_H
#define GS_WAL_READER_H

#include "env/env.h"
#include "wal/frame.h"

typedef struct gs_log_reader gs_log_reader;

typedef enum gs_log_end {
  GS_LOG_SEALED = 1,
  GS_LOG_CLEAN = 2,
  GS_LOG_TORN = 3,
} gs_log_end;

/* expected_id NULL: any store's. Whether number and kind are those the file's
 * name promises is for the caller to compare. */
GS_MUST_CHECK gs_status gs_log_open(gs_env *env, const char *path,
                                    const gs_store_id *expected_id,
                                    gs_log_reader **out, gs_error *err);

/* A reader for a log whose salt and number are known from elsewhere: its frames
 * are given whatever became of the header page. Where that is bad, the reader
 * is headless: gs_log_reader_header gives NULL and the end is what the frames
 * say. GS_CORRUPT where a good page names another log. */
GS_MUST_CHECK gs_status gs_log_open_listed(gs_env *env, const char *path,
                                           const gs_store_id *expected_id,
                                           const gs_log_identity *identity,
                                           gs_log_reader **out, gs_error *err);

/* A reader for a file whose header page is bad: it gives no frames, its walk
 * has ended at offset 0 (clean where the file holds only zeros), and evidence
 * is looked for with a salt that stands in the page. */
GS_MUST_CHECK gs_status gs_log_open_headless(gs_env *env, const char *path,
                                             uint64_t number,
                                             gs_log_reader **out,
                                             gs_error *err);

void gs_log_reader_close(gs_log_reader *reader); /* NULL is accepted */

/* NULL where the reader is headless. */
const gs_log_header *gs_log_reader_header(const gs_log_reader *reader);

/* What the first frame's link must be. */
uint32_t gs_log_reader_header_link(const gs_log_reader *reader);

/* Bits put right so far. */
uint64_t gs_log_reader_repaired_bits(const gs_log_reader *reader);

uint64_t gs_log_reader_file_bytes(const gs_log_reader *reader);

/* Offset behind the last byte of the file that is not zero. */
uint64_t gs_log_reader_used_bytes(const gs_log_reader *reader);

/* The next frame: true; false at the end (then end and offset say where and
 * how). */
bool gs_log_next(gs_log_reader *reader, gs_frame_info *info, gs_slice *payload);

/* Requires: gs_log_next returned false, or gs_log_open_headless. */
gs_log_end gs_log_reader_end(const gs_log_reader *reader);

/* Where the walk is, and the link the frame there would have to have. */
uint64_t gs_log_reader_offset(const gs_log_reader *reader);
uint32_t gs_log_reader_link(const gs_log_reader *reader);

/* After a torn end: whether a valid frame later in this file proves that bytes
 * at or beyond the end had been durable (its durable_to lies beyond), or
 * whether the file is shorter than its header says. *at receives where. */
bool gs_log_find_evidence(const gs_log_reader *reader, uint64_t *at);

/* Whether any valid frame header of the file, reached by the walk or not, says
 * that more than `beyond` of the file's bytes had been durable. */
bool gs_log_find_durable(const gs_log_reader *reader, uint64_t beyond,
                         uint64_t *at);

/* Walks on to the end. One line per frame: offset type first_seq count bytes;
 * then one line: offset and how the log ends. */
GS_MUST_CHECK gs_status gs_log_dump(gs_log_reader *reader, gs_buffer *out,
                                    gs_error *err);

#endif
