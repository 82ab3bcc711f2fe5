/*
 * Lives of a store on a real directory, whose recorder says at every sync what
 * the device might hold were the power to go there. Each such directory is
 * opened by the real machine: what is found is a beginning of what was
 * committed (P1), holds all that had been promised to last (P2) or could be
 * seen by others (P3), passes verification, and is found again however often it
 * is opened, cut or not (P4).
 *
 * A check gives back what is wrong in words, so that a machine that lies about
 * syncs can be shown to be caught.
 */
#include "power_kit.h"

#include <stdatomic.h>
#include <sys/stat.h>

#include "support/family.h"
#include "support/power_dir.h"
#include "support/temp_dir.h"

enum {
  STEPS = 90,
  CUTS_PER_POINT = 3,
  NESTED_ONE_IN = 16, /* of the copies: opened by a recorder as well */
};

/* Threads: the life's own thread writes, threads of the store read what is
 * atomic, and the moments up to `issued`. */
typedef struct life {
  temp_dir dir;
  power_dir *disk;
  gs_options options;
  uint64_t seed;
  size_t stride; /* every so many points are tried */
  _Atomic(gs_store *) store;
  power_moment moments[POWER_MOMENTS];
  atomic_size_t acked;
  atomic_size_t issued;
  atomic_size_t promised; /* last of them that must survive */
  uint64_t points;
  char why[POWER_WHY_BYTES]; /* what was found wrong first; "" */
} life;

static uint64_t all_copies;
static uint64_t all_syncs;

/* ---- cuts within cuts ------------------------------------------------------- */

typedef struct nest {
  power_judgement judgement;
  power_dir *disk;
  char path[POWER_PATH_BYTES];
  uint64_t seed;
  uint64_t cuts;
} nest;

static void
remove_copy(const char *path)
{
  temp_dir gone;
  size_t size = strlen(path) + 1;
  assert_true(size <= sizeof gone.path);
  memcpy(gone.path, path, size);
  temp_dir_remove(&gone);
}

/* One copy of a copy. */
static bool
check_inner(nest *n, power_cut how)
{
  char inner[POWER_PATH_BYTES + 8];
  snprintf(inner, sizeof inner, "%s.in", n->path);
  power_dir_cut(n->disk, how, n->seed + n->cuts++, inner);
  bool is_right = power_check_twice(n->judgement, inner);
  remove_copy(inner);
  all_copies++;
  return is_right;
}

/* The power goes in the middle of an opening. */
static void
cut_opening(void *context)
{
  nest *n = context;
  if (n->judgement.why[0] == '\0' && power_mix(n->seed, n->cuts) % 3 == 0) {
    check_inner(n, (power_cut)(power_mix(n->seed, n->cuts) % POWER_CUTS));
  }
  n->cuts++;
}

/* What an open store showed is not taken back, and what is written then comes
 * after it. */
static bool
check_opened(nest *n, gs_store *store)
{
  size_t at = 0;
  char key[16];
  char value[POWER_VALUE_BYTES];
  gs_error err = {0};
  power_judgement *j = &n->judgement;
  if (!power_look(j, store, &at)) {
    return false;
  }
  j->low = j->high = at;
  if (!check_inner(n, POWER_CUT_ALL) || !check_inner(n, POWER_CUT_SECTORS)) {
    return false;
  }
  power_moment after = j->moments[at];
  after.content.values[0] = UINT32_MAX;
  bool has_log = j->options->durability != GS_DURABILITY_MEMORY;
  gs_write_options options = {.sync = has_log};
  if (gs_put(store, power_key_of(0, key), power_value_of(UINT32_MAX, value),
             &options, NULL, &err) != GS_OK) {
    return power_wrong(j, "it cannot be written to", err.message);
  }
  j->moments = &after;
  j->low = j->high = 0;
  return !has_log ||
         (check_inner(n, POWER_CUT_ALL) && check_inner(n, POWER_CUT_TORN));
}

static bool
check_nested(const power_judgement *j, const char *path, uint64_t seed)
{
  nest n = {.judgement = *j, .disk = power_dir_new(path), .seed = seed};
  snprintf(n.path, sizeof n.path, "%s", path);
  power_dir_watch(n.disk, cut_opening, &n);
  gs_store *store = power_open_copy(j, power_dir_env(n.disk), path);
  power_dir_watch(n.disk, NULL, NULL);
  bool is_right = store != NULL && check_opened(&n, store);
  if (store != NULL) {
    is_right = power_close_copy(j, store) && is_right;
  }
  power_dir_free(n.disk);
  return is_right && j->why[0] == '\0';
}

/* ---- points ----------------------------------------------------------------- */

/* The last moment that all the store's numbers say is on the device: what it
 * calls durable, and where every write waits for the device, what it shows. */
static size_t
shown_durable(const life *l, size_t acked, size_t issued)
{
  gs_store *store = atomic_load(&l->store);
  if (store == NULL) {
    return 0;
  }
  uint64_t durable = gs_durable_seq(store);
  uint64_t visible = gs_last_seq(store);
  bool waits = l->options.durability == GS_DURABILITY_SYNC;
  if (waits && issued > acked && visible > l->moments[acked].last_seq) {
    return issued;
  }
  uint64_t seq = waits && visible > durable ? visible : durable;
  size_t at = acked;
  while (at > 0 && l->moments[at].last_seq > seq) {
    at--;
  }
  return at;
}

static power_judgement
judge(life *l, power_cut how)
{
  size_t low = atomic_load(&l->promised);
  size_t acked = atomic_load(&l->acked);
  size_t issued = atomic_load(&l->issued);
  size_t shown = shown_durable(l, acked, issued);
  low = shown > low ? shown : low;
  bool has_log = l->options.durability != GS_DURABILITY_MEMORY;
  if (how == POWER_CUT_NOTHING && has_log) {
    low = acked;
  }
  return (power_judgement){l->moments, &l->options, low, issued, l->why};
}

static void
check_cut(life *l, power_cut how, uint64_t seed)
{
  char path[POWER_PATH_BYTES];
  snprintf(path, sizeof path, "%s/copy", l->dir.path);
  power_judgement j = judge(l, how);
  power_dir_cut(l->disk, how, seed, path);
  bool is_right = seed % NESTED_ONE_IN == 0 ? check_nested(&j, path, seed)
                                            : power_check_twice(j, path);
  remove_copy(path);
  all_copies++;
  if (!is_right) {
    size_t size = strlen(l->why);
    snprintf(l->why + size, POWER_WHY_BYTES - size,
             " (life %llu, durability %d, point %llu, cut %d)",
             (unsigned long long)l->seed, (int)l->options.durability,
             (unsigned long long)l->points, (int)how);
  }
}

static void
cut_here(void *context)
{
  life *l = context;
  uint64_t point = ++l->points;
  all_syncs++;
  if (power_mix(l->seed + 5, point) % l->stride != 0) {
    return;
  }
  for (uint64_t i = 0; l->why[0] == '\0' && i < CUTS_PER_POINT; i++) {
    uint64_t dice = power_mix(l->seed + 6, point * CUTS_PER_POINT + i);
    check_cut(l, (power_cut)(dice % POWER_CUTS), dice >> 8);
  }
}

/* ---- living ----------------------------------------------------------------- */

static gs_status
open_life(life *l)
{
  char path[POWER_PATH_BYTES];
  gs_store *store = NULL;
  snprintf(path, sizeof path, "%s/live/db", l->dir.path);
  gs_status status = gs_open(path, &l->options, &store, &kit_err);
  atomic_store(&l->store, store);
  return status;
}

static void
promise(life *l)
{
  atomic_store(&l->promised, atomic_load(&l->acked));
}

static gs_status
close_life(life *l)
{
  gs_store *store = atomic_exchange(&l->store, NULL);
  gs_status status = gs_close(store, &kit_err);
  if (status == GS_OK) {
    promise(l);
  }
  return status;
}

/* The batch of a step: one to six entries, now and then a note. */
static gs_status
fill_batch(const life *l, size_t step, gs_write_batch *batch,
           power_content *next)
{
  uint64_t dice = power_mix(l->seed + 1, step);
  size_t count = dice % 3 == 0 ? 1 + (dice >> 8) % 6 : 1;
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < count; i++) {
    char key[16];
    char value[POWER_VALUE_BYTES];
    uint64_t entry = power_mix(l->seed + 2 + i, step);
    size_t index = entry % POWER_KEYS;
    bool is_delete = (entry >> 8) % 4 == 0;
    uint32_t number = is_delete ? 0 : (uint32_t)(step * 8 + i + 1);
    next->values[index] = number;
    status =
        is_delete
            ? gs_write_batch_delete(batch, power_key_of(index, key), &kit_err)
            : gs_write_batch_put(batch, power_key_of(index, key),
                                 power_value_of(number, value), NULL, &kit_err);
  }
  return status;
}

static gs_status
commit(life *l, size_t step, gs_write_batch *batch, bool sync, uint64_t *last)
{
  char note[16];
  size_t at = atomic_load(&l->acked) + 1;
  power_moment *next = &l->moments[at];
  bool has_log = l->options.durability != GS_DURABILITY_MEMORY;
  gs_commit_options options = {.sync = sync && has_log,
                               .has_note = step % 5 == 0};
  next->content = l->moments[at - 1].content;
  if (options.has_note) {
    int size = snprintf(note, sizeof note, "%zu", step);
    options.note = gs_slice_of(note, (size_t)size);
    next->content.note = (uint32_t)step;
  }
  gs_status status = fill_batch(l, step, batch, &next->content);
  atomic_store(&l->issued, at);
  if (status == GS_OK) {
    status = gs_write_batch_commit(batch, &options, NULL, last, &kit_err);
  }
  return status;
}

static gs_status
write_batch(life *l, size_t step, bool sync)
{
  uint64_t last = 0;
  gs_write_batch *batch = NULL;
  gs_status status =
      gs_write_batch_new(atomic_load(&l->store), &batch, &kit_err);
  if (status == GS_OK) {
    status = commit(l, step, batch, sync, &last);
  }
  gs_write_batch_free(batch);
  if (status != GS_OK) {
    return status;
  }
  size_t at = atomic_load(&l->issued);
  l->moments[at].last_seq = last;
  atomic_store(&l->acked, at);
  if (l->options.durability == GS_DURABILITY_SYNC ||
      (sync && l->options.durability != GS_DURABILITY_MEMORY)) {
    promise(l);
  }
  return GS_OK;
}

static gs_status
promised(life *l, gs_status status)
{
  if (status == GS_OK) {
    promise(l);
  }
  return status;
}

static gs_status
reopen(life *l)
{
  gs_status status = close_life(l);
  return status == GS_OK ? open_life(l) : status;
}

static gs_status
live_step(life *l, size_t step)
{
  bool more;
  uint64_t dice = power_mix(l->seed, step) % 100;
  gs_store *store = atomic_load(&l->store);
  return dice < 72   ? write_batch(l, step, dice < 6)
         : dice < 77 ? promised(l, gs_sync(store, &kit_err))
         : dice < 81 ? promised(l, gs_flush(store, &kit_err))
         : dice < 84 ? gs_compact(store, NULL, &kit_err)
         : dice < 92
             ? gs_step(store, dice % 2 ? 0 : UINT64_MAX, &more, &kit_err)
         : dice < 96 ? gs_seal(store, &kit_err)
                     : reopen(l);
}

static gs_options
small_options(gs_durability durability, uint32_t threads)
{
  gs_options options = kit_options();
  options.durability = durability;
  options.threads = threads;
  options.memtable_bytes = 4096;
  options.max_wal_bytes = 65536;
  options.table_bytes = 4096;
  options.block_bytes = 256;
  options.wal_batch_ms = 2;
  return options;
}

/* A whole life. What it found wrong is in `why`. */
static void
live(life *l, uint64_t seed, const gs_options *options, size_t stride,
     const char *lie)
{
  char path[POWER_PATH_BYTES];
  *l = (life){.options = *options, .seed = seed, .stride = stride};
  temp_dir_make(&l->dir);
  snprintf(path, sizeof path, "%s/live", l->dir.path);
  assert_int_equal(mkdir(path, 0777), 0);
  l->disk = power_dir_new(path);
  l->options.env = power_dir_env(l->disk);
  power_dir_watch(l->disk, cut_here, l);
  if (lie != NULL) {
    power_dir_lie(l->disk, lie);
  }
  gs_status status = open_life(l);
  for (size_t step = 1; status == GS_OK && step <= STEPS; step++) {
    status = live_step(l, step);
  }
  KIT_OK(status);
  KIT_OK(close_life(l));
  cut_here(l);
  power_dir_check(l->disk);
  power_dir_free(l->disk);
  temp_dir_remove(&l->dir);
}

/* ---- the tests -------------------------------------------------------------- */

static void
live_honestly(gs_durability durability, uint32_t threads)
{
  static life l;
  family_size size = family_size_of(3);
  gs_options options = small_options(durability, threads);
  uint64_t copies = all_copies;
  for (uint64_t seed = 1; seed <= size.count; seed++) {
    live(&l, seed, &options, size.stride, NULL);
    if (l.why[0] != '\0') {
      fail_msg("%s", l.why);
    }
  }
  print_message("%llu copies\n", (unsigned long long)(all_copies - copies));
}

static void
test_no_power_cut_takes_what_each_write_waited_for(void **state)
{
  (void)state;
  live_honestly(GS_DURABILITY_SYNC, 0);
}

static void
test_no_power_cut_breaks_the_order_of_batches(void **state)
{
  (void)state;
  live_honestly(GS_DURABILITY_BATCH, 0);
}

static void
test_no_power_cut_breaks_the_order_of_writes_that_did_not_wait(void **state)
{
  (void)state;
  live_honestly(GS_DURABILITY_OS, 0);
}

static void
test_without_a_log_a_power_cut_leaves_what_was_flushed(void **state)
{
  (void)state;
  live_honestly(GS_DURABILITY_MEMORY, 0);
}

static void
test_no_power_cut_between_threads_breaks_the_order(void **state)
{
  (void)state;
  live_honestly(GS_DURABILITY_BATCH, 1);
}

/* A machine that does not sync what it says it did loses writes that were
 * promised, or the store; some life notices. */
static void
expect_caught(const char *lie, gs_durability durability)
{
  static life l;
  gs_options options = small_options(durability, 0);
  for (uint64_t seed = 1; seed <= 4; seed++) {
    live(&l, seed, &options, 3, lie);
    if (l.why[0] != '\0') {
      print_message("%s\n", l.why);
      return;
    }
  }
  fail_msg("nobody noticed that '%s' is not synced", lie);
}

static void
test_a_machine_that_does_not_sync_directories_is_caught(void **state)
{
  (void)state;
  expect_caught("/", GS_DURABILITY_SYNC);
}

static void
test_a_machine_that_does_not_sync_the_log_is_caught(void **state)
{
  (void)state;
  expect_caught(".wal", GS_DURABILITY_SYNC);
}

static void
test_a_machine_that_does_not_sync_tables_is_caught(void **state)
{
  (void)state;
  expect_caught(".sst", GS_DURABILITY_MEMORY);
}

static void
test_a_machine_that_does_not_sync_the_first_manifest_is_caught(void **state)
{
  (void)state;
  expect_caught("MANIFEST-000001", GS_DURABILITY_OS);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_power_cut_takes_what_each_write_waited_for),
      cmocka_unit_test(test_no_power_cut_breaks_the_order_of_batches),
      cmocka_unit_test(
          test_no_power_cut_breaks_the_order_of_writes_that_did_not_wait),
      cmocka_unit_test(test_without_a_log_a_power_cut_leaves_what_was_flushed),
      cmocka_unit_test(test_no_power_cut_between_threads_breaks_the_order),
      cmocka_unit_test(test_a_machine_that_does_not_sync_directories_is_caught),
      cmocka_unit_test(test_a_machine_that_does_not_sync_the_log_is_caught),
      cmocka_unit_test(test_a_machine_that_does_not_sync_tables_is_caught),
      cmocka_unit_test(
          test_a_machine_that_does_not_sync_the_first_manifest_is_caught),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return family_report(26, "power", all_copies, failures,
                       "directories opened after a power cut");
}
