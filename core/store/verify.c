/*
 * verify: every live byte: the tables one by one, memory, and how they stand to
 * each other.
 */
#include "store/store.h"

static gs_status
verify_run(gs_store *store, const gs_run *run, gs_error *err)
{
  for (size_t i = 0; i < run->table_count; i++) {
    gs_table *table;
    gs_status status = gs_store_table(store, run->tables[i], &table, err);
    if (status == GS_OK) {
      status = gs_table_verify(table, err);
    }
    if (status == GS_CORRUPT) {
      atomic_store(&run->tables[i]->is_quarantined, true);
    }
    if (status != GS_OK) {
      return status;
    }
  }
  return GS_OK;
}

static gs_status
verify_view(gs_store *store, const gs_view *view, gs_error *err)
{
  gs_status status = gs_version_verify(view->version, err);
  for (size_t i = 0; status == GS_OK && i < view->memtable_count; i++) {
    status = gs_memtable_verify(view->memtables[i], err);
  }
  for (size_t i = 0; status == GS_OK && i < view->version->run_count; i++) {
    status = verify_run(store, view->version->runs[i], err);
  }
  return status;
}

/* Manifest, log, and the ends of the tables, as they stand in the directory. */
static gs_status
verify_files(gs_store *store, gs_error *err)
{
  gs_verify_options options = {.is_shallow = true};
  gs_verify_report report;
  gs_status status =
      gs_verify_path(store->env, store->path, &options, &report, err);
  gs_verify_report_deinit(&report);
  return status;
}

gs_status
gs_verify(gs_store *store, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  gs_view *view = gs_store_pin_view(store);
  status = verify_view(store, view, err);
  gs_view_unref(view);
  return status == GS_OK ? verify_files(store, err) : status;
}
