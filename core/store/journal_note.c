/*
 * journal_note: one function for each place of the engine that has something to
 * tell, so that such a place needs one line.
 */
#include "store/journal_note.h"

#include "code/fixed.h"
#include "store/event_format.h"
#include "store/journal.h"
#include "tree/refusal.h"

/* Outputs are listed while they leave room for the rest of an event. */
enum { LIST_BYTES = GS_EVENT_MAX_BYTES / 4 * 3 };

static gs_slice
cut(const char *text, size_t most)
{
  return gs_slice_of(text, strnlen(text, most));
}

static void
set_failure(gs_event *event, gs_status status, const gs_error *err)
{
  if (status != GS_OK) {
    event->code = gs_slice_str(gs_status_code(status));
    event->text = cut(err->message, GS_EVENT_TEXT_BYTES);
  }
}

static void
set_plan(gs_event *event, const gs_plan *plan)
{
  event->has_plan = true;
  event->op = plan->op;
  event->target = plan->target;
  event->level = plan->level;
  event->run_id = plan->run_id;
}

static void
add_id(gs_buffer *out, uint64_t id)
{
  uint8_t bytes[GS_EVENT_ID_BYTES];
  gs_put_u64(bytes, id);
  gs_buffer_append(out, bytes, sizeof bytes);
}

static void
add_ids(gs_buffer *out, const uint64_t *ids, size_t count)
{
  for (size_t i = 0; i < count && i < GS_PLAN_MAX_INPUTS; i++) {
    add_id(out, ids[i]);
  }
}

static void
add_output(gs_buffer *out, const gs_table_meta *meta, uint64_t inputs_bytes)
{
  if (out->size + inputs_bytes + gs_table_meta_encoded_bytes(meta) <=
      LIST_BYTES) {
    gs_table_meta_encode(meta, out);
  }
}

/* ---- jobs ------------------------------------------------------------------ */

void
gs_journal_time_begin(gs_job *job)
{
  if (!job->account.has_begun) {
    job->account.has_begun = true;
    job->account.began_us = gs_env_mono_us(job->store->env);
  }
}

void
gs_journal_time_end(gs_job *job)
{
  job->account.ended_us = gs_env_mono_us(job->store->env);
  job->account.ended_ms = gs_env_wall_ms(job->store->env);
}

/* Moved tables are their own outputs. */
static void
add_moved(const gs_version *version, const gs_plan *plan, gs_event *event,
          gs_buffer *out)
{
  for (size_t i = 0; i < plan->input_count; i++) {
    size_t run;
    const gs_tree_table *table =
        gs_version_find_table(version, plan->inputs[i], &run);
    add_output(out, &table->meta, event->inputs.size);
  }
  event->output_count = plan->input_count;
}

static void
add_outputs(const gs_job_account *account, gs_event *event, gs_buffer *out)
{
  const gs_plan *plan = account->plan;
  if (plan != NULL && plan->op == GS_PLAN_MOVE) {
    add_moved(account->version, plan, event, out);
  } else {
    for (size_t i = 0; i < account->output_count; i++) {
      add_output(out, &account->outputs[i]->meta, event->inputs.size);
    }
    event->output_count = account->output_count;
  }
}

static gs_event_kind
kind_of(const gs_job *job)
{
  const gs_plan *plan = job->account.plan;
  if (plan == NULL) {
    return GS_EVENT_FLUSH;
  }
  return plan->op == GS_PLAN_MERGE  ? GS_EVENT_MERGE
         : plan->op == GS_PLAN_MOVE ? GS_EVENT_MOVE
                                    : GS_EVENT_DROP;
}

/* What a job did is only told of one that did it. */
static void
set_account(gs_event *event, const gs_job_account *account)
{
  event->read_bytes = account->read_bytes;
  event->written_bytes = account->written_bytes;
  event->dropped_covered = account->dropped.covered;
  event->dropped_tombstones =
      account->dropped.bottom + account->dropped.doubled;
  event->dropped_expired = account->dropped.expired;
}

void
gs_journal_end_job(gs_store *store, const gs_job *job, gs_status status,
                   const gs_error *err)
{
  const gs_job_account *account = &job->account;
  gs_buffer inputs;
  gs_buffer outputs;
  gs_buffer_init(&inputs, store->alloc);
  gs_buffer_init(&outputs, store->alloc);
  gs_event event = {
      .kind = kind_of(job),
      .job = job->id,
      .why = cut(account->why, GS_EVENT_WHY_BYTES),
      .time_ms = account->ended_ms,
      .took_us = account->ended_us - account->began_us,
  };
  set_failure(&event, status, err);
  if (account->plan != NULL) {
    set_plan(&event, account->plan);
    add_ids(&inputs, account->plan->inputs, account->plan->input_count);
    event.inputs = gs_buffer_slice(&inputs);
  }
  if (status == GS_OK) {
    set_account(&event, account);
    add_outputs(account, &event, &outputs);
    event.outputs = gs_buffer_slice(&outputs);
  }
  gs_journal_note(store, &event, true);
  gs_buffer_deinit(&inputs);
  gs_buffer_deinit(&outputs);
}

/* ---- plans and policies ---------------------------------------------------- */

void
gs_journal_refusal(gs_store *store, const gs_plan *plan, bool dry_run,
                   const gs_refusal *refusal)
{
  gs_buffer tables;
  if (dry_run) {
    return;
  }
  gs_buffer_init(&tables, store->alloc);
  add_ids(&tables, refusal->tables, refusal->table_count);
  gs_event event = {
      .kind = GS_EVENT_REFUSED,
      .code = gs_slice_str(gs_refusal_name(refusal->code)),
      .text = cut(refusal->text, GS_EVENT_TEXT_BYTES),
      .why = cut(plan->why == NULL ? "" : plan->why, GS_EVENT_WHY_BYTES),
      .inputs = gs_buffer_slice(&tables),
  };
  set_plan(&event, plan);
  gs_journal_note(store, &event, true);
  gs_buffer_deinit(&tables);
}

void
gs_note_refusal(gs_store *store, const gs_plan *plan, const gs_refusal *refusal)
{
  if (gs_store_check(store, NULL) == GS_OK) {
    gs_tally(&store->counters.plans_refused, 1);
    gs_mutex_lock(store->state);
    gs_journal_refusal(store, plan, false, refusal);
    gs_mutex_unlock(store->state);
  }
}

/* With state taken for the moment of the note. */
static void
note(gs_store *store, gs_event *event, bool is_news)
{
  event->time_ms = gs_env_wall_ms(store->env);
  gs_mutex_lock(store->state);
  gs_journal_note(store, event, is_news);
  gs_mutex_unlock(store->state);
}

void
gs_note_policy_error(gs_store *store, const char *text, bool is_aside)
{
  gs_event event = {
      .kind = GS_EVENT_POLICY_ERROR,
      .code = gs_slice_str(is_aside ? "aside" : "policy"),
      .text = cut(text, GS_EVENT_TEXT_BYTES),
  };
  if (gs_store_check(store, NULL) == GS_OK) {
    note(store, &event, true);
  }
}

/* ---- the store ------------------------------------------------------------- */

void
gs_journal_stall(gs_store *store, const char *reason, uint64_t waited_us)
{
  gs_event event = {
      .kind = GS_EVENT_STALL,
      .why = gs_slice_str(reason),
      .took_us = waited_us,
  };
  /* Written with what comes next: until then those that follow are counted. */
  note(store, &event, false);
}

void
gs_journal_open(gs_store *store, uint64_t newest)
{
  const gs_counters *counters = &store->counters;
  bool is_news = counters->recovered_torn_bytes > 0 ||
                 counters->recovered_bits > 0 || counters->is_salvaged;
  gs_event event = {
      .kind = GS_EVENT_OPEN,
      .why = gs_slice_str(counters->is_salvaged ? "salvage" : ""),
      .recovered_batches = counters->recovered_batches,
      .recovered_torn_bytes = counters->recovered_torn_bytes,
      .recovered_bits = counters->recovered_bits,
  };
  store->recorder.file_number = newest;
  note(store, &event, is_news);
}

void
gs_journal_survivors(gs_store *store, const gs_output *output, const char *why)
{
  gs_buffer metas;
  gs_buffer_init(&metas, store->alloc);
  gs_event event = {
      .kind = GS_EVENT_FLUSH,
      .why = gs_slice_str(why),
      .output_count = output->table_count,
      .written_bytes = output->bytes_written,
  };
  for (size_t i = 0; i < output->table_count; i++) {
    add_output(&metas, &output->tables[i]->meta, 0);
    event.read_bytes += output->tables[i]->meta.data_bytes;
  }
  event.outputs = gs_buffer_slice(&metas);
  note(store, &event, true);
  gs_buffer_deinit(&metas);
}

void
gs_journal_resume(gs_store *store)
{
  gs_event event = {.kind = GS_EVENT_RESUME};
  note(store, &event, true);
}

void
gs_journal_close(gs_store *store, gs_status status, const gs_error *err)
{
  gs_event event = {.kind = GS_EVENT_CLOSE};
  gs_error unsaid = {.message = ""};
  set_failure(&event, status, err == NULL ? &unsaid : err);
  note(store, &event, store->recorder.written > 0);
  gs_journal_finish(store);
}
