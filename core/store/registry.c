/*
 * registry: a short list, searched from the front.
 */
#include "store/registry.h"

gs_store *
gs_registry_find(gs_env *env, uint64_t device, uint64_t inode)
{
  uint64_t process_id = env->ops->process_id(env);
  gs_store *store = env->opened;
  while (store != NULL && (store->device != device || store->inode != inode ||
                           store->process_id != process_id)) {
    store = store->next_open; /* a parent's store is none of ours */
  }
  return store;
}

void
gs_registry_add(gs_store *store)
{
  store->next_open = store->env->opened;
  store->env->opened = store;
}

void
gs_registry_remove(gs_store *store)
{
  gs_store *at = store->env->opened;
  if (at == store) {
    store->env->opened = store->next_open;
    return;
  }
  while (at != NULL && at->next_open != store) {
    at = at->next_open;
  }
  if (at != NULL) {
    at->next_open = store->next_open;
  }
}
