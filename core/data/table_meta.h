/*
 * table_meta: what is known of a table without opening it.
 *
 * Model: a value; the key slices are views whose owner the holder names. The
 * same encoding stands in the table's properties section and in the manifest,
 * so that one can be checked against the other. Bounds are tight and
 * inclusive.
 *
 * Encoding (little-endian): a list of fields, each tag:u16 size:u32 bytes, the
 * tags rising, ended by a tag:u16 of 0. Numbers take 8 bytes. The tags are the
 * members' places in the struct, counted from 1; every member is present. A
 * reader refuses unknown tags below 0x8000 and passes over unknown tags above.
 */
#ifndef GS_DATA_TABLE_META_H
#define GS_DATA_TABLE_META_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

typedef struct gs_table_meta {
  uint64_t id;              /* file number, unique in the store for ever */
  uint64_t file_bytes;      /* exact length of the file */
  uint64_t footer_checksum; /* ties the manifest to this very file */
  uint64_t entry_count;     /* versions, tombstones included */
  uint64_t key_count;       /* distinct user keys */
  uint64_t tombstone_count;
  uint64_t expiring_count; /* entries with an expiry */
  uint64_t data_bytes;     /* key and value bytes of all entries */
  uint64_t min_seq;
  uint64_t max_seq;
  uint64_t created_ms;
  uint64_t min_expiry_ms;       /* 0 when nothing expires */
  uint64_t max_expiry_ms;       /* 0 when nothing expires */
  uint64_t oldest_tombstone_ms; /* when the oldest tombstone may have been
                                   written; 0 without tombstones */
  uint64_t seq_override; /* 0; reserved for tables whose entries all take one
                            sequence number given by the manifest */
  gs_slice min_key;
  gs_slice max_key;
} gs_table_meta;

void gs_table_meta_encode(const gs_table_meta *meta, gs_buffer *out);

/* Length of the encoding. */
size_t gs_table_meta_encoded_bytes(const gs_table_meta *meta);

/* Key slices view the input. *used is the length of the encoding.
 * GS_CORRUPT for a broken encoding or bounds in the wrong order; GS_VERSION
 * for a field this library does not know. */
GS_MUST_CHECK gs_status gs_table_meta_decode(gs_slice bytes, gs_table_meta *out,
                                             size_t *used, gs_error *err);

/* Whether every member is the same. */
bool gs_table_meta_equal(const gs_table_meta *a, const gs_table_meta *b);

/* Whether the key lies within the bounds. */
bool gs_table_meta_covers(const gs_table_meta *meta, gs_slice key);

#endif
