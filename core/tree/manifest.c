/*
 * manifest: writing.
 *
 *   create, rewrite   base ─▶ sync ─▶ sync of the name ─▶ others removed
 *                     ─▶ sync of their going ─▶ ready
 *   append            edit ─▶ sync ─▶ it holds ─▶ mark
 *
 * A base whose name reached the device is the manifest from then on, even if
 * the call that wrote it failed later. So a failed rewrite takes its file back,
 * durably, before the old manifest may go on; and where the others could not be
 * removed the new one is complete, but takes no edit until they are.
 */
#include "tree/manifest.h"

#include <inttypes.h>

#include "tree/manifest_name.h"
#include "wal/writer.h"

struct gs_manifest {
  gs_env *env;
  gs_buffer dir; /* with a terminating NUL */
  gs_log_writer *writer;
  uint64_t number;
  uint64_t last_number; /* the highest used, also by a failed rewrite */
  uint64_t base_bytes;
  bool is_doubtful;
  bool is_alone; /* no other manifest is left, durably */
};

static const char *
dir_of(const gs_manifest *manifest)
{
  return (const char *)manifest->dir.data;
}

/* ---- a new file ----------------------------------------------------------- */

static gs_status
start_log(gs_env *env, gs_log_writer *writer, uint64_t number,
          const gs_manifest_state *state, gs_error *err)
{
  gs_log_header header = {
      .kind = GS_LOG_MANIFEST,
      .store_id = state->facts.store_id,
      .number = number,
      .incarnation = state->facts.incarnation,
      .salt = gs_env_random64(env),
  };
  return gs_log_start(writer, &header, err);
}

static gs_status
append_base(gs_log_writer *writer, const gs_manifest_state *state,
            gs_alloc *alloc, gs_error *err)
{
  gs_edit *edit = gs_edit_new(alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = gs_manifest_state_base(state, edit, err);
  if (status == GS_OK) {
    status =
        gs_log_append(writer, GS_FRAME_EDIT, 0, 0, gs_edit_encoding(edit), err);
  }
  gs_edit_free(edit);
  return status;
}

static gs_status
write_log(gs_manifest *manifest, gs_log_writer *writer, uint64_t number,
          const gs_manifest_state *state, gs_error *err)
{
  gs_env *env = manifest->env;
  gs_status status = start_log(env, writer, number, state, err);
  if (status == GS_OK) {
    status = append_base(writer, state, env->alloc, err);
  }
  if (status == GS_OK) {
    status = gs_log_sync(writer, err);
  }
  if (status == GS_OK) {
    status = gs_env_sync_dir(env, dir_of(manifest), err);
  }
  return status;
}

/* Whether the file is gone for good. */
static bool
take_back(gs_manifest *manifest, const char *path)
{
  return gs_env_remove(manifest->env, path, NULL) == GS_OK &&
         gs_env_sync_dir(manifest->env, dir_of(manifest), NULL) == GS_OK;
}

/* *is_gone says, of a failure, whether nothing of it is left. */
static gs_status
write_file(gs_manifest *manifest, uint64_t number,
           const gs_manifest_state *state, gs_log_writer **out, bool *is_gone,
           gs_error *err)
{
  gs_log_writer *writer = NULL;
  gs_buffer path;
  gs_buffer_init(&path, manifest->env->alloc);
  gs_manifest_path(&path, dir_of(manifest), number);
  gs_status status = gs_buffer_status(&path, err);
  const char *name = (const char *)path.data;
  *is_gone = true;
  if (status == GS_OK) {
    status = gs_log_prepare(manifest->env, name, 0, &writer, err);
  }
  if (status == GS_OK) {
    status = write_log(manifest, writer, number, state, err);
    if (status != GS_OK) {
      gs_log_close(writer);
      *is_gone = take_back(manifest, name);
    }
  }
  gs_buffer_deinit(&path);
  *out = status == GS_OK ? writer : NULL;
  return status;
}

/* ---- the others ----------------------------------------------------------- */

static gs_status
remove_number(gs_manifest *manifest, uint64_t number, gs_error *err)
{
  gs_buffer path;
  gs_buffer_init(&path, manifest->env->alloc);
  gs_manifest_path(&path, dir_of(manifest), number);
  gs_status status = gs_buffer_status(&path, err);
  if (status == GS_OK) {
    status = gs_env_remove(manifest->env, (const char *)path.data, err);
  }
  gs_buffer_deinit(&path);
  return status == GS_MISSING ? GS_OK : status;
}

static gs_status
remove_others(gs_manifest *manifest, gs_error *err)
{
  if (manifest->is_alone) {
    return GS_OK;
  }
  gs_manifest_list list;
  gs_status status =
      gs_manifest_list_init(&list, manifest->env, dir_of(manifest), err);
  if (status != GS_OK) {
    return status;
  }
  for (size_t i = 0; i < gs_manifest_list_count(&list) && status == GS_OK;
       i++) {
    uint64_t number = gs_manifest_list_at(&list, i);
    if (number != manifest->number) {
      status = remove_number(manifest, number, err);
    }
  }
  gs_manifest_list_deinit(&list);
  if (status == GS_OK) {
    status = gs_env_sync_dir(manifest->env, dir_of(manifest), err);
  }
  manifest->is_alone = status == GS_OK;
  return status;
}

/* ---- taking over ---------------------------------------------------------- */

/* What was written is on the device. */
static void
mark(gs_manifest *manifest)
{
  gs_log_writer *writer = manifest->writer;
  gs_log_mark_durable(writer, gs_log_written_bytes(writer));
  if (gs_log_append(writer, GS_FRAME_MARK, 0, 0, gs_slice_of(NULL, 0), NULL) !=
      GS_OK) {
    manifest->is_doubtful = true;
  }
}

/* The new file is the manifest now. */
static void
take_over(gs_manifest *manifest, uint64_t number, gs_log_writer *writer)
{
  gs_log_close(manifest->writer);
  manifest->writer = writer;
  manifest->number = number;
  manifest->base_bytes = gs_log_written_bytes(writer);
  manifest->is_doubtful = false;
  mark(manifest);
  GS_IGNORE(remove_others(manifest, NULL),
            "the next append tries again and fails if it must");
}

/* Whether there are others, and that none is as new as the number. */
static gs_status
look_around(gs_manifest *manifest, uint64_t number, gs_error *err)
{
  gs_manifest_list list;
  gs_status status =
      gs_manifest_list_init(&list, manifest->env, dir_of(manifest), err);
  if (status != GS_OK) {
    return status;
  }
  size_t count = gs_manifest_list_count(&list);
  manifest->is_alone = count == 0;
  uint64_t highest = count == 0 ? 0 : gs_manifest_list_at(&list, count - 1);
  if (highest >= number) {
    status = GS_FAIL(err, GS_EXISTS,
                     "manifest %" PRIu64 " is there already, %" PRIu64
                     " cannot be made",
                     highest, number);
  }
  gs_manifest_list_deinit(&list);
  return status;
}

gs_status
gs_manifest_create(gs_env *env, const char *dir, uint64_t number,
                   const gs_manifest_state *state, gs_manifest **out,
                   gs_error *err)
{
  gs_manifest *manifest = GS_NEW(env->alloc, gs_manifest);
  if (manifest == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  manifest->env = env;
  manifest->last_number = number;
  gs_buffer_init(&manifest->dir, env->alloc);
  gs_buffer_append(&manifest->dir, dir, strlen(dir) + 1);
  gs_status status = gs_buffer_status(&manifest->dir, err);
  if (status == GS_OK) {
    status = look_around(manifest, number, err);
  }
  gs_log_writer *writer = NULL;
  bool is_gone;
  if (status == GS_OK) {
    status = write_file(manifest, number, state, &writer, &is_gone, err);
  }
  if (status != GS_OK) {
    gs_manifest_close(manifest);
    return status;
  }
  take_over(manifest, number, writer);
  *out = manifest;
  return GS_OK;
}

gs_status
gs_manifest_rewrite(gs_manifest *manifest, const gs_manifest_state *state,
                    gs_error *err)
{
  gs_log_writer *writer = NULL;
  bool is_gone;
  uint64_t number = ++manifest->last_number;
  gs_status status =
      write_file(manifest, number, state, &writer, &is_gone, err);
  if (status != GS_OK) {
    manifest->is_doubtful = manifest->is_doubtful || !is_gone;
    return status;
  }
  manifest->is_alone = false;
  take_over(manifest, number, writer);
  return GS_OK;
}

/* ---- edits ---------------------------------------------------------------- */

gs_status
gs_manifest_append(gs_manifest *manifest, const gs_edit *edit, gs_error *err)
{
  gs_status status = gs_edit_status(edit, err);
  if (status != GS_OK) {
    return status;
  }
  if (manifest->is_doubtful) {
    return GS_FAIL(err, GS_READONLY,
                   "manifest %" PRIu64
                   " takes no edit after a failed write or sync",
                   manifest->number);
  }
  status = remove_others(manifest, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_log_append(manifest->writer, GS_FRAME_EDIT, 0, 0,
                         gs_edit_encoding(edit), err);
  if (status == GS_OK) {
    status = gs_log_sync(manifest->writer, err);
  }
  if (status != GS_OK) {
    manifest->is_doubtful = true;
    return status;
  }
  mark(manifest);
  return GS_OK;
}

/* ---- the rest ------------------------------------------------------------- */

bool
gs_manifest_is_doubtful(const gs_manifest *manifest)
{
  return manifest->is_doubtful;
}

uint64_t
gs_manifest_number(const gs_manifest *manifest)
{
  return manifest->number;
}

uint64_t
gs_manifest_bytes(const gs_manifest *manifest)
{
  return gs_log_written_bytes(manifest->writer);
}

uint64_t
gs_manifest_base_bytes(const gs_manifest *manifest)
{
  return manifest->base_bytes;
}

void
gs_manifest_close(gs_manifest *manifest)
{
  if (manifest == NULL) {
    return;
  }
  gs_log_close(manifest->writer);
  gs_buffer_deinit(&manifest->dir);
  GS_DELETE(manifest->env->alloc, manifest);
}
