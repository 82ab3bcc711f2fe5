/*
 * batch: writes that happen together, in the bytes the log keeps.
 *
 * Payload grammar (little-endian; the payload of one log frame):
 *   payload := now_ms:u64 record*
 *   record  := kind:u8 flags:u8 key_size:u16 value_size:u32
 *              [expires_at_ms:u64 if flags & 1] key value
 *   kind    := 1 put | 2 delete | 16 meta
 * A delete has value_size 0 and no expiry. A meta record has key_size 0 and no
 * expiry and carries the application's note as its value; it takes no sequence
 * number. Every other record takes one, counted up from the frame's first
 * sequence. Flag bits other than 1 are zero and an expiry is not: readers
 * refuse what the writer cannot write.
 *
 * Life: gs_batch lives in the caller's memory; init/deinit.
 * Threads: one at a time.
 * Errors: appends are sticky: the first failure (GS_NOMEM, GS_TOOLARGE) is
 * reported by gs_batch_status, and later appends do nothing.
 */
#ifndef GS_DATA_BATCH_H
#define GS_DATA_BATCH_H

#include "base/buffer.h"
#include "data/entry.h"

enum {
  GS_BATCH_HEADER_BYTES = 8,
  GS_BATCH_RECORD_BYTES = 8, /* before expiry, key and value */
  GS_BATCH_FLAG_EXPIRY = 1,
  GS_BATCH_KIND_META = 16,
  GS_BATCH_MAX_BYTES = (1 << 30) + (1 << 17), /* one entry of any size */
  GS_BATCH_MAX_ENTRIES = 1 << 24,
};

typedef struct gs_batch {
  gs_buffer bytes;      /* the payload so far, header included */
  uint32_t entry_count; /* records that take a sequence number */
  uint32_t tombstone_count;
  gs_status failure; /* GS_OK, or why an append did nothing */
} gs_batch;

void gs_batch_init(gs_batch *batch, gs_alloc *alloc);
void gs_batch_deinit(gs_batch *batch);

/* Forgets content and failure, keeps the memory. */
void gs_batch_clear(gs_batch *batch);

/* expires_at_ms 0: never. The bytes are copied. */
void gs_batch_put(gs_batch *batch, gs_slice key, gs_slice value,
                  uint64_t expires_at_ms);
void gs_batch_delete(gs_batch *batch, gs_slice key);
void gs_batch_meta(gs_batch *batch, gs_slice note);

/* Sets the time the batch carries. */
void gs_batch_set_now(gs_batch *batch, uint64_t now_ms);

GS_MUST_CHECK gs_status gs_batch_status(const gs_batch *batch, gs_error *err);

/* Walks a payload. Entries view the payload's bytes. */
typedef struct gs_batch_reader {
  gs_slice rest;   /* records not yet read */
  uint64_t seq;    /* sequence number of the next entry */
  uint64_t now_ms; /* time carried by the batch */
} gs_batch_reader;

/* GS_CORRUPT when the payload is shorter than its header. */
GS_MUST_CHECK gs_status gs_batch_read_begin(gs_batch_reader *reader,
                                            gs_slice payload,
                                            uint64_t first_seq, gs_error *err);

typedef enum gs_batch_item {
  GS_BATCH_END = 0,
  GS_BATCH_ENTRY = 1, /* *entry filled */
  GS_BATCH_META = 2,  /* entry->value holds the note, the rest is zero */
} gs_batch_item;

/* The next record. GS_CORRUPT for a record that the grammar does not allow. */
GS_MUST_CHECK gs_status gs_batch_read(gs_batch_reader *reader,
                                      gs_batch_item *item, gs_entry *entry,
                                      gs_error *err);

#endif
