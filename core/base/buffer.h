/*
 * buffer: bytes that grow.
 *
 * Model: data[0..size) is content, capacity >= size. Appending is sticky: after
 * the first failed growth `failed` is set, further appends do nothing, and the
 * caller tests once at the end with gs_buffer_status.
 *
 * Life: init on the caller's memory, deinit frees the bytes. A slice of the
 * buffer is valid until the next append, reserve, clear or deinit.
 * Threads: one at a time.
 */
#ifndef GS_BASE_BUFFER_H
#define GS_BASE_BUFFER_H

#include <stdbool.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/slice.h"

typedef struct gs_buffer {
  gs_alloc *alloc;
  uint8_t *data;
  size_t size;
  size_t capacity;
  bool failed; /* a growth failed; content is incomplete */
} gs_buffer;

void gs_buffer_init(gs_buffer *buffer, gs_alloc *alloc);
void gs_buffer_deinit(gs_buffer *buffer);

/* Forgets content and failure, keeps the memory. */
void gs_buffer_clear(gs_buffer *buffer);

/* Makes room for `more` bytes after the content; false when out of memory. */
bool gs_buffer_reserve(gs_buffer *buffer, size_t more);

void gs_buffer_append(gs_buffer *buffer, const void *data, size_t size);
void gs_buffer_append_slice(gs_buffer *buffer, gs_slice slice);
void gs_buffer_append_zeros(gs_buffer *buffer, size_t count);

/* Formatted text without a terminator; for dumps and messages only. */
void gs_buffer_printf(gs_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds `size` bytes of unspecified content and returns where they start, or
 * NULL when out of memory. Valid until the next growth. Requires: size > 0. */
uint8_t *gs_buffer_extend(gs_buffer *buffer, size_t size);

/* GS_OK, or GS_NOMEM when any append failed since the last clear. */
gs_status gs_buffer_status(const gs_buffer *buffer, gs_error *err);

static inline gs_slice
gs_buffer_slice(const gs_buffer *buffer)
{
  return gs_slice_of(buffer->data, buffer->size);
}

#endif
