/*
 * A store and other processes: a reader beside the writer, a second writer, and
 * children of a fork.
 */
#include "store_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "support/child.h"
#include "support/family.h"
#include "support/temp_dir.h"

static temp_dir dir;
static gs_store *shared;    /* what a forked child inherits */
static gs_snapshot *moment; /* of it */
static gs_scan *walk;       /* of it, standing on an entry */
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

/* ---- a second writer -------------------------------------------------------- */

static int
open_as_second_writer(void *arg)
{
  gs_error err;
  gs_store *store = NULL;
  pid_t *parent = arg;
  char owner[64];
  snprintf(owner, sizeof owner, "process %d %s", (int)*parent,
           program_invocation_short_name);
  if (open_path(posix_options(), &store, &err) != GS_LOCKED) {
    return 1;
  }
  return strstr(err.message, owner) != NULL ? 0 : 2;
}

static int
open_as_nobody(void *arg)
{
  (void)arg;
  gs_store *store = NULL;
  gs_status status = open_path(posix_options(), &store, NULL);
  GS_IGNORE(gs_close(store, NULL), "nothing was written");
  return (int)status;
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

static void
lock_path(char path[TEMP_DIR_BYTES])
{
  snprintf(path, TEMP_DIR_BYTES, "%s", temp_dir_at(&dir, "db/LOCK"));
}

/* Somebody tidies up: the name is gone, the store is still open. */
static void
test_a_removed_lock_file_lets_nobody_in(void **state)
{
  (void)state;
  char path[TEMP_DIR_BYTES];
  gs_store *store = open_here(posix_options());
  lock_path(path);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(child_run(open_as_nobody, NULL).exit_status, GS_LOCKED);
  assert_int_equal(close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666)), 0);
  assert_int_equal(child_run(open_as_nobody, NULL).exit_status, GS_LOCKED);
  assert_int_equal(gs_destroy(NULL, temp_dir_at(&dir, "db"), &kit_err),
                   GS_LOCKED);
  kit_put(store, "a", "1");
  kit_close(store);
  assert_int_equal(child_run(open_as_nobody, NULL).exit_status, GS_OK);
}

static int
open_and_be_killed(void *arg)
{
  (void)arg;
  gs_store *store = NULL;
  if (open_path(posix_options(), &store, NULL) == GS_OK) {
    raise(SIGKILL);
  }
  return 1;
}

static void
test_the_lock_file_of_a_dead_process_locks_nobody_out(void **state)
{
  (void)state;
  char path[TEMP_DIR_BYTES];
  lock_path(path);
  assert_int_equal(child_run(open_and_be_killed, NULL).exit_status, -1);
  assert_int_equal(access(path, F_OK), 0);
  assert_int_equal(child_run(open_as_nobody, NULL).exit_status, GS_OK);
  kit_close(open_here(posix_options()));
}

/* Opens, forks a process that waits for a word, and is killed. */
static int
leave_an_orphan(void *arg)
{
  (void)arg;
  gs_store *store = NULL;
  if (open_path(posix_options(), &store, NULL) != GS_OK) {
    return 1;
  }
  if (fork() == 0) {
    close(STDERR_FILENO); /* its reader need not wait */
    close(to_child[1]);
    _exit(hear(to_child[0]) ? 1 : 0);
  }
  raise(SIGKILL);
  return 1;
}

static void
test_a_child_that_outlives_its_killed_parent_does_not_keep_the_lock(
    void **state)
{
  (void)state;
  assert_int_equal(pipe(to_child), 0);
  assert_int_equal(child_run(leave_an_orphan, NULL).exit_status, -1);
  kit_close(open_here(posix_options()));
  close(to_child[0]);
  close(to_child[1]); /* the orphan ends with it */
}

enum { RIVALS = 3, RIVAL_ROUNDS = 60 };

/* Whoever has the store makes a file that nobody else may find made. */
static int
rival(void *arg)
{
  char owned[TEMP_DIR_BYTES + 16];
  gs_error err;
  bool destroys = *(int *)arg == 0;
  snprintf(owned, sizeof owned, "%s/owned", dir.path);
  for (int i = 0; i < RIVAL_ROUNDS; i++) {
    gs_store *store = NULL;
    gs_status status = open_path(posix_options(), &store, &err);
    if (status == GS_OK) {
      int fd = open(owned, O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd < 0 || close(fd) != 0 || unlink(owned) != 0 ||
          gs_close(store, &err) != GS_OK) {
        return 1;
      }
    } else if (status != GS_LOCKED && status != GS_MISSING) {
      fprintf(stderr, "%s", err.message);
      return 2;
    }
    char path[TEMP_DIR_BYTES + 8];
    snprintf(path, sizeof path, "%s/db", dir.path);
    if (destroys && i % 2 == 0) {
      GS_IGNORE(gs_destroy(NULL, path, NULL), "others may have it");
    }
  }
  return 0;
}

static void
test_processes_that_make_and_destroy_a_store_never_share_it(void **state)
{
  (void)state;
  pid_t pids[RIVALS];
  for (int i = 0; i < RIVALS; i++) {
    pids[i] = fork();
    if (pids[i] == 0) {
      _exit(rival(&i));
    }
  }
  for (int i = 0; i < RIVALS; i++) {
    int status = 0;
    assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
  }
  kit_close(open_here(posix_options()));
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
                    gs_verify(shared, &err) == GS_FORKED &&
                    gs_scan_first(walk, &err) == GS_FORKED &&
                    gs_scan_last(walk, &err) == GS_FORKED &&
                    gs_scan_next(walk, &err) == GS_FORKED &&
                    gs_scan_prev(walk, &err) == GS_FORKED &&
                    gs_scan_seek(walk, key, &err) == GS_FORKED &&
                    gs_scan_seek_before(walk, key, &err) == GS_FORKED;
  gs_get_stats(shared, &stats);
  gs_scan_free(walk);
  gs_snapshot_free(moment);
  bool is_closed = gs_close(shared, &err) == GS_OK;
  return is_refused && is_closed ? 0 : 1;
}

static int
fork_again(void *arg)
{
  return child_run(use_the_parents_store, arg).exit_status;
}

static void
check_forked_use(int (*use)(void *arg))
{
  gs_options options = posix_options();
  options.threads = 1;
  shared = open_here(options);
  kit_put(shared, "a", "1");
  KIT_OK(gs_snapshot_new(shared, &moment, &kit_err));
  KIT_OK(gs_scan_new(shared, NULL, NULL, &walk, &kit_err));
  KIT_OK(gs_scan_first(walk, &kit_err));
  gs_mutex *locks[3] = {shared->commit, shared->install, shared->state};
  for (size_t i = 0; i < 3; i++) {
    gs_mutex_lock(locks[i]);
  }
  int exit_status = child_run(use, NULL).exit_status;
  for (size_t i = 3; i > 0; i--) {
    gs_mutex_unlock(locks[i - 1]);
  }
  assert_int_equal(exit_status, 0);
  kit_put(shared, "b", "2");
  KIT_OK(gs_flush(shared, &kit_err));
  assert_string_equal(kit_get(shared, "b"), "2");
  assert_string_equal(kit_get_at(shared, moment, "a"), "1");
  assert_int_equal(gs_scan_next(walk, &kit_err), GS_ABSENT);
  gs_scan_free(walk);
  gs_snapshot_free(moment);
  pid_t self = getpid();
  assert_int_equal(child_run(open_as_second_writer, &self).exit_status, 0);
  kit_close(shared);
}

static void
test_a_forked_child_may_only_close_and_the_parent_goes_on(void **state)
{
  (void)state;
  check_forked_use(use_the_parents_store);
}

static void
test_so_may_a_child_of_the_child(void **state)
{
  (void)state;
  check_forked_use(fork_again);
}

/* ---- a fork amid openings ----------------------------------------------------- */

/* The allocator of a sanitizer may stay locked for ever in the child of a process
 * with threads: there nobody else opens anything. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { OPENERS = 0, FORKS = 24 };
#else
enum { OPENERS = 2, FORKS = 24 };
#endif

static atomic_bool is_over;

static void
open_and_close(void *context)
{
  char path[TEMP_DIR_BYTES + 16];
  gs_options options = posix_options();
  snprintf(path, sizeof path, "%s/%s", dir.path, (const char *)context);
  while (!atomic_load(&is_over)) {
    gs_store *store = NULL;
    GS_IGNORE(gs_open(path, &options, &store, NULL), "the children tell");
    GS_IGNORE(gs_close(store, NULL), "the children tell");
  }
}

/* The store of the number, and then the ones that others have open. */
static int
open_of_ones_own(void *arg)
{
  char path[TEMP_DIR_BYTES + 16];
  gs_options options = posix_options();
  gs_store *store = NULL;
  gs_slice key = gs_slice_str("a");
  alarm(60);
  snprintf(path, sizeof path, "%s/own%d", dir.path, *(int *)arg);
  if (gs_open(path, &options, &store, NULL) != GS_OK ||
      gs_put(store, key, key, NULL, NULL, NULL) != GS_OK ||
      gs_close(store, NULL) != GS_OK) {
    return 1;
  }
  snprintf(path, sizeof path, "%s/x", dir.path);
  gs_status status = gs_open(path, &options, &store, NULL);
  bool is_fine = status == GS_OK || status == GS_LOCKED;
  return is_fine && gs_close(store, NULL) == GS_OK ? 0 : 2;
}

static void
test_a_child_forked_amid_openings_can_open_stores(void **state)
{
  (void)state;
  static char names[2][2] = {"x", "y"};
  gs_thread *threads[2];
  atomic_store(&is_over, false);
  for (int i = 0; i < OPENERS; i++) {
    KIT_OK(gs_thread_start(gs_env_posix(), open_and_close, names[i],
                           &threads[i], &kit_err));
  }
  int failed = 0;
  for (int i = 0; i < FORKS; i++) {
    failed += child_run(open_of_ones_own, &i).exit_status != 0;
  }
  atomic_store(&is_over, true);
  for (int i = 0; i < OPENERS; i++) {
    gs_thread_join(threads[i]);
  }
  assert_int_equal(failed, 0);
}

/* ---- a reader beside the writer ----------------------------------------------- */

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
  KIT_OK(gs_wait_idle(store, &kit_err));
  atomic_store(&is_over, false);
  child reader = child_start(open_again_and_again, NULL);
  KIT_OK(gs_thread_start(gs_env_posix(), write_on, store, &thread, &kit_err));
  child_end end = child_finish(reader);
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
      T(test_a_removed_lock_file_lets_nobody_in),
      T(test_the_lock_file_of_a_dead_process_locks_nobody_out),
      T(test_a_child_that_outlives_its_killed_parent_does_not_keep_the_lock),
      T(test_processes_that_make_and_destroy_a_store_never_share_it),
      T(test_what_a_dead_process_was_acknowledged_is_there_for_the_next),
      T(test_a_forked_child_may_only_close_and_the_parent_goes_on),
      T(test_so_may_a_child_of_the_child),
      T(test_a_child_forked_amid_openings_can_open_stores),
      T(test_a_reader_keeps_its_moment_whatever_the_writer_does),
      T(test_a_reader_can_open_at_any_time_beside_a_busy_writer),
  };
  return family_report(28, "processes", sizeof tests / sizeof tests[0],
                       cmocka_run_group_tests(tests, NULL, NULL),
                       "situations of several processes");
}
