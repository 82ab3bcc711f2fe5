/*
 * builtin: asks tree/floor what to merge, and queues it.
 */
#include "store/builtin.h"

#include "store/compaction.h"

static void
queue_merge(gs_store *store, const gs_version *version, size_t runs)
{
  gs_plan plan;
  if (gs_floor_plan(store->alloc, version, runs, &plan, NULL) != GS_OK) {
    return; /* tried again after the next flush */
  }
  gs_refusal refusal;
  if (gs_compaction_check(store, &plan, NULL, &refusal)) {
    GS_IGNORE(gs_compaction_queue(store, &plan, NULL, NULL, NULL),
              "tried again after the next flush");
  }
  gs_alloc_free(store->alloc, (void *)plan.inputs,
                plan.input_count * sizeof *plan.inputs);
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
  size_t count = gs_floor_gather(version, runs);
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
