/*
 * remover: the line, and the thread that goes along it.
 */
#include "store/remover.h"

#include "store/store.h"

typedef struct gs_removal {
  struct gs_removal *next; /* given later */
  uint64_t bytes;          /* of the file */
  size_t path_size;        /* with its NUL */
  char *path;
} gs_removal;

#define LEFT_BEHIND "a file that nothing lists is removed at the next open"

/* ---- the line --------------------------------------------------------------- */

static void
free_removal(gs_alloc *alloc, gs_removal *removal)
{
  gs_alloc_free(alloc, removal->path, removal->path_size);
  GS_DELETE(alloc, removal);
}

/* NULL where there is no memory. */
static gs_removal *
new_removal(gs_alloc *alloc, const char *path, uint64_t bytes)
{
  gs_removal *removal = GS_NEW(alloc, gs_removal);
  if (removal == NULL) {
    return NULL;
  }
  removal->bytes = bytes;
  removal->path_size = strlen(path) + 1;
  removal->path = gs_alloc_bytes(alloc, removal->path_size);
  if (removal->path == NULL) {
    GS_DELETE(alloc, removal);
    return NULL;
  }
  memcpy(removal->path, path, removal->path_size);
  return removal;
}

static void
append(gs_remover *remover, gs_removal *removal)
{
  if (remover->oldest == NULL) {
    remover->oldest = removal;
  } else {
    remover->newest->next = removal;
  }
  remover->newest = removal;
  remover->given++;
  remover->bytes += removal->bytes;
  gs_cond_broadcast(remover->changed);
}

static gs_removal *
take_oldest(gs_remover *remover)
{
  gs_removal *removal = remover->oldest;
  if (removal != NULL) {
    remover->oldest = removal->next;
  }
  return removal;
}

/* ---- the thread ------------------------------------------------------------- */

static void
run(void *context)
{
  gs_store *store = context;
  gs_remover *remover = &store->remover;
  gs_mutex_lock(remover->lock);
  while (remover->is_open || remover->oldest != NULL) {
    gs_removal *removal = take_oldest(remover);
    if (removal == NULL) {
      gs_cond_wait(remover->changed, remover->lock, 0);
      continue;
    }
    gs_mutex_unlock(remover->lock);
    gs_env_point(store->env, "remover.remove");
    GS_IGNORE(gs_env_remove_in_parts(store->env, removal->path, NULL),
              LEFT_BEHIND);
    gs_mutex_lock(remover->lock);
    remover->gone++;
    remover->bytes -= removal->bytes;
    free_removal(store->alloc, removal);
    gs_cond_broadcast(remover->changed);
  }
  gs_mutex_unlock(remover->lock);
}

/* Whether there is a thread for the line. Requires: lock held. */
static bool
has_thread(gs_store *store)
{
  gs_remover *remover = &store->remover;
  return remover->is_open && (remover->thread != NULL ||
                              gs_thread_start(store->env, run, store,
                                              &remover->thread, NULL) == GS_OK);
}

/* ---- for others ------------------------------------------------------------- */

void
gs_remover_begin(gs_store *store)
{
  gs_mutex_lock(store->remover.lock);
  store->remover.is_open = true;
  gs_mutex_unlock(store->remover.lock);
}

void
gs_remove_soon(gs_store *store, const char *path, uint64_t bytes)
{
  gs_remover *remover = &store->remover;
  gs_removal *removal = new_removal(store->alloc, path, bytes);
  gs_mutex_lock(remover->lock);
  bool is_taken = removal != NULL && has_thread(store);
  if (is_taken) {
    append(remover, removal);
  }
  gs_mutex_unlock(remover->lock);
  if (!is_taken) {
    GS_IGNORE(gs_env_remove(store->env, path, NULL), LEFT_BEHIND);
    if (removal != NULL) {
      free_removal(store->alloc, removal);
    }
  }
}

uint64_t
gs_remover_bytes(gs_store *store)
{
  gs_mutex_lock(store->remover.lock);
  uint64_t bytes = store->remover.bytes;
  gs_mutex_unlock(store->remover.lock);
  return bytes;
}

uint64_t
gs_remover_mark(gs_store *store)
{
  gs_mutex_lock(store->remover.lock);
  uint64_t mark = store->remover.given;
  gs_mutex_unlock(store->remover.lock);
  return mark;
}

bool
gs_remover_wait(gs_store *store, uint64_t mark)
{
  gs_remover *remover = &store->remover;
  gs_mutex_lock(remover->lock);
  bool had_some = remover->gone < mark;
  while (remover->gone < mark) {
    gs_cond_wait(remover->changed, remover->lock, 0);
  }
  gs_mutex_unlock(remover->lock);
  return had_some;
}

void
gs_remover_end(gs_store *store)
{
  gs_remover *remover = &store->remover;
  gs_mutex_lock(remover->lock);
  gs_thread *thread = remover->thread;
  remover->is_open = false;
  remover->thread = NULL;
  gs_cond_broadcast(remover->changed);
  gs_mutex_unlock(remover->lock);
  gs_thread_join(thread);
}
