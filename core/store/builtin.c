/*
 * builtin: picks a prefix of the runs. Only whole runs and only from the newest
 * on, so the clear path holds by itself.
 */
#include "store/builtin.h"

#include "store/compaction.h"

/* How many of the newest runs to merge; less than 2: none. */
static size_t
gather(const gs_version *version, size_t runs)
{
  uint64_t gathered = 0;
  size_t count = 0;
  while (count < version->run_count) {
    uint64_t bytes = version->runs[count]->bytes;
    bool is_needed = version->run_count - count > runs;
    if (count >= 2 && bytes > gathered && !is_needed) {
      break;
    }
    gathered += bytes;
    count++;
  }
  return count;
}

static size_t
count_tables(const gs_version *version, size_t runs)
{
  size_t count = 0;
  for (size_t i = 0; i < runs; i++) {
    count += version->runs[i]->table_count;
  }
  return count;
}

static void
queue_merge(gs_store *store, const gs_version *version, size_t runs)
{
  size_t count = count_tables(version, runs);
  uint64_t *inputs = gs_alloc_array(store->alloc, count, sizeof *inputs);
  if (inputs == NULL) {
    return; /* tried again after the next flush */
  }
  size_t used = 0;
  for (size_t i = 0; i < runs; i++) {
    for (size_t t = 0; t < version->runs[i]->table_count; t++) {
      inputs[used++] = version->runs[i]->tables[t]->meta.id;
    }
  }
  gs_plan plan = {
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_ABOVE,
      .run_id = version->runs[runs - 1]->id,
      .level = runs == version->run_count ? 1 : 0,
      .inputs = inputs,
      .input_count = count,
      .why = "built-in policy",
  };
  gs_refusal refusal;
  if (gs_compaction_check(store, &plan, NULL, &refusal)) {
    GS_IGNORE(gs_compaction_queue(store, &plan, NULL, NULL, NULL),
              "tried again after the next flush");
  }
  gs_alloc_free(store->alloc, inputs, count * sizeof *inputs);
}

void
gs_builtin_decide_locked(gs_store *store, size_t runs)
{
  const gs_version *version = atomic_load(&store->view)->version;
  bool is_held = store->merge_hold_us > gs_env_mono_us(store->env);
  if (version->run_count <= runs || is_held || store->is_closing ||
      gs_job_count_merges(store) > 0) {
    return;
  }
  size_t count = gather(version, runs);
  if (count >= 2) {
    queue_merge(store, version, count);
  }
}

void
gs_builtin_decide(gs_store *store, size_t runs)
{
  gs_mutex_lock(store->state);
  gs_builtin_decide_locked(store, runs);
  gs_mutex_unlock(store->state);
}
