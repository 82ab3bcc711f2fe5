/*
 * build: tables ─▶ directory synced ─▶ manifest ─▶ a store.
 */
#include "store/build.h"

#include "store/paths.h"

enum {
  TABLE_BYTES = 64 * 1024 * 1024, /* where tables are cut */
  PIECE_BYTES = 256 * 1024,       /* that are copied at a time */
  MANIFEST_NUMBER = 1,
};

/* ---- the directory ------------------------------------------------------------ */

static gs_status
refuse(gs_error *err, gs_status status, const char *dir, const char *text)
{
  status = GS_FAIL(err, status, "%s: %s", dir, text);
  status = gs_error_at(err, status, dir);
  return gs_error_hint(err, status,
                       "give a directory that is empty or does not exist yet");
}

static void
count_name(void *context, const char *name)
{
  size_t *count = context;
  *count += strcmp(name, "LOCK") != 0;
}

static gs_status
check_empty(gs_build *build, gs_error *err)
{
  size_t count = 0;
  gs_status status =
      gs_env_list(build->env, build->dir, count_name, &count, err);
  return status != GS_OK || count == 0
             ? status
             : refuse(err, GS_EXISTS, build->dir, "the directory is not empty");
}

/* What is made inside a store's directory would be a change of it. */
static gs_status
check_beside(gs_build *build, const char *parent, const char *beside,
             gs_error *err)
{
  gs_file_info a = {0};
  gs_file_info b = {0};
  gs_status status = gs_env_stat(build->env, parent, &a, err);
  if (status == GS_OK) {
    status = gs_env_stat(build->env, beside, &b, err);
  }
  if (status != GS_OK || a.device != b.device || a.inode != b.inode) {
    return status;
  }
  return refuse(err, GS_EXISTS, build->dir,
                "it lies in the directory of the store");
}

static gs_status
make_directory(gs_build *build, const char *beside, gs_error *err)
{
  const char *parent = gs_path_parent(&build->path, build->dir);
  if (parent == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = check_beside(build, parent, beside, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_env_make_dir(build->env, build->dir, err);
  if (status == GS_EXISTS) {
    return check_empty(build, err);
  }
  build->made_directory = status == GS_OK;
  return status == GS_OK ? gs_env_sync_dir(build->env, parent, err) : status;
}

gs_status
gs_build_begin(gs_build *build, gs_env *env, const char *dir,
               const char *beside, gs_error *err)
{
  *build = (gs_build){.env = env, .dir = dir, .next_id = 1};
  gs_buffer_init(&build->path, env->alloc);
  build->edit = gs_edit_new(env->alloc);
  if (build->edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = make_directory(build, beside, err);
  if (status != GS_OK) {
    return status;
  }
  const char *path = gs_path_lock(&build->path, dir);
  status = path == NULL ? GS_FAIL_NOMEM(err)
                        : gs_env_lock(env, path, &build->lock, err);
  /* Only now can nobody else put anything there. */
  if (status == GS_OK) {
    status = check_empty(build, err);
  }
  build->is_begun = status == GS_OK;
  return status;
}

/* ---- tables that are written --------------------------------------------------- */

static gs_status
end_table(gs_build *build, gs_error *err)
{
  if (build->writer == NULL) {
    return GS_OK;
  }
  gs_table_meta meta;
  gs_buffer keys;
  gs_buffer_init(&keys, build->env->alloc);
  gs_status status = gs_table_writer_finish(build->writer, &meta, &keys, err);
  if (status == GS_OK) {
    build->writer = NULL;
    gs_edit_add_table(build->edit, build->run_id, &meta);
  }
  gs_buffer_deinit(&keys);
  return status;
}

static gs_status
begin_table(gs_build *build, gs_error *err)
{
  if (build->run_id == 0) {
    build->run_id = build->next_id++;
    gs_edit_add_run(build->edit, build->run_id, 0, GS_PLACE_BOTTOM, 0);
  }
  uint64_t id = build->next_id++;
  const char *path = gs_path_table(&build->path, build->dir, id);
  if (path == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_table_writer_options options = {
      .path = path,
      .id = id,
      .salt = build->salt,
      .created_ms = build->now_ms,
      .oldest_tombstone_ms = build->now_ms,
      .has_point_index = true,
  };
  return gs_table_writer_new(build->env, &options, &build->writer, err);
}

gs_status
gs_build_add(gs_build *build, const gs_entry *entry, gs_error *err)
{
  gs_status status = GS_OK;
  bool is_full = build->writer != NULL &&
                 (gs_table_writer_is_full(build->writer) ||
                  gs_table_writer_bytes(build->writer) >= TABLE_BYTES);
  if (is_full) {
    status = end_table(build, err);
  }
  if (status == GS_OK && build->writer == NULL) {
    status = begin_table(build, err);
  }
  return status == GS_OK ? gs_table_writer_add(build->writer, entry, err)
                         : status;
}

/* ---- tables that are there ------------------------------------------------------ */

static gs_status
copy_pieces(gs_build *build, gs_file *from, gs_file *to, gs_error *err)
{
  gs_alloc *alloc = build->env->alloc;
  uint8_t *piece = gs_alloc_bytes(alloc, PIECE_BYTES);
  gs_status status = piece == NULL ? GS_FAIL_NOMEM(err) : GS_OK;
  size_t got = PIECE_BYTES;
  for (uint64_t at = 0; status == GS_OK && got == PIECE_BYTES; at += got) {
    status = gs_file_read_some(from, at, piece, PIECE_BYTES, &got, err);
    if (status == GS_OK && got > 0) {
      status = gs_file_write(to, at, piece, got, err);
    }
  }
  gs_alloc_free(alloc, piece, PIECE_BYTES);
  return status == GS_OK ? gs_file_sync(to, err) : status;
}

static gs_status
copy_file(gs_build *build, const char *from, const char *to, gs_error *err)
{
  gs_file *source = NULL;
  gs_file *target = NULL;
  gs_status status = gs_file_open(build->env, from, GS_OPEN_READ, &source, err);
  if (status == GS_OK) {
    status = gs_file_open(build->env, to, GS_OPEN_CREATE, &target, err);
  }
  if (status == GS_OK) {
    status = copy_pieces(build, source, target, err);
  }
  GS_IGNORE(gs_file_close(source, NULL), "nothing was written to it");
  gs_status closed = gs_file_close(target, status == GS_OK ? err : NULL);
  return status == GS_OK ? closed : status;
}

/* Why a link cannot be made differs from system to system (another device, too
 * many names, no links at all); whether a copy can is soon found out. */
gs_status
gs_build_link(gs_build *build, const char *from, uint64_t id, gs_error *err)
{
  const char *to = gs_path_table(&build->path, build->dir, id);
  if (to == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = gs_env_link(build->env, from, to, NULL);
  return status == GS_OK ? GS_OK : copy_file(build, from, to, err);
}

/* ---- the end --------------------------------------------------------------------- */

static gs_status
write_manifest(gs_build *build, gs_error *err)
{
  gs_manifest_state state;
  gs_manifest *manifest = NULL;
  gs_status status = gs_manifest_state_init(&state, build->env->alloc, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_manifest_state_apply(&state, gs_edit_encoding(build->edit), NULL,
                                   0, err);
  if (status == GS_OK) {
    status = gs_manifest_create(build->env, build->dir, MANIFEST_NUMBER, &state,
                                &manifest, err);
  }
  gs_manifest_close(manifest);
  gs_manifest_state_deinit(&state);
  return status;
}

gs_status
gs_build_commit(gs_build *build, const gs_store_facts *facts, gs_slice note,
                uint64_t note_seq, gs_error *err)
{
  gs_store_facts final = *facts;
  gs_status status = end_table(build, err);
  if (status != GS_OK) {
    return status;
  }
  if (build->run_id != 0) {
    final.next_id = build->next_id;
  }
  gs_edit_set_facts(build->edit, &final);
  if (note_seq > 0 || note.size > 0) {
    gs_edit_set_note(build->edit, note, note_seq);
  }
  status = gs_edit_status(build->edit, err);
  if (status == GS_OK) {
    status = gs_env_sync_dir(build->env, build->dir, err);
  }
  if (status == GS_OK) {
    status = write_manifest(build, err);
  }
  build->is_committed = status == GS_OK;
  return status;
}

typedef struct names {
  gs_buffer bytes;
} names;

static void
collect_name(void *context, const char *name)
{
  uint64_t number;
  names *found = context;
  if (gs_path_kind(name, &number) != GS_FILE_FOREIGN) {
    gs_buffer_append(&found->bytes, name, strlen(name) + 1);
  }
}

/* The directory was empty, and has been locked since. */
static void
take_back(gs_build *build)
{
  names found;
  gs_buffer_init(&found.bytes, build->env->alloc);
  GS_IGNORE(gs_env_list(build->env, build->dir, collect_name, &found, NULL),
            "what stays is no store");
  for (size_t at = 0; !found.bytes.failed && at < found.bytes.size;) {
    const char *name = (const char *)found.bytes.data + at;
    if (gs_path_join(&build->path, build->dir, name) != NULL) {
      GS_IGNORE(gs_env_remove(build->env, (const char *)build->path.data, NULL),
                "what stays is no store");
    }
    at += strlen(name) + 1;
  }
  gs_buffer_deinit(&found.bytes);
}

void
gs_build_end(gs_build *build)
{
  gs_table_writer_abandon(build->writer);
  if (build->is_begun && !build->is_committed) {
    take_back(build);
  }
  gs_env_unlock(build->lock);
  if (build->made_directory && !build->is_committed) {
    GS_IGNORE(gs_env_remove_dir(build->env, build->dir, NULL),
              "an empty directory does no harm");
  }
  gs_edit_free(build->edit);
  gs_buffer_deinit(&build->path);
}
