/*
 * A store and other processes: a reader beside the writer, a second writer, and
 * children of a fork.
 */
#include "store_kit.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/store.h"
#include "support/child.h"
#include "support/temp_dir.h"

static temp_dir dir;
static gs_store *shared;    /* what a forked child inherits */
static gs_snapshot *moment; /* of it */
static int to_child[2];     /* a pipe: the parent says go on */
static int to_parent[2];

static int
set_up(void **state)
{
  (void)state;
  temp_dir_make(&dir);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  temp_dir_remove(&dir);
  return 0;
}

static gs_options
posix_options(void)
{
  gs_options options = kit_options();
  options.env = gs_env_posix();
  return options;
}

static gs_status
open_path(gs_options options, gs_store **out, gs_error *err)
{
  char path[TEMP_DIR_BYTES + 8];
  snprintf(path, sizeof path, "%s/db", dir.path);
  return gs_open(path, &options, out, err);
}

static gs_store *
open_here(gs_options options)
{
  gs_store *store = NULL;
  KIT_OK(open_path(options, &store, &kit_err));
  return store;
}

/* ---- a second writer -------------------------------------------------------- */

static int
open_as_second_writer(void *arg)
{
  gs_error err;
  gs_store *store = NULL;
  pid_t *parent = arg;
  char owner[32];
  snprintf(owner, sizeof owner, "%d", (int)*parent);
  if (open_path(posix_options(), &store, &err) != GS_LOCKED) {
    return 1;
  }
  return strstr(err.message, owner) != NULL ? 0 : 2;
}

static void
test_a_second_writer_is_told_who_holds_the_store(void **state)
{
  (void)state;
  gs_store *store = open_here(posix_options());
  pid_t self = getpid();
  assert_int_equal(child_run(open_as_second_writer, &self).exit_status, 0);
  kit_put(store, "a", "1");
  assert_string_equal(kit_get(store, "a"), "1");
  kit_close(store);
}

static int
write_and_die(void *arg)
{
  (void)arg;
  gs_store *store = NULL;
  if (open_path(posix_options(), &store, NULL) != GS_OK) {
    return 1;
  }
  for (int i = 0; i < 400; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%04d", i);
    if (gs_put(store, gs_slice_str(key), gs_slice_str(key), NULL, NULL, NULL) !=
        GS_OK) {
      return 2;
    }
  }
  _exit(0);
}

static void
test_what_a_dead_process_was_acknowledged_is_there_for_the_next(void **state)
{
  (void)state;
  for (int i = 0; i < 5; i++) {
    assert_int_equal(child_run(write_and_die, NULL).exit_status, 0);
  }
  gs_store *store = open_here(posix_options());
  for (int i = 0; i < 400; i++) {
    assert_true(kit_has(store, "k", i));
  }
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

/* ---- a forked child ---------------------------------------------------------- */

/* In the child every lock of the store may be held for ever. */
static int
use_the_parents_store(void *arg)
{
  (void)arg;
  gs_value value;
  gs_stats stats;
  gs_shape *shape = NULL;
  gs_scan *scan = NULL;
  gs_error err;
  gs_slice key = gs_slice_str("a");
  gs_value_init(&value, shared);
  alarm(60);
  bool is_refused = gs_get(shared, NULL, key, &value, &err) == GS_FORKED &&
                    gs_put(shared, key, key, NULL, NULL, &err) == GS_FORKED &&
                    gs_delete(shared, key, NULL, NULL, &err) == GS_FORKED &&
                    gs_take(shared, key, NULL, &value, &err) == GS_FORKED &&
                    gs_get(shared, moment, key, &value, &err) == GS_FORKED &&
                    gs_get_note(shared, &value, &err) == GS_FORKED &&
                    gs_scan_new(shared, NULL, NULL, &scan, &err) == GS_FORKED &&
                    gs_shape_new(shared, &shape, &err) == GS_FORKED &&
                    gs_flush(shared, &err) == GS_FORKED &&
                    gs_seal(shared, &err) == GS_FORKED &&
                    gs_sync(shared, &err) == GS_FORKED &&
                    gs_wait_idle(shared, &err) == GS_FORKED &&
                    gs_compact(shared, NULL, &err) == GS_FORKED &&
                    gs_attach(shared, "none", NULL, &err) == GS_FORKED &&
                    gs_verify(shared, &err) == GS_FORKED;
  gs_get_stats(shared, &stats);
  gs_snapshot_free(moment);
  bool is_closed = gs_close(shared, &err) == GS_OK;
  return is_refused && is_closed ? 0 : 1;
}

static void
test_a_forked_child_may_only_close_and_the_parent_goes_on(void **state)
{
  (void)state;
  gs_options options = posix_options();
  options.threads = 1;
  shared = open_here(options);
  kit_put(shared, "a", "1");
  KIT_OK(gs_snapshot_new(shared, &moment, &kit_err));
  gs_mutex *locks[3] = {shared->commit, shared->install, shared->state};
  for (size_t i = 0; i < 3; i++) {
    gs_mutex_lock(locks[i]);
  }
  int exit_status = child_run(use_the_parents_store, NULL).exit_status;
  for (size_t i = 3; i > 0; i--) {
    gs_mutex_unlock(locks[i - 1]);
  }
  assert_int_equal(exit_status, 0);
  kit_put(shared, "b", "2");
  KIT_OK(gs_flush(shared, &kit_err));
  assert_string_equal(kit_get(shared, "b"), "2");
  assert_string_equal(kit_get_at(shared, moment, "a"), "1");
  gs_snapshot_free(moment);
  pid_t self = getpid();
  assert_int_equal(child_run(open_as_second_writer, &self).exit_status, 0);
  kit_close(shared);
}

/* ---- a reader beside the writer ----------------------------------------------- */

static void
say(int fd)
{
  char byte = 'x';
  GS_IGNORE(write(fd, &byte, 1) != 1, "the other side will notice");
}

static bool
hear(int fd)
{
  char byte;
  return read(fd, &byte, 1) == 1;
}

/* Opens, lets the writer turn everything over, and then reads the moment it
 * opened at. */
static int
read_beside(void *arg)
{
  (void)arg;
  gs_options options = posix_options();
  gs_store *store = NULL;
  uint64_t count = 0;
  options.readonly = true;
  if (open_path(options, &store, NULL) != GS_OK) {
    return 1;
  }
  say(to_parent[1]);
  if (!hear(to_child[0])) {
    return 2;
  }
  if (gs_count(store, NULL, NULL, &count, NULL) != GS_OK || count != 300) {
    return 3;
  }
  if (gs_verify(store, NULL) != GS_OK || gs_close(store, NULL) != GS_OK) {
    return 4;
  }
  return 0;
}

static void
turn_over(void *context)
{
  gs_store *store = context;
  if (!hear(to_parent[0])) {
    return;
  }
  for (int i = 0; i < 300; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%04d", i);
    GS_IGNORE(gs_delete(store, gs_slice_str(key), NULL, NULL, NULL),
              "the count afterwards tells");
  }
  GS_IGNORE(gs_compact(store, NULL, NULL), "the count afterwards tells");
  say(to_child[1]);
}

static void
test_a_reader_keeps_its_moment_whatever_the_writer_does(void **state)
{
  (void)state;
  assert_int_equal(pipe(to_child), 0);
  assert_int_equal(pipe(to_parent), 0);
  gs_store *store = open_here(posix_options());
  kit_fill(store, "k", 0, 199);
  KIT_OK(gs_flush(store, &kit_err));
  kit_fill(store, "k", 200, 299);
  gs_thread *thread = NULL;
  KIT_OK(gs_thread_start(gs_env_posix(), turn_over, store, &thread, &kit_err));
  int exit_status = child_run(read_beside, NULL).exit_status;
  say(to_parent[1]);
  gs_thread_join(thread);
  assert_int_equal(exit_status, 0);
  uint64_t count = 1;
  KIT_OK(gs_count(store, NULL, NULL, &count, &kit_err));
  assert_int_equal(count, 0);
  kit_close(store);
  for (size_t i = 0; i < 2; i++) {
    close(to_child[i]);
    close(to_parent[i]);
  }
}

static int
open_again_and_again(void *arg)
{
  (void)arg;
  gs_options options = posix_options();
  options.readonly = true;
  for (int i = 0; i < 100; i++) {
    gs_store *store = NULL;
    uint64_t count = 0;
    gs_error err;
    if (open_path(options, &store, &err) != GS_OK) {
      fprintf(stderr, "%s", err.message);
      return 1;
    }
    gs_status status = gs_count(store, NULL, NULL, &count, &err);
    GS_IGNORE(gs_close(store, NULL), "it only read");
    if (status != GS_OK || count == 0) {
      fprintf(stderr, "%s", status == GS_OK ? "empty" : err.message);
      return 2;
    }
  }
  return 0;
}

static atomic_bool is_over;

static void
write_on(void *context)
{
  gs_store *store = context;
  for (int i = 0; !atomic_load(&is_over); i++) {
    char key[16];
    snprintf(key, sizeof key, "k%04d", i % 100);
    GS_IGNORE(
        gs_put(store, gs_slice_str(key), gs_slice_str(key), NULL, NULL, NULL),
        "the reader tells");
    if (i % 50 == 0) {
      GS_IGNORE(gs_compact(store, NULL, NULL), "the reader tells");
    }
  }
}

static void
test_a_reader_can_open_at_any_time_beside_a_busy_writer(void **state)
{
  (void)state;
  gs_options options = posix_options();
  options.max_wal_bytes = 65536;
  gs_store *store = open_here(options);
  kit_fill(store, "k", 0, 99);
  gs_thread *thread = NULL;
  atomic_store(&is_over, false);
  KIT_OK(gs_thread_start(gs_env_posix(), write_on, store, &thread, &kit_err));
  child_end end = child_run(open_again_and_again, NULL);
  atomic_store(&is_over, true);
  gs_thread_join(thread);
  if (end.exit_status != 0) {
    fail_msg("%d: %s", end.exit_status, end.said);
  }
  kit_close(store);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_a_second_writer_is_told_who_holds_the_store),
      T(test_what_a_dead_process_was_acknowledged_is_there_for_the_next),
      T(test_a_forked_child_may_only_close_and_the_parent_goes_on),
      T(test_a_reader_keeps_its_moment_whatever_the_writer_does),
      T(test_a_reader_can_open_at_any_time_beside_a_busy_writer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
