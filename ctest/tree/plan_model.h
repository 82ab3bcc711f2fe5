/*
 * plan_model: trees so small that every key can be looked at, and what plans do
 * to them, done the naive way.
 *
 * Model: keys 0..3; runs newest first; a table is a range of keys; a cell holds
 * the versions of one key in one run, newest first. Bounds are tight: the cell
 * of a bound is never empty. A read at sequence s walks the runs from the
 * newest and takes the first version <= s it meets, which is how the store
 * reads; it is right iff I1 holds.
 *
 * Life: values. Random numbers come from the caller's state.
 */
#ifndef GS_CTEST_TREE_PLAN_MODEL_H
#define GS_CTEST_TREE_PLAN_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tree/plan.h"

enum {
  MODEL_KEYS = 4,
  MODEL_RUNS = 6,      /* 4, and one for each of two jobs */
  MODEL_VERSIONS = 10, /* two in each of five runs */
};

typedef struct model_cell {
  uint8_t count;
  uint8_t seq[MODEL_VERSIONS]; /* falls; above 0 */
  bool is_put[MODEL_VERSIONS]; /* else a tombstone */
} model_cell;

typedef struct model_table {
  uint64_t id;
  uint8_t min;
  uint8_t max;
} model_table;

typedef struct model_run {
  uint64_t id;
  uint8_t count;
  model_table tables[MODEL_KEYS];
} model_run;

typedef struct model {
  uint8_t run_count;
  model_run runs[MODEL_RUNS];
  model_cell cells[MODEL_RUNS][MODEL_KEYS];
} model;

/* A plan: the tables of run i with a bit in inputs[i]. */
typedef struct model_plan {
  gs_plan_op op;
  gs_plan_target target;
  uint8_t target_run;
  uint8_t inputs[MODEL_RUNS];
} model_plan;

/* What a job leaves out: nothing, or what E2-E4 allow. */
typedef struct model_dropping {
  bool is_on;
  const uint8_t *snapshots; /* rise */
  size_t snapshot_count;
  bool is_bottom[MODEL_KEYS];
} model_dropping;

/* ---- chance --------------------------------------------------------------- */

static inline uint32_t
model_random(uint64_t *state, uint32_t below)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)(*state >> 33) % below;
}

/* ---- content -------------------------------------------------------------- */

static inline const model_table *
model_table_of(const model_run *run, uint8_t key)
{
  for (uint8_t t = 0; t < run->count; t++) {
    if (run->tables[t].min <= key && key <= run->tables[t].max) {
      return &run->tables[t];
    }
  }
  return NULL;
}

/* One put of every key in every table that has it within its bounds. */
static inline void
model_fill_dense(model *m)
{
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    uint8_t seq = key;
    for (uint8_t i = m->run_count; i > 0; i--) {
      model_cell *cell = &m->cells[i - 1][key];
      cell->count = 0;
      if (model_table_of(&m->runs[i - 1], key) != NULL) {
        seq = (uint8_t)(seq + MODEL_KEYS);
        *cell = (model_cell){1, {seq}, {true}};
      }
    }
  }
}

/* 0 to 2 versions of each, at least 1 where the key is a bound. */
static inline void
model_fill_random(model *m, uint64_t *random)
{
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    uint8_t seq = key;
    for (uint8_t i = m->run_count; i > 0; i--) {
      model_cell *cell = &m->cells[i - 1][key];
      const model_table *table = model_table_of(&m->runs[i - 1], key);
      cell->count = 0;
      if (table == NULL) {
        continue;
      }
      bool is_bound = key == table->min || key == table->max;
      uint32_t dice = model_random(random, 256);
      cell->count = (uint8_t)(is_bound ? 1 + dice % 2 : dice % 3);
      for (uint8_t v = cell->count; v > 0; v--) {
        seq = (uint8_t)(seq + MODEL_KEYS * (1 + (dice >> v & 1)));
        cell->seq[v - 1] = seq;
        cell->is_put[v - 1] = (dice >> (3 + v) & 1) != 0;
      }
    }
  }
}

/* ---- invariants and reads ------------------------------------------------- */

static inline bool
model_is_ordered(const model *m)
{
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    unsigned before = 256;
    for (uint8_t i = 0; i < m->run_count; i++) {
      const model_cell *cell = &m->cells[i][key];
      for (uint8_t v = 0; v < cell->count; v++) {
        if (cell->seq[v] >= before) {
          return false;
        }
        before = cell->seq[v];
      }
    }
  }
  return true;
}

/* Sequence of the put that is read, or 0 where the key is absent. */
static inline unsigned
model_read(const model *m, uint8_t key, unsigned seq)
{
  for (uint8_t i = 0; i < m->run_count; i++) {
    const model_cell *cell = &m->cells[i][key];
    for (uint8_t v = 0; v < cell->count; v++) {
      if (cell->seq[v] <= seq) {
        return cell->is_put[v] ? cell->seq[v] : 0;
      }
    }
  }
  return 0;
}

static inline bool
model_same_reads_at(const model *a, const model *b, unsigned seq)
{
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    if (model_read(a, key, seq) != model_read(b, key, seq)) {
      return false;
    }
  }
  return true;
}

/* Reads change only where the walked-over model has a version. */
static inline bool
model_same_reads(const model *a, const model *b)
{
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    for (uint8_t i = 0; i < a->run_count; i++) {
      const model_cell *cell = &a->cells[i][key];
      for (uint8_t v = 0; v < cell->count; v++) {
        if (model_read(a, key, cell->seq[v]) !=
            model_read(b, key, cell->seq[v])) {
          return false;
        }
      }
    }
    if (model_read(a, key, 255) != model_read(b, key, 255)) {
      return false;
    }
  }
  return true;
}

/* ---- execution ------------------------------------------------------------ */

static inline void
model_remove_version(model_cell *cell, uint8_t at)
{
  cell->count--;
  for (uint8_t v = at; v < cell->count; v++) {
    cell->seq[v] = cell->seq[v + 1];
    cell->is_put[v] = cell->is_put[v + 1];
  }
}

/* Whether a snapshot sees versions up to `older` and none from `newer`. */
static inline bool
model_is_seen(const model_dropping *dropping, unsigned older, unsigned newer)
{
  for (size_t s = 0; s < dropping->snapshot_count; s++) {
    if (dropping->snapshots[s] >= older && dropping->snapshots[s] < newer) {
      return true;
    }
  }
  return false;
}

static inline void
model_drop(const model_dropping *dropping, bool is_bottom, model_cell *cell)
{
  for (uint8_t v = cell->count; v > 1; v--) { /* E2 */
    if (!model_is_seen(dropping, cell->seq[v - 1], cell->seq[v - 2])) {
      model_remove_version(cell, (uint8_t)(v - 1));
    }
  }
  for (uint8_t v = cell->count; v > 1; v--) { /* E4 */
    if (!cell->is_put[v - 1] && !cell->is_put[v - 2]) {
      model_remove_version(cell, (uint8_t)(v - 2));
    }
  }
  while (is_bottom && cell->count > 0 && !cell->is_put[cell->count - 1]) {
    cell->count--; /* E3 */
  }
}

static inline void
model_append(model_cell *to, const model_cell *from)
{
  for (uint8_t v = 0; v < from->count; v++) {
    to->seq[to->count] = from->seq[v];
    to->is_put[to->count] = from->is_put[v];
    to->count++;
  }
}

/* What the inputs hold, and what moves with them. */
typedef struct model_output {
  model_cell cells[MODEL_KEYS];
  uint8_t table_count;
  model_table tables[MODEL_RUNS * MODEL_KEYS];
} model_output;

/* Takes the inputs out of the runs; the runs stay, even if empty. */
static inline void
model_take(model *m, const model_plan *plan, model_output *out)
{
  memset(out, 0, sizeof *out);
  for (uint8_t i = 0; i < m->run_count; i++) {
    model_run *run = &m->runs[i];
    uint8_t kept = 0;
    for (uint8_t t = 0; t < run->count; t++) {
      model_table table = run->tables[t];
      if ((plan->inputs[i] >> t & 1) == 0) {
        run->tables[kept++] = table;
        continue;
      }
      out->tables[out->table_count++] = table;
      for (uint8_t key = table.min; key <= table.max; key++) {
        model_append(&out->cells[key], &m->cells[i][key]);
        m->cells[i][key].count = 0;
      }
    }
    run->count = kept;
  }
}

/* The output tables of a merge: as long as they can be between the tables that
 * stay in the run. */
static inline void
model_cut(const model_run *run, model_output *out, uint64_t *next_id)
{
  bool is_open = false;
  out->table_count = 0;
  for (uint8_t key = 0; key < MODEL_KEYS; key++) {
    if (out->cells[key].count == 0) {
      is_open = is_open && model_table_of(run, key) == NULL;
      continue;
    }
    if (!is_open) {
      out->tables[out->table_count++] = (model_table){(*next_id)++, key, key};
    }
    out->tables[out->table_count - 1].max = key;
    is_open = true;
  }
}

/* Index of the run the output joins, made where it is a new one. */
static inline uint8_t
model_open_target(model *m, const model_plan *plan, uint64_t *next_id)
{
  if (plan->target == GS_TARGET_INTO) {
    return plan->target_run;
  }
  uint8_t at =
      plan->target == GS_TARGET_BOTTOM ? m->run_count : plan->target_run;
  memmove(&m->runs[at + 1], &m->runs[at],
          (size_t)(m->run_count - at) * sizeof m->runs[0]);
  memmove(&m->cells[at + 1], &m->cells[at],
          (size_t)(m->run_count - at) * sizeof m->cells[0]);
  memset(&m->runs[at], 0, sizeof m->runs[at]);
  memset(&m->cells[at], 0, sizeof m->cells[at]);
  m->runs[at].id = (*next_id)++;
  m->run_count++;
  return at;
}

/* Adds a table in key order; false where it meets another (I2). */
static inline bool
model_add_table(model_run *run, model_table table)
{
  uint8_t at = 0;
  for (uint8_t t = 0; t < run->count; t++) {
    if (run->tables[t].min <= table.max && table.min <= run->tables[t].max) {
      return false;
    }
    at = (uint8_t)(at + (run->tables[t].min < table.min));
  }
  memmove(&run->tables[at + 1], &run->tables[at],
          (size_t)(run->count - at) * sizeof table);
  run->tables[at] = table;
  run->count++;
  return true;
}

static inline void
model_close_runs(model *m)
{
  uint8_t kept = 0;
  for (uint8_t i = 0; i < m->run_count; i++) {
    if (m->runs[i].count > 0 && kept++ < i) {
      m->runs[kept - 1] = m->runs[i];
      memcpy(m->cells[kept - 1], m->cells[i], sizeof m->cells[i]);
    }
  }
  m->run_count = kept;
}

/* Executes a plan, right or wrong. False: I2 is broken and *m is of no use. */
static inline bool
model_execute(model *m, const model_plan *plan, const model_dropping *dropping,
              uint64_t *next_id)
{
  model_output out;
  model_take(m, plan, &out);
  if (plan->op != GS_PLAN_DROP) {
    uint8_t at = model_open_target(m, plan, next_id);
    for (uint8_t key = 0; dropping->is_on && key < MODEL_KEYS; key++) {
      model_drop(dropping, dropping->is_bottom[key], &out.cells[key]);
    }
    if (plan->op == GS_PLAN_MERGE) {
      model_cut(&m->runs[at], &out, next_id);
    }
    for (uint8_t t = 0; t < out.table_count; t++) {
      if (!model_add_table(&m->runs[at], out.tables[t])) {
        return false;
      }
    }
    for (uint8_t key = 0; key < MODEL_KEYS; key++) {
      model_append(&m->cells[at][key], &out.cells[key]);
    }
  }
  model_close_runs(m);
  return true;
}

/* ---- the same tree for the engine ----------------------------------------- */

static inline gs_slice
model_key(uint8_t key)
{
  static const uint8_t names[MODEL_KEYS] = {'a', 'b', 'c', 'd'};
  return gs_slice_of(&names[key], 1);
}

static inline void
model_count_cells(const model_cell *cells, gs_table_meta *meta, uint8_t min,
                  uint8_t max)
{
  meta->min_seq = UINT64_MAX;
  for (uint8_t key = min; key <= max; key++) {
    for (uint8_t v = 0; v < cells[key].count; v++) {
      uint64_t seq = cells[key].seq[v];
      meta->min_seq = seq < meta->min_seq ? seq : meta->min_seq;
      meta->max_seq = seq > meta->max_seq ? seq : meta->max_seq;
      meta->entry_count++;
    }
  }
}

/* One reference; NULL when out of memory. */
static inline gs_version *
model_version(const model *m, gs_alloc *alloc)
{
  gs_run *runs[MODEL_RUNS];
  for (uint8_t i = 0; i < m->run_count; i++) {
    gs_tree_table *tables[MODEL_KEYS];
    for (uint8_t t = 0; t < m->runs[i].count; t++) {
      const model_table *from = &m->runs[i].tables[t];
      gs_table_meta meta = {.id = from->id,
                            .file_bytes = 1,
                            .min_key = model_key(from->min),
                            .max_key = model_key(from->max)};
      model_count_cells(m->cells[i], &meta, from->min, from->max);
      tables[t] = gs_tree_table_new(alloc, &meta);
    }
    runs[i] = gs_run_new(alloc, m->runs[i].id, 0, tables, m->runs[i].count);
    for (uint8_t t = 0; t < m->runs[i].count; t++) {
      gs_tree_table_unref(tables[t]);
    }
  }
  gs_version *version = gs_version_new(alloc, 1, runs, m->run_count);
  for (uint8_t i = 0; i < m->run_count; i++) {
    gs_run_unref(runs[i]);
  }
  return version;
}

/* The plan in the engine's terms; ids has room for all tables. */
static inline gs_plan
model_engine_plan(const model *m, const model_plan *plan, uint64_t *ids)
{
  gs_plan out = {
      .op = plan->op, .target = plan->target, .level = -1, .inputs = ids};
  if (plan->target == GS_TARGET_INTO || plan->target == GS_TARGET_ABOVE) {
    out.run_id = m->runs[plan->target_run].id;
  }
  for (uint8_t i = 0; i < m->run_count; i++) {
    for (uint8_t t = 0; t < m->runs[i].count; t++) {
      if ((plan->inputs[i] >> t & 1) != 0) {
        ids[out.input_count++] = m->runs[i].tables[t].id;
      }
    }
  }
  return out;
}

#endif
