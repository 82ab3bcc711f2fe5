/*
 * cells: sizes are a quarter apart, so that a cell is at most a quarter larger
 * than its block; only the smallest takes blocks down to half of it, since most
 * blocks are of that size. A value of 4 or 8 KiB with its key hardly leaves a
 * rest.
 */
#include "sst/cells.h"

enum {
  SLABS_AT_LEAST = 8, /* memory for less does without cells, */
  SLABS_FOR_ALL = 32, /* and for less than this without the larger ones */
  IDLE_PART = 16,     /* of what is allowed, */
  IDLE_SLABS = 2,     /* and so many slabs may lie idle */
  EARLY_BLOCKS = 64,  /* of a size that stand alone: a store that is opened for
                         a look at a few keys pays for no slab */
};

static const uint32_t room_of[GS_CELL_SIZES] = {
    GS_CELL_USUAL_BYTES, 4352, 5440, 6800, 8448, 10560};

gs_status
gs_cells_init(gs_cells *cells, gs_env *env, size_t header_bytes, gs_error *err)
{
  *cells = (gs_cells){.env = env, .header_bytes = header_bytes};
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < GS_CELL_SIZES; i++) {
    status =
        gs_slabs_new(env, header_bytes + room_of[i], &cells->slabs[i], err);
  }
  return status;
}

void
gs_cells_deinit(gs_cells *cells)
{
  for (size_t i = 0; i < GS_CELL_SIZES; i++) {
    gs_slabs_drop(cells->slabs[i]);
    cells->slabs[i] = NULL;
  }
}

void
gs_cells_allow(gs_cells *cells, uint64_t capacity_bytes)
{
  const uint64_t slab_bytes = GS_SLAB_BYTES;
  uint64_t slabs = capacity_bytes / slab_bytes;
  unsigned sizes = slabs >= SLABS_FOR_ALL    ? GS_CELL_SIZES
                   : slabs >= SLABS_AT_LEAST ? 1
                                             : 0;
  atomic_store_explicit(&cells->sizes, sizes, memory_order_relaxed);
  atomic_store_explicit(&cells->most_idle,
                        capacity_bytes / IDLE_PART + IDLE_SLABS * slab_bytes,
                        memory_order_relaxed);
  for (unsigned i = 0; i < GS_CELL_SIZES; i++) {
    gs_slabs_keep_empty(cells->slabs[i], i < sizes);
  }
}

uint64_t
gs_cells_idle_bytes(const gs_cells *cells)
{
  uint64_t idle = 0;
  for (size_t i = 0; i < GS_CELL_SIZES; i++) {
    idle += gs_slabs_idle_bytes(cells->slabs[i]);
  }
  return idle;
}

bool
gs_cells_are_scattered(const gs_cells *cells)
{
  return gs_cells_idle_bytes(cells) >
         atomic_load_explicit(&cells->most_idle, memory_order_relaxed);
}

/* The smallest size that holds the block; GS_CELL_SIZES: none. */
static unsigned
size_for(uint32_t block_bytes)
{
  unsigned size = block_bytes > GS_CELL_USUAL_BYTES / 2 ? 0 : GS_CELL_SIZES;
  while (size < GS_CELL_SIZES && room_of[size] < block_bytes) {
    size++;
  }
  return size;
}

static bool
is_early(gs_cells *cells, unsigned size)
{
  atomic_uint *early = &cells->early[size];
  return atomic_load_explicit(early, memory_order_relaxed) < EARLY_BLOCKS &&
         atomic_fetch_add_explicit(early, 1, memory_order_relaxed) <
             EARLY_BLOCKS;
}

void *
gs_cells_take(gs_cells *cells, uint32_t block_bytes, gs_slab **slab)
{
  unsigned size = size_for(block_bytes);
  void *cell = NULL;
  *slab = NULL;
  if (size < atomic_load_explicit(&cells->sizes, memory_order_relaxed) &&
      !is_early(cells, size)) {
    cell =
        gs_slabs_take(cells->slabs[size], gs_cells_are_scattered(cells), slab);
  }
  if (cell != NULL) {
    return cell;
  }
  return gs_alloc_bytes(cells->env->alloc, cells->header_bytes + block_bytes);
}
