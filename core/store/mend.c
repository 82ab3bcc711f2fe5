/*
 * mend: files that the medium does not give as a whole, and single wrong bits.
 *
 * Single bits are found by trying each of them. Which bit makes a checksum of
 * 64 bits fit is no accident: one in 2^64 for each bit tried.
 */
#include "store/mend.h"

#include "code/hash.h"

enum { PIECE_BYTES = 4096 }; /* in which an unreadable file is read */

/* ---- reading ----------------------------------------------------------------- */

static gs_status
read_pieces(gs_file *file, uint8_t *to, size_t size, gs_error *err)
{
  for (size_t at = 0; at < size; at += PIECE_BYTES) {
    size_t part = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
    size_t got = 0;
    gs_status status = gs_file_read_some(file, at, to + at, part, &got, err);
    if (status != GS_OK && status != GS_IO) {
      return status;
    }
    got = status == GS_OK ? got : 0;
    memset(to + at + got, 0, part - got);
  }
  return GS_OK;
}

static gs_status
read_tolerant(gs_file *file, gs_buffer *out, gs_error *err)
{
  uint64_t size = 0;
  gs_status status = gs_file_size(file, &size, err);
  if (status != GS_OK || size == 0) {
    return status;
  }
  size_t start = out->size;
  uint8_t *to = size > SIZE_MAX ? NULL : gs_buffer_extend(out, (size_t)size);
  if (to == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  size_t got = 0;
  status = gs_file_read_some(file, 0, to, (size_t)size, &got, err);
  if (status == GS_IO) {
    return read_pieces(file, to, (size_t)size, err);
  }
  out->size = start + got;
  return status;
}

gs_status
gs_mend_read(gs_env *env, const char *path, gs_buffer *out, gs_error *err)
{
  gs_file *file = NULL;
  gs_status status = gs_file_open(env, path, GS_OPEN_READ, &file, err);
  if (status != GS_OK) {
    return status;
  }
  gs_file_advise(file, 0, 0, GS_ADVICE_SEQUENTIAL);
  status = read_tolerant(file, out, err);
  GS_IGNORE(gs_file_close(file, NULL), "nothing was written");
  return status;
}

/* ---- one wrong bit ----------------------------------------------------------- */

void
gs_mend_flip(uint8_t *bytes, uint32_t bit)
{
  bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
}

bool
gs_mend_bit(uint8_t *bytes, size_t size, uint64_t seed, uint64_t checksum,
            uint32_t *bit)
{
  uint64_t wrong = gs_checksum(bytes, size, seed) ^ checksum;
  *bit = GS_MEND_NONE;
  if (wrong == 0) {
    return true;
  }
  if ((wrong & (wrong - 1)) == 0) {
    *bit = (uint32_t)size * 8 + (uint32_t)__builtin_ctzll(wrong);
    return true;
  }
  if (size > GS_MEND_MAX_BYTES) {
    return false;
  }
  for (uint32_t i = 0; i < size * 8; i++) {
    gs_mend_flip(bytes, i);
    if (gs_checksum(bytes, size, seed) == checksum) {
      *bit = i;
      return true;
    }
    gs_mend_flip(bytes, i);
  }
  return false;
}

/* ---- the header of a table --------------------------------------------------- */

/* Decodes, or tries with each bit turned over. */
static bool
fix_header(uint8_t *bytes, gs_table_header *out)
{
  if (gs_table_header_decode(bytes, out, NULL) == GS_OK) {
    return true;
  }
  for (uint32_t i = 0; i < GS_TABLE_HEADER_BYTES * 8; i++) {
    gs_mend_flip(bytes, i);
    if (gs_table_header_decode(bytes, out, NULL) == GS_OK) {
      return true;
    }
    gs_mend_flip(bytes, i);
  }
  return false;
}

gs_status
gs_mend_header(gs_env *env, const char *path, gs_table_header *out,
               gs_error *err)
{
  gs_file *file = NULL;
  uint8_t bytes[GS_TABLE_HEADER_BYTES];
  gs_status status = gs_file_open(env, path, GS_OPEN_READ, &file, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_file_read(file, 0, bytes, sizeof bytes, err);
  GS_IGNORE(gs_file_close(file, NULL), "nothing was written");
  if (status == GS_OK && !fix_header(bytes, out)) {
    status = GS_FAIL(err, GS_CORRUPT, "'%s' has lost its header", path);
  }
  return status;
}
