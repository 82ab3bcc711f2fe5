/*
 * format: the bytes of a log file. The write-ahead log's segments and the
 * manifest are both logs: a header page, then frames.
 *
 *   log    := header frame* zero*
 *   header := one page of GS_LOG_HEADER_BYTES, see below
 *   frame  := frame header (48 bytes) payload padding to 8 bytes with zeros
 *
 * Header page (little-endian), checksummed as a whole:
 *   0  magic "GrainLog"            8
 *   8  checksum of bytes 16..4095  8   seeded by (0, number, 0)
 *   16 format                      4
 *   20 kind (1 wal, 2 manifest)    4
 *   24 store id                   16
 *   40 number of this file         8
 *   48 incarnation of the store    8
 *   56 salt                        8   seeds every frame checksum
 *   64 first sequence number       8   0 in a manifest
 *   72 size of the file, allocated 8   0: grows
 *   80 predecessor: number         8   0: none
 *   88 predecessor: final length   8
 *   96 predecessor: final link     4
 *  100 flags                       4   1: the predecessor had been synced whole
 *  104 feature bits                8   unknown ones refuse
 *  112 zeros to 4087
 * 4088 salt, again                8   in another sector than the first
 *
 * Frame header:
 *   0  header checksum  4   low half over bytes 4..47, seeded (salt, number,
 *                           offset of the frame)
 *   4  payload length   4
 *   8  payload checksum 8   over payload and padding, same seed
 *   16 first sequence   8   of its entries; of a batch without entries the
 *                           next one; 0 in other types
 *   24 durable_to       8   bytes of this file known durable when it was built
 *   32 entry count      4
 *   36 link             4   low half of the payload checksum of the frame
 *                           before; of the first frame: low half of the seed
 *                           of (salt, number, 0)
 *   40 type             1   see gs_frame_type
 *   41 zeros            3
 *   44 fold             4   all 4-byte words of payload and padding, xored
 *
 * Why: the header's own checksum makes the length of a damaged payload
 * trustworthy, so the next frame is found without guessing. The seed makes
 * stale, moved and foreign frames invalid. The link makes a valid follower
 * attest which frame stood before it; durable_to attests that earlier bytes
 * had been synced. Nothing about a frame depends on the header page, so whoever
 * knows salt and number reads the frames of a log that has lost its page.
 *
 * One wrong bit of a frame is put right. In the header it is found by trying
 * all 384. In the payload a checksum says only that it is wrong; the fold then
 * differs in exactly one bit, which is the bit's place within its word, and
 * trying it in every word finds the word. A fold that differs in none or in
 * several bits, as nearly every torn write has it, ends the search before it
 * began; so does a payload above GS_REPAIR_MAX_BYTES, since the search hashes
 * the payload once for each of its words: a gigabyte at that bound.
 */
#ifndef GS_WAL_FORMAT_H
#define GS_WAL_FORMAT_H

#include <stdint.h>

#define GS_LOG_MAGIC "GrainLog"

enum {
  GS_FORMAT = 1,
  GS_LOG_HEADER_BYTES = 4096,
  GS_FRAME_HEADER_BYTES = 48,
  GS_FRAME_ALIGN = 8,
  GS_REPAIR_MAX_BYTES = 64 * 1024, /* payloads in which a bit is searched for */
};

/* These numbers reach the disk. */
typedef enum gs_log_kind {
  GS_LOG_WAL = 1,
  GS_LOG_MANIFEST = 2,
} gs_log_kind;

typedef enum gs_frame_type {
  GS_FRAME_BATCH = 1, /* payload: a batch */
  GS_FRAME_MARK = 2,  /* no payload; says durable_to once more */
  GS_FRAME_SEAL = 3,  /* no payload; nothing follows in this file */
  GS_FRAME_EDIT = 4,  /* payload: a manifest edit */
} gs_frame_type;

typedef struct gs_store_id {
  uint8_t bytes[16];
} gs_store_id;

/* The header page, decoded. */
typedef struct gs_log_header {
  gs_log_kind kind;
  gs_store_id store_id;
  uint64_t number;
  uint64_t incarnation;
  uint64_t salt;
  uint64_t first_seq;
  uint64_t allocated_bytes;
  uint64_t prev_number;
  uint64_t prev_bytes;
  uint32_t prev_link;
  uint32_t is_prev_synced; /* 0 or 1 */
} gs_log_header;

/* A frame, decoded; the payload is a view. */
typedef struct gs_frame_info {
  gs_frame_type type;
  uint32_t entry_count;
  uint64_t first_seq;
  uint64_t durable_to;
  uint64_t offset;     /* where its header stands */
  uint64_t end_offset; /* where the next frame stands */
  uint32_t link;       /* what the next frame's link must be */
} gs_frame_info;

/* Bytes a frame with this payload takes in the file. */
static inline uint64_t
gs_frame_bytes(uint64_t payload_bytes)
{
  uint64_t mask = GS_FRAME_ALIGN - 1;
  return GS_FRAME_HEADER_BYTES + ((payload_bytes + mask) & ~mask);
}

#endif
