/*
 * registry: the stores that this process has open, one per directory.
 *
 * Model: a list per machine, found by device and inode of the directory, so
 * that two paths to one directory find one store.
 *
 * Threads: everything with the machine's registry mutex held.
 */
#ifndef GS_STORE_REGISTRY_H
#define GS_STORE_REGISTRY_H

#include "store/store.h"

/* The open store of that directory, or NULL. */
gs_store *gs_registry_find(gs_env *env, uint64_t device, uint64_t inode);
void gs_registry_add(gs_store *store);
void gs_registry_remove(gs_store *store);

#endif
