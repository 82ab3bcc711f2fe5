/*
 * ballast: made with care, given up without.
 */
#include "store/ballast.h"

#include "store/paths.h"
#include "store/store.h"

void
gs_ballast_begin(gs_store *store)
{
  gs_buffer path;
  gs_file_info info;
  gs_buffer_init(&path, store->alloc);
  if (gs_path_ballast(&path, store->path) != NULL &&
      gs_env_stat(store->env, (const char *)path.data, &info, NULL) == GS_OK) {
    atomic_store(&store->ballast.bytes, info.size_bytes);
  }
  gs_buffer_deinit(&path);
}

/* ---- making ----------------------------------------------------------------- */

static uint64_t
choose_bytes(gs_store *store, uint64_t log_bytes)
{
  uint64_t reserve = gs_limit(&store->limits.disk_reserve_bytes);
  uint64_t memtables = 2 * gs_limit(&store->limits.memtable_bytes);
  uint64_t bytes = log_bytes < memtables ? log_bytes : memtables;
  return bytes < reserve ? bytes : reserve;
}

bool
gs_ballast_has_space(gs_store *store, uint64_t bytes)
{
  gs_disk_space space;
  uint64_t reserve = gs_limit(&store->limits.disk_reserve_bytes);
  return gs_env_space(store->env, store->path, &space, NULL) == GS_OK &&
         space.free_bytes > reserve && space.free_bytes - reserve > bytes;
}

static gs_status
allocate(gs_store *store, const char *path, uint64_t bytes)
{
  gs_file *file = NULL;
  gs_status status =
      gs_file_open(store->env, path, GS_OPEN_CREATE, &file, NULL);
  if (status == GS_EXISTS) {
    status = gs_file_open(store->env, path, GS_OPEN_WRITE, &file, NULL);
  }
  if (status == GS_OK) {
    status = gs_file_reserve(file, bytes, NULL);
    GS_IGNORE(gs_file_close(file, NULL), "its content does not matter");
  }
  return status;
}

void
gs_ballast_grow(gs_store *store, uint64_t log_bytes)
{
  uint64_t bytes = choose_bytes(store, log_bytes);
  if (bytes <= atomic_load(&store->ballast.bytes) ||
      !gs_ballast_has_space(store, bytes)) {
    return;
  }
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  if (gs_path_ballast(&path, store->path) != NULL) {
    gs_status status = allocate(store, (const char *)path.data, bytes);
    atomic_store(&store->ballast.bytes, bytes);
    if (status != GS_OK) {
      gs_ballast_release(store);
    }
  }
  gs_buffer_deinit(&path);
}

/* ---- giving up -------------------------------------------------------------- */

bool
gs_ballast_release(gs_store *store)
{
  if (atomic_exchange(&store->ballast.bytes, 0) == 0) {
    return false;
  }
  gs_buffer path;
  gs_buffer_init(&path, store->alloc);
  bool is_gone =
      gs_path_ballast(&path, store->path) != NULL &&
      gs_env_remove(store->env, (const char *)path.data, NULL) == GS_OK;
  gs_buffer_deinit(&path);
  return is_gone;
}

bool
gs_ballast_find_space(gs_store *store)
{
  bool had_ballast = gs_ballast_release(store);
  bool had_files = gs_remover_wait(store, gs_remover_mark(store));
  return had_ballast || had_files;
}

void
gs_ballast_make_way(gs_store *store, uint64_t bytes)
{
  gs_disk_space space;
  if (gs_env_space(store->env, store->path, &space, NULL) == GS_OK &&
      space.free_bytes < bytes) {
    gs_ballast_release(store);
  }
}
