/*
 * entry: one version of one key.
 *
 * Model: key, sequence number, kind, value, expiry. The internal order is key
 * up (unsigned bytes), then sequence number down. Within a store a sequence
 * number belongs to one entry.
 *
 * A tombstone (GS_KIND_DELETE) has an empty value and no expiry. An entry with
 * expires_at_ms = t is readable strictly before t; from then on it reads as a
 * tombstone does: absent, and hiding what lies beneath.
 */
#ifndef GS_DATA_ENTRY_H
#define GS_DATA_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* These numbers reach the disk and are never renumbered. */
typedef enum gs_kind {
  GS_KIND_PUT = 1,
  GS_KIND_DELETE = 2,
  /* 3 to 7 are reserved: single delete, range delete, merge operand, blob
   * reference, and one more. Readers refuse them. */
} gs_kind;

enum {
  GS_KEY_MAX_BYTES = 65535,
  GS_VALUE_MAX_BYTES = (1 << 30) - 1,
};

#define GS_SEQ_MAX ((UINT64_C(1) << 56) - 1)

/* The slices are views; who fills an entry says until when. */
typedef struct gs_entry {
  gs_slice key;
  gs_slice value;
  uint64_t seq;
  uint64_t expires_at_ms; /* 0: never */
  gs_kind kind;
} gs_entry;

static inline bool
gs_entry_is_expired(const gs_entry *entry, uint64_t now_ms)
{
  return entry->expires_at_ms != 0 && entry->expires_at_ms <= now_ms;
}

/* Whether a reader at now_ms gets a value from this version. */
static inline bool
gs_entry_is_live(const gs_entry *entry, uint64_t now_ms)
{
  return entry->kind == GS_KIND_PUT && !gs_entry_is_expired(entry, now_ms);
}

#endif
