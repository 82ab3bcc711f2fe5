/*
 * registry: the stores that this process has open, one per directory, and the
 * directories at which an opening or a closing is at work.
 *
 * Model: a list per machine of sites. A site is one directory, known by device
 * and inode, so that two paths to it find one store; a directory that is yet to
 * be made has neither, and is taken for any other until it has.
 *   R1 At most one thread is at work at a site (it is busy); others wait there
 *      and nowhere else.
 *   R2 A site that is not busy has an open store.
 *   R3 opens of a store rises and falls at its busy site, or with the registry
 *      mutex held while it is not busy.
 *
 * Threads: any. The mutex is held for looking at the path, never for more.
 */
#ifndef GS_STORE_REGISTRY_H
#define GS_STORE_REGISTRY_H

#include "store/store.h"

typedef struct gs_site gs_site;

/* Makes the path's site busy, once nobody else is at work there. */
GS_MUST_CHECK gs_status gs_registry_enter(gs_env *env, const char *path,
                                          gs_site **out, gs_error *err);

/* What is open at the site, or NULL. Requires: entered. */
gs_store *gs_registry_store(const gs_site *site);

/* The directory was made, or found made: this is it. Requires: entered. */
void gs_registry_locate(gs_site *site, uint64_t device, uint64_t inode);

/* Ends the work at the site, at which that store is open now; NULL: none. */
void gs_registry_leave(gs_site *site, gs_store *store);

/* One open of the store less. Where it was the last its site is returned,
 * entered, for the store to be ended; else NULL. */
gs_site *gs_registry_part(gs_store *store);

/* The open store of that directory, or NULL. */
gs_store *gs_registry_find(gs_env *env, uint64_t device, uint64_t inode);

#endif
