/*
 * size: rows to blocks, blocks to files.
 */
#include "lab/size.h"

#include <math.h>

#include "data/batch.h"
#include "data/table_meta.h"
#include "mem/memtable.h"
#include "mem/row.h"
#include "sst/format.h"
#include "wal/format.h"

/* ---- rows ------------------------------------------------------------------- */

/* A row is wide where its sequence number lies far from the first of its block;
 * both are any of the table's. */
static double
share_wide(double seqs)
{
  double reach = 2147483648.0;
  double far = seqs > reach ? 1 - reach / seqs : 0;
  return far * far;
}

static double
put_row_bytes(const gs_lab_format *format)
{
  uint64_t fixed = GS_ROW_FIXED_BYTES +
                   (format->value_bytes >= GS_ROW_LONG_VALUE ? 4U : 0U) +
                   (format->expires ? 8U : 0U);
  return (double)gs_block_round_up(fixed + format->key_bytes +
                                   format->value_bytes);
}

static double
gone_row_bytes(const gs_lab_format *format)
{
  return (double)gs_block_round_up(GS_ROW_FIXED_BYTES + format->key_bytes);
}

/* ---- blocks ----------------------------------------------------------------- */

/* Bytes that all keys of a stretch begin with: each further byte with the
 * chance that no boundary of its value lies within. Keys use 63 bits. */
static double
shared_prefix(double width, uint32_t key_bytes)
{
  double prefix = 0;
  double cells = 128;
  for (uint32_t i = 0; i < key_bytes && i < 8 && width * cells < 1; i++) {
    prefix += 1 - width * cells;
    cells *= 256;
  }
  return prefix;
}

/* What rows are like on average, and the blocks they make. */
typedef struct packing {
  double row_bytes;      /* mean */
  double rows_per_block; /* mean */
  double block_bytes;    /* of a full block */
} packing;

/* Blocks of one row: those that take more than half of the target. */
static packing
pack_alone(double row_bytes)
{
  return (packing){row_bytes, 1,
                   (double)gs_block_rows_at(1, 0) + row_bytes +
                       GS_TABLE_CHECKSUM_BYTES};
}

/* The room that stays empty at a block's end: of rows of one size what is left
 * over; of mixed ones a piece of the row that did not fit, at any point of it,
 * which is a long one more often than a short one. */
static double
rows_that_fit(double room, double share_put, double put, double gone)
{
  double mean = share_put * put + (1 - share_put) * gone;
  if (share_put >= 1 || share_put <= 0) {
    double rows = floor(room / mean);
    return rows < 1 ? 1 : rows;
  }
  double square = share_put * put * put + (1 - share_put) * gone * gone;
  double rows = (room - square / mean / 2) / mean;
  return rows < 1 ? 1 : rows;
}

static packing
pack(const gs_lab_format *format, const gs_lab_extent *extent)
{
  double entries = extent->entries.puts + extent->entries.gones;
  double share_put = entries > 0 ? extent->entries.puts / entries : 1;
  double wide = 4 * share_wide(extent->seqs);
  double put = put_row_bytes(format) + wide;
  double gone = gone_row_bytes(format) + wide;
  double half = format->block_bytes / 2.0;
  if (put > half && (share_put >= 1 || gone > half)) {
    return pack_alone(share_put * put + (1 - share_put) * gone);
  }
  double per_row = GS_BLOCK_HEAD_BYTES + GS_BLOCK_OFFSET_BYTES;
  double mean = share_put * put + (1 - share_put) * gone;
  double guess = entries > 0 ? extent->width * format->block_bytes /
                                   (mean + per_row) / entries
                             : extent->width;
  double prefix = shared_prefix(guess, format->key_bytes);
  double fixed = GS_BLOCK_HEADER_BYTES + GS_TABLE_CHECKSUM_BYTES + prefix;
  double rows = put > half
                    ? 1 / share_put
                    : rows_that_fit(format->block_bytes - fixed, share_put,
                                    put + per_row, gone + per_row);
  if (entries > 0 && rows > entries) {
    rows = entries < 1 ? 1 : entries;
  }
  double heads =
      ceil((GS_BLOCK_HEADER_BYTES + rows * per_row + prefix) / 4) * 4;
  return (packing){mean, rows, heads + rows * mean + GS_TABLE_CHECKSUM_BYTES};
}

/* ---- files ------------------------------------------------------------------ */

static double
meta_bytes(const gs_lab_format *format)
{
  gs_table_meta meta = {
      .min_key = gs_slice_of(&meta, format->key_bytes),
      .max_key = gs_slice_of(&meta, format->key_bytes),
  };
  return (double)gs_table_meta_encoded_bytes(&meta);
}

double
gs_size_empty(const gs_lab_format *format)
{
  return GS_TABLE_HEADER_BYTES + GS_TABLE_FOOTER_BYTES + GS_FENCES_FIXED_BYTES +
         meta_bytes(format);
}

/* Keys to a bucket of the point index: full to four fifths. */
static const double keys_per_bucket = GS_BUCKET_ENTRIES * 4.0 / 5.0;

static double
fence_bytes(const gs_lab_format *format, double width)
{
  return GS_FENCE_FIXED_BYTES + format->key_bytes -
         shared_prefix(width, format->key_bytes);
}

/* Bytes of a full block as it is stored. */
static double
stored_bytes(const gs_lab_format *format, const packing *p)
{
  return p->block_bytes * (1 - format->saved);
}

double
gs_size_entry(const gs_lab_format *format, const gs_lab_extent *extent)
{
  packing p = pack(format, extent);
  return (stored_bytes(format, &p) + fence_bytes(format, extent->width)) /
             p.rows_per_block +
         GS_BUCKET_BYTES / keys_per_bucket;
}

double
gs_size_table(const gs_lab_format *format, const gs_lab_extent *extent)
{
  double entries = extent->entries.puts + extent->entries.gones;
  packing p = pack(format, extent);
  double blocks = entries / p.rows_per_block;
  double buckets = ceil(entries / keys_per_bucket);
  return gs_size_empty(format) +
         shared_prefix(extent->width, format->key_bytes) +
         blocks *
             (stored_bytes(format, &p) + fence_bytes(format, extent->width)) +
         buckets * GS_BUCKET_BYTES;
}

double
gs_size_limit(const gs_lab_format *format)
{
  (void)format; /* blocks times units to a block is always this */
  return (double)(UINT64_C(1) << GS_LOCATOR_BITS) * GS_BLOCK_UNIT_BYTES;
}

double
gs_size_data(const gs_lab_format *format, gs_count entries)
{
  return entries.puts * ((double)format->key_bytes + format->value_bytes) +
         entries.gones * format->key_bytes;
}

/* ---- memory ----------------------------------------------------------------- */

static double
units(double bytes)
{
  return ceil(bytes / GS_ARENA_UNIT_BYTES) * GS_ARENA_UNIT_BYTES;
}

double
gs_size_memory(const gs_lab_format *format, gs_count entries, double keys)
{
  double node = units((double)sizeof(gs_node) + format->key_bytes);
  double row = (double)sizeof(gs_row);
  double put = row + (format->expires ? 8 : 0) + units(format->value_bytes);
  double again = entries.puts + entries.gones - keys;
  return keys * node + entries.puts * put + entries.gones * row +
         again * (double)sizeof(gs_skip);
}

double
gs_size_room(const gs_lab_format *format)
{
  return GS_BATCH_HEADER_BYTES + GS_BATCH_RECORD_BYTES + 8.0 +
         format->key_bytes + format->value_bytes +
         (double)gs_memtable_entry_bytes(0, 0) + 16;
}

double
gs_size_log(const gs_lab_format *format, bool is_delete)
{
  double payload = GS_BATCH_HEADER_BYTES + GS_BATCH_RECORD_BYTES +
                   (double)format->key_bytes +
                   (is_delete ? 0 : format->value_bytes) +
                   (format->expires && !is_delete ? 8 : 0);
  return GS_FRAME_HEADER_BYTES + ceil(payload / 8) * 8;
}
