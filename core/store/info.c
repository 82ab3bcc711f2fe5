/*
 * info: directories that are not open: what they hold, and their end.
 */
#include "store/admission.h"
#include "store/paths.h"

static gs_status
no_store(const char *path, gs_error *err)
{
  gs_status status =
      GS_FAIL(err, GS_MISSING, "%s: there is no store here", path);
  status = gs_error_at(err, status, path);
  return gs_error_hint(err, status, "check the path");
}

/* What open says of it too. */
static gs_status
no_manifest(const char *path, gs_error *err)
{
  gs_status status =
      GS_FAIL(err, GS_CORRUPT,
              "%s: the directory holds tables or logs but no manifest", path);
  status = gs_error_at(err, status, path);
  return gs_error_hint(err, status, "rebuild the store with repair");
}

static gs_status
read_manifest(gs_env *env, const char *path, gs_manifest_state *state,
              gs_error *err)
{
  gs_directory found;
  gs_manifest_found manifest;
  gs_status status = gs_directory_look(env, path, &found, err);
  if (status == GS_OK && found.manifest_count == 0) {
    status =
        found.data_count > 0 ? no_manifest(path, err) : no_store(path, err);
  }
  if (status != GS_OK) {
    return status;
  }
  status = gs_manifest_read(env, path, state, &manifest, err);
  return manifest.is_unmade && found.data_count > 0
             ? gs_admission_refuse_cut(path, err)
             : status;
}

static void
fill_info(const gs_manifest_state *state, gs_info *out)
{
  *out = (gs_info){
      .kind = (gs_store_kind)state->facts.store_kind,
      .format = GS_FORMAT_NUMBER,
      .run_count = state->version->run_count,
      .flushed_seq = state->facts.flushed_seq,
      .is_clean = state->facts.is_clean,
  };
  for (size_t r = 0; r < state->version->run_count; r++) {
    const gs_run *run = state->version->runs[r];
    out->table_count += run->table_count;
    out->table_bytes += run->bytes;
    out->entry_count += run->entry_count;
  }
}

static gs_status
pass_over(void *context, const gs_frame_info *info, gs_slice payload,
          gs_error *err)
{
  (void)context;
  (void)info;
  (void)payload;
  (void)err;
  return GS_OK;
}

/* Up to where the log can be read; what is wrong with it is not asked here. */
static gs_status
read_log(gs_env *env, const char *path, const gs_manifest_state *state,
         gs_info *out, gs_error *err)
{
  gs_replay_request request = {
      .dir = path,
      .store_id = state->facts.store_id,
      .segments = state->segments,
      .segment_count = state->segment_count,
      .flushed_seq = state->facts.flushed_seq,
      .batch = pass_over,
  };
  gs_replay_result result;
  gs_status status = gs_wal_replay(env, &request, &result, err);
  out->last_seq = result.last_seq;
  for (size_t i = 0; i < state->segment_count; i++) {
    out->log_bytes += state->segments[i].allocated_bytes;
  }
  bool is_damaged = status == GS_CORRUPT || status == GS_MISMATCH;
  return is_damaged ? GS_OK : status;
}

/* ---- who has it open ----------------------------------------------------------------------*/

static gs_status
find_owner(gs_env *env, const char *path, gs_info *out, gs_error *err)
{
  gs_buffer name;
  gs_buffer_init(&name, env->alloc);
  const char *lock = gs_path_lock(&name, path);
  gs_status status = lock == NULL ? GS_FAIL_NOMEM(err)
                                  : gs_env_probe(env, lock, out->owner,
                                                 sizeof out->owner, err);
  gs_buffer_deinit(&name);
  out->is_open = status == GS_LOCKED;
  return status == GS_LOCKED ? GS_OK : status;
}

/* ---- how large it is ----------------------------------------------------------------------*/

typedef struct measure {
  gs_env *env;
  const char *dir;
  gs_buffer path;
  uint64_t bytes;
} measure;

static void
measure_name(void *context, const char *name)
{
  measure *m = context;
  uint64_t number;
  gs_file_info info;
  if (gs_path_kind(name, &number) != GS_FILE_FOREIGN &&
      gs_path_join(&m->path, m->dir, name) != NULL &&
      gs_env_stat(m->env, (const char *)m->path.data, &info, NULL) == GS_OK) {
    m->bytes += info.size_bytes;
  }
}

static gs_status
measure_files(gs_env *env, const char *path, gs_info *out, gs_error *err)
{
  measure m = {.env = env, .dir = path};
  gs_buffer_init(&m.path, env->alloc);
  gs_status status = gs_env_list(env, path, measure_name, &m, err);
  if (status == GS_OK) {
    status = gs_buffer_status(&m.path, err);
  }
  gs_buffer_deinit(&m.path);
  out->all_bytes = m.bytes;
  return status;
}

/* ---- all of it ----------------------------------------------------------------------------*/

gs_status
gs_inspect(gs_env *env, const char *path, gs_info *out, gs_error *err)
{
  env = env == NULL ? gs_env_posix() : env;
  gs_manifest_state state;
  gs_status status = gs_manifest_state_init(&state, env->alloc, err);
  if (status != GS_OK) {
    return status;
  }
  status = read_manifest(env, path, &state, err);
  if (status == GS_OK) {
    fill_info(&state, out);
    status = read_log(env, path, &state, out, err);
  }
  if (status == GS_OK) {
    status = find_owner(env, path, out, err);
  }
  if (status == GS_OK) {
    status = measure_files(env, path, out, err);
  }
  gs_manifest_state_deinit(&state);
  return status;
}

/* ---- destroying ----------------------------------------------------------------------------*/

typedef struct removal {
  gs_env *env;
  const char *dir;
  gs_file_kind kind; /* what goes in this pass */
  gs_buffer names;
} removal;

static void
collect_name(void *context, const char *name)
{
  removal *r = context;
  uint64_t number;
  if (gs_path_kind(name, &number) == r->kind) {
    gs_buffer_append(&r->names, name, strlen(name) + 1);
  }
}

static gs_status
remove_kind(removal *r, gs_error *err)
{
  gs_buffer full;
  gs_buffer_init(&full, r->env->alloc);
  gs_buffer_clear(&r->names);
  gs_status status = gs_env_list(r->env, r->dir, collect_name, r, err);
  if (status == GS_OK) {
    status = gs_buffer_status(&r->names, err);
  }
  size_t at = 0;
  while (status == GS_OK && at < r->names.size) {
    const char *name = (const char *)r->names.data + at;
    status = gs_path_join(&full, r->dir, name) == NULL
                 ? GS_FAIL_NOMEM(err)
                 : gs_env_remove(r->env, (const char *)full.data, err);
    at += strlen(name) + 1;
  }
  gs_buffer_deinit(&full);
  return status;
}

/* Manifests go last but for the lock, when the others are gone for good: a
 * destruction that was cut short leaves something that is still recognised as a
 * store's directory. */
static gs_status
remove_files(gs_env *env, const char *path, gs_error *err)
{
  static const gs_file_kind order[] = {GS_FILE_SEGMENT,  GS_FILE_TABLE,
                                       GS_FILE_BALLAST,  GS_FILE_JOURNAL,
                                       GS_FILE_MANIFEST, GS_FILE_LOCK};
  removal r = {.env = env, .dir = path};
  gs_buffer_init(&r.names, env->alloc);
  gs_status status = GS_OK;
  size_t kinds = sizeof order / sizeof order[0];
  for (size_t i = 0; status == GS_OK && i < kinds; i++) {
    r.kind = order[i];
    if (r.kind == GS_FILE_MANIFEST) {
      status = gs_env_sync_dir(env, path, err);
    }
    if (status == GS_OK) {
      status = remove_kind(&r, err);
    }
  }
  gs_buffer_deinit(&r.names);
  return status;
}

gs_status
gs_destroy(gs_env *env, const char *path, gs_error *err)
{
  env = env == NULL ? gs_env_posix() : env;
  gs_directory found;
  gs_status status = gs_directory_look(env, path, &found, err);
  if (status == GS_OK && found.manifest_count == 0) {
    status = no_store(path, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_buffer lock_path;
  gs_lock *lock = NULL;
  gs_buffer_init(&lock_path, env->alloc);
  status = gs_path_lock(&lock_path, path) == NULL
               ? GS_FAIL_NOMEM(err)
               : gs_env_lock(env, (const char *)lock_path.data, &lock, err);
  if (status == GS_OK) {
    status = remove_files(env, path, err);
  }
  if (status == GS_OK && found.foreign_count == 0) {
    status = gs_env_remove_dir(env, path, err);
  }
  gs_env_unlock(lock); /* last: nobody else may make a store in what goes */
  gs_buffer_deinit(&lock_path);
  return status;
}
