/*
 * reserve: one edit for many millions of numbers.
 */
#include "store/reserve.h"

#include "store/store.h"

/* A small part of all numbers, and at least a whole batch. */
enum { RESERVED = GS_BATCH_MAX_ENTRIES };

static bool
has_log(const gs_store *store)
{
  return store->options.durability != GS_DURABILITY_MEMORY;
}

bool
gs_reserve_suffices(const gs_store *store, uint32_t count)
{
  return has_log(store) || count == 0 ||
         store->next_seq - 1 + count <= atomic_load(&store->reserved_seq);
}

uint64_t
gs_reserve_ahead(const gs_store *store, uint64_t used)
{
  return has_log(store) ? used : used + RESERVED;
}

static gs_status
install(gs_store *store, gs_error *err)
{
  gs_edit *edit = gs_edit_new(store->alloc);
  if (edit == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_install change = {.edit = edit};
  gs_mutex_lock(store->install);
  gs_status status = gs_store_install(store, &change, err);
  gs_mutex_unlock(store->install);
  gs_edit_free(edit);
  return status;
}

gs_status
gs_reserve_more(gs_store *store, gs_error *err)
{
  gs_status status = install(store, err);
  if (status == GS_FULL && gs_ballast_find_space(store)) {
    status = install(store, err);
  }
  return status;
}
