/*
 * layout: how large tables and blocks are made, and by which codec blocks are
 * packed, level by level.
 *
 * Model: three numbers for each level that a run can have; 0 is the store's own
 * option. A flush makes tables of level 0. What a plan says itself goes first.
 *
 * Threads: any; a job asks once, when it begins.
 */
#ifndef GS_STORE_LAYOUT_H
#define GS_STORE_LAYOUT_H

#include "code/codec.h"
#include "store/store.h"

/* Where outputs of the level are cut, and what their blocks are like. */
gs_layout gs_layout_of(gs_store *store, uint32_t level);

/* The codec that it means. Requires: not 0. */
gs_codec gs_layout_codec(gs_compression compression);

/* Every level as the store's options say. */
void gs_layout_reset(gs_store *store);

#endif
