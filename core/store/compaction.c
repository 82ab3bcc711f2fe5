/*
 * compaction: the common part of merge, move and drop: the copied plan, the
 * claim, the second check, and the edit.
 */
#include "store/compaction.h"

#include "merge/drop.h"
#include "store/merge_job.h"
#include "tree/refusal.h"

void
gs_compaction_limits(gs_store *store, gs_plan_limits *out)
{
  *out = (gs_plan_limits){
      .max_runs = GS_RUNS_MAX,
      .may_lose = store->options.may_lose,
      .free_bytes = UINT64_MAX,
      .safe_clock_ms = gs_clock_last_safe(store),
      .oldest_snapshot_seq = UINT64_MAX,
      .oldest_snapshot_clock_ms = UINT64_MAX,
  };
  gs_disk_space space;
  if (gs_env_space(store->env, store->path, &space, NULL) == GS_OK) {
    out->free_bytes = space.free_bytes;
  }
  for (const gs_snapshot *s = store->oldest; s != NULL; s = s->next) {
    if (s->seq < out->oldest_snapshot_seq) {
      out->oldest_snapshot_seq = s->seq;
    }
    if (s->clock_ms < out->oldest_snapshot_clock_ms) {
      out->oldest_snapshot_clock_ms = s->clock_ms;
    }
  }
}

bool
gs_compaction_check(gs_store *store, const gs_plan *plan, const gs_job *except,
                    gs_refusal *refusal)
{
  const gs_claim *claims[GS_JOBS_MAX];
  size_t count = 0;
  if (except == NULL && gs_job_count_merges(store) == GS_JOBS_MAX) {
    GS_REFUSE(refusal, GS_REFUSAL_TOO_MANY,
              "%d jobs are queued already; wait until some end", GS_JOBS_MAX);
    return false;
  }
  for (const gs_job *job = store->jobs; job != NULL; job = job->next) {
    if (job->claim != NULL && job != except) {
      claims[count++] = job->claim;
    }
  }
  gs_plan_limits limits;
  gs_compaction_limits(store, &limits);
  if (except != NULL) {
    limits.free_bytes = UINT64_MAX; /* its outputs are on the disk already */
  }
  const gs_view *view = atomic_load(&store->view);
  return gs_plan_check(view->version, plan, claims, count, &limits, refusal);
}

/* ---- the copied plan -------------------------------------------------------- */

static gs_status
copy_cuts(gs_alloc *alloc, const gs_plan *plan, gs_compaction *c, gs_error *err)
{
  gs_buffer_init(&c->cut_bytes, alloc);
  if (plan->cut_count == 0) {
    return GS_OK;
  }
  c->cuts = gs_alloc_array(alloc, plan->cut_count, sizeof *c->cuts);
  if (c->cuts == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  for (size_t i = 0; i < plan->cut_count; i++) {
    gs_buffer_append_slice(&c->cut_bytes, plan->cuts[i]);
  }
  gs_status status = gs_buffer_status(&c->cut_bytes, err);
  size_t at = 0;
  for (size_t i = 0; status == GS_OK && i < plan->cut_count; i++) {
    c->cuts[i] = gs_slice_of(c->cut_bytes.data + at, plan->cuts[i].size);
    at += plan->cuts[i].size;
  }
  return status;
}

static gs_status
copy_plan(gs_compaction *c, const gs_plan *plan, gs_error *err)
{
  gs_alloc *alloc = c->job.store->alloc;
  c->plan = *plan;
  c->plan.why = NULL;
  c->job.account.plan = &c->plan;
  c->job.account.version = c->version;
  gs_job_set_why(&c->job, plan->why);
  c->inputs = gs_alloc_array(alloc, plan->input_count, sizeof *c->inputs);
  if (c->inputs == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  memcpy(c->inputs, plan->inputs, plan->input_count * sizeof *c->inputs);
  c->plan.inputs = c->inputs;
  gs_status status = copy_cuts(alloc, plan, c, err);
  c->plan.cuts = c->cuts;
  return status;
}

void
gs_compaction_free(gs_compaction *c)
{
  gs_alloc *alloc = c->job.store->alloc;
  gs_version_unref(c->version);
  gs_alloc_free(alloc, c->inputs, c->plan.input_count * sizeof *c->inputs);
  gs_alloc_free(alloc, c->cuts, c->plan.cut_count * sizeof *c->cuts);
  gs_buffer_deinit(&c->cut_bytes);
}

/* ---- the edit ---------------------------------------------------------------- */

uint32_t
gs_compaction_level(const gs_compaction *c, const gs_version *version)
{
  if (c->plan.level >= 0) {
    return (uint32_t)c->plan.level;
  }
  size_t run = c->plan.target == GS_TARGET_INTO
                   ? gs_version_find_run(version, c->plan.run_id)
                   : 0;
  if (c->plan.target == GS_TARGET_INTO && run != SIZE_MAX) {
    return version->runs[run]->level;
  }
  uint32_t level = 0;
  for (size_t i = 0; i < c->plan.input_count; i++) {
    size_t index;
    if (gs_version_find_table(version, c->plan.inputs[i], &index) != NULL &&
        version->runs[index]->level > level) {
      level = version->runs[index]->level;
    }
  }
  return level;
}

static void
name_inputs(const gs_compaction *c, const gs_version *version, gs_edit *edit)
{
  for (size_t i = 0; i < c->plan.input_count; i++) {
    size_t run;
    if (gs_version_find_table(version, c->plan.inputs[i], &run) != NULL) {
      gs_edit_remove_table(edit, version->runs[run]->id, c->plan.inputs[i]);
    }
  }
}

/* The run that takes the outputs, made anew where the plan says so. The anchor
 * of a new run may lose all its tables in this very edit; it is placed before
 * they leave, since added runs find their place first. */
static uint64_t
name_target(const gs_compaction *c, const gs_version *version, gs_edit *edit)
{
  if (c->plan.target == GS_TARGET_INTO) {
    if (c->plan.level >= 0) {
      gs_edit_set_level(edit, c->plan.run_id, (uint32_t)c->plan.level);
    }
    return c->plan.run_id;
  }
  uint64_t run_id = gs_store_new_id(c->job.store);
  gs_run_place place =
      c->plan.target == GS_TARGET_ABOVE ? GS_PLACE_ABOVE : GS_PLACE_BOTTOM;
  gs_edit_add_run(edit, run_id, gs_compaction_level(c, version), place,
                  c->plan.run_id);
  return run_id;
}

static void
build_edit(const gs_compaction *c, const gs_version *version, gs_edit *edit)
{
  bool has_target = c->plan.op == GS_PLAN_MOVE || c->output_count > 0;
  uint64_t run_id = has_target ? name_target(c, version, edit) : 0;
  name_inputs(c, version, edit);
  if (c->plan.op == GS_PLAN_MOVE) {
    for (size_t i = 0; i < c->plan.input_count; i++) {
      size_t run;
      gs_tree_table *table =
          gs_version_find_table(version, c->plan.inputs[i], &run);
      gs_edit_add_table(edit, run_id, &table->meta);
    }
  }
  for (size_t i = 0; i < c->output_count; i++) {
    gs_edit_add_table(edit, run_id, &c->outputs[i]->meta);
  }
}

/* C6, and the references that keep moved tables as they are. */
static gs_status
check_again(gs_compaction *c, gs_error *err)
{
  gs_store *store = c->job.store;
  gs_refusal refusal;
  gs_mutex_lock(store->state);
  bool is_valid = gs_compaction_check(store, &c->plan, &c->job, &refusal);
  gs_mutex_unlock(store->state);
  if (!is_valid) {
    return GS_FAIL(err, GS_REFUSED, "the tree changed under the plan: %s",
                   refusal.text);
  }
  return GS_OK;
}

static gs_status
list_known(gs_compaction *c, const gs_version *version, gs_tree_table ***out,
           size_t *count, gs_error *err)
{
  *count = c->plan.op == GS_PLAN_MOVE ? c->plan.input_count : c->output_count;
  *out = NULL;
  if (*count == 0) {
    return GS_OK;
  }
  gs_tree_table **known =
      gs_alloc_array(c->job.store->alloc, *count, sizeof(gs_tree_table *));
  if (known == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  for (size_t i = 0; i < *count; i++) {
    size_t run;
    known[i] = c->plan.op == GS_PLAN_MOVE
                   ? gs_version_find_table(version, c->plan.inputs[i], &run)
                   : c->outputs[i];
  }
  *out = known;
  return GS_OK;
}

static gs_status
install_locked(gs_compaction *c, gs_edit *edit, const char *reason,
               bool *is_kept, gs_error *err)
{
  gs_store *store = c->job.store;
  const gs_version *version = store->tree.version;
  gs_tree_table **known = NULL;
  size_t known_count = 0;
  gs_status status = check_again(c, err);
  if (status == GS_OK) {
    status = list_known(c, version, &known, &known_count, err);
  }
  if (status != GS_OK) {
    return status;
  }
  build_edit(c, version, edit);
  gs_install change = {
      .edit = edit,
      .known = known,
      .known_count = known_count,
      .reason = reason,
  };
  status = gs_store_install(store, &change, err);
  *is_kept = change.is_durable || (store->manifest != NULL &&
                                   gs_manifest_is_doubtful(store->manifest));
  gs_alloc_free(store->alloc, known, known_count * sizeof *known);
  return status;
}

gs_status
gs_compaction_install(gs_compaction *c, const char *reason, bool *is_kept,
                      gs_error *err)
{
  gs_store *store = c->job.store;
  *is_kept = false;
  gs_edit *edit = gs_edit_new(store->alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_mutex_lock(store->install);
  gs_status status = install_locked(c, edit, reason, is_kept, err);
  gs_mutex_unlock(store->install);
  gs_edit_free(edit);
  return status;
}

/* ---- move and drop ------------------------------------------------------------ */

static gs_status
step_edit(gs_job *job, bool *done, gs_error *err)
{
  gs_compaction *c = (gs_compaction *)job;
  bool is_move = c->plan.op == GS_PLAN_MOVE;
  gs_counters *counters = &job->store->counters;
  bool is_kept;
  *done = true;
  gs_status status =
      gs_compaction_install(c, is_move ? "move" : "drop", &is_kept, err);
  if (status == GS_OK) {
    gs_tally(is_move ? &counters->moves : &counters->drops, 1);
  }
  return status;
}

static void
free_edit_job(gs_job *job)
{
  gs_compaction *c = (gs_compaction *)job;
  gs_compaction_free(c);
  GS_DELETE(job->store->alloc, c);
}

static const gs_job_ops edit_ops = {
    .name = "move",
    .priority = 1,
    .step = step_edit,
    .free = free_edit_job,
};

/* ---- queueing ------------------------------------------------------------------ */

static gs_compaction *
new_compaction(gs_store *store, const gs_plan *plan)
{
  if (plan->op == GS_PLAN_MERGE) {
    return gs_merge_job_new(store);
  }
  gs_compaction *c = GS_NEW(store->alloc, gs_compaction);
  if (c != NULL) {
    c->job.ops = &edit_ops;
  }
  return c;
}

gs_status
gs_compaction_queue(gs_store *store, const gs_plan *plan, gs_job_waiter *waiter,
                    uint64_t *job_id, gs_error *err)
{
  gs_compaction *c = new_compaction(store, plan);
  if (c == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  c->job.store = store;
  c->job.id = ++store->next_job_id;
  c->job.waiter = waiter;
  c->version = atomic_load(&store->view)->version;
  gs_version_ref(c->version);
  gs_status status = copy_plan(c, plan, err);
  if (status == GS_OK) {
    status = gs_claim_new(store->alloc, c->job.id, c->version, plan,
                          &c->job.claim, err);
  }
  if (status != GS_OK) {
    c->job.ops->free(&c->job);
    return status;
  }
  gs_job_queue(store, &c->job);
  if (job_id != NULL) {
    *job_id = c->job.id;
  }
  return GS_OK;
}
