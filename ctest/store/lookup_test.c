/*
 * Keys on their way: whatever was asked for beforehand, the same is found, and
 * asking reads no file.
 */
#include "store_kit.h"

#include "store/lookup.h"

enum { RUNS = 40, KEYS = 150, PER_RUN = 12, ROUNDS = 20 };

typedef struct key_text {
  char text[16];
} key_text;

static key_text
key_of(size_t number)
{
  key_text key;
  snprintf(key.text, sizeof key.text, "key%04zu", number);
  return key;
}

/* What each key has: the number of the run that wrote it last, plus one. */
static size_t written[KEYS];

static bool
has_value(size_t number)
{
  return number < KEYS && number % 9 != 0 && written[number] != 0;
}

/* More runs than are looked at together, a sealed memtable and an active one;
 * every ninth key is deleted by the newest, and some are nowhere. */
static gs_store *
make_store(const gs_options *options)
{
  gs_store *store = kit_open(options);
  for (size_t run = 0; run < RUNS + 2; run++) {
    for (size_t i = 0; i < PER_RUN; i++) {
      key_text value;
      size_t number = (run * 7 + i * 11) % KEYS;
      snprintf(value.text, sizeof value.text, "run %zu", run);
      kit_put(store, key_of(number).text, value.text);
      written[number] = run + 1;
    }
    if (run < RUNS) {
      KIT_OK(gs_flush(store, &kit_err));
    } else if (run == RUNS) {
      KIT_OK(gs_seal(store, &kit_err));
    }
  }
  for (size_t i = 0; i < KEYS; i += 9) {
    kit_delete(store, key_of(i).text);
  }
  return store;
}

static gs_options
options_of_many_runs(void)
{
  gs_options options = kit_options();
  options.has_policy = true; /* that makes no plans */
  return options;
}

static void
expect_values(gs_store *store, const size_t *numbers, size_t count)
{
  key_text texts[2 * KEYS];
  gs_slice keys[2 * KEYS];
  gs_found found[2 * KEYS];
  gs_buffer bytes;
  gs_buffer_init(&bytes, gs_get_alloc(store));
  for (size_t i = 0; i < count; i++) {
    texts[i] = key_of(numbers[i]);
    keys[i] = gs_slice_str(texts[i].text);
  }
  KIT_OK(gs_get_many(store, NULL, keys, count, &bytes, found, &kit_err));
  for (size_t i = 0; i < count; i++) {
    char value[16] = "";
    assert_int_equal(found[i].is_present, has_value(numbers[i]));
    if (found[i].is_present) {
      memcpy(value, bytes.data + found[i].offset, found[i].size);
      snprintf(texts[i].text, sizeof texts[i].text, "run %zu",
               written[numbers[i]] - 1);
      assert_string_equal(value, texts[i].text);
    }
  }
  gs_buffer_deinit(&bytes);
}

static void
test_each_of_many_keys_has_its_newest_value(void **state)
{
  (void)state;
  gs_options options = options_of_many_runs();
  size_t numbers[2 * KEYS];
  for (size_t i = 0; i < 2 * KEYS; i++) {
    numbers[i] = i * 37 % (KEYS + 50);
  }
  gs_store *store = make_store(&options);
  for (size_t i = 0; i < ROUNDS;
       i++) { /* tables read their indexes meanwhile */
    expect_values(store, numbers, 2 * KEYS);
    expect_values(store, numbers + i, i);
    if (i == ROUNDS / 2) {
      kit_close(store);
      store = kit_open(&options);
    }
  }
  kit_close(store);
}

static void
look_up(gs_store *store, const gs_read_point *point, size_t number, bool asks)
{
  key_text text = key_of(number);
  gs_lookup lookup;
  gs_entry entry;
  gs_lookup_begin(&lookup, gs_slice_str(text.text));
  if (asks) {
    uint64_t ops = gs_sim_ops(sim_machine);
    gs_lookup_ask_memory(&lookup, point);
    gs_lookup_ask_nodes(&lookup, point);
    if (!gs_lookup_look_in_memory(&lookup, point)) {
      gs_lookup_ask_tables(&lookup, point);
      gs_lookup_ask_homes(&lookup);
      gs_lookup_ask_rows(&lookup);
    }
    assert_int_equal(gs_sim_ops(sim_machine), ops);
  }
  gs_status status = gs_lookup_find(&lookup, store, point, &entry, &kit_err);
  bool is_found = status == GS_OK && entry.kind == GS_KIND_PUT;
  assert_true(is_found || status == GS_OK || status == GS_ABSENT);
  assert_int_equal(is_found, has_value(number));
}

static void
test_asking_reads_nothing_and_changes_nothing(void **state)
{
  (void)state;
  gs_options options = options_of_many_runs();
  gs_store *store = make_store(&options);
  kit_close(store);
  store = kit_open(&options);
  for (size_t round = 0; round < ROUNDS; round++) {
    uint32_t slot = gs_epoch_enter(store->epoch);
    gs_read_point point = {.view = atomic_load(&store->view),
                           .seq = atomic_load(&store->visible_seq)};
    for (size_t i = 0; i < KEYS + 20; i++) {
      look_up(store, &point, i, round % 2 == 0);
    }
    gs_epoch_leave(store->epoch, slot);
  }
  kit_close(store);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          test_each_of_many_keys_has_its_newest_value, sim_machine_set_up,
          sim_machine_tear_down),
      cmocka_unit_test_setup_teardown(
          test_asking_reads_nothing_and_changes_nothing, sim_machine_set_up,
          sim_machine_tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
