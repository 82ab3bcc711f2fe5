/*
 * object: made in the order in which the parts need each other, and freed from
 * whatever came of it.
 */
#include "store/object.h"

#include "store/options.h"

static gs_status
make_locks(gs_store *store, gs_error *err)
{
  gs_mutex **mutexes[] = {&store->commit,       &store->turn,
                          &store->calls,        &store->install,
                          &store->state,        &store->clock.lock,
                          &store->remover.lock, &store->throttle.lock};
  gs_cond **conds[] = {&store->synced,
                       &store->gathered,
                       &store->log_work,
                       &store->work,
                       &store->asked,
                       &store->progress,
                       &store->throttle.changed,
                       &store->remover.changed};
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < sizeof mutexes / sizeof mutexes[0];
       i++) {
    status = gs_mutex_new(store->env, mutexes[i], err);
  }
  for (size_t i = 0; status == GS_OK && i < sizeof conds / sizeof conds[0];
       i++) {
    status = gs_cond_new(store->env, conds[i], err);
  }
  return status == GS_OK ? gs_journal_init(store, err) : status;
}

static void
free_locks(gs_store *store)
{
  gs_mutex_free(store->commit);
  gs_mutex_free(store->turn);
  gs_mutex_free(store->calls);
  gs_mutex_free(store->install);
  gs_mutex_free(store->state);
  gs_mutex_free(store->clock.lock);
  gs_mutex_free(store->throttle.lock);
  gs_mutex_free(store->remover.lock);
  gs_cond_free(store->synced);
  gs_cond_free(store->gathered);
  gs_cond_free(store->log_work);
  gs_cond_free(store->work);
  gs_cond_free(store->asked);
  gs_cond_free(store->throttle.changed);
  gs_cond_free(store->remover.changed);
  gs_cond_free(store->progress);
}

/* Files are made as long as the store is open, wherever the process goes. */
static gs_status
copy_path(gs_store *store, const char *path, gs_error *err)
{
  gs_buffer full;
  gs_buffer_init(&full, store->alloc);
  gs_status status = gs_env_absolute(store->env, path, &full, err);
  if (status == GS_OK) {
    store->path_size = full.size;
    store->path = gs_alloc_bytes(store->alloc, full.size);
    status = store->path != NULL ? GS_OK : GS_FAIL_NOMEM(err);
  }
  if (status == GS_OK && store->path != NULL) {
    memcpy(store->path, full.data, full.size);
  }
  gs_buffer_deinit(&full);
  return status;
}

static gs_status
make_parts(gs_store *store, const char *path, gs_error *err)
{
  const gs_options *o = &store->options;
  gs_batch_init(&store->scratch, store->alloc);
  gs_note_init(&store->note, store->alloc);
  gs_spare_init(&store->spare, store->alloc, GS_SEALED_MAX + 1);
  for (size_t i = 0; i < GS_SEALED_MAX; i++) {
    gs_buffer_init(&store->sealed_notes[i].text, store->alloc);
  }
  gs_status status = copy_path(store, path, err);
  if (status == GS_OK) {
    status = make_locks(store, err);
  }
  if (status == GS_OK) {
    status = gs_epoch_new(store->env, &store->epoch, err);
  }
  if (status == GS_OK) {
    uint64_t bytes = gs_options_cache_bytes(o->memory_bytes, o->memtable_bytes);
    status = gs_cache_new(store->env, store->epoch, bytes, &store->cache, err);
  }
  if (status == GS_OK) {
    status = gs_manifest_state_init(&store->tree, store->alloc, err);
  }
  return status;
}

gs_status
gs_object_new(const char *path, const gs_options *options, gs_store **out,
              gs_error *err)
{
  gs_alloc *alloc = options->env->alloc;
  gs_store *store = GS_NEW(alloc, gs_store);
  if (store == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  *out = store;
  store->env = options->env;
  store->alloc = alloc;
  store->options = *options;
  store->is_readonly = options->readonly;
  store->process_id = gs_env_process(store->env);
  atomic_init(&store->opens, 1);
  store->reason = "resume";
  atomic_init(&store->is_driven, options->has_policy);
  store->ask_at_bytes = UINT64_MAX;
  atomic_init(&store->counters.stall_reason, "");
  atomic_init(&store->next_id, 1);
  store->read_counters =
      gs_alloc_zeroed(alloc, GS_COUNTER_SLOTS * sizeof *store->read_counters);
  if (store->read_counters == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_options_publish(store);
  return make_parts(store, path, err);
}

void
gs_object_free_jobs(gs_store *store)
{
  while (store->jobs != NULL) {
    gs_job *job = store->jobs;
    store->jobs = job->next;
    gs_claim_free(store->alloc, job->claim);
    job->claim = NULL;
    job->ops->free(job);
  }
}

void
gs_object_free(gs_store *store)
{
  if (store == NULL) {
    return;
  }
  gs_alloc *alloc = store->alloc;
  gs_object_free_jobs(store);
  gs_wal_deinit(store);
  gs_view_unref(atomic_load(&store->view));
  if (store->tree.alloc != NULL) {
    gs_manifest_state_deinit(&store->tree);
  }
  gs_manifest_close(store->manifest);
  gs_epoch_free(store->epoch);
  gs_spare_deinit(&store->spare);
  gs_cache_free(store->cache);
  gs_batch_deinit(&store->scratch);
  gs_note_deinit(&store->note);
  for (size_t i = 0; i < GS_SEALED_MAX; i++) {
    gs_buffer_deinit(&store->sealed_notes[i].text);
  }
  gs_journal_deinit(store);
  free_locks(store);
  gs_alloc_free(alloc, store->read_counters,
                GS_COUNTER_SLOTS * sizeof *store->read_counters);
  if (store->lock != NULL) {
    gs_env_unlock(store->lock);
  }
  gs_alloc_free(alloc, store->path, store->path_size);
  GS_DELETE(alloc, store);
}
