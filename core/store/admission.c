/*
 * admission: the refusals, each with its reason and the next step.
 */
#include "store/admission.h"

#include <inttypes.h>

#include "store/late.h"
#include "store/paths.h"

gs_status
gs_admission_refuse(gs_error *err, gs_status status, const char *path,
                    const char *text, const char *hint)
{
  status = GS_FAIL(err, status, "%s: %s", path, text);
  status = gs_error_at(err, status, path);
  return gs_error_hint(err, status, hint);
}

gs_status
gs_admission_refuse_cut(const char *path, gs_error *err)
{
  return gs_admission_refuse(err, GS_CORRUPT, path,
                             "tables or logs lie beside a manifest that was "
                             "not made to its end, or has "
                             "lost its beginning",
                             "where a checkpoint or a repair into this "
                             "directory was cut short, delete "
                             "it and begin anew; else restore the MANIFEST "
                             "file from a copy, or rebuild "
                             "the store with repair");
}

/* ---- the directory ---------------------------------------------------------- */

static gs_status
check_empty(const gs_store *store, const gs_directory *found, gs_error *err)
{
  const gs_options *o = &store->options;
  if (found->data_count > 0) {
    return gs_admission_refuse(
        err, GS_CORRUPT, store->path,
        "the directory holds tables or logs but no manifest",
        "restore the MANIFEST file from a copy of the directory, or rebuild "
        "the store with repair");
  }
  if (found->foreign_count > 0) {
    return gs_admission_refuse(
        err, GS_MISSING, store->path,
        "the directory holds other files and no store",
        "give an empty directory, or one that does not exist yet");
  }
  if (!o->create || o->readonly) {
    return gs_admission_refuse(
        err, GS_MISSING, store->path, "there is no store here",
        o->readonly ? "check the path"
                    : "open it with create = true, or check "
                      "the path");
  }
  return GS_OK;
}

gs_status
gs_admission_check_directory(const gs_store *store, const gs_directory *found,
                             gs_error *err)
{
  if (found->manifest_count == 0) {
    return check_empty(store, found, err);
  }
  return !store->options.must_create
             ? GS_OK
             : gs_admission_refuse(
                   err, GS_EXISTS, store->path, "there is a store here already",
                   "open it without must_create, or give another path");
}

/* ---- the kind --------------------------------------------------------------- */

gs_status
gs_admission_check_kind(gs_store *store, gs_error *err)
{
  const gs_store_facts *facts = &store->tree.facts;
  gs_store_kind wanted = store->options.kind;
  store->kind = (gs_store_kind)facts->store_kind;
  if (store->kind != GS_STORE_BYTES && store->kind != GS_STORE_U32) {
    return GS_FAIL(err, GS_VERSION, "%s holds a store of unknown kind %u",
                   store->path, facts->store_kind);
  }
  if (wanted == GS_STORE_ANY || wanted == store->kind) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_KIND, "%s holds a %s store, not a %s store", store->path,
              store->kind == GS_STORE_U32 ? "u32" : "bytes",
              wanted == GS_STORE_U32 ? "u32" : "bytes");
  status = gs_error_at(err, status, store->path);
  return gs_error_hint(err, status,
                       "open it with its own kind, or give another path");
}

/* ---- the manifest's end ----------------------------------------------------- */

static gs_status
refuse_end(const gs_store *store, const char *late, gs_error *err)
{
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  gs_manifest_path(&path, store->path, store->read_manifest);
  gs_status status = gs_buffer_status(&path, err);
  if (status == GS_OK) {
    const char *manifest = (const char *)path.data;
    status = GS_FAIL(err, GS_CORRUPT,
                     "%s has lost its end: %s was made later than what it says",
                     manifest, late);
    status = gs_error_at(err, status, manifest);
    status = gs_error_hint(err, status,
                           "restore the directory from a copy, or rebuild the "
                           "store with repair");
  }
  gs_buffer_deinit(&path);
  return status;
}

gs_status
gs_admission_check_end(const gs_store *store, gs_error *err)
{
  const gs_store_facts *facts = &store->tree.facts;
  if (atomic_load(&store->next_id) <= facts->next_id) {
    return GS_OK;
  }
  gs_buffer late;
  gs_buffer_init(&late, store->alloc);
  gs_status status = gs_late_find(store->env, store->path, facts, &late, err);
  if (status == GS_OK && late.size > 0) {
    status = refuse_end(store, (const char *)late.data, err);
  }
  gs_buffer_deinit(&late);
  return status;
}

/* ---- the tables ------------------------------------------------------------- */

static gs_status
check_size(const char *path, const gs_table_meta *meta, uint64_t found_bytes,
           gs_error *err)
{
  if (found_bytes == meta->file_bytes) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_CORRUPT,
              "table '%s' has %" PRIu64 " bytes, and %" PRIu64 " are listed",
              path, found_bytes, meta->file_bytes);
  status = gs_error_at(err, status, path);
  return gs_error_offset(err, status,
                         found_bytes < meta->file_bytes ? found_bytes
                                                        : meta->file_bytes);
}

static gs_status
check_table(gs_store *store, const gs_table_meta *meta, gs_buffer *path,
            gs_error *err)
{
  if (gs_path_table(path, store->path, meta->id) == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  const char *name = (const char *)path->data;
  gs_file_info info;
  gs_status status = gs_env_stat(store->env, name, &info, err);
  if (status == GS_MISSING) {
    status =
        GS_FAIL(err, GS_CORRUPT,
                "table '%s' is in the manifest, and its file is gone", name);
    status = gs_error_at(err, status, name);
  } else if (status == GS_OK) {
    status = check_size(name, meta, info.size_bytes, err);
  }
  return status != GS_CORRUPT
             ? status
             : gs_error_hint(err, status,
                             "restore the directory from a copy, rebuild the "
                             "store with repair, or open it with readonly and "
                             "degraded to read the rest");
}

/* What is damaged of a degraded store is left alone. */
static gs_status
leave_out(gs_store *store, gs_tree_table *table, gs_status status)
{
  if (status != GS_CORRUPT || !store->is_degraded) {
    return status;
  }
  if (!atomic_exchange(&table->is_quarantined, true)) {
    store->counters.degraded_tables++;
  }
  return GS_OK;
}

gs_status
gs_admission_check_tables(gs_store *store, gs_error *err)
{
  const gs_version *version = store->tree.version;
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  gs_status status = GS_OK;
  for (size_t r = 0; status == GS_OK && r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    for (size_t t = 0; status == GS_OK && t < run->table_count; t++) {
      status = leave_out(store, run->tables[t],
                         check_table(store, &run->tables[t]->meta, &path, err));
    }
  }
  gs_buffer_deinit(&path);
  return status;
}

gs_status
gs_admission_open_tables(gs_store *store, gs_error *err)
{
  const gs_version *version = store->tree.version;
  gs_status status = GS_OK;
  for (size_t r = 0; status == GS_OK && r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    for (size_t t = 0; status == GS_OK && t < run->table_count; t++) {
      gs_table *table;
      status = leave_out(store, run->tables[t],
                         gs_store_table(store, run->tables[t], &table, err));
    }
  }
  return status;
}
