/*
 * open: making, finding and ending a store.
 *
 *   look at the directory ─▶ refuse, or lock ─▶ recover ─▶ start threads
 *
 * Everything that can refuse comes before anything is created; what a failed
 * open did create (the directory, the lock file) it takes away again.
 */
#include "code/hash.h"
#include "store/builtin.h"
#include "store/directory.h"
#include "store/flush.h"
#include "store/options.h"
#include "store/paths.h"
#include "store/recover.h"
#include "store/registry.h"

/* ---- the object ------------------------------------------------------------------------ */

static gs_status
make_locks(gs_store *store, gs_error *err)
{
  gs_mutex **mutexes[] = {&store->commit, &store->install, &store->state};
  gs_cond **conds[] = {&store->synced, &store->log_work, &store->work,
                       &store->progress};
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < 3; i++) {
    status = gs_mutex_new(store->env, mutexes[i], err);
  }
  for (size_t i = 0; status == GS_OK && i < 4; i++) {
    status = gs_cond_new(store->env, conds[i], err);
  }
  return status;
}

static void
free_locks(gs_store *store)
{
  gs_mutex_free(store->commit);
  gs_mutex_free(store->install);
  gs_mutex_free(store->state);
  gs_cond_free(store->synced);
  gs_cond_free(store->log_work);
  gs_cond_free(store->work);
  gs_cond_free(store->progress);
}

static gs_status
copy_path(gs_store *store, const char *path, gs_error *err)
{
  size_t size = strlen(path);
  while (size > 1 && path[size - 1] == '/') {
    size--;
  }
  store->path_size = size + 1;
  store->path = gs_alloc_zeroed(store->alloc, size + 1);
  if (store->path == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  memcpy(store->path, path, size);
  return GS_OK;
}

static gs_status
make_parts(gs_store *store, const char *path, gs_error *err)
{
  const gs_options *o = &store->options;
  gs_batch_init(&store->scratch, store->alloc);
  gs_buffer_init(&store->note, store->alloc);
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

static gs_status
new_store(const char *path, const gs_options *options, gs_store **out,
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
  store->process_id = store->env->ops->process_id(store->env);
  store->opens = 1;
  store->reason = "resume";
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

static void
free_jobs(gs_store *store)
{
  while (store->jobs != NULL) {
    gs_job *job = store->jobs;
    store->jobs = job->next;
    gs_claim_free(store->alloc, job->claim);
    job->claim = NULL;
    job->ops->free(job);
  }
}

/* Frees whatever was made so far. No thread runs any more. */
static void
free_store(gs_store *store)
{
  gs_alloc *alloc = store->alloc;
  free_jobs(store);
  gs_wal_deinit(store);
  gs_view_unref(atomic_load(&store->view));
  if (store->tree.alloc != NULL) {
    gs_manifest_state_deinit(&store->tree);
  }
  gs_manifest_close(store->manifest);
  gs_epoch_free(store->epoch);
  gs_cache_free(store->cache);
  gs_batch_deinit(&store->scratch);
  gs_buffer_deinit(&store->note);
  for (size_t i = 0; i < GS_SEALED_MAX; i++) {
    gs_buffer_deinit(&store->sealed_notes[i].text);
  }
  free_locks(store);
  gs_alloc_free(alloc, store->read_counters,
                GS_COUNTER_SLOTS * sizeof *store->read_counters);
  if (store->lock != NULL) {
    gs_env_unlock(store->lock);
  }
  gs_alloc_free(alloc, store->path, store->path_size);
  GS_DELETE(alloc, store);
}

/* ---- refusing ---------------------------------------------------------------------------- */

static gs_status
refuse(gs_error *err, gs_status status, const char *path, const char *text,
       const char *hint)
{
  status = GS_FAIL(err, status, "%s: %s", path, text);
  status = gs_error_at(err, status, path);
  return gs_error_hint(err, status, hint);
}

static gs_status
check_directory(const gs_store *store, const gs_directory *found, gs_error *err)
{
  const gs_options *o = &store->options;
  if (found->manifest_count > 0) {
    return !o->must_create
               ? GS_OK
               : refuse(err, GS_EXISTS, store->path,
                        "there is a store here already",
                        "open it without must_create, or give another path");
  }
  if (found->data_count > 0) {
    return refuse(err, GS_CORRUPT, store->path,
                  "the directory holds tables or logs but no manifest",
                  "restore the MANIFEST file from a copy of the directory");
  }
  if (found->foreign_count > 0) {
    return refuse(err, GS_MISSING, store->path,
                  "the directory holds other files and no store",
                  "give an empty directory, or one that does not exist yet");
  }
  if (!o->create || o->readonly) {
    return refuse(err, GS_MISSING, store->path, "there is no store here",
                  o->readonly ? "check the path"
                              : "open it with create = true, or check the "
                                "path");
  }
  return GS_OK;
}

/* ---- making and finding ------------------------------------------------------------------- */

/* What this open made itself, and takes away again where it fails. */
typedef struct creation {
  bool made_directory;
  bool made_lock;
  bool made_manifest;
} creation;

static gs_status
sync_parent(gs_store *store, gs_error *err)
{
  gs_buffer parent;
  gs_buffer_init(&parent, store->alloc);
  gs_status status =
      gs_path_parent(&parent, store->path) == NULL
          ? GS_FAIL_NOMEM(err)
          : gs_env_sync_dir(store->env, (const char *)parent.data, err);
  gs_buffer_deinit(&parent);
  return status;
}

/* Another process may make it at the same time; the lock decides then. */
static gs_status
make_directory(gs_store *store, creation *made, gs_error *err)
{
  gs_status status = gs_env_make_dir(store->env, store->path, err);
  made->made_directory = status == GS_OK;
  if (status == GS_EXISTS) {
    return GS_OK;
  }
  return status == GS_OK ? sync_parent(store, err) : status;
}

static gs_status
take_lock(gs_store *store, gs_error *err)
{
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  gs_status status;
  if (gs_path_lock(&path, store->path) == NULL) {
    status = GS_FAIL_NOMEM(err);
  } else {
    status =
        gs_env_lock(store->env, (const char *)path.data, &store->lock, err);
  }
  gs_buffer_deinit(&path);
  return status;
}

/* Takes back what a failed creation left, as far as it can, and nothing that
 * another process made. The lock goes last, so that nobody finds its file gone
 * who then holds it. */
static void
undo_creation(gs_store *store, const creation *made)
{
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  if (made->made_manifest) {
    gs_manifest_path(&path, store->path, store->manifest_number);
    GS_IGNORE(path.failed ||
                  gs_env_remove(store->env, (const char *)path.data, NULL),
              "what stays is an empty store");
  }
  if (made->made_lock && store->lock != NULL) {
    GS_IGNORE(gs_path_lock(&path, store->path) == NULL ||
                  gs_env_remove(store->env, (const char *)path.data, NULL),
              "an empty lock file does no harm");
  }
  if (store->lock != NULL) {
    gs_env_unlock(store->lock);
    store->lock = NULL;
  }
  if (made->made_directory) {
    GS_IGNORE(gs_env_remove_dir(store->env, store->path, NULL),
              "an empty directory does no harm");
  }
  gs_buffer_deinit(&path);
}

static gs_status
create_store(gs_store *store, creation *made, gs_error *err)
{
  store->manifest_number++;
  gs_status status = gs_recover_fresh(store, err);
  made->made_manifest = status == GS_OK;
  return status;
}

/* A creation that was cut short left nothing but the beginning of a manifest:
 * it is made to its end, if that may be done. */
static gs_status
find_store(gs_store *store, const gs_directory *found, creation *made,
           gs_error *err)
{
  const gs_options *o = &store->options;
  store->manifest_number = found->max_manifest;
  if (found->manifest_count == 0) {
    return create_store(store, made, err);
  }
  atomic_store(&store->next_id, found->max_number + 1);
  gs_status status = gs_recover(store, err);
  bool is_unmade = status == GS_MISSING && found->data_count == 0;
  return is_unmade && o->create && !o->readonly ? create_store(store, made, err)
                                                : status;
}

static gs_status
identify(gs_store *store, gs_error *err)
{
  gs_file_info info;
  gs_status status = gs_env_stat(store->env, store->path, &info, err);
  if (status == GS_OK) {
    store->device = info.device;
    store->inode = info.inode;
  }
  return status;
}

static gs_status
look_around(gs_store *store, gs_directory *found, gs_error *err)
{
  gs_status status = gs_directory_look(store->env, store->path, found, err);
  return status == GS_OK ? check_directory(store, found, err) : status;
}

/* Takes what excludes others, then looks again: until then another process may
 * have made a store here. */
static gs_status
enter_directory(gs_store *store, gs_directory *found, creation *made,
                gs_error *err)
{
  gs_status status = GS_OK;
  made->made_lock = !found->has_lock;
  if (!found->exists) {
    status = make_directory(store, made, err);
  }
  if (status == GS_OK && !store->is_readonly) {
    status = take_lock(store, err);
  }
  if (status == GS_OK) {
    status = look_around(store, found, err);
  }
  return status == GS_OK ? identify(store, err) : status;
}

static gs_status
open_fresh(gs_store *store, gs_error *err)
{
  gs_directory found;
  creation made = {0};
  gs_status status = look_around(store, &found, err);
  if (status == GS_OK) {
    status = enter_directory(store, &found, &made, err);
  }
  if (status == GS_OK) {
    status = find_store(store, &found, &made, err);
  }
  if (status == GS_OK && !store->is_readonly) {
    status = gs_store_start_threads(store, err);
    if (status != GS_OK) {
      gs_store_stop_threads(store);
    }
  }
  if (status != GS_OK && (made.made_manifest || found.manifest_count == 0)) {
    undo_creation(store, &made);
  }
  return status;
}

/* ---- attaching ---------------------------------------------------------------------------- */

static gs_status
attach(gs_store *store, const gs_options *options, gs_error *err)
{
  if (options->kind != GS_STORE_ANY && options->kind != store->kind) {
    return refuse(err, GS_KIND, store->path,
                  "the store is open in this process and of the other kind",
                  "open it with its own kind");
  }
  if (options->must_create) {
    return refuse(err, GS_EXISTS, store->path,
                  "the store is open in this process",
                  "open it without must_create");
  }
  if (options->readonly != store->is_readonly) {
    return refuse(err, GS_MISMATCH, store->path,
                  store->is_readonly
                      ? "the store is open in this process, for reading only"
                      : "the store is open in this process, for writing",
                  "close that handle first, or use it");
  }
  if (options->durability != store->options.durability) {
    return refuse(err, GS_MISMATCH, store->path,
                  "the store is open in this process with another durability",
                  "give the same durability, and sync = true where a write "
                  "needs it");
  }
  store->opens++;
  return GS_OK;
}

static gs_store *
find_open(gs_env *env, const char *path)
{
  gs_file_info info;
  if (gs_env_stat(env, path, &info, NULL) != GS_OK) {
    return NULL;
  }
  return gs_registry_find(env, info.device, info.inode);
}

enum { READER_TRIES = 8 };

/* A writer beside a reader may delete what the reader was about to open: then
 * it looks again. */
static gs_status
open_new(const char *path, const gs_options *options, gs_store **out,
         gs_error *err)
{
  gs_status status = GS_OK;
  for (int i = 0; i < READER_TRIES; i++) {
    gs_store *store = NULL;
    status = new_store(path, options, &store, err);
    if (status == GS_OK) {
      status = open_fresh(store, err);
    }
    if (status == GS_OK) {
      *out = store;
      return GS_OK;
    }
    if (store != NULL) {
      free_store(store);
    }
    bool may_pass = status == GS_MISSING || status == GS_CORRUPT;
    if (!options->readonly || !may_pass) {
      break;
    }
  }
  return status;
}

static gs_status
open_registered(const char *path, const gs_options *options, gs_store **out,
                gs_error *err)
{
  gs_store *store = find_open(options->env, path);
  gs_status status;
  if (store != NULL) {
    status = attach(store, options, err);
    *out = store;
    return status;
  }
  status = open_new(path, options, &store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_registry_add(store);
  *out = store;
  return GS_OK;
}

gs_status
gs_open(const char *path, const gs_options *options, gs_store **out,
        gs_error *err)
{
  gs_options chosen;
  gs_options_init(&chosen);
  if (options != NULL) {
    chosen = *options;
  }
  if (chosen.env == NULL) {
    chosen.env = gs_env_posix();
  }
  *out = NULL;
  gs_status status = gs_options_check(&chosen, err);
  if (status == GS_OK && path[0] == '\0') {
    status = GS_FAIL(err, GS_MISUSE, "the path is empty");
  }
  if (status != GS_OK) {
    return status;
  }
  gs_options_derive(&chosen);
  gs_mutex *registry;
  status = gs_env_registry(chosen.env, &registry, err);
  if (status != GS_OK) {
    return status;
  }
  gs_mutex_lock(registry);
  gs_store *store = NULL;
  status = open_registered(path, &chosen, &store, err);
  gs_mutex_unlock(registry);
  if (status == GS_OK) {
    *out = store;
    if (!store->is_readonly) {
      gs_builtin_decide(store, store->options.has_policy ? GS_RUNS_FLOOR
                                                         : GS_RUNS_BUILTIN);
    }
  }
  return status;
}

unsigned
gs_get_opens(const gs_store *store)
{
  gs_mutex *registry;
  if (gs_env_registry(store->env, &registry, NULL) != GS_OK) {
    return 1; /* cannot happen: opening made it */
  }
  gs_mutex_lock(registry);
  unsigned opens = store->opens;
  gs_mutex_unlock(registry);
  return opens;
}

/* ---- closing ------------------------------------------------------------------------------ */

static gs_status
install_clean(gs_store *store, gs_error *err)
{
  gs_edit *edit = gs_edit_new(store->alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  for (size_t i = 0; i < store->tree.segment_count; i++) {
    gs_edit_remove_segment(edit, store->tree.segments[i].number);
  }
  if (store->note_seq > 0 || store->note.size > 0) {
    gs_edit_set_note(edit, gs_buffer_slice(&store->note), store->note_seq);
  }
  gs_install change = {
      .edit = edit,
      .flushed_seq = store->next_seq - 1,
      .is_clean = true,
  };
  gs_mutex_lock(store->install);
  gs_status status = gs_store_install(store, &change, err);
  gs_mutex_unlock(store->install);
  gs_edit_free(edit);
  return status;
}

/* Everything into tables, then the mark that no log holds anything. A store
 * that was not written to is left as it is. */
static gs_status
settle(gs_store *store, gs_error *err)
{
  if (store->is_readonly) {
    return GS_OK;
  }
  gs_status status = gs_flush_all(store, err);
  gs_store_stop_threads(store);
  if (status != GS_OK) {
    return status;
  }
  free_jobs(store);
  bool is_touched = store->manifest != NULL &&
                    !(store->tree.facts.is_clean && store->wal.oldest == NULL &&
                      store->wal.prepared == NULL);
  if (!is_touched) {
    return GS_OK;
  }
  status = install_clean(store, err);
  if (status == GS_OK) {
    gs_wal_deinit(store);
    gs_directory_sweep(store->env, store->alloc, store->path, &store->tree,
                       gs_manifest_number(store->manifest));
  }
  return status;
}

gs_status
gs_close(gs_store *store, gs_error *err)
{
  if (store == NULL) {
    return GS_OK;
  }
  if (gs_store_check(store, NULL) != GS_OK) {
    /* A forked child: threads, locks and files are the parent's, and any lock
     * may be held for ever here. Nothing can be ended safely. */
    return GS_OK;
  }
  gs_mutex *registry;
  gs_status status = gs_env_registry(store->env, &registry, err);
  if (status != GS_OK) {
    return status; /* cannot happen: opening made it */
  }
  gs_mutex_lock(registry);
  bool is_last = --store->opens == 0;
  if (is_last) {
    gs_registry_remove(store);
    status = settle(store, err);
    free_store(store);
  }
  gs_mutex_unlock(registry);
  return status;
}
