/*
 * format: the bytes of a table. Numbers are little-endian unless said.
 *
 *   table := header block* point-index? fences properties footer
 *
 * The parts follow one another without gaps; the footer says where each
 * begins and how long it is. Every byte stands under one checksum, seeded by
 * gs_checksum_seed(salt, id, offset of the part in the file), so that damage,
 * a part in the wrong place and a part of another file all show.
 *
 * Header, GS_TABLE_HEADER_BYTES:
 *   0  magic "GrainTab"   8
 *   8  format             4
 *   12 feature bits       4   as in the footer
 *   16 id                 8   number of the file
 *   24 salt               8
 *   32 checksum           8   of bytes 0..31, seeded by (0, id, 0)
 *
 * Block, a multiple of 4 bytes:
 *   0  size               4   of the whole block
 *   4  row count          2   at least 1
 *   6  prefix size        2   bytes all keys of the block begin with; 0 in a
 *                             block of one row
 *   8  base sequence      8   that of the first row
 *   16 codec              1   0: plain, as here; others: packed, see below
 *   17 zeros              3
 *   20 heads              4 * count   each row's four key bytes after the
 *                             prefix, big-endian, missing ones as zero
 *      row offsets        2 * count   from the start of the block, in units of
 *                             4 bytes; left out when count is 1
 *      prefix
 *      zeros              to a multiple of 4
 *      rows               one after another, in internal order
 *      checksum           8
 *
 * Row, a multiple of 4 bytes:
 *   0  flags              1   0..3 kind, 4 wide, 5 expires, 6 older
 *   1  value size         1   255: the next field holds it
 *   2  key size           2
 *   4  sequence           4   less the base, signed; low half of it if wide
 *      value size         4   if at least 255
 *      sequence           4   if wide: high half
 *      expiry             8   if it expires: milliseconds, not 0
 *      key value
 *      zeros              to a multiple of 4
 * A row is wide when its sequence number less the base does not fit 32 signed
 * bits. It is older when the row before it, perhaps in the block before, has
 * the same key.
 *
 * A row that takes more than half of the target size has a block of its own;
 * other blocks end before the row that would make them larger than the target.
 *
 * Packed block, a multiple of 4 bytes, at most 7/8 of the plain one's size; in
 * tables that have the codec's feature bit:
 *   0  size               4   of the packed block
 *   4                     12  row count, prefix size and base sequence as above
 *   16 codec              1   1: LZ4, 2: Zstandard
 *   17 padding            1   how many zeros stand before the checksum, 0 to 3
 *   18 zeros              2
 *   20 plain size         4   of the plain block, checksum included
 *   24 content                what stands between header and checksum of the
 *                             plain block, encoded: a block of LZ4, or a frame
 *                             of Zstandard
 *      zeros              to a multiple of 4
 *      checksum           8
 * Offsets of rows and sizes of blocks above are those of plain blocks.
 *
 * Point index: buckets of GS_BUCKET_BYTES; may be left out.
 *   0  fingerprints       12 * 2   low 16 bits of the keys' hashes
 *   24 count              1        0..3 entries, 7 overflow; others zero
 *   25 locators           12 * 26 bits, packed from the lowest bit on
 * Unused places are zero. A key's home is bucket (hash * buckets) >> 64. Keys
 * are put in in their order; one that finds its bucket full marks it as
 * overflowed and goes on to the next, after the last to the first. A locator is
 * (number of the block << shift) | row offset in units of 4 bytes, of the
 * newest version.
 *
 * Fences:
 *   0  prefix size        2   bytes all first keys begin with
 *      prefix
 *      fence              one per block:
 *        block size       4   as stored
 *        key size         2   of the block's first key less the prefix
 *        key
 *
 * Properties: table metadata as in data/table_meta.h, its footer checksum 0.
 *
 * Footer, GS_TABLE_FOOTER_BYTES, at the very end:
 *   0  point index: offset, size, checksum    24   0 and 0 if left out
 *   24 fences: offset, size, checksum         24
 *   48 properties: offset, size, checksum     24
 *   72 blocks             4
 *   76 block target size  4
 *   80 locator shift      4
 *   84 feature bits       4
 *   88 format             4
 *   92 zeros              4
 *   96 magic "TabGrain"   8
 *   104 checksum          8   of bytes 0..103
 *
 * Why: heads and offsets apart from the rows let a search touch few cache
 * lines and make every row reachable at once, in both directions. Whole keys
 * in rows let a reader hand out key and value where they lie. The point index
 * answers "not here" with one cache line and "there" with two. The block's
 * size in the block lets a walk without fences find the next one.
 */
#ifndef GS_SST_FORMAT_H
#define GS_SST_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#define GS_TABLE_MAGIC     "GrainTab"
#define GS_TABLE_END_MAGIC "TabGrain"

enum {
  GS_TABLE_FORMAT = 1,
  GS_TABLE_MAGIC_BYTES = 8,
  GS_TABLE_HEADER_BYTES = 40,
  GS_TABLE_FOOTER_BYTES = 112,
  GS_TABLE_CHECKSUM_BYTES = 8,

  GS_FEATURE_POINT_INDEX = 1, /* feature bits; unknown ones are refused */
  GS_FEATURE_LZ4 = 2,         /* blocks may be packed, by this codec */
  GS_FEATURE_ZSTD = 4,        /* likewise; not both */
  GS_FEATURES_KNOWN = 7,

  GS_BLOCK_HEADER_BYTES = 20,
  GS_BLOCK_CODEC_AT = 16,
  GS_PACKED_HEADER_BYTES = 24,
  GS_BLOCK_HEAD_BYTES = 4,
  GS_BLOCK_OFFSET_BYTES = 2,
  GS_BLOCK_UNIT_BYTES = 4, /* what row offsets count */
  GS_BLOCK_DEFAULT_BYTES = 4096,
  GS_BLOCK_MIN_BYTES = 256,
  GS_BLOCK_MAX_BYTES = 65536, /* of the target */

  GS_ROW_FIXED_BYTES = 8,
  GS_ROW_KIND = 0x0f,
  GS_ROW_WIDE = 0x10,
  GS_ROW_EXPIRES = 0x20,
  GS_ROW_OLDER = 0x40,
  GS_ROW_LONG_VALUE = 255,

  GS_BUCKET_BYTES = 64,
  GS_BUCKET_ENTRIES = 12,
  GS_BUCKET_COUNT_AT = 24,
  GS_BUCKET_LOCATORS_AT = 25,
  GS_BUCKET_COUNT_MASK = 0x0f,
  GS_BUCKET_OVERFLOW = 0x80,
  GS_LOCATOR_BITS = 26,

  GS_FENCES_FIXED_BYTES = 2,
  GS_FENCE_FIXED_BYTES = 6,
};

/* The next multiple of the unit rows and blocks are counted in. */
static inline uint64_t
gs_block_round_up(uint64_t size)
{
  uint64_t mask = GS_BLOCK_UNIT_BYTES - 1;
  return (size + mask) & ~mask;
}

/* Bytes of a block before its prefix. */
static inline uint64_t
gs_block_prefix_at(uint64_t row_count)
{
  uint64_t offsets = row_count > 1 ? row_count * GS_BLOCK_OFFSET_BYTES : 0;
  return GS_BLOCK_HEADER_BYTES + row_count * GS_BLOCK_HEAD_BYTES + offsets;
}

/* Bytes of a block before its first row. */
static inline uint64_t
gs_block_rows_at(uint64_t row_count, uint64_t prefix_size)
{
  return gs_block_round_up(gs_block_prefix_at(row_count) + prefix_size);
}

/* Whether a row's sequence number is too far from the base. */
static inline bool
gs_row_is_wide(uint64_t seq, uint64_t base_seq)
{
  return (seq - base_seq + (UINT64_C(1) << 31)) >> 32 != 0;
}

#endif
