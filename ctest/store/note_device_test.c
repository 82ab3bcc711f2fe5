/*
 * Notes and the device: from when on they are read, what their writers are told,
 * and what becomes of those that never arrive there. Writers are tasks; what is
 * found on the way is compared at the end, when no task is left.
 */
#include "store_kit.h"

#include <errno.h>

#include "store/store.h"

enum { TASKS_MAX = 32, STEPS = 200 };

/* ---- writers ---------------------------------------------------------------- */

typedef struct writer {
  gs_store *store;
  const char *text; /* of the note, and the key that comes with it */
  bool has_note, has_entry, is_sync;
  gs_status status;
} writer;

static void
write_batch(void *context)
{
  writer *w = context;
  gs_write_batch *batch;
  gs_commit_options options = {.note = gs_slice_str(w->text),
                               .has_note = w->has_note,
                               .sync = w->is_sync};
  KIT_OK(gs_write_batch_new(w->store, &batch, &kit_err));
  if (w->has_entry) {
    KIT_OK(gs_write_batch_put(batch, gs_slice_str(w->text), gs_slice_str("v"),
                              NULL, &kit_err));
  }
  w->status = gs_write_batch_commit(batch, &options, NULL, NULL, NULL);
  gs_write_batch_free(batch);
}

static writer
entry_of(gs_store *store, const char *key)
{
  return (writer){store, key, false, true, true, GS_BUSY};
}

static writer
note_alone(gs_store *store, const char *text)
{
  return (writer){store, text, true, false, true, GS_BUSY};
}

static writer
note_with_entry(gs_store *store, const char *text)
{
  return (writer){store, text, true, true, true, GS_BUSY};
}

static uint32_t
start(writer *w)
{
  uint32_t id = 0;
  KIT_OK(gs_sim_spawn(sim_machine, w->text, write_batch, w, &id, &kit_err));
  return id;
}

/* As far as it comes by itself. */
static void
run_on(uint32_t id)
{
  gs_sim_step(sim_machine, id, STEPS);
}

static void
run_to_sync(uint32_t id)
{
  gs_sim_task tasks[TASKS_MAX];
  do {
    assert_true(gs_sim_step(sim_machine, id, 1));
    assert_true(gs_sim_tasks(sim_machine, tasks, TASKS_MAX) > id);
  } while (strcmp(tasks[id].place, "wal.sync") != 0);
}

/* The writer has written its frame and is about to flush the device. */
static uint32_t
start_to_sync(writer *w)
{
  uint32_t id = start(w);
  run_to_sync(id);
  return id;
}

static uint32_t
start_and_wait(writer *w)
{
  uint32_t id = start(w);
  run_on(id);
  return id;
}

/* ---- stores ----------------------------------------------------------------- */

static gs_store *
open_store(gs_durability durability)
{
  gs_options options = kit_options();
  options.durability = durability;
  return kit_open(&options);
}

/* With one durable entry, so that the log is there. */
static gs_store *
open_first(gs_durability durability)
{
  gs_sim_allow_tasks(sim_machine);
  gs_store *store = open_store(durability);
  writer first = entry_of(store, "first");
  write_batch(&first);
  assert_int_equal(first.status, GS_OK);
  return store;
}

/* "-": there is none. */
static void
read_note(gs_store *store, char text[16])
{
  gs_value value;
  gs_value_init(&value, store);
  gs_status status = gs_get_note(store, &value, &kit_err);
  snprintf(text, 16, "%.*s", (int)value.bytes.size,
           status == GS_OK ? (const char *)value.bytes.data : "");
  gs_value_deinit(&value);
  if (status == GS_ABSENT) {
    strcpy(text, "-");
  } else if (status != GS_OK) {
    strcpy(text, "(failed)");
  }
}

/* The next such operation on the log fails. */
static void
fail_log(gs_sim_op op)
{
  gs_sim_fault fault = {.op = op, .path = "*.wal", .nth = 1, .os_errno = EIO};
  KIT_OK(gs_sim_fail(sim_machine, &fault, &kit_err));
}

static void
expect_reopened(gs_durability durability, const char *note)
{
  char text[16];
  gs_store *store = open_store(durability);
  read_note(store, text);
  kit_close(store);
  assert_string_equal(text, note);
}

/* ---- reading ---------------------------------------------------------------- */

/* The second note is written while the device takes the first. */
static void
read_on_the_way(writer (*make)(gs_store *store, const char *text))
{
  char seen[4][16];
  gs_store *store = open_first(GS_DURABILITY_SYNC);
  writer one = make(store, "one");
  writer two = make(store, "two");
  uint32_t id = start_to_sync(&one);
  read_note(store, seen[0]);
  start_and_wait(&two);
  read_note(store, seen[1]);
  run_on(id);
  gs_status status[2] = {one.status, two.status};
  read_note(store, seen[2]);
  gs_sim_drain(sim_machine);
  read_note(store, seen[3]);
  kit_close(store);
  assert_string_equal(seen[0], "-");
  assert_string_equal(seen[1], "-");
  assert_int_equal(status[0], GS_OK);
  assert_int_equal(status[1], GS_BUSY);
  assert_string_equal(seen[2], "one");
  assert_string_equal(seen[3], "two");
}

static void
test_no_note_is_read_before_the_device_has_it(void **state)
{
  (void)state;
  read_on_the_way(note_with_entry);
}

static void
test_no_note_alone_is_read_before_the_device_has_it(void **state)
{
  (void)state;
  read_on_the_way(note_alone);
}

/* A plain write behind one that waits for the device waits too. */
static void
test_a_note_is_read_when_its_entries_are(void **state)
{
  (void)state;
  char note[2][16];
  bool has_key[2];
  gs_store *store = open_first(GS_DURABILITY_OS);
  writer durable = entry_of(store, "durable");
  writer plain = note_with_entry(store, "plain");
  plain.is_sync = false;
  uint32_t id = start_to_sync(&durable);
  start_and_wait(&plain);
  run_on(id);
  read_note(store, note[0]);
  has_key[0] = strcmp(kit_get(store, "plain"), "v") == 0;
  gs_sim_drain(sim_machine);
  read_note(store, note[1]);
  has_key[1] = strcmp(kit_get(store, "plain"), "v") == 0;
  kit_close(store);
  assert_false(has_key[0]);
  assert_string_equal(note[0], "-");
  assert_true(has_key[1]);
  assert_string_equal(note[1], "plain");
}

static void
test_a_note_alone_is_read_once_its_writer_was_told(void **state)
{
  (void)state;
  char note[16];
  gs_store *store = open_first(GS_DURABILITY_OS);
  writer durable = entry_of(store, "durable");
  writer before = note_alone(store, "before");
  writer plain = note_alone(store, "plain");
  plain.is_sync = false;
  uint32_t ids[3] = {start_to_sync(&durable)};
  ids[1] = start_and_wait(&before);
  ids[2] = start_and_wait(&plain);
  for (size_t i = 0; plain.status == GS_BUSY && i < 9; i++) {
    run_on(ids[i % 3]);
  }
  read_note(store, note);
  gs_sim_drain(sim_machine);
  kit_close(store);
  assert_int_equal(plain.status, GS_OK);
  assert_string_equal(note, "plain");
}

/* ---- notes that never arrive -------------------------------------------------- */

/* Both are on their way when the device fails, and the resume comes before the
 * second writer goes on. */
static void
test_nobody_is_told_that_a_note_is_there_which_a_resume_undid(void **state)
{
  (void)state;
  char note[16];
  gs_store *store = open_first(GS_DURABILITY_SYNC);
  writer one = note_alone(store, "one");
  writer two = note_alone(store, "two");
  uint32_t id = start_to_sync(&one);
  start_and_wait(&two);
  fail_log(GS_SIM_SYNC);
  run_on(id);
  KIT_OK(gs_resume(store, &kit_err));
  gs_sim_drain(sim_machine);
  read_note(store, note);
  kit_close(store);
  assert_int_equal(one.status, GS_IO);
  assert_int_equal(two.status, GS_IO);
  assert_string_equal(note, "-");
  expect_reopened(GS_DURABILITY_SYNC, "-");
}

/* What else writes notes down waits for the device, or takes the one before. */
typedef gs_status note_keeper(gs_store *store);

static gs_status
flush(gs_store *store)
{
  return gs_flush(store, NULL);
}

static gs_status
attach(gs_store *store)
{
  return gs_attach(store, "/other/000001.sst", NULL, NULL);
}

static void
keep_none_that_fails(note_keeper *keep, bool has_memory)
{
  char note[2][16];
  gs_store *store = open_first(GS_DURABILITY_SYNC);
  writer sure = note_alone(store, "sure");
  write_batch(&sure);
  if (!has_memory) {
    KIT_OK(gs_flush(store, &kit_err));
  }
  writer doubtful = note_alone(store, "doubtful");
  start_to_sync(&doubtful);
  fail_log(GS_SIM_SYNC);
  gs_status kept = keep(store);
  gs_sim_drain(sim_machine);
  read_note(store, note[0]);
  KIT_OK(gs_resume(store, &kit_err));
  read_note(store, note[1]);
  kit_close(store);
  assert_int_equal(kept, GS_IO);
  assert_int_equal(doubtful.status, GS_IO);
  assert_string_equal(note[0], "sure");
  assert_string_equal(note[1], "sure");
  expect_reopened(GS_DURABILITY_SYNC, "sure");
}

static void
test_no_flush_keeps_a_note_that_fails(void **state)
{
  (void)state;
  keep_none_that_fails(flush, true);
}

/* A table that another store has left, under a name that is known. */
static void
make_other_table(void)
{
  gs_options options = kit_options();
  gs_store *other = NULL;
  gs_shape *shape = NULL;
  char path[64];
  KIT_OK(gs_open("/other", &options, &other, &kit_err));
  kit_put(other, "x", "1");
  KIT_OK(gs_flush(other, &kit_err));
  KIT_OK(gs_shape_new(other, &shape, &kit_err));
  snprintf(path, sizeof path, "/other/%06llu.sst",
           (unsigned long long)kit_table(shape, 0, 0).id);
  gs_shape_free(shape);
  kit_close(other);
  KIT_OK(gs_env_link(sim_machine_env, path, "/other/000001.sst", &kit_err));
}

static void
test_no_attaching_keeps_a_note_that_fails(void **state)
{
  (void)state;
  make_other_table();
  keep_none_that_fails(attach, false);
}

static void
test_a_checkpoint_takes_the_last_note_that_counts(void **state)
{
  (void)state;
  char note[16];
  gs_store *copy = NULL;
  gs_options options = kit_options();
  gs_store *store = open_first(GS_DURABILITY_SYNC);
  writer sure = note_alone(store, "sure");
  write_batch(&sure);
  KIT_OK(gs_flush(store, &kit_err));
  writer late = note_alone(store, "late");
  start_to_sync(&late);
  KIT_OK(gs_checkpoint(store, "/copy", NULL, &kit_err));
  gs_sim_drain(sim_machine);
  kit_close(store);
  KIT_OK(gs_open("/copy", &options, &copy, &kit_err));
  read_note(copy, note);
  kit_close(copy);
  assert_string_equal(note, "sure");
}

/* The third writer has begun a flush that covers the second when the write of
 * another fails, and the second looks before that flush has ended. */
static void
test_nobody_is_told_of_a_doubt_that_a_running_flush_settles(void **state)
{
  (void)state;
  char note[16];
  gs_store *store = open_first(GS_DURABILITY_SYNC);
  writer first = entry_of(store, "one");
  writer second = note_with_entry(store, "two");
  writer third = entry_of(store, "three");
  writer failing = entry_of(store, "four");
  uint32_t ids[3] = {start_to_sync(&first)};
  ids[1] = start_and_wait(&second);
  ids[2] = start_and_wait(&third);
  run_on(ids[0]);
  run_to_sync(ids[2]);
  gs_sim_step(sim_machine, ids[2], 1); /* the log looks for failures first */
  fail_log(GS_SIM_WRITE);
  start_and_wait(&failing);
  gs_sim_heal(sim_machine);
  run_on(ids[1]);
  gs_status early = second.status;
  gs_sim_drain(sim_machine);
  KIT_OK(gs_resume(store, &kit_err));
  read_note(store, note);
  kit_close(store);
  assert_int_equal(failing.status, GS_IO);
  assert_int_equal(early, GS_BUSY);
  assert_int_equal(second.status, GS_OK);
  assert_int_equal(third.status, GS_OK);
  assert_string_equal(note, "two");
  expect_reopened(GS_DURABILITY_SYNC, "two");
}

static void
copy_store(void *context)
{
  GS_IGNORE(gs_checkpoint(context, "/copy", NULL, NULL),
            "the copy says what came of it");
}

/* The first note is in no table's edit; behind it another comes with an entry
 * that the checkpoint does not take. */
static void
test_a_checkpoint_has_a_note_that_was_there_when_it_began(void **state)
{
  (void)state;
  char note[16];
  gs_file_info info;
  gs_store *copy = NULL;
  gs_options options = kit_options();
  gs_store *store = open_first(GS_DURABILITY_SYNC);
  KIT_OK(gs_flush(store, &kit_err));
  writer sure = note_alone(store, "sure");
  write_batch(&sure);
  writer late = note_with_entry(store, "late");
  uint32_t id = 0;
  KIT_OK(gs_sim_spawn(sim_machine, "copy", copy_store, store, &id, &kit_err));
  while (gs_env_stat(sim_machine_env, "/copy", &info, NULL) != GS_OK) {
    assert_true(gs_sim_step(sim_machine, id, 1));
  }
  start_and_wait(&late);
  gs_sim_drain(sim_machine);
  kit_close(store);
  KIT_OK(gs_open("/copy", &options, &copy, &kit_err));
  read_note(copy, note);
  bool has_late = strcmp(kit_get(copy, "late"), "v") == 0;
  kit_close(copy);
  assert_int_equal(sure.status, GS_OK);
  assert_int_equal(late.status, GS_OK);
  assert_false(has_late);
  assert_string_equal(note, "sure");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      KIT_TEST(test_no_note_is_read_before_the_device_has_it),
      KIT_TEST(test_no_note_alone_is_read_before_the_device_has_it),
      KIT_TEST(test_a_note_is_read_when_its_entries_are),
      KIT_TEST(test_a_note_alone_is_read_once_its_writer_was_told),
      KIT_TEST(test_nobody_is_told_that_a_note_is_there_which_a_resume_undid),
      KIT_TEST(test_nobody_is_told_of_a_doubt_that_a_running_flush_settles),
      KIT_TEST(test_no_flush_keeps_a_note_that_fails),
      KIT_TEST(test_no_attaching_keeps_a_note_that_fails),
      KIT_TEST(test_a_checkpoint_takes_the_last_note_that_counts),
      KIT_TEST(test_a_checkpoint_has_a_note_that_was_there_when_it_began),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
