/*
 * replay: the batches of a list of segments, in order, without a gap.
 *
 * Model: segments come with the numbers the manifest lists, in order. Batches
 * whose sequences are all <= flushed_seq are passed over. From there sequence
 * numbers must follow on without a gap, within and across segments. The
 * *front* is the place behind the last frame that belongs; where something
 * stands or should stand there that does not continue the sequence, it is
 * judged:
 *   torn     no evidence that the missing bytes had been durable: the replay
 *            ends there, what follows is given up and reported
 *   corrupt  evidence says they had been: GS_CORRUPT naming segment and offset
 *
 * Evidence:
 *   1. a valid frame header later in the segment with durable_to beyond the
 *      front;
 *   2. a later segment's frame header with durable_to above 0, or a later
 *      header page saying its predecessor was synced (a sync of a segment
 *      comes after a sync of all before it);
 *   3. a sequence known elsewhere (known_seq) that the replay did not reach;
 *   4. the store was closed cleanly.
 * Corrupt without a front being judged: a listed segment that is missing,
 * shorter than its recorded size, or another file than listed; sequences that
 * jump or go back between neighbouring frames. A later segment alone is no
 * evidence: without syncs the newer file may reach the device first. A read
 * error is an error, never a verdict.
 *
 * Frames are read with the salt of the list, so a segment whose header page is
 * lost hides none of them; what such a page would have said of the segment
 * before is missing, and the next batch decides. Single wrong bits of frames
 * and pages are put right and counted.
 *
 * Life: one call. Threads: one.
 */
#ifndef GS_WAL_REPLAY_H
#define GS_WAL_REPLAY_H

#include "env/env.h"
#include "wal/format.h"

/* One segment as the manifest lists it. */
typedef struct gs_segment {
  uint64_t number;
  uint64_t allocated_bytes; /* its size, always */
  uint64_t salt;            /* of its frames' checksums */
} gs_segment;

typedef struct gs_replay_request {
  const char *dir; /* segments are dir/NNNNNN.wal */
  gs_store_id store_id;
  const gs_segment *segments; /* numbers rise */
  size_t segment_count;
  uint64_t flushed_seq; /* entries up to here are in tables */
  uint64_t known_seq;   /* the largest sequence known to have been durable: by
                           a table, or by a clean close. Not one that was merely
                           given out: a crash may take that one back */
  bool was_clean;       /* the store was closed cleanly: any damage is
                           corruption */
  bool holds_all;       /* every segment is read before the first batch is
                           handed out, and kept: for readers, beside whom a
                           writer deletes segments */
  bool takes_prefix;    /* corruption ends the replay instead of failing it:
                               what came before stands, see is_salvaged */
  /* Called for each batch; an error ends the replay with it. A batch without
   * entries comes too, where its place is not in the flushed part. */
  gs_status (*batch)(void *context, const gs_frame_info *info, gs_slice payload,
                     gs_error *err);
  void *context;
} gs_replay_request;

typedef struct gs_replay_result {
  uint64_t last_seq;      /* flushed_seq where nothing followed */
  uint64_t batch_count;   /* batches handed out */
  uint64_t repaired_bits; /* put right, one in a frame or page */
  bool is_salvaged;       /* corruption was met and all behind it given up */
  bool is_torn;           /* a tail was given up */
  uint64_t torn_segment;  /* where, if so */
  uint64_t torn_offset;
  uint64_t torn_bytes; /* bytes of that file from there to its last
                              non-zero byte */
} gs_replay_result;

/* On failure last_seq and batch_count tell what was handed out: a prefix of
 * what was written, in every case. */
GS_MUST_CHECK gs_status gs_wal_replay(gs_env *env,
                                      const gs_replay_request *request,
                                      gs_replay_result *result, gs_error *err);

/* "dir/NNNNNN.wal" appended to out with a terminating NUL. */
void gs_segment_path(gs_buffer *out, const char *dir, uint64_t number);

#endif
