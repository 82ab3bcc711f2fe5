/*
 * hash: the library's XXH3, inlined here so that no other file sees it.
 */
#define XXH_INLINE_ALL
#include "code/hash.h"

#include <xxhash.h>

uint64_t
gs_hash_key(gs_slice key)
{
  return XXH3_64bits(key.data, key.size);
}

uint64_t
gs_checksum(const void *data, size_t size, uint64_t seed)
{
  return XXH3_64bits_withSeed(data, size, seed);
}

uint64_t
gs_checksum_seed(uint64_t salt, uint64_t file, uint64_t offset)
{
  uint64_t place[3] = {salt, file, offset};
  return XXH3_64bits(place, sizeof place);
}
