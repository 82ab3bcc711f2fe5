/*
 * content: the bytes of a simulated file, cheap to copy.
 *
 * Model: a counted table of counted pages, both shared between copies until one
 * of them writes. A page that is missing reads as zeros.
 *   1. offset + size of everything written is at most `size`.
 *   2. Page bytes at and beyond `size` are zero, so growth exposes zeros.
 *
 * Life: starts zeroed; gs_sim_content_free ends it and leaves it empty.
 */
#ifndef GS_ENV_SIM_CONTENT_H
#define GS_ENV_SIM_CONTENT_H

#include <stddef.h>
#include <stdint.h>

typedef struct sim_pages sim_pages;

typedef struct sim_content {
  uint64_t size;
  sim_pages *pages; /* may be fewer than the size spans, NULL for none */
} sim_content;

void gs_sim_content_free(sim_content *content);

/* Replaces what `to` held. */
void gs_sim_content_copy(sim_content *to, const sim_content *from);

/* Bytes beyond the end read as zeros. */
void gs_sim_content_read(const sim_content *content, uint64_t offset,
                         void *data, size_t size);

/* Grows the size as needed. */
void gs_sim_content_write(sim_content *content, uint64_t offset,
                          const void *data, size_t size);

void gs_sim_content_resize(sim_content *content, uint64_t size);

#endif
