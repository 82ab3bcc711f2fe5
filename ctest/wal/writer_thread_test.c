/*
 * A log that one thread syncs while another appends, in a real directory.
 */
#include "log_kit.h"

#include "support/temp_dir.h"

typedef struct syncer {
  gs_log_writer *writer;
  gs_mutex *mutex;
  bool is_over; /* under mutex */
  gs_status status;
} syncer;

static void
sync_until_over(void *arg)
{
  syncer *s = arg;
  for (;;) {
    gs_mutex_lock(s->mutex);
    bool is_over = s->is_over;
    uint64_t bytes = gs_log_written_bytes(s->writer);
    gs_mutex_unlock(s->mutex);
    s->status = gs_log_sync(s->writer, NULL);
    if (s->status != GS_OK) {
      return;
    }
    gs_mutex_lock(s->mutex);
    gs_log_mark_durable(s->writer, bytes);
    gs_mutex_unlock(s->mutex);
    if (is_over) {
      return;
    }
  }
}

static void
append_beside(syncer *s, int count)
{
  gs_error err;
  uint64_t seq = 1;
  for (int i = 0; i < count; i++) {
    gs_mutex_lock(s->mutex);
    gs_status status = kit_append(s->writer, &seq, &err);
    gs_mutex_unlock(s->mutex);
    KIT_OK(status, &err);
  }
  gs_mutex_lock(s->mutex);
  s->is_over = true;
  gs_mutex_unlock(s->mutex);
}

static void
test_one_thread_appends_while_another_syncs(void **state)
{
  (void)state;
  enum { COUNT = 3000 };
  gs_error err;
  gs_env *env = gs_env_posix();
  temp_dir dir;
  temp_dir_make(&dir);
  const char *name = temp_dir_at(&dir, "1.wal");
  syncer s = {.writer = kit_start(env, name, GS_LOG_WAL, 1, 1 << 20)};
  gs_thread *thread = NULL;
  KIT_OK(gs_mutex_new(env, &s.mutex, &err), &err);
  KIT_OK(gs_thread_start(env, sync_until_over, &s, &thread, &err), &err);
  append_beside(&s, COUNT);
  gs_thread_join(thread);
  assert_int_equal(s.status, GS_OK);
  assert_int_equal(gs_log_durable_bytes(s.writer),
                   gs_log_written_bytes(s.writer));
  gs_log_close(s.writer);
  gs_mutex_free(s.mutex);

  uint64_t seq = 1;
  gs_log_reader *reader = kit_open(env, name);
  assert_int_equal(kit_walk(reader, &seq), COUNT);
  assert_int_equal(gs_log_reader_end(reader), GS_LOG_CLEAN);
  gs_log_reader_close(reader);
  temp_dir_remove(&dir);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_thread_appends_while_another_syncs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
