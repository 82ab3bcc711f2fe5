/*
 * directory: one listing, and what it means.
 */
#include "store/directory.h"

#include "store/paths.h"

static void
look_at(void *context, const char *name)
{
  gs_directory *found = context;
  uint64_t number;
  switch (gs_path_kind(name, &number)) {
  case GS_FILE_FOREIGN:
    found->foreign_count++;
    break;
  case GS_FILE_LOCK:
    found->has_lock = true;
    break;
  case GS_FILE_BALLAST:
    break;
  case GS_FILE_JOURNAL:
    if (number > found->max_journal) {
      found->max_journal = number;
    }
    break;
  case GS_FILE_MANIFEST:
    found->manifest_count++;
    if (number > found->max_manifest) {
      found->max_manifest = number;
    }
    break;
  case GS_FILE_SEGMENT:
  case GS_FILE_TABLE:
    found->data_count++;
    if (number > found->max_number) {
      found->max_number = number;
    }
    break;
  }
}

gs_status
gs_directory_look(gs_env *env, const char *path, gs_directory *out,
                  gs_error *err)
{
  *out = (gs_directory){0};
  gs_file_info info;
  gs_status status = gs_env_stat(env, path, &info, err);
  if (status == GS_MISSING) {
    return GS_OK;
  }
  if (status != GS_OK) {
    return status;
  }
  if (!info.is_directory) {
    status =
        GS_FAIL(err, GS_MISSING, "%s is a file, a store is a directory", path);
    status = gs_error_at(err, status, path);
    return gs_error_hint(err, status, "give the path of a directory");
  }
  out->exists = true;
  return gs_env_list(env, path, look_at, out, err);
}

/* ---- sweeping ------------------------------------------------------------------------ */

typedef struct sweep {
  gs_env *env;
  const char *dir;
  const gs_manifest_state *state;
  uint64_t manifest;
  bool only_newer; /* what came before the manifest stays */
  gs_buffer names; /* of what goes: name and NUL, one after another */
} sweep;

static bool
is_newer(const sweep *s, gs_file_kind kind, uint64_t number)
{
  return number >
         (kind == GS_FILE_MANIFEST ? s->manifest : s->state->facts.next_id - 1);
}

static bool
is_listed(const sweep *s, gs_file_kind kind, uint64_t number)
{
  if (kind == GS_FILE_MANIFEST) {
    return number == s->manifest;
  }
  if (kind == GS_FILE_TABLE) {
    size_t run;
    return gs_version_find_table(s->state->version, number, &run) != NULL;
  }
  for (size_t i = 0; i < s->state->segment_count; i++) {
    if (s->state->segments[i].number == number) {
      return true;
    }
  }
  return false;
}

static void
sort_out(void *context, const char *name)
{
  sweep *s = context;
  uint64_t number;
  gs_file_kind kind = gs_path_kind(name, &number);
  if (kind == GS_FILE_FOREIGN || kind == GS_FILE_LOCK ||
      kind == GS_FILE_BALLAST || kind == GS_FILE_JOURNAL ||
      is_listed(s, kind, number) ||
      (s->only_newer && !is_newer(s, kind, number))) {
    return;
  }
  gs_buffer_append(&s->names, name, strlen(name) + 1);
}

gs_status
gs_directory_has_rest(const gs_store *store, uint64_t manifest, bool *out,
                      gs_error *err)
{
  sweep s = {.env = store->env,
             .dir = store->path,
             .state = &store->tree,
             .manifest = manifest};
  gs_buffer_init(&s.names, store->alloc);
  gs_status status = gs_env_list(s.env, s.dir, sort_out, &s, err);
  if (status == GS_OK) {
    status = gs_buffer_status(&s.names, err);
  }
  *out = s.names.size > 0;
  gs_buffer_deinit(&s.names);
  return status;
}

static void
run_sweep(sweep *s, gs_alloc *alloc)
{
  gs_buffer full;
  gs_buffer_init(&s->names, alloc);
  gs_buffer_init(&full, alloc);
  gs_status status = gs_env_list(s->env, s->dir, sort_out, s, NULL);
  size_t at = 0;
  while (status == GS_OK && !s->names.failed && at < s->names.size) {
    const char *name = (const char *)s->names.data + at;
    if (gs_path_join(&full, s->dir, name) != NULL) {
      GS_IGNORE(gs_env_remove(s->env, (const char *)full.data, NULL),
                "left for the next open");
    }
    at += strlen(name) + 1;
  }
  gs_buffer_deinit(&full);
  gs_buffer_deinit(&s->names);
}

void
gs_directory_sweep(gs_env *env, gs_alloc *alloc, const char *path,
                   const gs_manifest_state *state, uint64_t manifest)
{
  sweep s = {.env = env, .dir = path, .state = state, .manifest = manifest};
  run_sweep(&s, alloc);
}

void
gs_directory_sweep_newer(gs_env *env, gs_alloc *alloc, const char *path,
                         const gs_manifest_state *state, uint64_t manifest)
{
  sweep s = {.env = env,
             .dir = path,
             .state = state,
             .manifest = manifest,
             .only_newer = true};
  run_sweep(&s, alloc);
}
