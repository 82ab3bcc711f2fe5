/*
 * shape: one block of figures, runs and busy ids in front of a counted version.
 */
#include "tree/shape.h"

#include "tree/sort.h"

/* The block: this, the runs, the ids of busy tables. */
typedef struct block {
  gs_shape shape;
  gs_alloc *alloc;
  gs_version *version;
  size_t bytes;
  size_t busy_count;
  const uint64_t *busy; /* rising */
} block;

static const block *
block_of(const gs_shape *shape)
{
  return (const block *)shape;
}

static const gs_table_meta *
meta_at(const gs_shape *shape, size_t run, size_t index)
{
  return &block_of(shape)->version->runs[run]->tables[index]->meta;
}

/* ---- making one ------------------------------------------------------------- */

static void
fill_run(gs_shape_run *out, const gs_run *run)
{
  *out = (gs_shape_run){
      .id = run->id,
      .level = run->level,
      .table_count = run->table_count,
      .bytes = run->bytes,
      .data_bytes = run->data_bytes,
      .entry_count = run->entry_count,
      .tombstone_count = run->tombstone_count,
      .expiring_count = run->expiring_count,
      .largest_bytes = run->largest_bytes,
      .begun_ms = run->begun_ms,
      .written_ms = run->written_ms,
      .oldest_tombstone_ms = run->oldest_tombstone_ms,
      .dead_at_ms = run->dead_at_ms,
  };
}

static size_t
count_claimed(const gs_claim *const *claims, size_t claim_count)
{
  size_t count = 0;
  for (size_t c = 0; c < claim_count; c++) {
    count += claims[c]->input_count;
  }
  return count;
}

/* Inputs that are in the version: a job that has just been installed may still
 * have its claim. */
static void
note_busy(block *b, gs_shape_run *runs, uint64_t *busy,
          const gs_claim *const *claims, size_t claim_count)
{
  for (size_t c = 0; c < claim_count; c++) {
    for (size_t i = 0; i < claims[c]->input_count; i++) {
      size_t run;
      uint64_t id = claims[c]->inputs[i];
      if (gs_version_find_table(b->version, id, &run) != NULL) {
        busy[b->busy_count++] = id;
        runs[run].busy_count++;
      }
    }
  }
  gs_sort_u64(busy, b->busy_count);
  b->busy = busy;
}

gs_status
gs_shape_new_of(gs_alloc *alloc, gs_version *version,
                const gs_claim *const *claims, size_t claim_count,
                gs_shape **out, gs_error *err)
{
  size_t runs_bytes = version->run_count * sizeof(gs_shape_run);
  size_t bytes = sizeof(block) + runs_bytes +
                 count_claimed(claims, claim_count) * sizeof(uint64_t);
  block *b = gs_alloc_zeroed(alloc, bytes);
  if (b == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  b->alloc = alloc;
  b->bytes = bytes;
  b->version = version;
  gs_version_ref(version);
  gs_shape_run *runs = (gs_shape_run *)(b + 1);
  for (size_t r = 0; r < version->run_count; r++) {
    fill_run(&runs[r], version->runs[r]);
  }
  uint64_t *busy = (uint64_t *)(runs + version->run_count);
  note_busy(b, runs, busy, claims, claim_count);
  b->shape.version = version->number;
  b->shape.run_count = version->run_count;
  b->shape.runs = runs;
  *out = &b->shape;
  return GS_OK;
}

void
gs_shape_free(gs_shape *shape)
{
  if (shape == NULL) {
    return;
  }
  block *b = (block *)shape;
  gs_version_unref(b->version);
  gs_alloc_free(b->alloc, b, b->bytes);
}

/* ---- questions --------------------------------------------------------------- */

void
gs_shape_table_at(const gs_shape *shape, size_t run, size_t index,
                  gs_shape_table *out)
{
  const gs_table_meta *meta = meta_at(shape, run, index);
  *out = (gs_shape_table){
      .id = meta->id,
      .bytes = meta->file_bytes,
      .entry_count = meta->entry_count,
      .tombstone_count = meta->tombstone_count,
      .expiring_count = meta->expiring_count,
      .min_seq = meta->min_seq,
      .max_seq = meta->max_seq,
      .created_ms = meta->created_ms,
      .min_expiry_ms = meta->min_expiry_ms,
      .max_expiry_ms = meta->max_expiry_ms,
      .oldest_tombstone_ms = meta->oldest_tombstone_ms,
      .min_key = meta->min_key,
      .max_key = meta->max_key,
      .is_busy = gs_shape_is_busy(shape, meta->id),
  };
}

size_t
gs_shape_find_run(const gs_shape *shape, uint64_t run_id)
{
  return gs_version_find_run(block_of(shape)->version, run_id);
}

bool
gs_shape_find_table(const gs_shape *shape, uint64_t table_id, size_t *run,
                    size_t *index)
{
  const gs_version *version = block_of(shape)->version;
  const gs_tree_table *table = gs_version_find_table(version, table_id, run);
  if (table == NULL) {
    return false;
  }
  *index = gs_run_lower_bound(version->runs[*run], table->meta.max_key);
  return true;
}

static bool
has(const uint64_t *ids, size_t count, uint64_t id)
{
  size_t at = gs_find_u64(ids, count, id);
  return at < count && ids[at] == id;
}

bool
gs_shape_is_busy(const gs_shape *shape, uint64_t table_id)
{
  const block *b = block_of(shape);
  return has(b->busy, b->busy_count, table_id);
}

size_t
gs_shape_overlap(const gs_shape *shape, size_t run, const gs_slice *from,
                 const gs_slice *to, size_t *end)
{
  const gs_run *tables = block_of(shape)->version->runs[run];
  size_t first = from == NULL ? 0 : gs_run_lower_bound(tables, *from);
  *end = tables->table_count;
  if (to != NULL) {
    *end = gs_run_lower_bound(tables, *to);
    if (*end < tables->table_count &&
        gs_slice_compare(tables->tables[*end]->meta.min_key, *to) <= 0) {
      (*end)++;
    }
  }
  *end = *end < first ? first : *end;
  return first;
}

/* Ids that are not to be touched. */
typedef struct taken_ids {
  const uint64_t *ids;
  size_t count;
} taken_ids;

static bool
is_free(const gs_shape *shape, const taken_ids *taken, uint64_t id)
{
  return !gs_shape_is_busy(shape, id) && !has(taken->ids, taken->count, id);
}

/* Bytes of what the table meets in the run below; false where some of it is at
 * work. *at is the place in that run where the last question ended: tables are
 * asked about in the order of their keys, so the two runs are walked once. */
static bool
measure_below(const gs_shape *shape, const gs_run *below,
              const gs_table_meta *meta, const taken_ids *taken, size_t *at,
              uint64_t *bytes)
{
  bool is_idle = true;
  *bytes = 0;
  size_t i = *at;
  while (i < below->table_count &&
         gs_slice_compare(below->tables[i]->meta.max_key, meta->min_key) < 0) {
    i++;
  }
  *at = i;
  for (; i < below->table_count &&
         gs_slice_compare(below->tables[i]->meta.min_key, meta->max_key) <= 0;
       i++) {
    *bytes += below->tables[i]->meta.file_bytes;
    is_idle &= is_free(shape, taken, below->tables[i]->meta.id);
  }
  return is_idle;
}

bool
gs_shape_cheapest(const gs_shape *shape, size_t run, size_t below,
                  const uint64_t *taken, size_t taken_count, size_t *index)
{
  const gs_version *version = block_of(shape)->version;
  const gs_run *from = version->runs[run];
  const taken_ids ids = {taken, taken_count};
  double least = -1;
  size_t at = 0;
  for (size_t i = 0; i < from->table_count; i++) {
    const gs_table_meta *meta = &from->tables[i]->meta;
    uint64_t bytes = 0;
    bool may_go =
        below == SIZE_MAX ||
        measure_below(shape, version->runs[below], meta, &ids, &at, &bytes);
    double cost = (double)bytes / (double)(meta->file_bytes + 1);
    if (may_go && is_free(shape, &ids, meta->id) &&
        (least < 0 || cost < least)) {
      least = cost;
      *index = i;
    }
  }
  return least >= 0;
}

/* Whether a table of the run widened the range. */
static bool
widen(const gs_shape *shape, size_t run, gs_slice *min, gs_slice *max)
{
  size_t end;
  size_t first = gs_shape_overlap(shape, run, min, max, &end);
  if (first == end) {
    return false;
  }
  gs_slice low = meta_at(shape, run, first)->min_key;
  gs_slice high = meta_at(shape, run, end - 1)->max_key;
  bool grew = false;
  if (gs_slice_compare(low, *min) < 0) {
    *min = low;
    grew = true;
  }
  if (gs_slice_compare(high, *max) > 0) {
    *max = high;
    grew = true;
  }
  return grew;
}

void
gs_shape_close_range(const gs_shape *shape, size_t first, size_t last,
                     gs_slice *min, gs_slice *max)
{
  bool grew = true;
  while (grew) {
    grew = false;
    for (size_t r = first; r <= last; r++) {
      grew |= widen(shape, r, min, max);
    }
  }
}

/* Newest runs first; the entries of a run are found after looking at the newer
 * ones. */
double
gs_shape_expected_runs(const gs_version *version)
{
  double looks = 0;
  uint64_t entries = 0;
  for (size_t r = 0; r < version->run_count; r++) {
    looks += (double)version->runs[r]->entry_count * (double)(r + 1);
    entries += version->runs[r]->entry_count;
  }
  return entries == 0 ? 0.0 : looks / (double)entries;
}
