/*
 * sweep_kit: a scripted life of a store that can be cut or disturbed anywhere,
 * and a model that knows every state the store may be found in afterwards.
 *
 * Model: a script is a number of steps; what a step does follows from the seed
 * and the step's number alone, so the same script can be run again and again
 * with another fault. Every write that commits makes the model's next state;
 * state 0 is the empty store.
 *   acked             the last state whose write was acknowledged
 *   acked+1 .. issued states of writes that failed since: one of them may still
 *                     turn up
 *
 * Threads: one.
 */
#ifndef GS_CTEST_STORE_SWEEP_KIT_H
#define GS_CTEST_STORE_SWEEP_KIT_H

#include "store_kit.h"
#include "support/family.h"

#include <stdlib.h>

enum { SWEEP_KEYS = 24, SWEEP_STATES = 400, SWEEP_SNAPSHOTS = 2 };

/* The store cannot say which note is the last. */
#define SWEEP_NOTE_UNKNOWN UINT32_MAX

/* What the store holds after so many commits: a number for each key, 0 where
 * there is none. */
typedef struct sweep_state {
  uint32_t values[SWEEP_KEYS];
  uint32_t note;
  uint64_t last_seq;
} sweep_state;

typedef struct sweep {
  gs_options options;
  gs_store *store; /* NULL while closed */
  uint64_t seed;
  size_t step_count;
  sweep_state states[SWEEP_STATES];
  size_t acked;
  size_t issued;
  uint64_t durable_seq; /* what the store last said of itself */
  uint64_t kept_seq;    /* the same, before the last opening */
  uint64_t opened;      /* how often the store was opened */
  gs_snapshot *snapshots[SWEEP_SNAPSHOTS];
} sweep;

static inline uint64_t
sweep_mix(uint64_t a, uint64_t b)
{
  uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) + b;
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

/* ---- keys and values ------------------------------------------------------- */

static inline gs_slice
sweep_key(size_t index, char text[16])
{
  int size = snprintf(text, 16, "%.*sk%02zu", (int)(index % 4), "aaa", index);
  return gs_slice_of(text, (size_t)size);
}

/* Number, and filling that makes values of uneven size. */
static inline gs_slice
sweep_value(uint32_t number, char text[512])
{
  int size = snprintf(text, 512, "%u ", number);
  size_t whole = (size_t)size + sweep_mix(number, 7) % 300;
  memset(text + size, 'x', whole - (size_t)size);
  return gs_slice_of(text, whole);
}

static inline gs_slice
sweep_note(uint32_t number, char text[16])
{
  int size = snprintf(text, 16, "n%u", number);
  return gs_slice_of(text, (size_t)size);
}

/* ---- reading back ---------------------------------------------------------- */

static inline uint32_t
sweep_number_of(gs_slice value)
{
  char text[512];
  uint32_t number = (uint32_t)strtoul((const char *)value.data, NULL, 10);
  assert_true(gs_slice_equal(value, sweep_value(number, text)));
  return number;
}

static inline void
sweep_read_note(gs_store *store, gs_value *value, sweep_state *out)
{
  gs_status status = gs_get_note(store, value, &kit_err);
  if (status == GS_ABSENT) {
    return;
  }
  if (status == GS_IO || status == GS_FULL || status == GS_LIMIT) {
    /* Of a write that may or may not have happened. */
    out->note = SWEEP_NOTE_UNKNOWN;
    return;
  }
  KIT_OK(status);
  gs_buffer_append_zeros(&value->bytes, 1);
  out->note = (uint32_t)strtoul((const char *)value->bytes.data + 1, NULL, 10);
}

static inline void
sweep_read(gs_store *store, sweep_state *out)
{
  gs_value value;
  gs_value_init(&value, store);
  *out = (sweep_state){0};
  for (size_t i = 0; i < SWEEP_KEYS; i++) {
    char text[16];
    gs_status status =
        gs_get(store, NULL, sweep_key(i, text), &value, &kit_err);
    if (status != GS_ABSENT) {
      KIT_OK(status);
      out->values[i] = sweep_number_of(gs_buffer_slice(&value.bytes));
    }
  }
  sweep_read_note(store, &value, out);
  gs_value_deinit(&value);
}

static inline size_t
sweep_live_count(const sweep_state *state)
{
  size_t live = 0;
  for (size_t i = 0; i < SWEEP_KEYS; i++) {
    live += state->values[i] != 0;
  }
  return live;
}

static inline bool
sweep_holds(const sweep_state *state, gs_slice key, uint32_t number)
{
  for (size_t i = 0; i < SWEEP_KEYS; i++) {
    char text[16];
    if (state->values[i] == number && gs_slice_equal(key, sweep_key(i, text))) {
      return true;
    }
  }
  return false;
}

/* A scan must tell the same as the reads of single keys did. */
static inline void
sweep_check_scan(gs_store *store, const sweep_state *state)
{
  size_t count = 0;
  gs_scan *scan = NULL;
  KIT_OK(gs_scan_new(store, NULL, NULL, &scan, &kit_err));
  gs_status status = gs_scan_first(scan, &kit_err);
  for (; status == GS_OK; status = gs_scan_next(scan, &kit_err)) {
    uint32_t number = sweep_number_of(gs_scan_value(scan));
    assert_true(sweep_holds(state, gs_scan_key(scan), number));
    count++;
  }
  assert_int_equal(status, GS_ABSENT);
  gs_scan_free(scan);
  assert_int_equal(count, sweep_live_count(state));
}

static inline bool
sweep_is_same(const sweep_state *a, const sweep_state *b)
{
  return (a->note == b->note || b->note == SWEEP_NOTE_UNKNOWN) &&
         memcmp(a->values, b->values, sizeof a->values) == 0;
}

/* The newest of the states low to high that the store is in; fails the test
 * where it is in none of them. */
static inline size_t
sweep_match(const sweep *s, gs_store *store, size_t low, size_t high,
            const char *where)
{
  sweep_state found;
  sweep_read(store, &found);
  sweep_check_scan(store, &found);
  for (size_t at = high + 1; at > low; at--) {
    if (sweep_is_same(&s->states[at - 1], &found)) {
      return at - 1;
    }
  }
  for (size_t at = SWEEP_STATES; at > 0; at--) {
    if (sweep_is_same(&s->states[at - 1], &found)) {
      fail_msg("%s: state %zu, not one of %zu to %zu", where, at - 1, low,
               high);
    }
  }
  fail_msg("%s: a state that never was (allowed: %zu to %zu)", where, low,
           high);
  return 0;
}

/* ---- commits --------------------------------------------------------------- */

/* A copy of the last acknowledged state, to be changed. */
static inline sweep_state *
sweep_next(sweep *s)
{
  assert_true(s->issued + 1 < SWEEP_STATES);
  sweep_state *next = &s->states[++s->issued];
  *next = s->states[s->acked];
  return next;
}

/* What was attempted happened, or may have. */
static inline gs_status
sweep_end(sweep *s, gs_status status, uint64_t last_seq)
{
  if (status == GS_OK) {
    s->states[s->acked + 1] = s->states[s->issued];
    s->issued = ++s->acked;
    s->states[s->acked].last_seq = last_seq;
  }
  return status;
}

static inline gs_status
sweep_put(sweep *s, size_t step, bool sync)
{
  char key[16];
  char value[512];
  uint64_t seq = 0;
  size_t index = sweep_mix(s->seed + 1, step) % SWEEP_KEYS;
  uint32_t number = (uint32_t)step * 16 + 1;
  bool has_log = s->options.durability != GS_DURABILITY_MEMORY;
  gs_write_options options = {.sync = sync && has_log};
  sweep_next(s)->values[index] = number;
  gs_status status =
      gs_put(s->store, sweep_key(index, key), sweep_value(number, value),
             &options, &seq, &kit_err);
  return sweep_end(s, status, seq);
}

static inline gs_status
sweep_delete(sweep *s, size_t step)
{
  char key[16];
  uint64_t seq = 0;
  size_t index = sweep_mix(s->seed + 1, step) % SWEEP_KEYS;
  sweep_next(s)->values[index] = 0;
  gs_status status =
      gs_delete(s->store, sweep_key(index, key), NULL, &seq, &kit_err);
  return sweep_end(s, status, seq);
}

static inline gs_status
sweep_take(sweep *s, size_t step)
{
  char key[16];
  gs_value value;
  size_t index = sweep_mix(s->seed + 1, step) % SWEEP_KEYS;
  bool was_there = s->states[s->acked].values[index] != 0;
  gs_value_init(&value, s->store);
  sweep_next(s)->values[index] = 0;
  gs_status status =
      gs_take(s->store, sweep_key(index, key), NULL, &value, &kit_err);
  gs_value_deinit(&value);
  if (status == GS_ABSENT) {
    assert_false(was_there);
    s->issued--;
    return GS_OK;
  }
  assert_true(status != GS_OK || was_there);
  return sweep_end(s, status, gs_last_seq(s->store));
}

static inline gs_status
sweep_fill_batch(sweep *s, size_t step, gs_write_batch *batch,
                 sweep_state *next)
{
  size_t count = 2 + sweep_mix(s->seed + 2, step) % 5;
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < count; i++) {
    char key[16];
    char value[512];
    uint64_t dice = sweep_mix(s->seed + 3 + i, step);
    size_t index = dice % SWEEP_KEYS;
    uint32_t number = dice % 5 == 0 ? 0 : (uint32_t)(step * 16 + 2 + i);
    next->values[index] = number;
    status =
        number == 0
            ? gs_write_batch_delete(batch, sweep_key(index, key), &kit_err)
            : gs_write_batch_put(batch, sweep_key(index, key),
                                 sweep_value(number, value), NULL, &kit_err);
  }
  return status;
}

static inline gs_status
sweep_batch(sweep *s, size_t step)
{
  char note[16];
  uint64_t last = 0;
  gs_write_batch *batch = NULL;
  sweep_state *next = sweep_next(s);
  gs_commit_options options = {.has_note = step % 3 == 0};
  if (options.has_note) {
    options.note = sweep_note((uint32_t)step, note);
    next->note = (uint32_t)step;
  }
  gs_status status = gs_write_batch_new(s->store, &batch, &kit_err);
  if (status == GS_OK) {
    status = sweep_fill_batch(s, step, batch, next);
  }
  if (status == GS_OK) {
    status = gs_write_batch_commit(batch, &options, NULL, &last, &kit_err);
  }
  gs_write_batch_free(batch);
  return sweep_end(s, status, last);
}

/* ---- other steps ----------------------------------------------------------- */

static inline void
sweep_drop_snapshots(sweep *s)
{
  for (size_t i = 0; i < SWEEP_SNAPSHOTS; i++) {
    gs_snapshot_free(s->snapshots[i]);
    s->snapshots[i] = NULL;
  }
}

static inline gs_status
sweep_snapshot(sweep *s, size_t step)
{
  gs_snapshot **place = &s->snapshots[step % SWEEP_SNAPSHOTS];
  if (*place != NULL) {
    gs_snapshot_free(*place);
    *place = NULL;
    return GS_OK;
  }
  return gs_snapshot_new(s->store, place, &kit_err);
}

/* What is now known to be on the device. */
static inline void
sweep_note_durable(sweep *s)
{
  if (s->store != NULL) {
    s->durable_seq = gs_durable_seq(s->store);
  }
}

static inline gs_status
sweep_open(sweep *s)
{
  s->options.env = sim_machine_env;
  s->kept_seq = s->durable_seq;
  gs_status status = gs_open("/db", &s->options, &s->store, &kit_err);
  s->opened += status == GS_OK;
  sweep_note_durable(s);
  return status;
}

static inline gs_status
sweep_close(sweep *s)
{
  sweep_drop_snapshots(s);
  gs_status status = gs_close(s->store, &kit_err);
  s->store = NULL;
  if (status == GS_OK) {
    s->durable_seq = UINT64_MAX;
  }
  return status;
}

static inline gs_status
sweep_reopen(sweep *s)
{
  gs_status status = sweep_close(s);
  gs_status opened = sweep_open(s);
  return status == GS_OK ? opened : status;
}

static inline gs_status
sweep_work(sweep *s, uint64_t budget_us)
{
  bool more;
  return gs_step(s->store, budget_us, &more, &kit_err);
}

static inline gs_status
sweep_step(sweep *s, size_t step)
{
  uint64_t dice = sweep_mix(s->seed, step) % 100;
  if (s->store == NULL) {
    return sweep_open(s);
  }
  gs_status status = dice < 42   ? sweep_put(s, step, false)
                     : dice < 46 ? sweep_put(s, step, true)
                     : dice < 56 ? sweep_delete(s, step)
                     : dice < 74 ? sweep_batch(s, step)
                     : dice < 77 ? sweep_take(s, step)
                     : dice < 80 ? gs_sync(s->store, &kit_err)
                     : dice < 84 ? gs_flush(s->store, &kit_err)
                     : dice < 86 ? gs_compact(s->store, NULL, &kit_err)
                     : dice < 92 ? sweep_work(s, dice % 2 ? 0 : UINT64_MAX)
                     : dice < 96 ? sweep_snapshot(s, step)
                                 : sweep_reopen(s);
  sweep_note_durable(s);
  return status;
}

/* ---- runs ------------------------------------------------------------------ */

/* What tables are packed by: families run once for each that they take. */
static gs_compression sweep_compression = GS_COMPRESSION_NONE;

static inline gs_options
sweep_options(gs_durability durability)
{
  gs_options options = kit_options();
  options.durability = durability;
  options.memtable_bytes = 4096;
  options.max_wal_bytes = 65536;
  options.table_bytes = 4096;
  options.block_bytes = 256;
  options.compression = sweep_compression;
  return options;
}

/* A new machine and a script that has not begun. */
static inline void
sweep_begin(sweep *s, uint64_t seed, gs_durability durability)
{
  sim_machine_become(gs_sim_new(seed));
  *s = (sweep){
      .options = sweep_options(durability),
      .seed = seed,
      .step_count = 150,
  };
}

/* Runs the script up to its first failure. */
static inline gs_status
sweep_run(sweep *s)
{
  gs_status status = sweep_open(s);
  for (size_t step = 1; status == GS_OK && step <= s->step_count; step++) {
    status = sweep_step(s, step);
  }
  return status;
}

/* The last state that is on the device where this sequence is. */
static inline size_t
sweep_state_at(const sweep *s, uint64_t durable_seq)
{
  size_t at = s->acked;
  while (at > 0 && s->states[at].last_seq > durable_seq) {
    at--;
  }
  return at;
}

#endif
