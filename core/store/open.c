/*
 * open: making, finding and ending a store.
 *
 *   look at the directory ─▶ refuse, or lock ─▶ recover ─▶ start threads
 *
 * Everything that can refuse comes before anything is created; what a failed
 * open did create (the directory, the lock file) it takes away again.
 */
#include "store/admission.h"
#include "store/builtin.h"
#include "store/decision.h"
#include "store/flush.h"
#include "store/journal_note.h"
#include "store/object.h"
#include "store/options.h"
#include "store/paths.h"
#include "store/recover.h"
#include "store/registry.h"

/* ---- making and finding -------------------------------------------------- */

/* What this open made itself, and takes away again where it fails. */
typedef struct creation {
  gs_site *site;
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

static gs_status
identify(gs_store *store, gs_site *site, gs_error *err)
{
  gs_file_info info;
  gs_status status = gs_env_stat(store->env, store->path, &info, err);
  if (status == GS_OK) {
    store->device = info.device;
    store->inode = info.inode;
    gs_registry_locate(site, info.device, info.inode);
  }
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
  if (status == GS_OK) {
    status = identify(store, made->site, err);
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
 * another process made. The lock is held to the end, so that nobody else makes
 * a store in what goes. */
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
  if (made->made_directory) {
    GS_IGNORE(gs_env_remove_dir(store->env, store->path, NULL),
              "an empty directory does no harm");
  }
  gs_env_unlock(store->lock);
  store->lock = NULL;
  gs_buffer_deinit(&path);
}

static gs_status
create_store(gs_store *store, creation *made, gs_error *err)
{
  if (!made->made_directory) {
    GS_IGNORE(
        sync_parent(store, NULL),
        "some may not be read; whoever made the directory answers for it");
  }
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
  if (!store->is_readonly) {
    gs_ballast_begin(store);
  }
  bool is_unmade;
  gs_status status = gs_recover(store, &is_unmade, err);
  if (is_unmade && found->data_count > 0) {
    return gs_admission_refuse_cut(store->path, err);
  }
  if (!is_unmade || !o->create || o->readonly) {
    return status;
  }
  /* The first manifest's name is what tells a store that was not made to its
   * end from one whose manifests are damaged: it must not get lost before
   * there is a complete one. */
  status = gs_env_sync_dir(store->env, store->path, err);
  return status == GS_OK ? create_store(store, made, err) : status;
}

static gs_status
look_around(gs_store *store, gs_directory *found, gs_error *err)
{
  gs_status status = gs_directory_look(store->env, store->path, found, err);
  store->counters.foreign_files = found->foreign_count;
  return status == GS_OK ? gs_admission_check_directory(store, found, err)
                         : status;
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
  return status == GS_OK ? identify(store, made->site, err) : status;
}

static gs_status
open_fresh(gs_store *store, gs_site *site, gs_error *err)
{
  gs_directory found;
  creation made = {.site = site};
  gs_status status = look_around(store, &found, err);
  if (status == GS_OK) {
    status = enter_directory(store, &found, &made, err);
  }
  if (status == GS_OK) {
    status = find_store(store, &found, &made, err);
  }
  if (status == GS_OK && !store->is_readonly) {
    gs_journal_open(store, found.max_journal);
    status = gs_store_start_threads(store, err);
    if (status != GS_OK) {
      gs_store_stop_threads(store);
    }
  }
  if (status != GS_OK) {
    undo_creation(store, &made);
  }
  return status;
}

/* ---- attaching ----------------------------------------------------------- */

static gs_status
attach(gs_store *store, const gs_options *options, gs_error *err)
{
  if (options->kind != GS_STORE_ANY && options->kind != store->kind) {
    return gs_admission_refuse(
        err, GS_KIND, store->path,
        "the store is open in this process and of the other kind",
        "open it with its own kind");
  }
  if (options->must_create) {
    return gs_admission_refuse(err, GS_EXISTS, store->path,
                               "the store is open in this process",
                               "open it without must_create");
  }
  if (options->readonly != store->is_readonly) {
    return gs_admission_refuse(
        err, GS_MISMATCH, store->path,
        store->is_readonly
            ? "the store is open in this process, for reading only"
            : "the store is open in this process, for writing",
        "close that handle first, or use it");
  }
  if (options->durability != store->options.durability) {
    return gs_admission_refuse(
        err, GS_MISMATCH, store->path,
        "the store is open in this process with another durability",
        "give the same durability, and sync = true where a write "
        "needs it");
  }
  if (options->may_lose && !store->options.may_lose) {
    return gs_admission_refuse(
        err, GS_MISMATCH, store->path,
        "the store is open in this process, and its policy may not lose data",
        "close that handle first, or give no 'lossy'");
  }
  atomic_fetch_add(&store->opens, 1);
  return GS_OK;
}

/* How often the same is found wrong before it is believed, and how often a
 * reader looks at all. */
enum { READER_TRIES = 32, READER_TRIES_MOST = 100000 };

/* What a reader saw of a directory where it failed. Whatever lets files go
 * changes one of these. */
typedef struct sight {
  uint64_t manifest;
  uint64_t next_id;
  uint64_t tables;
  uint64_t segments;
} sight;

static sight
sight_of(const gs_store *store)
{
  sight seen = {
      .manifest = store->manifest_number,
      .next_id = store->tree.facts.next_id,
      .segments = store->tree.segment_count,
  };
  const gs_version *version = store->tree.version;
  for (size_t r = 0; version != NULL && r < version->run_count; r++) {
    seen.tables += version->runs[r]->table_count;
  }
  return seen;
}

static bool
is_same_sight(sight a, sight b)
{
  return a.manifest == b.manifest && a.next_id == b.next_id &&
         a.tables == b.tables && a.segments == b.segments;
}

/* A writer beside a reader may delete what the reader was about to open: then
 * it looks again, as long as it finds something else each time. */
static gs_status
open_reader(const char *path, const gs_options *options, gs_site *site,
            gs_store **out, gs_error *err)
{
  gs_status status = GS_OK;
  sight last = {0};
  int same = 0;
  for (int i = 0; i < READER_TRIES_MOST && same < READER_TRIES; i++) {
    gs_store *store = NULL;
    status = gs_object_new(path, options, &store, err);
    if (status == GS_OK) {
      store->is_degraded = options->degraded && same + 1 == READER_TRIES;
      status = open_fresh(store, site, err);
    }
    if (status == GS_OK) {
      *out = store;
      return GS_OK;
    }
    bool may_pass = status == GS_MISSING || status == GS_CORRUPT;
    sight seen = may_pass ? sight_of(store) : last;
    gs_object_free(store);
    if (!may_pass) {
      return status;
    }
    same = is_same_sight(seen, last) ? same + 1 : 1;
    last = seen;
  }
  return status;
}

static gs_status
open_writer(const char *path, const gs_options *options, gs_site *site,
            gs_store **out, gs_error *err)
{
  gs_store *store = NULL;
  gs_status status = gs_object_new(path, options, &store, err);
  if (status == GS_OK) {
    status = open_fresh(store, site, err);
  }
  if (status == GS_OK) {
    *out = store;
  } else {
    gs_object_free(store);
  }
  return status;
}

static gs_status
open_registered(const char *path, const gs_options *options, gs_store **out,
                gs_error *err)
{
  gs_site *site;
  gs_status status = gs_registry_enter(options->env, path, &site, err);
  if (status != GS_OK) {
    return status;
  }
  gs_store *store = gs_registry_store(site);
  if (store != NULL) {
    status = attach(store, options, err);
  } else {
    status = options->readonly ? open_reader(path, options, site, &store, err)
                               : open_writer(path, options, site, &store, err);
  }
  gs_registry_leave(site, store);
  *out = store;
  return status;
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
  gs_store *store = NULL;
  status = open_registered(path, &chosen, &store, err);
  if (status == GS_OK) {
    *out = store;
    if (!store->is_readonly) {
      gs_builtin_decide(store, gs_decision_builtin_runs(store));
    }
  }
  return status;
}

unsigned
gs_get_opens(const gs_store *store)
{
  return atomic_load(&store->opens);
}

/* ---- closing ------------------------------------------------------------- */

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
  if (gs_note_is_present(&store->note)) {
    gs_edit_set_note(edit, gs_buffer_slice(&store->note.text), store->note.seq);
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

/* A log that stays is made as safe as it can be. */
static void
seal_log(gs_store *store)
{
  gs_mutex_lock(store->commit);
  GS_IGNORE(gs_wal_seal(store, NULL), "the flush's failure is told");
  gs_mutex_unlock(store->commit);
}

static bool
is_as_found(const gs_store *store)
{
  return store->manifest == NULL ||
         (store->tree.facts.is_clean && store->wal.oldest == NULL &&
          store->wal.prepared == NULL);
}

/* What readers saw expire does not come back where the clock is set back before
 * the next opening: the floor has to move. */
static bool
has_seen_expiry(gs_store *store)
{
  uint64_t floor_ms = store->tree.facts.clock_floor_ms;
  uint64_t now_ms = gs_store_clock(store);
  const gs_version *version = store->tree.version;
  for (size_t r = 0; r < version->run_count; r++) {
    for (size_t t = 0; t < version->runs[r]->table_count; t++) {
      const gs_table_meta *meta = &version->runs[r]->tables[t]->meta;
      if (meta->max_expiry_ms > floor_ms && meta->min_expiry_ms <= now_ms) {
        return true;
      }
    }
  }
  return false;
}

/* A note that no entry came with, without a log. */
static bool
has_new_note(const gs_store *store)
{
  return gs_note_differs(&store->note, gs_buffer_slice(&store->tree.note),
                         store->tree.note_seq);
}

/* Everything into tables, then the mark that no log holds anything. A store
 * that was not written to is left as it is. */
static gs_status
settle(gs_store *store, gs_error *err)
{
  if (store->is_readonly) {
    return GS_OK;
  }
  gs_mutex_lock(store->commit);
  store->is_ending = true;
  gs_mutex_unlock(store->commit);
  gs_status status = gs_flush_all(store, err);
  gs_store_stop_threads(store);
  if (status != GS_OK) {
    seal_log(store);
    return status;
  }
  gs_object_free_jobs(store);
  if (is_as_found(store) && !has_seen_expiry(store) && !has_new_note(store)) {
    return GS_OK;
  }
  status = install_clean(store, err);
  if (status == GS_FULL && gs_ballast_release(store)) {
    status = install_clean(store, err);
  }
  if (status == GS_OK) {
    gs_ballast_release(store);
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
  gs_env_point(store->env, "close.begin");
  gs_site *site = gs_registry_part(store);
  if (site == NULL) {
    return GS_OK; /* others have it open */
  }
  gs_stop_decider(store);
  gs_status status = settle(store, err);
  gs_journal_close(store, status, err);
  gs_object_free(store);
  gs_registry_leave(site, NULL);
  return status;
}
