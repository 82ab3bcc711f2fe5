/*
 * slab: free cells of a slab are chained through their first bytes; cells that
 * were never taken are not chained, so that a new slab's memory is touched only
 * as it is used.
 */
#include "sst/slab.h"

#include "base/check.h"

typedef struct free_cell {
  struct free_cell *next;
} free_cell;

struct gs_slab {
  gs_slabs *owner;
  gs_slab *prev; /* in the list of slabs with free cells */
  gs_slab *next;
  free_cell *given; /* back */
  uint32_t fresh;   /* cells from this one on were never taken */
  uint32_t used;    /* cells in use */
};

struct gs_slabs {
  gs_env *env;
  gs_mutex *mutex; /* guards everything below, and all slabs */
  gs_slab *list;
  size_t cell_bytes;
  uint32_t cells_per_slab;
  uint64_t used;               /* cells in use in all slabs */
  uint64_t empty_count;        /* slabs without a cell in use */
  _Atomic uint64_t idle_bytes; /* of slabs, less their cells in use */
  bool keeps_empty;
  bool is_dropped;
};

gs_status
gs_slabs_new(gs_env *env, size_t cell_bytes, gs_slabs **out, gs_error *err)
{
  *out = NULL;
  gs_slabs *slabs = GS_NEW(env->alloc, gs_slabs);
  if (slabs == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  size_t mask = GS_CELL_ALIGN - 1;
  slabs->env = env;
  slabs->keeps_empty = true;
  slabs->cell_bytes = (cell_bytes + mask) & ~mask;
  size_t room = GS_SLAB_BYTES - sizeof(gs_slab) - mask;
  slabs->cells_per_slab = (uint32_t)(room / slabs->cell_bytes);
  gs_status status = gs_mutex_new(env, &slabs->mutex, err);
  if (status != GS_OK) {
    GS_DELETE(env->alloc, slabs);
    return status;
  }
  *out = slabs;
  return GS_OK;
}

/* Requires: no cell in use; nobody else knows the slabs. */
static void
destroy(gs_slabs *slabs)
{
  gs_alloc *alloc = slabs->env->alloc;
  GS_ASSERT(slabs->list == NULL || slabs->list->next == NULL);
  gs_alloc_free(alloc, slabs->list, GS_SLAB_BYTES);
  gs_mutex_free(slabs->mutex);
  GS_DELETE(alloc, slabs);
}

void
gs_slabs_drop(gs_slabs *slabs)
{
  if (slabs == NULL) {
    return;
  }
  gs_mutex_lock(slabs->mutex);
  slabs->is_dropped = true;
  bool is_last = slabs->used == 0;
  gs_mutex_unlock(slabs->mutex);
  if (is_last) {
    destroy(slabs);
  }
}

/* ---- under the mutex ----------------------------------------------------- */

static void
count_idle(gs_slabs *slabs, uint64_t more, uint64_t less)
{
  uint64_t idle =
      atomic_load_explicit(&slabs->idle_bytes, memory_order_relaxed);
  atomic_store_explicit(&slabs->idle_bytes, idle + more - less,
                        memory_order_relaxed);
}

static void
link_slab(gs_slabs *slabs, gs_slab *slab)
{
  slab->prev = NULL;
  slab->next = slabs->list;
  if (slabs->list != NULL) {
    slabs->list->prev = slab;
  }
  slabs->list = slab;
}

static void
unlink_slab(gs_slabs *slabs, gs_slab *slab)
{
  if (slab->prev != NULL) {
    slab->prev->next = slab->next;
  } else {
    slabs->list = slab->next;
  }
  if (slab->next != NULL) {
    slab->next->prev = slab->prev;
  }
}

static gs_slab *
slab_with_room(gs_slabs *slabs, bool begins_none)
{
  if (slabs->list != NULL || begins_none) {
    return slabs->list;
  }
  gs_slab *slab = gs_alloc_bytes(slabs->env->alloc, GS_SLAB_BYTES);
  if (slab != NULL) {
    *slab = (gs_slab){.owner = slabs};
    slabs->empty_count++;
    count_idle(slabs, GS_SLAB_BYTES, 0);
    link_slab(slabs, slab);
  }
  return slab;
}

static void *
fresh_cell(const gs_slabs *slabs, gs_slab *slab)
{
  uintptr_t mask = GS_CELL_ALIGN - 1;
  uint8_t *start = (uint8_t *)(slab + 1);
  start += (GS_CELL_ALIGN - ((uintptr_t)start & mask)) & mask;
  return start + slab->fresh++ * slabs->cell_bytes;
}

static void *
cell_of(gs_slabs *slabs, gs_slab *slab)
{
  void *cell = slab->given;
  if (cell != NULL) {
    slab->given = slab->given->next;
  } else {
    cell = fresh_cell(slabs, slab);
  }
  slabs->empty_count -= slab->used == 0;
  slabs->used++;
  slab->used++;
  count_idle(slabs, 0, slabs->cell_bytes);
  if (slab->used == slabs->cells_per_slab) {
    unlink_slab(slabs, slab);
  }
  return cell;
}

/* Takes an empty slab out, for the caller to free. */
static void
part_with(gs_slabs *slabs, gs_slab *slab)
{
  unlink_slab(slabs, slab);
  slabs->empty_count--;
  count_idle(slabs, 0, GS_SLAB_BYTES);
}

static gs_slab *
empty_one(const gs_slabs *slabs)
{
  gs_slab *slab = slabs->empty_count > 0 ? slabs->list : NULL;
  while (slab != NULL && slab->used > 0) {
    slab = slab->next;
  }
  return slab;
}

/* ---- what the cache calls ------------------------------------------------ */

void
gs_slabs_keep_empty(gs_slabs *slabs, bool keeps)
{
  gs_mutex_lock(slabs->mutex);
  slabs->keeps_empty = keeps;
  gs_slab *empty = keeps ? NULL : empty_one(slabs);
  if (empty != NULL) {
    part_with(slabs, empty);
  }
  gs_mutex_unlock(slabs->mutex);
  gs_alloc_free(slabs->env->alloc, empty, GS_SLAB_BYTES);
}

uint64_t
gs_slabs_idle_bytes(const gs_slabs *slabs)
{
  return atomic_load_explicit(&slabs->idle_bytes, memory_order_relaxed);
}

void *
gs_slabs_take(gs_slabs *slabs, bool begins_none, gs_slab **slab)
{
  gs_mutex_lock(slabs->mutex);
  *slab = slab_with_room(slabs, begins_none);
  void *cell = *slab != NULL ? cell_of(slabs, *slab) : NULL;
  gs_mutex_unlock(slabs->mutex);
  return cell;
}

/* After the mutex is let go another thread may give the last cell and destroy
 * the slabs, unless this one did. */
void
gs_slab_give(gs_slab *slab, void *cell)
{
  gs_slabs *slabs = slab->owner;
  gs_alloc *alloc = slabs->env->alloc;
  free_cell *given = cell;
  gs_mutex_lock(slabs->mutex);
  if (slab->used == slabs->cells_per_slab) {
    link_slab(slabs, slab);
  }
  given->next = slab->given;
  slab->given = given;
  slab->used--;
  slabs->used--;
  count_idle(slabs, slabs->cell_bytes, 0);
  bool has_empty = slabs->empty_count > 0;
  bool is_spare = slab->used == 0 && (has_empty || !slabs->keeps_empty);
  slabs->empty_count += slab->used == 0;
  if (is_spare) {
    part_with(slabs, slab);
  }
  bool is_last = slabs->is_dropped && slabs->used == 0;
  gs_mutex_unlock(slabs->mutex);
  if (is_spare) {
    gs_alloc_free(alloc, slab, GS_SLAB_BYTES);
  }
  if (is_last) {
    destroy(slabs);
  }
}

size_t
gs_slab_cell_bytes(const gs_slab *slab)
{
  return slab->owner->cell_bytes;
}
