/*
 * size: what entries take in files and in memory, from the formats themselves:
 * sst/format.h, data/table_meta.h, mem/row.h, data/batch.h.
 *
 * Model: entries of a workload have keys of one size and values of one size, so
 * a table is told by how many values and how many tombstones it holds. Exact
 * are rows, heads, offsets, blocks, fences, the point index, properties, header
 * and footer; two things are expected values: how many bytes the keys of a
 * block begin with alike (from the share of the key space it covers), and how
 * much of a block stays empty where values and tombstones are mixed. What a
 * codec leaves of a block is not foretold but given.
 *
 * Threads: pure.
 */
#ifndef GS_LAB_SIZE_H
#define GS_LAB_SIZE_H

#include "lab/piece.h"

typedef struct gs_lab_format {
  uint32_t key_bytes;
  uint32_t value_bytes;
  uint32_t block_bytes;
  bool expires; /* values carry an expiry */
  double saved; /* share of a block that packing takes away */
} gs_lab_format;

/* What the sizes of a table depend on. */
typedef struct gs_lab_extent {
  gs_count entries;
  double width; /* share of the key space */
  double seqs;  /* sequence numbers it spans */
} gs_lab_extent;

/* Bytes of the whole file. */
double gs_size_table(const gs_lab_format *format, const gs_lab_extent *extent);

/* Bytes by which a file grows with one more entry of the extent's mixture. */
double gs_size_entry(const gs_lab_format *format, const gs_lab_extent *extent);

/* Bytes of a file without entries. */
double gs_size_empty(const gs_lab_format *format);

/* The largest table that the point index can address. */
double gs_size_limit(const gs_lab_format *format);

/* Key and value bytes. */
double gs_size_data(const gs_lab_format *format, gs_count entries);

/* Arena bytes of a memtable with so many versions of so many keys. */
double gs_size_memory(const gs_lab_format *format, gs_count entries,
                      double keys);

/* Arena bytes that must be free for a write to go in. */
double gs_size_room(const gs_lab_format *format);

/* Log bytes of one write. */
double gs_size_log(const gs_lab_format *format, bool is_delete);

#endif
