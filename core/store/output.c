/*
 * output: cutting a stream of entries into tables.
 */
#include "store/output.h"

#include "store/layout.h"
#include "store/paths.h"

void
gs_output_init(gs_output *output, gs_store *store, const gs_layout *layout,
               uint64_t oldest_tombstone_ms)
{
  *output = (gs_output){
      .store = store,
      .layout = *layout,
      .oldest_tombstone_ms = oldest_tombstone_ms,
  };
  gs_buffer_init(&output->last_key, store->alloc);
}

void
gs_output_deinit(gs_output *output)
{
  gs_alloc *alloc = output->store->alloc;
  gs_table_writer_abandon(output->writer);
  output->writer = NULL;
  for (size_t i = 0; i < output->table_count; i++) {
    if (!output->is_kept) {
      atomic_store(&output->tables[i]->is_obsolete, true);
    }
    gs_tree_table_unref(output->tables[i]);
  }
  gs_alloc_free(alloc, output->tables,
                output->table_capacity * sizeof *output->tables);
  output->tables = NULL;
  output->table_count = 0;
  output->table_capacity = 0;
  gs_buffer_deinit(&output->last_key);
}

/* ---- one table --------------------------------------------------------------*/

static gs_status
begin_table(gs_output *output, gs_error *err)
{
  gs_store *store = output->store;
  gs_buffer path;
  gs_status status = gs_store_leave_clean(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_buffer_init(&path, store->alloc);
  output->writer_id = gs_store_new_id(store);
  if (gs_path_table(&path, store->path, output->writer_id) == NULL) {
    status = GS_FAIL_NOMEM(err);
  } else {
    uint64_t now_ms = gs_store_clock(store);
    gs_table_writer_options options = {
        .path = (const char *)path.data,
        .id = output->writer_id,
        .salt = store->salt,
        .created_ms = now_ms,
        .oldest_tombstone_ms = output->oldest_tombstone_ms != 0
                                   ? output->oldest_tombstone_ms
                                   : now_ms,
        .block_bytes = output->layout.block_bytes,
        .codec = gs_layout_codec(output->layout.compression),
        .has_point_index = true,
    };
    status = gs_table_writer_new(store->env, &options, &output->writer, err);
  }
  gs_buffer_deinit(&path);
  return status;
}

static bool
reserve_table(gs_output *output)
{
  if (output->table_count < output->table_capacity) {
    return true;
  }
  gs_alloc *alloc = output->store->alloc;
  size_t capacity =
      output->table_capacity == 0 ? 4 : output->table_capacity * 2;
  gs_tree_table **tables = alloc->resize(
      alloc, output->tables, output->table_capacity * sizeof *tables,
      capacity * sizeof *tables);
  if (tables == NULL) {
    return false;
  }
  output->tables = tables;
  output->table_capacity = capacity;
  return true;
}

static gs_status
end_table(gs_output *output, gs_error *err)
{
  gs_store *store = output->store;
  gs_table_meta meta;
  gs_buffer keys;
  gs_buffer_init(&keys, store->alloc);
  gs_status status = GS_OK;
  if (!reserve_table(output)) {
    status = GS_FAIL_NOMEM(err);
    goto out;
  }
  status = gs_table_writer_finish(output->writer, &meta, &keys, err);
  if (status != GS_OK) {
    goto out;
  }
  output->writer = NULL;
  gs_tree_table *table = gs_tree_table_new(store->alloc, &meta);
  if (table == NULL) {
    status = GS_FAIL_NOMEM(err);
    goto out;
  }
  table->owner = store;
  table->release = gs_store_release_table;
  output->tables[output->table_count++] = table;
  output->bytes_written += meta.file_bytes;
out:
  gs_buffer_deinit(&keys);
  return status;
}

/* ---- the stream -------------------------------------------------------------*/

static bool
must_cut(const gs_output *output, const gs_entry *entry, bool is_cut)
{
  if (output->writer == NULL ||
      gs_slice_equal(gs_buffer_slice(&output->last_key), entry->key)) {
    return false;
  }
  return is_cut || gs_table_writer_is_full(output->writer) ||
         gs_table_writer_bytes(output->writer) >= output->layout.table_bytes;
}

gs_status
gs_output_add(gs_output *output, const gs_entry *entry, bool is_cut,
              gs_error *err)
{
  gs_status status = GS_OK;
  if (must_cut(output, entry, is_cut)) {
    status = end_table(output, err);
  }
  if (status == GS_OK && output->writer == NULL) {
    status = begin_table(output, err);
  }
  if (status == GS_OK) {
    status = gs_table_writer_add(output->writer, entry, err);
  }
  if (status != GS_OK) {
    return status;
  }
  output->entry_count++;
  gs_buffer_clear(&output->last_key);
  gs_buffer_append_slice(&output->last_key, entry->key);
  return gs_buffer_status(&output->last_key, err);
}

gs_status
gs_output_finish(gs_output *output, gs_error *err)
{
  gs_status status = GS_OK;
  if (output->writer != NULL) {
    status = end_table(output, err);
  }
  if (status == GS_OK && output->table_count > 0) {
    status = gs_env_sync_dir(output->store->env, output->store->path, err);
  }
  return status;
}

void
gs_output_name(const gs_output *output, gs_edit *edit, uint64_t run_id)
{
  for (size_t i = 0; i < output->table_count; i++) {
    gs_edit_add_table(edit, run_id, &output->tables[i]->meta);
  }
}

void
gs_output_keep(gs_output *output)
{
  output->is_kept = true;
}
