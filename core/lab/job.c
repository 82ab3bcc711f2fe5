/*
 * job: plans on their way. A plan is checked when it is submitted and again
 * when its result is installed, as the engine does it.
 */
#include "lab/state.h"

#include "lab/edit.h"
#include "tree/refusal.h"
#include "tree/sort.h"

/* ---- rules -------------------------------------------------------------------- */

size_t
gs_lab_count_merges(const gs_lab *lab)
{
  size_t count = 0;
  for (const gs_lab_job *job = lab->jobs; job != NULL; job = job->next) {
    count += job->claim != NULL;
  }
  return count;
}

size_t
gs_lab_claims(const gs_lab *lab, const gs_lab_job *except,
              const gs_claim **claims)
{
  size_t count = 0;
  for (const gs_lab_job *job = lab->jobs; job != NULL; job = job->next) {
    if (job->claim != NULL && job != except) {
      claims[count++] = job->claim;
    }
  }
  return count;
}

uint64_t
gs_lab_free_bytes(const gs_lab *lab)
{
  if (lab->options.disk_bytes == 0) {
    return UINT64_MAX;
  }
  uint64_t used = 0;
  for (size_t r = 0; r < lab->version->run_count; r++) {
    used += lab->version->runs[r]->bytes;
  }
  return used < lab->options.disk_bytes ? lab->options.disk_bytes - used : 0;
}

bool
gs_lab_check(const gs_lab *lab, const gs_plan *plan, const gs_lab_job *except,
             gs_refusal *refusal)
{
  const gs_claim *claims[GS_LAB_CLAIMS];
  if (except == NULL && gs_lab_count_merges(lab) == GS_LAB_CLAIMS) {
    GS_REFUSE(refusal, GS_REFUSAL_TOO_MANY,
              "%d jobs are queued already; wait until some end", GS_LAB_CLAIMS);
    return false;
  }
  size_t count = gs_lab_claims(lab, except, claims);
  const gs_plan_limits limits = {
      .max_runs = GS_RUNS_MAX,
      .free_bytes = except == NULL ? gs_lab_free_bytes(lab) : UINT64_MAX,
      .safe_clock_ms = (uint64_t)gs_lab_now_ms(lab),
      .may_lose = lab->options.may_lose,
      .oldest_snapshot_seq = UINT64_MAX,
      .oldest_snapshot_clock_ms = UINT64_MAX,
  };
  return gs_plan_check(lab->version, plan, claims, count, &limits, refusal);
}

/* ---- queueing ----------------------------------------------------------------- */

void
gs_lab_job_free(gs_lab *lab, gs_lab_job *job)
{
  gs_alloc *alloc = lab->alloc;
  gs_table_list_deinit(&job->outputs);
  gs_claim_free(alloc, job->claim);
  gs_version_unref(job->version);
  gs_alloc_free(alloc, (void *)job->plan.inputs,
                job->plan.input_count * sizeof *job->plan.inputs);
  gs_alloc_free(alloc, job->fences, job->fence_count * sizeof *job->fences);
  GS_DELETE(alloc, job);
}

static gs_lab_job *
new_job(gs_lab *lab)
{
  gs_lab_job *job = GS_NEW(lab->alloc, gs_lab_job);
  if (job != NULL) {
    job->id = ++lab->next_job_id;
    job->outputs.alloc = lab->alloc;
  }
  return job;
}

static void
append(gs_lab *lab, gs_lab_job *job)
{
  gs_lab_job **at = &lab->jobs;
  while (*at != NULL) {
    at = &(*at)->next;
  }
  *at = job;
}

/* Inputs come in order of ids; cuts are kept as positions. */
static gs_status
copy_plan(gs_lab *lab, gs_lab_job *job, const gs_plan *plan, gs_error *err)
{
  uint64_t *inputs =
      gs_alloc_array(lab->alloc, plan->input_count, sizeof *inputs);
  if (inputs == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  memcpy(inputs, plan->inputs, plan->input_count * sizeof *inputs);
  gs_sort_u64(inputs, plan->input_count);
  job->plan = *plan;
  job->plan.inputs = inputs;
  job->plan.cuts = NULL;
  job->plan.cut_count = 0;
  job->plan.why = NULL;
  if (plan->cut_count == 0) {
    return GS_OK;
  }
  job->fences =
      gs_alloc_array(lab->alloc, plan->cut_count, sizeof *job->fences);
  if (job->fences == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  job->fence_count = plan->cut_count;
  for (size_t i = 0; i < plan->cut_count; i++) {
    job->fences[i] = gs_position_of(plan->cuts[i]);
  }
  return GS_OK;
}

static double
input_bytes(const gs_version *version, const gs_plan *plan)
{
  double bytes = 0;
  for (size_t i = 0; i < plan->input_count; i++) {
    size_t run;
    bytes += (double)gs_version_find_table(version, plan->inputs[i], &run)
                 ->meta.file_bytes;
  }
  return bytes;
}

gs_status
gs_lab_job_queue(gs_lab *lab, const gs_plan *plan, uint64_t *job_id,
                 gs_error *err)
{
  gs_lab_job *job = new_job(lab);
  if (job == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  job->version = lab->version;
  gs_version_ref(job->version);
  gs_status status = copy_plan(lab, job, plan, err);
  if (status == GS_OK) {
    status =
        gs_claim_new(lab->alloc, job->id, lab->version, plan, &job->claim, err);
  }
  if (status != GS_OK) {
    gs_lab_job_free(lab, job);
    return status;
  }
  job->input_bytes =
      plan->op == GS_PLAN_MERGE ? input_bytes(lab->version, plan) : 0;
  append(lab, job);
  if (job_id != NULL) {
    *job_id = job->id;
  }
  return GS_OK;
}

gs_status
gs_lab_flush_queue(gs_lab *lab, gs_error *err)
{
  for (const gs_lab_job *job = lab->jobs; job != NULL; job = job->next) {
    if (job->is_flush) {
      return GS_OK;
    }
  }
  if (lab->sealed_count == 0) {
    return GS_OK;
  }
  gs_lab_job *job = new_job(lab);
  if (job == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  job->is_flush = true;
  job->span = lab->sealed[0];
  append(lab, job);
  return GS_OK;
}

gs_status
gs_lab_floor(gs_lab *lab, gs_error *err)
{
  gs_plan plan;
  gs_refusal refusal;
  if (lab->version->run_count <= lab->floor_runs ||
      gs_lab_count_merges(lab) > 0) {
    return GS_OK;
  }
  size_t runs = gs_floor_gather(lab->version, lab->floor_runs);
  if (runs < 2) {
    return GS_OK;
  }
  gs_status status = gs_floor_plan(lab->alloc, lab->version, runs, &plan, err);
  if (status != GS_OK) {
    return status;
  }
  if (gs_lab_check(lab, &plan, NULL, &refusal)) {
    status = gs_lab_job_queue(lab, &plan, NULL, err);
  }
  gs_alloc_free(lab->alloc, (void *)plan.inputs,
                plan.input_count * sizeof *plan.inputs);
  return status;
}

/* ---- work --------------------------------------------------------------------- */

static double
seconds(double bytes, double bytes_per_s)
{
  return bytes_per_s > 0 ? bytes / bytes_per_s : 0;
}

gs_status
gs_lab_job_begin(gs_lab *lab, gs_lab_job *job, gs_error *err)
{
  job->has_begun = true;
  if (job->is_flush) {
    job->version = lab->version;
    gs_version_ref(job->version);
  }
  gs_status status = gs_lab_yield(lab, job, err);
  job->left_s = seconds(job->read_bytes, lab->options.read_bytes_per_s) +
                seconds(job->written_bytes, lab->options.write_bytes_per_s);
  return status;
}

static gs_status
install(gs_lab *lab, gs_lab_job *job, gs_error *err)
{
  const gs_lab_edit edit = {
      .removed = job->plan.inputs,
      .removed_count = job->plan.input_count,
      .added = job->outputs.tables,
      .added_count = job->outputs.count,
      .is_flush = job->is_flush,
      .target = job->plan.target,
      .run_id = job->plan.run_id,
      .level = job->plan.level,
      .new_run_id = lab->next_id++,
  };
  gs_version *version = gs_lab_edit_apply(lab->alloc, lab->version, &edit);
  if (version == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_version_unref(lab->version);
  lab->version = version;
  return GS_OK;
}

static void
count_job(gs_lab *lab, const gs_lab_job *job)
{
  gs_lab_sample *sums = &lab->sums;
  if (job->is_flush) {
    gs_count entries = gs_fill_span_entries(&lab->fill, &job->span);
    sums->flushes++;
    sums->flushed_bytes += job->written_bytes;
    sums->flushed_data += gs_size_data(&lab->format, entries);
    memmove(&lab->sealed[0], &lab->sealed[1],
            (lab->sealed_count - 1) * sizeof lab->sealed[0]);
    lab->sealed_count--;
    return;
  }
  sums->merges += job->plan.op == GS_PLAN_MERGE;
  sums->moves += job->plan.op == GS_PLAN_MOVE;
  sums->drops += job->plan.op == GS_PLAN_DROP;
  sums->merged_bytes += job->written_bytes;
  sums->read_bytes += job->read_bytes;
}

static void
unlink_job(gs_lab *lab, gs_lab_job *job)
{
  gs_lab_job **at = &lab->jobs;
  while (*at != job) {
    at = &(*at)->next;
  }
  *at = job->next;
}

static const char *
reason_of(const gs_lab_job *job)
{
  if (job->is_flush) {
    return "flush";
  }
  return job->plan.op == GS_PLAN_MERGE  ? "merge"
         : job->plan.op == GS_PLAN_MOVE ? "move"
                                        : "drop";
}

gs_status
gs_lab_job_end(gs_lab *lab, gs_lab_job *job, gs_error *err)
{
  gs_refusal refusal;
  gs_status status = GS_OK;
  if (job->is_flush || gs_lab_check(lab, &job->plan, job, &refusal)) {
    status = install(lab, job, err);
    if (status == GS_OK) {
      count_job(lab, job);
      lab->reason = reason_of(job);
    }
  } else {
    lab->sums.lapsed++;
  }
  unlink_job(lab, job);
  gs_lab_job_free(lab, job);
  lab->wants_decision = lab->floor_runs != GS_RUNS_BUILTIN;
  if (status == GS_OK) {
    status = gs_lab_flush_queue(lab, err);
  }
  return status == GS_OK ? gs_lab_floor(lab, err) : status;
}
