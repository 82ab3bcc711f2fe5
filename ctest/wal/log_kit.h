/*
 * log_kit: what the tests of the log share: a simulated machine, batches whose
 * bytes follow from their sequence number, and whole logs built from them.
 *
 * Model: the batch that begins at sequence s has entries_of(s) entries and a
 * payload every byte of which is a function of s, so a replayed batch is right
 * if and only if it equals the batch made anew from its sequence.
 * Threads: one.
 */
#ifndef GS_CTEST_WAL_LOG_KIT_H
#define GS_CTEST_WAL_LOG_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/sim.h"
#include "wal/reader.h"
#include "wal/writer.h"

enum {
  KIT_PAYLOAD_MAX = 96,
  KIT_SALT = 0x5a17,
  KIT_SEGMENT_BYTES = 8192,
};

static const gs_store_id kit_store = {
    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

/* Fails the test with the error's own words. */
#define KIT_OK(expr, err) kit_ok((expr), #expr, (err))

static inline void
kit_ok(gs_status status, const char *what, const gs_error *err)
{
  if (status != GS_OK) {
    fail_msg("%s: %s: %s", what, gs_status_code(status), err->message);
  }
}

/* ---- batches ------------------------------------------------------------- */

static inline uint32_t
kit_entries_of(uint64_t seq)
{
  return 1 + (uint32_t)(seq % 3);
}

/* Valid until the next call with the same storage. */
static inline gs_slice
kit_payload_of(uint64_t seq, uint8_t storage[KIT_PAYLOAD_MAX])
{
  size_t size = (size_t)(seq * 29 % (KIT_PAYLOAD_MAX + 1));
  for (size_t i = 0; i < size; i++) {
    storage[i] = (uint8_t)((seq * 131 + i * 7 + 1) | 1);
  }
  return gs_slice_of(storage, size);
}

static inline void
kit_assert_batch(const gs_frame_info *info, gs_slice payload)
{
  uint8_t storage[KIT_PAYLOAD_MAX];
  gs_slice expected = kit_payload_of(info->first_seq, storage);
  assert_int_equal(info->type, GS_FRAME_BATCH);
  assert_int_equal(info->entry_count, kit_entries_of(info->first_seq));
  assert_int_equal(payload.size, expected.size);
  assert_true(gs_slice_equal(payload, expected));
}

/* ---- logs ---------------------------------------------------------------- */

static inline gs_log_header
kit_header(gs_log_kind kind, uint64_t number)
{
  return (gs_log_header){
      .kind = kind,
      .store_id = kit_store,
      .number = number,
      .incarnation = 1,
      .salt = KIT_SALT + number,
      .first_seq = kind == GS_LOG_WAL ? 1 : 0,
  };
}

/* A started log; the caller closes it. */
static inline gs_log_writer *
kit_start(gs_env *env, const char *path, gs_log_kind kind, uint64_t number,
          uint64_t allocated_bytes)
{
  gs_error err;
  gs_log_writer *writer = NULL;
  gs_log_header header = kit_header(kind, number);
  KIT_OK(gs_log_prepare(env, path, allocated_bytes, &writer, &err), &err);
  KIT_OK(gs_log_start(writer, &header, &err), &err);
  return writer;
}

/* Appends the batch of *seq and moves *seq behind it. */
static inline gs_status
kit_append(gs_log_writer *writer, uint64_t *seq, gs_error *err)
{
  uint8_t storage[KIT_PAYLOAD_MAX];
  uint32_t count = kit_entries_of(*seq);
  gs_status status = gs_log_append(writer, GS_FRAME_BATCH, *seq, count,
                                   kit_payload_of(*seq, storage), err);
  *seq += status == GS_OK ? count : 0;
  return status;
}

static inline void
kit_append_many(gs_log_writer *writer, uint64_t *seq, int count)
{
  gs_error err;
  for (int i = 0; i < count; i++) {
    KIT_OK(kit_append(writer, seq, &err), &err);
  }
}

static inline void
kit_append_bare(gs_log_writer *writer, gs_frame_type type)
{
  gs_error err;
  KIT_OK(gs_log_append(writer, type, 0, 0, gs_slice_of(NULL, 0), &err), &err);
}

static inline gs_status
kit_sync(gs_log_writer *writer, gs_error *err)
{
  uint64_t bytes = gs_log_written_bytes(writer);
  gs_status status = gs_log_sync(writer, err);
  if (status == GS_OK) {
    gs_log_mark_durable(writer, bytes);
  }
  return status;
}

/* ---- files --------------------------------------------------------------- */

/* The whole file; the caller frees it with gs_buffer_deinit. */
static inline gs_buffer
kit_read_file(gs_env *env, const char *path)
{
  gs_error err;
  gs_file *file = NULL;
  gs_buffer bytes;
  gs_buffer_init(&bytes, env->alloc);
  KIT_OK(gs_file_open(env, path, GS_OPEN_READ, &file, &err), &err);
  KIT_OK(gs_file_read_all(file, &bytes, &err), &err);
  KIT_OK(gs_file_close(file, &err), &err);
  return bytes;
}

static inline void
kit_write_file(gs_sim *sim, const char *path, const void *data, size_t size)
{
  gs_error err;
  KIT_OK(gs_sim_replace(sim, path, gs_slice_of(data, size), &err), &err);
}

static inline gs_log_reader *
kit_open(gs_env *env, const char *path)
{
  gs_error err;
  gs_log_reader *reader = NULL;
  KIT_OK(gs_log_open(env, path, &kit_store, &reader, &err), &err);
  return reader;
}

/* Walks to the end; every frame but marks and seals must be a batch that
 * follows *seq. Returns the number of frames. */
static inline int
kit_walk(gs_log_reader *reader, uint64_t *seq)
{
  gs_frame_info info;
  gs_slice payload;
  int count = 0;
  for (; gs_log_next(reader, &info, &payload); count++) {
    if (info.type == GS_FRAME_BATCH) {
      assert_int_equal(info.first_seq, *seq);
      kit_assert_batch(&info, payload);
      *seq += info.entry_count;
    }
  }
  return count;
}

#endif
