/*
 * tables: the open files behind the tables of the tree.
 *
 * A table of the tree is opened when it is first read, by whoever reads first;
 * a second opener that comes at the same time throws its own away. The last
 * reference to a table of the tree closes the file and, if the tree has given
 * the table up, gives it to the remover.
 */
#include "store/paths.h"
#include "store/store.h"

static gs_status
open_table(gs_store *store, gs_tree_table *table, gs_table **out, gs_error *err)
{
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  gs_status status;
  if (gs_path_table(&path, store->path, table->meta.id) == NULL) {
    status = GS_FAIL_NOMEM(err);
  } else {
    status = gs_table_open(store->cache, (const char *)path.data, store->salt,
                           &table->meta, out, err);
  }
  if (status == GS_MISSING) {
    status =
        GS_FAIL(err, GS_CORRUPT,
                "table %llu of %s is in the manifest, and its file is gone",
                (unsigned long long)table->meta.id, store->path);
    status = gs_error_at(err, status, (const char *)path.data);
    status = gs_error_hint(err, status,
                           "restore the directory from a copy, or rebuild the "
                           "store with repair");
  }
  gs_buffer_deinit(&path);
  return status;
}

gs_status
gs_store_table(gs_store *store, gs_tree_table *table, gs_table **out,
               gs_error *err)
{
  void *open = atomic_load_explicit(&table->payload, memory_order_acquire);
  if (open != NULL) {
    *out = open;
    return GS_OK;
  }
  gs_table *fresh = NULL;
  gs_status status = open_table(store, table, &fresh, err);
  if (status != GS_OK) {
    return status;
  }
  void *expected = NULL;
  if (!atomic_compare_exchange_strong(&table->payload, &expected, fresh)) {
    gs_table_unref(fresh);
    fresh = expected;
  }
  *out = fresh;
  return GS_OK;
}

void
gs_store_release_table(gs_tree_table *table)
{
  gs_store *store = table->owner;
  gs_table_unref(atomic_load(&table->payload));
  if (!atomic_load(&table->is_obsolete)) {
    return;
  }
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  if (gs_path_table(&path, store->path, table->meta.id) != NULL) {
    gs_remove_soon(store, (const char *)path.data, table->meta.file_bytes);
  }
  gs_buffer_deinit(&path);
}

void
gs_store_adopt_tables(gs_store *store, gs_version *version)
{
  for (size_t r = 0; r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    for (size_t t = 0; t < run->table_count; t++) {
      gs_tree_table *table = run->tables[t];
      if (table->owner == NULL) {
        table->owner = store;
        table->release = gs_store_release_table;
      }
    }
  }
}
