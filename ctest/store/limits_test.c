/*
 * A store in a process that makes it hard: it changes its directory, closes its
 * standard streams, is interrupted all the time, may open few files or only
 * small ones, and starts other programs. Each runs in a child, whose troubles
 * are its own.
 */
#include "store_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/family.h"
#include "support/temp_test.h"

enum { PATH_ROOM = TEMP_DIR_BYTES + 32, WRITES = 600, STORM_WRITES = 150 };

static uint64_t states;

static gs_options
posix_options(gs_durability durability, uint32_t threads)
{
  gs_options options = kit_options();
  options.env = gs_env_posix();
  options.durability = durability;
  options.threads = threads;
  options.max_wal_bytes = 65536;
  return options;
}

static gs_status
open_at(const char *path, const gs_options *options, gs_store **out)
{
  return gs_open(path, options, out, &kit_err);
}

static gs_status
open_db(const gs_options *options, gs_store **out)
{
  char path[PATH_ROOM];
  snprintf(path, sizeof path, "%s/db", dir.path);
  return open_at(path, options, out);
}

/* Says what went wrong, for the parent to show. */
static int
complain(int line)
{
  fprintf(stderr, "line %d: %s: %s", line, gs_status_code(kit_err.status),
          kit_err.message);
  return 1;
}

static void
check_child(int (*run)(void *arg), void *arg)
{
  child_end end = child_run(run, arg);
  states++;
  if (end.exit_status != 0) {
    fail_msg("%d: %s", end.exit_status, end.said);
  }
}

static gs_status
put_number(gs_store *store, int number)
{
  char key[16];
  char value[200] = "";
  int size = snprintf(key, sizeof key, "k%05d", number);
  memcpy(value, key, (size_t)size);
  return gs_put(store, gs_slice_of(key, (size_t)size),
                gs_slice_of(value, sizeof value), NULL, NULL, &kit_err);
}

/* How many there are from the first on, without a hole; -1 for a hole. */
static int
count_numbers(gs_store *store)
{
  uint64_t count = 0;
  char key[16];
  if (gs_count(store, NULL, NULL, &count, &kit_err) != GS_OK) {
    return -1;
  }
  for (uint64_t i = 0; i < count; i++) {
    int size = snprintf(key, sizeof key, "k%05d", (int)i);
    if (gs_contains(store, NULL, gs_slice_of(key, (size_t)size), NULL,
                    &kit_err) != GS_OK) {
      return -1;
    }
  }
  return (int)count;
}

/* Opened again, in this process: at least so many are there. */
static void
check_numbers(int at_least)
{
  gs_options options = posix_options(GS_DURABILITY_OS, 0);
  gs_store *store = NULL;
  KIT_OK(open_db(&options, &store));
  assert_true(count_numbers(store) >= at_least);
  KIT_OK(gs_verify(store, &kit_err));
  kit_close(store);
}

/* ---- where the process is ---------------------------------------------------- */

static int
go_elsewhere(void *arg)
{
  gs_options options = posix_options(GS_DURABILITY_OS, *(uint32_t *)arg);
  gs_store *store = NULL;
  if (chdir(dir.path) != 0 || open_at("db", &options, &store) != GS_OK ||
      chdir("/") != 0) {
    return complain(__LINE__);
  }
  for (int i = 0; i < WRITES; i++) {
    if (put_number(store, i) != GS_OK) {
      return complain(__LINE__);
    }
  }
  return gs_compact(store, NULL, &kit_err) == GS_OK &&
                 gs_close(store, &kit_err) == GS_OK
             ? 0
             : complain(__LINE__);
}

static void
test_a_store_stays_where_it_is_when_the_process_goes_elsewhere(void **state)
{
  (void)state;
  for (uint32_t threads = 0; threads <= 1; threads++) {
    check_child(go_elsewhere, &threads);
    check_numbers(WRITES);
  }
}

static int
open_by_three_names(void *arg)
{
  (void)arg;
  char link_path[PATH_ROOM];
  gs_options options = posix_options(GS_DURABILITY_OS, 0);
  gs_store *stores[3];
  snprintf(link_path, sizeof link_path, "%s/link", dir.path);
  if (open_db(&options, &stores[0]) != GS_OK || symlink("db", link_path) != 0 ||
      chdir(dir.path) != 0 ||
      open_at("./link/", &options, &stores[1]) != GS_OK ||
      open_at("db//", &options, &stores[2]) != GS_OK) {
    return complain(__LINE__);
  }
  bool is_one = stores[0] == stores[1] && stores[0] == stores[2] &&
                gs_get_opens(stores[0]) == 3;
  for (size_t i = 0; i < 3; i++) {
    if (put_number(stores[0], (int)i) != GS_OK ||
        gs_close(stores[0], &kit_err) != GS_OK) {
      return complain(__LINE__);
    }
  }
  return is_one ? 0 : 2;
}

static void
test_all_names_of_a_directory_are_one_store(void **state)
{
  (void)state;
  check_child(open_by_three_names, NULL);
  check_numbers(3);
}

/* ---- standard streams ---------------------------------------------------------- */

/* Which standard streams are closed, as bits. */
static int
write_without_streams(void *arg)
{
  int closed = *(int *)arg;
  gs_options options = posix_options(GS_DURABILITY_OS, 1);
  gs_store *store = NULL;
  for (int fd = 0; fd < 3; fd++) {
    if ((closed >> fd & 1) != 0) {
      close(fd);
    }
  }
  if (open_db(&options, &store) != GS_OK) {
    return 1;
  }
  for (int i = 0; i < WRITES / 4; i++) {
    for (int fd = 0; fd < 3; fd++) {
      bool is_taken =
          (closed >> fd & 1) != 0 && write(fd, "stray text", 10) >= 0;
      if (is_taken) {
        return 2;
      }
    }
    if (put_number(store, i) != GS_OK ||
        (i % 50 == 0 && gs_flush(store, &kit_err) != GS_OK)) {
      return 3;
    }
  }
  return gs_close(store, &kit_err) == GS_OK ? 0 : 4;
}

static void
test_no_file_of_a_store_takes_the_place_of_a_standard_stream(void **state)
{
  (void)state;
  for (int closed = 1; closed < 8; closed++) {
    check_child(write_without_streams, &closed);
  }
  check_numbers(WRITES / 4);
}

/* ---- interruptions --------------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void
count_alarm(int number)
{
  (void)number;
  alarms = alarms + 1;
}

static int
storm(int interval_us)
{
  struct sigaction action = {.sa_handler = count_alarm}; /* no SA_RESTART */
  struct itimerval timer = {{0, interval_us}, {0, interval_us}};
  return sigaction(SIGALRM, &action, NULL) != 0 ||
         setitimer(ITIMER_REAL, &timer, NULL) != 0;
}

typedef struct interruption {
  gs_durability durability;
  uint32_t threads;
} interruption;

static int
write_in_a_storm(void *arg)
{
  const interruption *how = arg;
  gs_options options = posix_options(how->durability, how->threads);
  gs_store *store = NULL;
  if (storm(120) != 0) {
    return complain(__LINE__);
  }
  for (int round = 0; round < 3; round++) {
    if (open_db(&options, &store) != GS_OK) {
      return complain(__LINE__);
    }
    for (int i = 0; i < STORM_WRITES; i++) {
      if (put_number(store, i) != GS_OK ||
          (i % 100 == 7 && gs_sync(store, &kit_err) != GS_OK)) {
        return complain(__LINE__);
      }
    }
    if (gs_compact(store, NULL, &kit_err) != GS_OK ||
        gs_verify(store, &kit_err) != GS_OK ||
        count_numbers(store) != STORM_WRITES ||
        gs_close(store, &kit_err) != GS_OK) {
      return complain(__LINE__);
    }
  }
  return alarms > 20 ? 0 : complain(__LINE__);
}

static void
test_interruptions_go_unnoticed(void **state)
{
  (void)state;
  static const interruption hows[] = {
      {GS_DURABILITY_SYNC, 0},
      {GS_DURABILITY_SYNC, 1},
      {GS_DURABILITY_OS, 0},
      {GS_DURABILITY_BATCH, 1},
  };
  for (size_t i = 0; i < sizeof hows / sizeof hows[0]; i++) {
    interruption how = hows[i];
    check_child(write_in_a_storm, &how);
    check_numbers(STORM_WRITES);
  }
}

/* ---- few files --------------------------------------------------------------------- */

static bool
limit_to(int what, rlim_t most)
{
  struct rlimit limit;
  if (getrlimit(what, &limit) != 0) {
    return false;
  }
  limit.rlim_cur = most;
  return setrlimit(what, &limit) == 0;
}

/* Puts numbers until the store takes no more; how many it acknowledged. */
static int
put_until_refused(gs_store *store, int first, int last, gs_status *refusal)
{
  *refusal = GS_OK;
  for (int i = first; i < last; i++) {
    *refusal = put_number(store, i);
    if (*refusal != GS_OK) {
      return i;
    }
  }
  return last;
}

/* With descriptors for standard streams and so many more. */
static int
write_with_few_files(void *arg)
{
  int most = *(int *)arg;
  gs_options options = posix_options(GS_DURABILITY_OS, 0);
  gs_store *store = NULL;
  gs_status refusal = GS_OK;
  if (!limit_to(RLIMIT_NOFILE, (rlim_t)most)) {
    return complain(__LINE__);
  }
  gs_status status = open_db(&options, &store);
  if (status != GS_OK && status != GS_LIMIT) {
    return complain(__LINE__);
  }
  int acked = 0;
  if (status == GS_OK) {
    acked = put_until_refused(store, 0, WRITES, &refusal);
    if (refusal != GS_OK && refusal != GS_LIMIT) {
      return complain(__LINE__);
    }
    status = gs_close(store, &kit_err);
    if (status != GS_OK && status != GS_LIMIT) {
      return complain(__LINE__);
    }
  }
  if (!limit_to(RLIMIT_NOFILE, 256) || open_db(&options, &store) != GS_OK ||
      count_numbers(store) < acked || gs_verify(store, &kit_err) != GS_OK) {
    return complain(__LINE__);
  }
  return gs_close(store, &kit_err) == GS_OK ? 0 : complain(__LINE__);
}

static void
test_a_process_with_few_descriptors_is_told_and_loses_nothing(void **state)
{
  (void)state;
  for (int most = 3; most <= 16; most++) {
    check_child(write_with_few_files, &most);
    temp_dir_remove(&dir);
    temp_dir_make(&dir);
  }
}

/* ---- small files ------------------------------------------------------------------- */

static int
write_small_files(void *arg)
{
  rlim_t most = *(rlim_t *)arg;
  gs_options options = posix_options(GS_DURABILITY_OS, 0);
  gs_store *store = NULL;
  gs_status refusal = GS_OK;
  signal(SIGXFSZ, SIG_IGN);
  if (!limit_to(RLIMIT_FSIZE, most)) {
    return complain(__LINE__);
  }
  int acked = 0;
  gs_status status = open_db(&options, &store);
  if (status == GS_OK) {
    acked = put_until_refused(store, 0, WRITES, &refusal);
    bool is_honest = refusal == GS_OK || refusal == GS_IO;
    if (!is_honest || count_numbers(store) < acked) {
      return complain(__LINE__);
    }
    status = gs_close(store, &kit_err);
  }
  if (status != GS_OK && status != GS_IO) {
    return complain(__LINE__);
  }
  if (!limit_to(RLIMIT_FSIZE, RLIM_INFINITY) ||
      open_db(&options, &store) != GS_OK || count_numbers(store) < acked ||
      gs_verify(store, &kit_err) != GS_OK) {
    return complain(__LINE__);
  }
  return gs_close(store, &kit_err) == GS_OK ? 0 : complain(__LINE__);
}

static void
test_a_limit_on_the_size_of_files_is_an_error_of_the_disk(void **state)
{
  (void)state;
  for (rlim_t most = 1024; most <= 65536; most *= 2) {
    check_child(write_small_files, &most);
    temp_dir_remove(&dir);
    temp_dir_make(&dir);
  }
}

/* ---- other programs ------------------------------------------------------------------ */

/* Runs a shell with the store open and hears what it says. */
static int
list_descriptors(gs_store *store)
{
  char text[2048] = "";
  FILE *said = popen("ls -l /proc/self/fd", "r");
  if (said == NULL) {
    return complain(__LINE__);
  }
  size_t size = fread(text, 1, sizeof text - 1, said);
  pclose(said);
  if (size == 0 || strstr(text, dir.path) != NULL) {
    fprintf(stderr, "%s", text);
    return 2;
  }
  return gs_close(store, &kit_err) == GS_OK ? 0 : complain(__LINE__);
}

static int
start_a_program(void *arg)
{
  (void)arg;
  gs_options options = posix_options(GS_DURABILITY_OS, 1);
  gs_store *store = NULL;
  gs_scan *scan = NULL;
  if (open_db(&options, &store) != GS_OK) {
    return complain(__LINE__);
  }
  for (int i = 0; i < WRITES; i++) {
    if (put_number(store, i) != GS_OK) {
      return complain(__LINE__);
    }
  }
  if (gs_flush(store, &kit_err) != GS_OK ||
      put_number(store, WRITES) != GS_OK ||
      gs_scan_new(store, NULL, NULL, &scan, &kit_err) != GS_OK ||
      gs_scan_first(scan, &kit_err) != GS_OK) {
    return complain(__LINE__);
  }
  gs_scan_free(scan);
  return list_descriptors(store);
}

static void
test_a_program_that_is_started_gets_no_file_of_the_store(void **state)
{
  (void)state;
  check_child(start_a_program, NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      T(test_a_store_stays_where_it_is_when_the_process_goes_elsewhere),
      T(test_all_names_of_a_directory_are_one_store),
      T(test_no_file_of_a_store_takes_the_place_of_a_standard_stream),
      T(test_interruptions_go_unnoticed),
      T(test_a_process_with_few_descriptors_is_told_and_loses_nothing),
      T(test_a_limit_on_the_size_of_files_is_an_error_of_the_disk),
      T(test_a_program_that_is_started_gets_no_file_of_the_store),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return family_report(28, "limits", states, failures,
                       "processes that make it hard");
}
