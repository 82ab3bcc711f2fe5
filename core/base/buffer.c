/*
 * buffer: growth by doubling, so that n appended bytes cost O(n) copies.
 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

enum { FIRST_CAPACITY = 64 };

void
gs_buffer_init(gs_buffer *buffer, gs_alloc *alloc)
{
  *buffer = (gs_buffer){.alloc = alloc};
}

void
gs_buffer_deinit(gs_buffer *buffer)
{
  gs_alloc_free(buffer->alloc, buffer->data, buffer->capacity);
  *buffer = (gs_buffer){.alloc = buffer->alloc};
}

void
gs_buffer_clear(gs_buffer *buffer)
{
  buffer->size = 0;
  buffer->failed = false;
}

static size_t
grown_capacity(size_t capacity, size_t needed)
{
  size_t grown = capacity < FIRST_CAPACITY ? FIRST_CAPACITY : capacity;
  while (grown < needed && grown <= SIZE_MAX / 2) {
    grown *= 2;
  }
  return grown < needed ? needed : grown;
}

bool
gs_buffer_reserve(gs_buffer *buffer, size_t more)
{
  if (buffer->failed || more > SIZE_MAX - buffer->size) {
    buffer->failed = true;
    return false;
  }
  size_t needed = buffer->size + more;
  if (needed <= buffer->capacity) {
    return true;
  }
  size_t capacity = grown_capacity(buffer->capacity, needed);
  uint8_t *data = buffer->alloc->resize(buffer->alloc, buffer->data,
                                        buffer->capacity, capacity);
  if (data == NULL) {
    buffer->failed = true;
    return false;
  }
  buffer->data = data;
  buffer->capacity = capacity;
  return true;
}

uint8_t *
gs_buffer_extend(gs_buffer *buffer, size_t size)
{
  if (!gs_buffer_reserve(buffer, size)) {
    return NULL;
  }
  if (buffer->data == NULL) {
    return NULL; /* nothing was asked for and nothing is there */
  }
  uint8_t *start = buffer->data + buffer->size;
  buffer->size += size;
  return start;
}

void
gs_buffer_append(gs_buffer *buffer, const void *data, size_t size)
{
  if (size == 0) {
    return;
  }
  uint8_t *start = gs_buffer_extend(buffer, size);
  if (start != NULL) {
    memcpy(start, data, size);
  }
}

void
gs_buffer_append_slice(gs_buffer *buffer, gs_slice slice)
{
  gs_buffer_append(buffer, slice.data, slice.size);
}

void
gs_buffer_append_zeros(gs_buffer *buffer, size_t count)
{
  if (count == 0) {
    return;
  }
  uint8_t *start = gs_buffer_extend(buffer, count);
  if (start != NULL) {
    memset(start, 0, count);
  }
}

void
gs_buffer_printf(gs_buffer *buffer, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length <= 0 || !gs_buffer_reserve(buffer, (size_t)length + 1)) {
    return;
  }
  va_start(args, format);
  int written = vsnprintf((char *)buffer->data + buffer->size,
                          (size_t)length + 1, format, args);
  va_end(args);
  buffer->size += written > 0 ? (size_t)written : 0;
}

gs_status
gs_buffer_status(const gs_buffer *buffer, gs_error *err)
{
  return buffer->failed ? GS_FAIL_NOMEM(err) : GS_OK;
}
