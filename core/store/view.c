/*
 * view: counted lists of places. A reader that takes a reference does so inside
 * an epoch, when the publisher's own reference still stands: retiring holds it
 * until every such reader has left.
 */
#include "store/view.h"

static size_t
view_bytes(size_t memtable_count)
{
  return sizeof(gs_view) + memtable_count * sizeof(gs_memtable *);
}

gs_view *
gs_view_new(gs_alloc *alloc, gs_memtable *const *memtables,
            size_t memtable_count, gs_version *version)
{
  gs_view *view = gs_alloc_zeroed(alloc, view_bytes(memtable_count));
  if (view == NULL) {
    return NULL;
  }
  atomic_init(&view->refs, 1);
  view->alloc = alloc;
  view->version = version;
  gs_version_ref(version);
  view->memtable_count = memtable_count;
  for (size_t i = 0; i < memtable_count; i++) {
    view->memtables[i] = memtables[i];
    gs_memtable_ref(memtables[i]);
  }
  return view;
}

void
gs_view_ref(gs_view *view)
{
  atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
}

void
gs_view_unref(gs_view *view)
{
  if (view == NULL ||
      atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) != 1) {
    return;
  }
  for (size_t i = 0; i < view->memtable_count; i++) {
    gs_memtable_unref(view->memtables[i]);
  }
  gs_version_unref(view->version);
  gs_alloc_free(view->alloc, view, view_bytes(view->memtable_count));
}

static void
release(gs_retired *item)
{
  gs_view_unref((gs_view *)item);
}

void
gs_view_retire(gs_epoch *epoch, gs_view *view)
{
  if (view != NULL) {
    gs_epoch_retire(epoch, &view->retired, release);
  }
}
