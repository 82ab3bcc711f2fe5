/*
 * layout: how large tables and blocks are made, level by level.
 *
 * Model: two numbers for each level that a run can have; 0 is the store's own
 * option. A flush makes tables of level 0. What a plan says itself goes first.
 *
 * Threads: any; a job asks once, when it begins.
 */
#ifndef GS_STORE_LAYOUT_H
#define GS_STORE_LAYOUT_H

#include "store/store.h"

/* Where outputs of the level are cut, and the size of their blocks. */
gs_layout gs_layout_of(gs_store *store, uint32_t level);

/* Every level as the store's options say. */
void gs_layout_reset(gs_store *store);

#endif
