/*
 * range: prefixes as ranges, counting and estimating.
 */
#include "store/store.h"

/* The least key above all keys with the prefix: the prefix with its last byte
 * below 0xFF raised and the rest cut; none when all are 0xFF. */
gs_status
gs_range_of_prefix(gs_slice prefix, gs_buffer *end, gs_range *out,
                   gs_error *err)
{
  size_t size = prefix.size;
  while (size > 0 && prefix.data[size - 1] == 0xFF) {
    size--;
  }
  *out = (gs_range){.from = prefix, .has_to = size > 0};
  gs_buffer_clear(end);
  gs_buffer_append(end, prefix.data, size);
  gs_status status = gs_buffer_status(end, err);
  if (status == GS_OK && size > 0) {
    end->data[size - 1]++;
    out->to = gs_buffer_slice(end);
  }
  return status;
}

gs_status
gs_count(gs_store *store, const gs_snapshot *snapshot, const gs_range *range,
         uint64_t *out, gs_error *err)
{
  gs_scan *scan = NULL;
  gs_status status = gs_scan_new(store, snapshot, range, &scan, err);
  if (status != GS_OK) {
    return status;
  }
  uint64_t count = 0;
  status = gs_scan_first(scan, err);
  while (status == GS_OK) {
    count++;
    status = gs_scan_next(scan, err);
  }
  gs_scan_free(scan);
  if (status != GS_ABSENT) {
    return status;
  }
  *out = count;
  return GS_OK;
}

static bool
meets(const gs_table_meta *meta, const gs_range *range)
{
  return gs_slice_compare(meta->max_key, range->from) >= 0 &&
         (!range->has_to || gs_slice_compare(meta->min_key, range->to) < 0);
}

static void
add_memtables(const gs_view *view, uint64_t *entries, uint64_t *bytes)
{
  for (size_t i = 0; i < view->memtable_count; i++) {
    gs_memtable_stats stats;
    gs_memtable_get_stats(view->memtables[i], &stats);
    *entries += stats.entry_count;
    *bytes += stats.data_bytes;
  }
}

gs_status
gs_approx(gs_store *store, const gs_range *range, uint64_t *entries,
          uint64_t *bytes, gs_error *err)
{
  gs_status status = gs_store_check(store, err);
  if (status != GS_OK) {
    return status;
  }
  static const gs_range everything = {{NULL, 0}, {NULL, 0}, false};
  range = range == NULL ? &everything : range;
  gs_view *view = gs_store_pin_view(store);
  *entries = 0;
  *bytes = 0;
  add_memtables(view, entries, bytes);
  for (size_t r = 0; r < view->version->run_count; r++) {
    const gs_run *run = view->version->runs[r];
    for (size_t t = 0; t < run->table_count; t++) {
      if (meets(&run->tables[t]->meta, range)) {
        *entries += run->tables[t]->meta.entry_count;
        *bytes += run->tables[t]->meta.data_bytes;
      }
    }
  }
  gs_view_unref(view);
  return GS_OK;
}
