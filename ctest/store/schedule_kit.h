/*
 * schedule_kit: one small life of a store with several tasks on a simulated
 * machine, whose schedule the test decides, and a model that knows what every
 * look at the store may have found.
 *
 * Model: writers commit operations, each of which sets some of a few keys to
 * its number, and keep the sequence number of each. A look is a snapshot's
 * sequence number and what all keys held there. When all tasks have ended the
 * operations are put in the order of their sequence numbers; a look is right if
 * it is what the operations up to its number leave, and if it is not older than
 * what was acknowledged before it began.
 *
 * A task that finds something wrong counts it, since a test can fail only in
 * the thread it began in.
 */
#ifndef GS_CTEST_STORE_SCHEDULE_KIT_H
#define GS_CTEST_STORE_SCHEDULE_KIT_H

#include "store_kit.h"

#include <stdlib.h>

enum {
  LIFE_WRITERS = 2,
  LIFE_KEYS = 2 * LIFE_WRITERS + 1, /* two of each writer, one of all */
  LIFE_OPS = 64,
  LIFE_LOOKS = 32,
  LIFE_PAUSE = 4, /* points between two looks */
};

/* What each key holds; 0: nothing. */
typedef struct life_state {
  uint32_t values[LIFE_KEYS];
} life_state;

typedef struct life_op {
  uint64_t seq;  /* of its last entry; 0 while it is not acknowledged */
  unsigned keys; /* a bit for each that it sets */
  uint32_t value;
} life_op;

typedef struct life_look {
  uint64_t seq;
  uint64_t acked; /* sequence that was acknowledged before */
  life_state found;
} life_look;

typedef struct life {
  gs_sim *sim;
  gs_store *store;
  gs_options options;
  uint64_t seed;
  uint32_t rounds; /* of each writer */
  uint32_t next_writer;
  uint32_t writing; /* writers not yet done */
  uint64_t acked;   /* highest sequence acknowledged */
  bool may_fail;    /* the log: whoever meets it resumes and tries again */
  uint64_t resumes; /* how often the store was */
  life_op ops[LIFE_OPS];
  size_t op_count;
  life_look looks[LIFE_LOOKS];
  size_t look_count;
  unsigned wrong;
  int line; /* where the first of them was found */
} life;

static inline void
life_expect(life *l, bool is_so, int line)
{
  if (!is_so && l->wrong++ == 0) {
    l->line = line;
  }
}

#define LIFE_EXPECT(l, is_so) life_expect((l), (is_so), __LINE__)

/* ---- writing ---------------------------------------------------------------- */

static inline gs_slice
life_key(size_t index, char text[4])
{
  text[0] = "aazzm"[index];
  text[1] = (char)('0' + (index == LIFE_KEYS - 1 ? 0 : index % LIFE_WRITERS));
  return gs_slice_of(text, 2);
}

/* The number, and filling that makes a memtable's worth of a few. */
static inline gs_slice
life_value(uint32_t number, char text[200])
{
  int size = snprintf(text, 200, "%u ", number);
  memset(text + size, '.', 200 - (size_t)size);
  return gs_slice_of(text, 200);
}

/* Whether a call that ended so has to be made again. What had been on its way
 * when the log failed is undone by the resume. */
static inline bool
life_again(life *l, gs_status status)
{
  bool is_again = status != GS_OK && l->may_fail;
  LIFE_EXPECT(l, status == GS_OK || l->may_fail);
  LIFE_EXPECT(l, !is_again || gs_resume(l->store, NULL) == GS_OK);
  return is_again;
}

/* One operation: both keys of the writer together, or the key of all. */
static inline void
life_commit(life *l, gs_write_batch *batch, uint32_t writer, uint32_t value)
{
  char key[4];
  char text[200];
  life_op *op = &l->ops[l->op_count++];
  bool is_shared = value % 3 == 0;
  op->value = value;
  op->keys = is_shared ? 1U << (LIFE_KEYS - 1)
                       : 5U << writer; /* the keys two places apart */
  for (size_t i = 0; i < LIFE_KEYS; i++) {
    if ((op->keys >> i & 1) != 0) {
      LIFE_EXPECT(l, gs_write_batch_put(batch, life_key(i, key),
                                        life_value(value, text), NULL,
                                        NULL) == GS_OK);
    }
  }
  uint64_t last = 0;
  while (life_again(l, gs_write_batch_commit(batch, NULL, NULL, &last, NULL))) {
  }
  op->seq = last;
  l->acked = last > l->acked ? last : l->acked;
}

static inline void
life_write(void *context)
{
  life *l = context;
  uint32_t writer = l->next_writer++;
  gs_write_batch *batch = NULL;
  LIFE_EXPECT(l, gs_write_batch_new(l->store, &batch, NULL) == GS_OK);
  for (uint32_t round = 1; round <= l->rounds; round++) {
    life_commit(l, batch, writer, round * LIFE_WRITERS + writer);
  }
  gs_write_batch_free(batch);
  l->writing--;
}

/* ---- looking ---------------------------------------------------------------- */

static inline gs_status
life_read(gs_store *store, const gs_snapshot *snapshot, life_state *out)
{
  char names[LIFE_KEYS][4];
  gs_slice keys[LIFE_KEYS];
  gs_found found[LIFE_KEYS];
  gs_buffer bytes;
  gs_buffer_init(&bytes, gs_get_alloc(store));
  for (size_t i = 0; i < LIFE_KEYS; i++) {
    keys[i] = life_key(i, names[i]);
  }
  gs_status status =
      gs_get_many(store, snapshot, keys, LIFE_KEYS, &bytes, found, NULL);
  *out = (life_state){{0}};
  for (size_t i = 0; status == GS_OK && i < LIFE_KEYS; i++) {
    if (found[i].is_present) {
      const char *text = (const char *)bytes.data + found[i].offset;
      out->values[i] = (uint32_t)strtoul(text, NULL, 10);
    }
  }
  gs_buffer_deinit(&bytes);
  return status;
}

static inline void
life_look_once(life *l)
{
  gs_snapshot *snapshot = NULL;
  life_look *look = &l->looks[l->look_count++];
  look->acked = l->acked;
  LIFE_EXPECT(l, gs_snapshot_new(l->store, &snapshot, NULL) == GS_OK);
  look->seq = gs_snapshot_seq(snapshot);
  LIFE_EXPECT(l, life_read(l->store, snapshot, &look->found) == GS_OK);
  gs_snapshot_free(snapshot);
}

static inline void
life_read_on(void *context)
{
  life *l = context;
  while (l->writing > 0 && l->look_count + 1 < LIFE_LOOKS) {
    life_look_once(l);
    for (int i = 0; i < LIFE_PAUSE; i++) {
      gs_env_point(l->options.env, "looked");
    }
  }
  life_look_once(l);
}

/* ---- disturbing --------------------------------------------------------------- */

static inline void
life_flush(void *context)
{
  life *l = context;
  for (int i = 0; i < 2; i++) {
    while (life_again(l, gs_flush(l->store, NULL))) {
    }
  }
}

static inline void
life_merge(void *context)
{
  life *l = context;
  LIFE_EXPECT(l, gs_compact(l->store, NULL, NULL) == GS_OK);
}

/* Opens what is open already, looks, and may be the last to close it. */
static inline void
life_come_and_go(void *context)
{
  life *l = context;
  gs_store *store = NULL;
  life_state found;
  LIFE_EXPECT(l, gs_open("/db", &l->options, &store, NULL) == GS_OK);
  LIFE_EXPECT(l, life_read(store, NULL, &found) == GS_OK);
  LIFE_EXPECT(l, gs_close(store, NULL) == GS_OK);
}

/* ---- judging ------------------------------------------------------------------ */

static inline int
life_compare_ops(const void *a, const void *b)
{
  uint64_t left = ((const life_op *)a)->seq;
  uint64_t right = ((const life_op *)b)->seq;
  return (left > right) - (left < right);
}

/* Requires: the operations are in the order of their numbers. */
static inline life_state
life_state_at(const life *l, uint64_t seq)
{
  life_state state = {{0}};
  for (size_t i = 0; i < l->op_count && l->ops[i].seq <= seq; i++) {
    for (size_t k = 0; k < LIFE_KEYS; k++) {
      if ((l->ops[i].keys >> k & 1) != 0) {
        state.values[k] = l->ops[i].value;
      }
    }
  }
  return state;
}

static inline bool
life_is_at(const life *l, uint64_t seq, const life_state *found)
{
  life_state expected = life_state_at(l, seq);
  return memcmp(&expected, found, sizeof expected) == 0;
}

static inline void
life_judge_looks(life *l)
{
  qsort(l->ops, l->op_count, sizeof l->ops[0], life_compare_ops);
  for (size_t i = 0; i < l->op_count; i++) {
    LIFE_EXPECT(l, l->ops[i].seq != (i == 0 ? 0 : l->ops[i - 1].seq));
  }
  for (size_t i = 0; i < l->look_count; i++) {
    const life_look *look = &l->looks[i];
    LIFE_EXPECT(l, look->seq >= look->acked);
    LIFE_EXPECT(l, life_is_at(l, look->seq, &look->found));
  }
}

/* Whether what was found is a state that is not older than that number. */
static inline bool
life_is_since(const life *l, uint64_t least_seq, const life_state *found)
{
  if (least_seq == 0 && life_is_at(l, 0, found)) {
    return true;
  }
  for (size_t i = 0; i < l->op_count; i++) {
    if (l->ops[i].seq >= least_seq && life_is_at(l, l->ops[i].seq, found)) {
      return true;
    }
  }
  return false;
}

/* What a machine without tasks finds when it opens the store: a state that is
 * not older than that number. */
static inline void
life_judge_machine(life *l, gs_sim *sim, uint64_t least_seq)
{
  gs_store *store = NULL;
  life_state found;
  gs_options options = l->options;
  options.env = gs_sim_env(sim);
  options.threads = 0;
  gs_status status = gs_open("/db", &options, &store, &kit_err);
  LIFE_EXPECT(l, status == GS_OK);
  if (status == GS_OK) {
    LIFE_EXPECT(l, life_read(store, NULL, &found) == GS_OK);
    LIFE_EXPECT(l, gs_last_seq(store) >= least_seq);
    LIFE_EXPECT(l, life_is_since(l, least_seq, &found));
    LIFE_EXPECT(l, gs_close(store, NULL) == GS_OK);
  }
  LIFE_EXPECT(l, gs_sim_allocated_bytes(sim) == 0);
  gs_sim_free(sim);
}

#endif
