/*
 * window: chosen block by block, read in one call.
 */
#include "sst/window.h"

#include "sst/table_impl.h"

enum { FIRST_BYTES = 1 << 14 }; /* of a reader */

void
gs_window_init(gs_window *window, gs_table *table, bool is_reader)
{
  *window = (gs_window){.table = table, .is_reader = is_reader};
  window->next_bytes = is_reader ? FIRST_BYTES : GS_WINDOW_BYTES;
}

/* What a reader takes for itself. A jump without a window takes no lock. */
static void
account(gs_window *window, size_t capacity)
{
  if (window->is_reader && capacity != window->capacity) {
    gs_cache_hold_for_now(window->table->cache, window->capacity, capacity);
  }
  window->capacity = capacity;
}

static void
give_back(gs_window *window)
{
  if (window->bytes != NULL) {
    gs_alloc_free(window->table->env->alloc, window->bytes, window->capacity);
  }
  window->bytes = NULL;
  window->size = 0;
}

void
gs_window_deinit(gs_window *window)
{
  give_back(window);
  account(window, 0);
}

void
gs_window_drop(gs_window *window)
{
  gs_window_deinit(window);
  window->next_bytes = FIRST_BYTES;
}

const uint8_t *
gs_window_find(const gs_window *window, uint32_t block)
{
  const gs_fence *fence = &window->table->fences.list[block];
  bool is_there = window->size != 0 && fence->offset >= window->at &&
                  fence->offset + fence->size <= window->at + window->size;
  return is_there ? window->bytes + (fence->offset - window->at) : NULL;
}

/* ---- the next one ---------------------------------------------------------- */

/* Whether the window [offset, end) may have this block too. */
static bool
takes(const gs_window *window, uint64_t offset, uint64_t end, uint32_t block)
{
  const gs_table *table = window->table;
  const gs_fence *fence = &table->fences.list[block];
  bool is_cached =
      window->is_reader &&
      atomic_load_explicit(&table->homes[block], memory_order_relaxed) != NULL;
  bool is_near_bad =
      fence->offset < window->bad_end && window->bad_at <= fence->offset;
  return !is_cached && !is_near_bad &&
         end - offset + fence->size <= window->next_bytes;
}

static void
choose(const gs_window *window, uint32_t block, bool goes_back,
       uint64_t *offset, uint64_t *end)
{
  const gs_fences *fences = &window->table->fences;
  *offset = fences->list[block].offset;
  *end = *offset + fences->list[block].size;
  while (goes_back && block > 0 && takes(window, *offset, *end, block - 1)) {
    *offset = fences->list[--block].offset;
  }
  while (!goes_back && block + 1 < fences->count &&
         takes(window, *offset, *end, block + 1)) {
    block++;
    *end = fences->list[block].offset + fences->list[block].size;
  }
}

/* A reader that used all of the last window up goes far. */
static void
choose_size(gs_window *window, uint32_t block, bool goes_back)
{
  const gs_fence *fence = &window->table->fences.list[block];
  bool goes_on = goes_back ? fence->offset + fence->size == window->at
                           : fence->offset == window->at + window->size;
  if (window->size != 0 && goes_on && window->next_bytes < GS_WINDOW_BYTES) {
    window->next_bytes *= 2;
  }
}

static bool
make_room(gs_window *window, size_t size)
{
  if (size <= window->capacity) {
    return true;
  }
  give_back(window);
  window->bytes = gs_alloc_bytes(window->table->env->alloc, size);
  account(window, window->bytes != NULL ? size : 0);
  return window->bytes != NULL;
}

static gs_status
read_part(gs_window *window, uint64_t offset, uint64_t end, gs_error *err)
{
  size_t size = (size_t)(end - offset);
  window->size = 0;
  if (!make_room(window, size)) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status =
      gs_file_read(window->table->file, offset, window->bytes, size, err);
  if (status == GS_OK) {
    window->at = offset;
    window->size = size;
  }
  return status;
}

static gs_status
move(gs_window *window, uint32_t block, bool goes_back, gs_error *err)
{
  const gs_fence *fence = &window->table->fences.list[block];
  uint64_t offset;
  uint64_t end;
  choose_size(window, block, goes_back);
  choose(window, block, goes_back, &offset, &end);
  gs_status status = read_part(window, offset, end, err);
  bool is_alone = end - offset == fence->size;
  if (status != GS_OK && status != GS_NOMEM && !is_alone) {
    window->bad_at = offset;
    window->bad_end = end;
    status = read_part(window, fence->offset, fence->offset + fence->size, err);
  }
  return status;
}

gs_status
gs_window_show(gs_window *window, uint32_t block, bool goes_back, gs_slice *out,
               gs_error *err)
{
  if (gs_window_find(window, block) == NULL) {
    gs_status status = move(window, block, goes_back, err);
    if (status != GS_OK) {
      return status;
    }
  }
  *out = gs_slice_of(gs_window_find(window, block),
                     window->table->fences.list[block].size);
  return GS_OK;
}
