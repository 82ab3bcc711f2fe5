/*
 * fixed: integers of fixed width in little-endian byte order, at any address.
 */
#ifndef GS_CODE_FIXED_H
#define GS_CODE_FIXED_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the file formats are written for little-endian machines"
#endif

static inline uint16_t
gs_get_u16(const uint8_t *at)
{
  uint16_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline uint32_t
gs_get_u32(const uint8_t *at)
{
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline uint64_t
gs_get_u64(const uint8_t *at)
{
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

static inline void
gs_put_u16(uint8_t *at, uint16_t value)
{
  memcpy(at, &value, sizeof value);
}

static inline void
gs_put_u32(uint8_t *at, uint32_t value)
{
  memcpy(at, &value, sizeof value);
}

static inline void
gs_put_u64(uint8_t *at, uint64_t value)
{
  memcpy(at, &value, sizeof value);
}

/* Big-endian u32: its byte order is its numeric order. */
static inline uint32_t
gs_get_u32_be(const uint8_t *at)
{
  return __builtin_bswap32(gs_get_u32(at));
}

static inline void
gs_put_u32_be(uint8_t *at, uint32_t value)
{
  gs_put_u32(at, __builtin_bswap32(value));
}

#endif
