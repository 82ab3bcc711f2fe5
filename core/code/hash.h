/*
 * hash: checksums and hashes, all XXH3 (64 bits) from the xxHash library.
 *
 * The values reach the disk: neither function may ever change. A checksum is
 * seeded with where the bytes belong, so bytes that are right but in the wrong
 * place do not verify.
 */
#ifndef GS_CODE_HASH_H
#define GS_CODE_HASH_H

#include <stdint.h>

#include "base/slice.h"

/* Hash of a user key, for the memtable and the point index. */
uint64_t gs_hash_key(gs_slice key);

/* Checksum of bytes that belong at the place named by the seed. */
uint64_t gs_checksum(const void *data, size_t size, uint64_t seed);

/* Mixes up to three numbers (salt, file number, offset) into a seed. */
uint64_t gs_checksum_seed(uint64_t salt, uint64_t file, uint64_t offset);

#endif
