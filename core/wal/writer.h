/*
 * writer: appends frames to one log file.
 *
 * Model: the file is created here and never appended to by a later process. A
 * segment is prepared ahead (created, filled with zeros to its full size,
 * synced) and started later, when its predecessor's end is known; a manifest
 * is prepared with size 0 and grows.
 *   1. A frame stands only behind complete frames: after the first failed
 *      write or sync the writer refuses everything (GS_READONLY).
 *   2. durable_bytes <= written_bytes, both frame ends.
 *
 * Life: prepare gives a writer that start readies; close ends it at any time.
 * Threads: append from one thread at a time; sync from another thread at the
 * same time: it makes durable what was written when it began. mark_durable
 * under the lock that append holds.
 * Errors: env errors. GS_LIMIT from append where the frame has no room.
 */
#ifndef GS_WAL_WRITER_H
#define GS_WAL_WRITER_H

#include "env/env.h"
#include "wal/format.h"

typedef struct gs_log_writer gs_log_writer;

/* Creates the file. allocated_bytes > 0: filled with zeros to that size and
 * synced. The name is the caller's to sync (gs_env_sync_dir). On failure no file
 * is left behind if it can be helped. For logs that are synced after each frame:
 * a sync has nothing to do but the frame's own pages. */
GS_MUST_CHECK gs_status gs_log_prepare(gs_env *env, const char *path,
                                       uint64_t allocated_bytes,
                                       gs_log_writer **out, gs_error *err);

/* The same with the space reserved rather than written, and mapped where the
 * machine can: ready sooner and half the writing, and a frame is a copy, but
 * each sync has more to do, the right to write a page to give back among it. For
 * logs that are synced now and then. */
GS_MUST_CHECK gs_status gs_log_reserve(gs_env *env, const char *path,
                                       uint64_t allocated_bytes,
                                       gs_log_writer **out, gs_error *err);

/* Writes the header page; header->allocated_bytes is filled in. Once. */
GS_MUST_CHECK gs_status gs_log_start(gs_log_writer *writer,
                                     const gs_log_header *header,
                                     gs_error *err);

/* Whether a frame with this payload fits (always, where the file grows). */
bool gs_log_has_room(const gs_log_writer *writer, uint64_t payload_bytes);

GS_MUST_CHECK gs_status gs_log_append(gs_log_writer *writer, gs_frame_type type,
                                      uint64_t first_seq, uint32_t entry_count,
                                      gs_slice payload, gs_error *err);

/* Offset behind the last complete frame. */
uint64_t gs_log_written_bytes(const gs_log_writer *writer);

/* What a successor's header records. */
uint32_t gs_log_link(const gs_log_writer *writer);

uint64_t gs_log_durable_bytes(const gs_log_writer *writer);

/* Puts everything appended before the call on the device. A failure is for
 * ever. Does not move durable_bytes: the caller does, with mark_durable. */
GS_MUST_CHECK gs_status gs_log_sync(gs_log_writer *writer, gs_error *err);

/* What was appended is about to be synced: the first bytes of the file, and the
 * whole pages that came behind them by now, leave the memory that appending goes
 * through. Makes the sync cheaper and is never needed. From the thread that
 * syncs. */
void gs_log_shed(gs_log_writer *writer, uint64_t bytes);

/* Nothing will be appended any more: gives back the memory that was for that.
 * Any thread, once nobody appends. */
void gs_log_rest(gs_log_writer *writer);

/* Requires: a successful sync began when written_bytes was >= bytes. */
void gs_log_mark_durable(gs_log_writer *writer, uint64_t bytes);

/* How much of the file its last frame says is durable. */
uint64_t gs_log_attested_bytes(const gs_log_writer *writer);

/* Whether a write or sync failed: the writer refuses from then on, and what it
 * failed at may or may not stand in the file. */
bool gs_log_is_poisoned(const gs_log_writer *writer);

/* Makes the writer refuse from now on, as after a failed write. */
void gs_log_poison(gs_log_writer *writer);

/* Takes the writer; NULL is accepted. Syncs nothing. */
void gs_log_close(gs_log_writer *writer);

#endif
