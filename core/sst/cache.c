/*
 * cache: S3-FIFO over frames. Newcomers join the small queue; those hit before
 * they reach its end move to the main queue, the others are given up and their
 * names remembered, and a newcomer that is remembered joins the main queue at
 * once. So a scan passes through the small queue and leaves the rest alone.
 *
 * Frames that were unlinked are chained and retired after the mutex is let go:
 * retiring may release other things, whose release may need the cache.
 *
 * A pin and an eviction may meet. The reader that pins is inside an epoch, so
 * the frame's release comes after the pin; it finds the count, sets the top
 * bit, and leaves freeing to the last unpin.
 */
#include "sst/cache.h"

#include "base/check.h"
#include "sst/cells.h"
#include "sst/ghost.h"

enum {
  SMALL_PART = 10,      /* the small queue gets a tenth of the capacity */
  CLOSE_PART = 64,      /* of a list's places: walks as near are one */
  ROOM_PART = 16,       /* of the ceiling: so much free is room */
  FRAMES_PART = 4,      /* a quarter is not for what tables hold */
  TYPICAL_BLOCK = 4096, /* for the size of the ghost list */
  LOOKS_PER_FRAME = 3,  /* small to main, main once more, out */
};

#define PINS_GONE (1U << 31)

typedef enum queue_name {
  QUEUE_SMALL = 0,
  QUEUE_MAIN = 1,
  QUEUE_COUNT = 2,
} queue_name;

typedef struct frame_queue {
  gs_frame *newest;
  gs_frame *oldest;
  uint64_t bytes;
  uint64_t count;
} frame_queue;

struct gs_cache {
  gs_env *env;
  gs_epoch *epoch;
  gs_cells cells; /* where frames lie */
  gs_unpackers *unpackers;
  atomic_bool is_full; /* set under the mutex */
  gs_mutex *mutex;     /* guards everything below */
  frame_queue queues[QUEUE_COUNT];
  gs_ghost ghost; /* what was pushed out, */
  gs_ghost walks; /* and what walks read past the cache */
  uint64_t capacity;
  uint64_t held;
  uint64_t loads;
  uint64_t evictions;
};

/* Lists as long as the cache, and cells as there is room for. */
static void
size_parts(gs_cache *cache)
{
  gs_cells_allow(&cache->cells, cache->capacity);
  gs_ghost_resize(&cache->ghost, cache->capacity / TYPICAL_BLOCK);
  gs_ghost_resize(&cache->walks, cache->capacity / TYPICAL_BLOCK);
}

gs_status
gs_cache_new(gs_env *env, gs_epoch *epoch, uint64_t capacity_bytes,
             gs_cache **out, gs_error *err)
{
  *out = NULL;
  gs_cache *cache = GS_NEW(env->alloc, gs_cache);
  if (cache == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  cache->env = env;
  cache->epoch = epoch;
  cache->capacity = capacity_bytes;
  gs_ghost_init(&cache->ghost, env->alloc);
  gs_ghost_init(&cache->walks, env->alloc);
  gs_status status = gs_cells_init(&cache->cells, env, sizeof(gs_frame), err);
  if (status == GS_OK) {
    size_parts(cache);
    status = gs_mutex_new(env, &cache->mutex, err);
  }
  if (status == GS_OK) {
    status = gs_unpackers_new(env, &cache->unpackers, err);
  }
  if (status != GS_OK) {
    gs_cache_free(cache);
    return status;
  }
  *out = cache;
  return GS_OK;
}

gs_env *
gs_cache_env(const gs_cache *cache)
{
  return cache->env;
}

gs_epoch *
gs_cache_epoch(const gs_cache *cache)
{
  return cache->epoch;
}

gs_unpackers *
gs_cache_unpackers(const gs_cache *cache)
{
  return cache->unpackers;
}

void
gs_cache_free(gs_cache *cache)
{
  if (cache == NULL) {
    return;
  }
  GS_ASSERT(cache->queues[QUEUE_SMALL].count == 0);
  GS_ASSERT(cache->queues[QUEUE_MAIN].count == 0);
  gs_cells_deinit(&cache->cells);
  gs_unpackers_free(cache->unpackers);
  gs_mutex_free(cache->mutex);
  gs_ghost_deinit(&cache->ghost);
  gs_ghost_deinit(&cache->walks);
  GS_DELETE(cache->env->alloc, cache);
}

/* ---- frames ------------------------------------------------------------- */

/* Bytes of memory the frame takes. */
static size_t
frame_bytes(const gs_frame *frame)
{
  return frame->cell_bytes != 0 ? frame->cell_bytes
                                : sizeof *frame + frame->size;
}

gs_status
gs_cache_frame_new(gs_cache *cache, uint32_t size, gs_frame **out,
                   gs_error *err)
{
  gs_slab *slab;
  gs_frame *frame = gs_cells_take(&cache->cells, size, &slab);
  *out = frame;
  if (frame == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  *frame = (gs_frame){
      .alloc = cache->env->alloc,
      .slab = slab,
      .size = size,
      .cell_bytes = slab != NULL ? (uint32_t)gs_slab_cell_bytes(slab) : 0,
  };
  atomic_init(&frame->pins, 0);
  atomic_init(&frame->touched, 0);
  return GS_OK;
}

void
gs_cache_frame_free(gs_frame *frame)
{
  if (frame->slab != NULL) {
    gs_slab_give(frame->slab, frame);
  } else {
    gs_alloc_free(frame->alloc, frame, frame_bytes(frame));
  }
}

void
gs_frame_unpin(gs_frame *frame)
{
  if (frame == NULL) {
    return;
  }
  unsigned before =
      atomic_fetch_sub_explicit(&frame->pins, 1, memory_order_acq_rel);
  if (before == (PINS_GONE | 1)) {
    gs_cache_frame_free(frame);
  }
}

/* No reader can reach the frame any more; pins may be left. */
static void
release_frame(gs_retired *retired)
{
  gs_frame *frame = (gs_frame *)(void *)retired;
  unsigned before =
      atomic_fetch_or_explicit(&frame->pins, PINS_GONE, memory_order_acq_rel);
  if (before == 0) {
    gs_cache_frame_free(frame);
  }
}

/* Retires a chain made by unlink_frame. Requires: the mutex is not held. */
static void
retire_all(gs_cache *cache, gs_frame *chain)
{
  while (chain != NULL) {
    gs_frame *next = chain->next;
    gs_epoch_retire(cache->epoch, &chain->retired, release_frame);
    chain = next;
  }
}

/* ---- queues; all under the mutex ---------------------------------------- */

static void
push(gs_cache *cache, gs_frame *frame, queue_name name)
{
  frame_queue *queue = &cache->queues[name];
  frame->queue = (uint8_t)name;
  frame->prev = NULL;
  frame->next = queue->newest;
  if (queue->newest != NULL) {
    queue->newest->prev = frame;
  } else {
    queue->oldest = frame;
  }
  queue->newest = frame;
  queue->bytes += frame_bytes(frame);
  queue->count++;
}

static void
take(gs_cache *cache, gs_frame *frame)
{
  frame_queue *queue = &cache->queues[frame->queue];
  if (frame->prev != NULL) {
    frame->prev->next = frame->next;
  } else {
    queue->newest = frame->next;
  }
  if (frame->next != NULL) {
    frame->next->prev = frame->prev;
  } else {
    queue->oldest = frame->prev;
  }
  queue->bytes -= frame_bytes(frame);
  queue->count--;
}

/* Makes the frame unreachable and puts it before the chain. */
static void
unlink_frame(gs_cache *cache, gs_frame *frame, gs_frame **chain)
{
  atomic_store_explicit(frame->home, NULL, memory_order_release);
  take(cache, frame);
  frame->next = *chain;
  *chain = frame;
}

static uint64_t
used_bytes(const gs_cache *cache)
{
  return cache->queues[QUEUE_SMALL].bytes + cache->queues[QUEUE_MAIN].bytes;
}

static uint64_t
ceiling(const gs_cache *cache)
{
  uint64_t most = cache->capacity - cache->capacity / FRAMES_PART;
  return cache->capacity - (cache->held < most ? cache->held : most);
}

bool
gs_cache_is_full(const gs_cache *cache)
{
  return atomic_load_explicit(&cache->is_full, memory_order_relaxed);
}

/* After a change that may have made room. */
static void
note_room(gs_cache *cache)
{
  uint64_t most = ceiling(cache);
  if (used_bytes(cache) <= most - most / ROOM_PART && most > 0) {
    atomic_store_explicit(&cache->is_full, false, memory_order_relaxed);
  }
}

static queue_name
queue_to_look_at(const gs_cache *cache, uint64_t most)
{
  bool is_small_over = cache->queues[QUEUE_SMALL].bytes > most / SMALL_PART;
  bool is_main_empty = cache->queues[QUEUE_MAIN].count == 0;
  return is_small_over || is_main_empty ? QUEUE_SMALL : QUEUE_MAIN;
}

/* Gives frames up until they take no more than that or none is left to give. */
static void
evict_to(gs_cache *cache, uint64_t most, gs_frame **chain)
{
  uint64_t looks = LOOKS_PER_FRAME * (cache->queues[QUEUE_SMALL].count +
                                      cache->queues[QUEUE_MAIN].count);
  while (used_bytes(cache) > most && looks-- > 0) {
    gs_frame *frame = cache->queues[queue_to_look_at(cache, most)].oldest;
    if (atomic_load_explicit(&frame->touched, memory_order_relaxed) != 0 ||
        atomic_load_explicit(&frame->pins, memory_order_relaxed) != 0) {
      atomic_store_explicit(&frame->touched, 0, memory_order_relaxed);
      take(cache, frame);
      push(cache, frame, QUEUE_MAIN);
      continue;
    }
    if (frame->queue == QUEUE_SMALL) {
      gs_ghost_add(&cache->ghost, frame->ghost_key);
    }
    unlink_frame(cache, frame, chain);
    cache->evictions++;
    atomic_store_explicit(&cache->is_full, true, memory_order_relaxed);
  }
}

/* A large frame that comes, or goes again at once, may push out much more than
 * is lacking. */
static void
evict(gs_cache *cache, gs_frame **chain)
{
  evict_to(cache, ceiling(cache), chain);
  note_room(cache);
}

/* ---- what tables call --------------------------------------------------- */

gs_frame *
gs_cache_insert(gs_cache *cache, gs_frame *frame, _Atomic(gs_frame *) *home,
                uint64_t ghost_key)
{
  gs_frame *chain = NULL;
  gs_mutex_lock(cache->mutex);
  cache->loads++;
  gs_frame *there = atomic_load_explicit(home, memory_order_acquire);
  if (there != NULL) {
    gs_mutex_unlock(cache->mutex);
    gs_cache_frame_free(frame);
    return there;
  }
  frame->home = home;
  frame->ghost_key = ghost_key;
  bool is_known = gs_ghost_take(&cache->ghost, ghost_key);
  push(cache, frame, is_known ? QUEUE_MAIN : QUEUE_SMALL);
  atomic_store_explicit(home, frame, memory_order_release);
  evict(cache, &chain);
  gs_mutex_unlock(cache->mutex);
  retire_all(cache, chain);
  return frame;
}

uint64_t
gs_cache_room(gs_cache *cache)
{
  gs_mutex_lock(cache->mutex);
  uint64_t most = ceiling(cache);
  uint64_t used = used_bytes(cache);
  gs_mutex_unlock(cache->mutex);
  return most > used ? most - used : 0;
}

bool
gs_cache_recalls(gs_cache *cache, uint64_t ghost_key)
{
  gs_mutex_lock(cache->mutex);
  bool is_old = gs_ghost_has_old(&cache->walks, ghost_key, CLOSE_PART);
  if (!is_old && !gs_ghost_has(&cache->walks, ghost_key)) {
    gs_ghost_add(&cache->walks, ghost_key);
  }
  gs_mutex_unlock(cache->mutex);
  return is_old;
}

void
gs_cache_forget(gs_cache *cache, _Atomic(gs_frame *) *homes, size_t count)
{
  gs_frame *chain = NULL;
  gs_mutex_lock(cache->mutex);
  for (size_t i = 0; i < count; i++) {
    gs_frame *frame = atomic_load_explicit(&homes[i], memory_order_relaxed);
    if (frame != NULL) {
      unlink_frame(cache, frame, &chain);
    }
  }
  note_room(cache);
  gs_mutex_unlock(cache->mutex);
  retire_all(cache, chain);
}

/* Gives up what is above that many bytes. */
static void
shrink(gs_cache *cache, uint64_t most)
{
  gs_frame *chain = NULL;
  gs_mutex_lock(cache->mutex);
  evict_to(cache, most, &chain);
  note_room(cache);
  gs_mutex_unlock(cache->mutex);
  retire_all(cache, chain);
}

/* Frames that are left may be a few in each of many slabs: then they go too. */
void
gs_cache_set_capacity(gs_cache *cache, uint64_t capacity_bytes)
{
  gs_mutex_lock(cache->mutex);
  cache->capacity = capacity_bytes;
  size_parts(cache);
  uint64_t most = ceiling(cache);
  gs_mutex_unlock(cache->mutex);
  shrink(cache, most);
  if (gs_cells_are_scattered(&cache->cells)) {
    shrink(cache, 0);
  }
}

void
gs_cache_hold(gs_cache *cache, uint64_t bytes)
{
  gs_frame *chain = NULL;
  gs_mutex_lock(cache->mutex);
  cache->held += bytes;
  evict(cache, &chain);
  gs_mutex_unlock(cache->mutex);
  retire_all(cache, chain);
}

void
gs_cache_let_go(gs_cache *cache, uint64_t bytes)
{
  gs_mutex_lock(cache->mutex);
  cache->held -= bytes;
  note_room(cache);
  gs_mutex_unlock(cache->mutex);
}

void
gs_cache_hold_for_now(gs_cache *cache, uint64_t before, uint64_t bytes)
{
  gs_frame *chain = NULL;
  gs_mutex_lock(cache->mutex);
  cache->held += bytes - before;
  evict(cache, &chain);
  gs_mutex_unlock(cache->mutex);
  retire_all(cache, chain);
}

void
gs_cache_get_stats(gs_cache *cache, gs_cache_stats *out)
{
  gs_mutex_lock(cache->mutex);
  *out = (gs_cache_stats){
      .used_bytes = used_bytes(cache),
      .capacity_bytes = cache->capacity,
      .held_bytes = cache->held,
      .loads = cache->loads,
      .evictions = cache->evictions,
  };
  gs_mutex_unlock(cache->mutex);
}
