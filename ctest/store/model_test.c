/*
 * Random operations on a store of small tables, beside a model that keeps every
 * version of every key: puts, deletes, expiries, batches, conditional writes,
 * snapshots, scans both ways, flushes, compactions, plans, reopening, and
 * killed processes.
 */
#include "store_kit.h"

#include <stdlib.h>

enum { KEYS = 60, VERSIONS = 4000, SNAPSHOTS = 4, STEPS = 6000 };

typedef struct version {
  uint64_t at;         /* order of commits, from 1 */
  uint64_t expires_at; /* 0: never */
  uint32_t value;
  bool is_put;
} version;

typedef struct model_key {
  version versions[VERSIONS];
  size_t count;
} model_key;

typedef struct model {
  gs_store *store;
  gs_options options;
  model_key *keys;
  uint64_t commits;
  gs_snapshot *snapshots[SNAPSHOTS];
  uint64_t snapshot_at[SNAPSHOTS];
  uint64_t random;
} model;

static uint64_t
draw(model *m, uint64_t below)
{
  m->random ^= m->random << 13;
  m->random ^= m->random >> 7;
  m->random ^= m->random << 17;
  return (m->random >> 11) % below;
}

/* Keys of uneven length, some a prefix of others. */
static gs_slice
key_of(size_t index, char text[32])
{
  int size =
      snprintf(text, 32, "%.*s%02zu", (int)(index % 7), "aaaaaaa", index);
  return gs_slice_of(text, (size_t)size);
}

static gs_slice
value_of(uint32_t number, char text[600])
{
  int size = snprintf(text, 600, "v%u", number);
  size_t whole = (size_t)size + (number % 5 == 0 ? number % 500 : 0);
  memset(text + size, 'x', whole - (size_t)size);
  return gs_slice_of(text, whole);
}

static const version *
model_find(const model *m, size_t key, uint64_t at, uint64_t now)
{
  const model_key *k = &m->keys[key];
  for (size_t i = k->count; i > 0; i--) {
    const version *v = &k->versions[i - 1];
    if (v->at <= at) {
      bool is_live = v->is_put && (v->expires_at == 0 || v->expires_at > now);
      return is_live ? v : NULL;
    }
  }
  return NULL;
}

static void
model_add(model *m, size_t key, bool is_put, uint32_t value, uint64_t expiry)
{
  model_key *k = &m->keys[key];
  if (k->count == VERSIONS) {
    memmove(k->versions, k->versions + 1, (VERSIONS - 1) * sizeof(version));
    k->count--;
  }
  k->versions[k->count++] = (version){m->commits, expiry, value, is_put};
}

/* ---- checks -------------------------------------------------------------------- */

static void
check_key(model *m, const gs_snapshot *snapshot, size_t key, uint64_t at)
{
  char text[32];
  char expected[600];
  gs_value value;
  gs_value_init(&value, m->store);
  uint64_t now =
      snapshot != NULL ? gs_snapshot_clock_ms(snapshot) : gs_now_ms(m->store);
  const version *v = model_find(m, key, at, now);
  gs_status status =
      gs_get(m->store, snapshot, key_of(key, text), &value, &kit_err);
  if (v == NULL) {
    assert_int_equal(status, GS_ABSENT);
  } else {
    KIT_OK(status);
    gs_slice want = value_of(v->value, expected);
    assert_true(gs_slice_equal(want, gs_buffer_slice(&value.bytes)));
    assert_int_equal(value.expires_at_ms, v->expires_at);
  }
  gs_value_deinit(&value);
}

static int
compare_texts(const void *a, const void *b)
{
  char ta[32];
  char tb[32];
  return gs_slice_compare(key_of(*(const size_t *)a, ta),
                          key_of(*(const size_t *)b, tb));
}

static size_t
live_keys(const model *m, uint64_t at, uint64_t now, size_t out[KEYS])
{
  size_t count = 0;
  for (size_t i = 0; i < KEYS; i++) {
    if (model_find(m, i, at, now) != NULL) {
      out[count++] = i;
    }
  }
  qsort(out, count, sizeof out[0], compare_texts);
  return count;
}

static void
check_scan(model *m, const gs_snapshot *snapshot, uint64_t at, bool backward)
{
  size_t keys[KEYS];
  gs_scan *scan = NULL;
  KIT_OK(gs_scan_new(m->store, snapshot, NULL, &scan, &kit_err));
  uint64_t now =
      snapshot != NULL ? gs_snapshot_clock_ms(snapshot) : gs_now_ms(m->store);
  size_t count = live_keys(m, at, now, keys);
  gs_status status =
      backward ? gs_scan_last(scan, &kit_err) : gs_scan_first(scan, &kit_err);
  for (size_t i = 0; i < count; i++) {
    char text[32];
    char value[600];
    size_t key = keys[backward ? count - 1 - i : i];
    KIT_OK(status);
    assert_true(gs_slice_equal(gs_scan_key(scan), key_of(key, text)));
    const version *v = model_find(m, key, at, now);
    assert_true(gs_slice_equal(gs_scan_value(scan), value_of(v->value, value)));
    status =
        backward ? gs_scan_prev(scan, &kit_err) : gs_scan_next(scan, &kit_err);
  }
  assert_int_equal(status, GS_ABSENT);
  gs_scan_free(scan);
}

static void
check_all(model *m)
{
  for (size_t i = 0; i < KEYS; i++) {
    check_key(m, NULL, i, m->commits);
  }
  check_scan(m, NULL, m->commits, false);
  check_scan(m, NULL, m->commits, true);
  for (size_t s = 0; s < SNAPSHOTS; s++) {
    if (m->snapshots[s] != NULL) {
      check_scan(m, m->snapshots[s], m->snapshot_at[s], s % 2 == 1);
      check_key(m, m->snapshots[s], draw(m, KEYS), m->snapshot_at[s]);
    }
  }
  KIT_OK(gs_verify(m->store, &kit_err));
}

/* ---- operations ---------------------------------------------------------------- */

static void
do_put(model *m)
{
  char text[32];
  char value[600];
  size_t key = draw(m, KEYS);
  uint32_t number = (uint32_t)draw(m, 1000000);
  gs_write_options options = {0};
  uint64_t expiry = 0;
  if (draw(m, 4) == 0) {
    expiry = gs_now_ms(m->store) + draw(m, 500);
    expiry += expiry == 0;
    options.expires_at_ms = expiry;
  }
  KIT_OK(gs_put(m->store, key_of(key, text), value_of(number, value), &options,
                NULL, &kit_err));
  m->commits++;
  model_add(m, key, true, number, expiry);
}

static void
do_delete(model *m)
{
  char text[32];
  size_t key = draw(m, KEYS);
  KIT_OK(gs_delete(m->store, key_of(key, text), NULL, NULL, &kit_err));
  m->commits++;
  model_add(m, key, false, 0, 0);
}

static void
do_batch(model *m)
{
  gs_write_batch *batch = NULL;
  KIT_OK(gs_write_batch_new(m->store, &batch, &kit_err));
  m->commits++;
  size_t count = 1 + draw(m, 12);
  for (size_t i = 0; i < count; i++) {
    char text[32];
    char value[600];
    size_t key = draw(m, KEYS);
    if (draw(m, 3) == 0) {
      KIT_OK(gs_write_batch_delete(batch, key_of(key, text), &kit_err));
      model_add(m, key, false, 0, 0);
    } else {
      uint32_t number = (uint32_t)draw(m, 1000000);
      KIT_OK(gs_write_batch_put(batch, key_of(key, text),
                                value_of(number, value), NULL, &kit_err));
      model_add(m, key, true, number, 0);
    }
  }
  KIT_OK(gs_write_batch_commit(batch, NULL, NULL, NULL, &kit_err));
  gs_write_batch_free(batch);
}

static void
do_take(model *m)
{
  char text[32];
  size_t key = draw(m, KEYS);
  gs_value value;
  gs_value_init(&value, m->store);
  bool is_there = model_find(m, key, m->commits, gs_now_ms(m->store)) != NULL;
  gs_status status =
      gs_take(m->store, key_of(key, text), NULL, &value, &kit_err);
  assert_int_equal(status, is_there ? GS_OK : GS_ABSENT);
  if (is_there) {
    m->commits++;
    model_add(m, key, false, 0, 0);
  }
  gs_value_deinit(&value);
}

static void
do_snapshot(model *m)
{
  size_t s = draw(m, SNAPSHOTS);
  if (m->snapshots[s] != NULL) {
    gs_snapshot_free(m->snapshots[s]);
    m->snapshots[s] = NULL;
    return;
  }
  KIT_OK(gs_snapshot_new(m->store, &m->snapshots[s], &kit_err));
  m->snapshot_at[s] = m->commits;
}

static void
drop_snapshots(model *m)
{
  for (size_t s = 0; s < SNAPSHOTS; s++) {
    gs_snapshot_free(m->snapshots[s]);
    m->snapshots[s] = NULL;
  }
}

static void
do_reopen(model *m)
{
  drop_snapshots(m);
  kit_close(m->store);
  m->store = kit_open(&m->options);
}

static void
do_kill(model *m)
{
  drop_snapshots(m);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, draw(m, 1000));
  assert_non_null(copy);
  kit_close(m->store);
  sim_machine_become(copy);
  m->options.env = sim_machine_env;
  m->store = kit_open(&m->options);
}

/* A plan made of chance; most are refused, and those accepted change nothing
 * that can be read. */
static void
do_plan(model *m)
{
  gs_shape *shape = NULL;
  KIT_OK(gs_shape_new(m->store, &shape, &kit_err));
  uint64_t inputs[64];
  size_t count = 0;
  size_t first = shape->run_count == 0 ? 0 : draw(m, shape->run_count);
  size_t runs = 1 + draw(m, 3);
  for (size_t r = first; r < shape->run_count && r < first + runs; r++) {
    for (size_t t = 0; t < shape->runs[r].table_count && count < 64; t++) {
      if (draw(m, 5) != 0) {
        inputs[count++] = kit_table(shape, r, t).id;
      }
    }
  }
  gs_plan plan = {
      .op = draw(m, 4) == 0 ? GS_PLAN_MOVE : GS_PLAN_MERGE,
      .target = (gs_plan_target)(1 + draw(m, 3)),
      .run_id =
          shape->run_count == 0 ? 0 : shape->runs[draw(m, shape->run_count)].id,
      .level = (int)draw(m, 4) - 1,
      .inputs = inputs,
      .input_count = count,
  };
  gs_refusal refusal;
  gs_status status =
      gs_submit(m->store, &plan, draw(m, 8) == 0, NULL, &refusal, &kit_err);
  if (status == GS_REFUSED) {
    assert_int_not_equal(refusal.code, GS_REFUSAL_NONE);
  } else {
    KIT_OK(status);
  }
  gs_shape_free(shape);
}

/* Tables of some level are packed by another codec from now on. */
static void
do_layout(model *m)
{
  gs_layout layout = {.compression = (gs_compression)draw(m, 4)};
  KIT_OK(gs_set_layout(m->store, (uint32_t)draw(m, 4) % 4, &layout, &kit_err));
}

static void
do_step(model *m)
{
  bool more = false;
  KIT_OK(gs_step(m->store, draw(m, 2) == 0 ? 0 : UINT64_MAX, &more, &kit_err));
}

static void
do_one(model *m)
{
  uint64_t dice = draw(m, 1000);
  if (dice < 420) {
    do_put(m);
  } else if (dice < 560) {
    do_delete(m);
  } else if (dice < 640) {
    do_batch(m);
  } else if (dice < 680) {
    do_take(m);
  } else if (dice < 780) {
    check_key(m, NULL, draw(m, KEYS), m->commits);
  } else if (dice < 850) {
    gs_sim_advance_ms(sim_machine, draw(m, 60));
  } else if (dice < 900) {
    do_snapshot(m);
  } else if (dice < 930) {
    do_layout(m);
    do_plan(m);
  } else if (dice < 960) {
    do_step(m);
  } else if (dice < 980) {
    KIT_OK(gs_flush(m->store, &kit_err));
  } else if (dice < 985) {
    KIT_OK(gs_compact(m->store, NULL, &kit_err));
  } else if (dice < 990) {
    do_reopen(m);
  } else if (dice < 993) {
    do_kill(m);
  } else {
    check_all(m);
  }
}

static void
run_model(uint64_t seed)
{
  model m = {.options = kit_options(), .random = seed * 2654435761u + 1};
  m.keys = calloc(KEYS, sizeof *m.keys);
  assert_non_null(m.keys);
  m.options.has_policy = seed % 2 == 0;
  m.options.compression = (gs_compression)(1 + seed % 3);
  m.store = kit_open(&m.options);
  for (int i = 0; i < STEPS; i++) {
    do_one(&m);
  }
  check_all(&m);
  drop_snapshots(&m);
  kit_close(m.store);
  free(m.keys);
}

static void
test_a_store_equals_its_model_whatever_is_done_to_it(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    print_message("seed %llu\n", (unsigned long long)seed);
    run_model(seed);
    sim_machine_tear_down(NULL);
    sim_machine_set_up(NULL);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(
          test_a_store_equals_its_model_whatever_is_done_to_it,
          sim_machine_set_up, sim_machine_tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
