/*
 * sample_log: a small log, its bytes, and where its frames end.
 *
 * Life: set_up, then tear_down, which proves that nothing leaked.
 * Threads: one.
 */
#ifndef GS_CTEST_WAL_SAMPLE_LOG_H
#define GS_CTEST_WAL_SAMPLE_LOG_H

#include "log_kit.h"

static const char path[] = "/1.wal";

enum { BATCHES = 8 };

/* A small log, its bytes, and where its frames end. */
typedef struct sample {
  gs_sim *sim;
  gs_env *env;
  gs_error err;
  gs_buffer bytes;
  uint64_t ends[BATCHES + 1]; /* ends[i]: behind batch i; ends[0]: the page */
} sample;

/* BATCHES batches, each synced and marked durable before the next. */
static inline void
write_synced(sample *s, gs_log_writer *writer)
{
  uint64_t seq = 1;
  s->ends[0] = gs_log_written_bytes(writer);
  for (int i = 1; i <= BATCHES; i++) {
    KIT_OK(kit_sync(writer, &s->err), &s->err);
    KIT_OK(kit_append(writer, &seq, &s->err), &s->err);
    s->ends[i] = gs_log_written_bytes(writer);
  }
  gs_log_close(writer);
  s->bytes = kit_read_file(s->env, path);
}

static inline sample
set_up(uint64_t allocated_bytes)
{
  sample s = {.sim = gs_sim_new(1)};
  assert_non_null(s.sim);
  s.env = gs_sim_env(s.sim);
  write_synced(&s, kit_start(s.env, path, GS_LOG_WAL, 1, allocated_bytes));
  return s;
}

static inline void
tear_down(sample *s)
{
  gs_buffer_deinit(&s->bytes);
  assert_int_equal(gs_sim_allocated_bytes(s->sim), 0);
  gs_sim_free(s->sim);
}

#endif
