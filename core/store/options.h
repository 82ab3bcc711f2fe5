/*
 * options: what an open was asked for, checked and completed.
 *
 * Threads: pure, but for publish, which belongs to open.
 */
#ifndef GS_STORE_OPTIONS_H
#define GS_STORE_OPTIONS_H

#include "store/store.h"

/* GS_MISUSE names the first option out of bounds. */
GS_MUST_CHECK gs_status gs_options_check(const gs_options *options,
                                         gs_error *err);

/* Fills in what follows from other options. Requires: env set. */
void gs_options_derive(gs_options *options);

/* The cache's share of the memory. */
uint64_t gs_options_cache_bytes(uint64_t memory_bytes, uint64_t memtable_bytes);

/* Copies the numbers that may change into the store's limits. */
void gs_options_publish(gs_store *store);

#endif
