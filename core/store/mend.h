/*
 * mend: what can be had of damaged files before anybody asks what they mean.
 *
 * Threads: nothing is shared.
 * Errors: those of the machine but for read errors, which give zeros.
 */
#ifndef GS_STORE_MEND_H
#define GS_STORE_MEND_H

#include "env/env.h"
#include "sst/footer.h"

#define GS_MEND_NONE UINT32_MAX /* no bit was wrong */

enum { GS_MEND_MAX_BYTES = 16384 }; /* what a wrong bit is searched in */

/* Appends the whole file; where the medium cannot be read stand zeros. */
GS_MUST_CHECK gs_status gs_mend_read(gs_env *env, const char *path,
                                     gs_buffer *out, gs_error *err);

void gs_mend_flip(uint8_t *bytes, uint32_t bit);

/* Puts right one wrong bit of the bytes, or finds the one of the checksum that
 * they should have, which counts as standing behind them: *bit, GS_MEND_NONE
 * where all is well. False, and nothing changed, where one is not enough. */
bool gs_mend_bit(uint8_t *bytes, size_t size, uint64_t seed, uint64_t checksum,
                 uint32_t *bit);

/* The header of a table, with one wrong bit put right; GS_CORRUPT where there
 * is none. */
GS_MUST_CHECK gs_status gs_mend_header(gs_env *env, const char *path,
                                       gs_table_header *out, gs_error *err);

#endif
