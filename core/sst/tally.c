/*
 * tally: zero means "none yet" for the expiry bounds, which no entry can have.
 */
#include "sst/tally.h"

static void
add_expiry(gs_table_meta *meta, uint64_t expires_at_ms)
{
  if (meta->expiring_count == 0 || expires_at_ms < meta->min_expiry_ms) {
    meta->min_expiry_ms = expires_at_ms;
  }
  if (expires_at_ms > meta->max_expiry_ms) {
    meta->max_expiry_ms = expires_at_ms;
  }
  meta->expiring_count++;
}

void
gs_tally_add(gs_table_meta *meta, const gs_entry *entry, bool is_older)
{
  if (meta->entry_count == 0 || entry->seq < meta->min_seq) {
    meta->min_seq = entry->seq;
  }
  if (entry->seq > meta->max_seq) {
    meta->max_seq = entry->seq;
  }
  if (entry->expires_at_ms != 0) {
    add_expiry(meta, entry->expires_at_ms);
  }
  meta->tombstone_count += entry->kind == GS_KIND_DELETE;
  meta->data_bytes += entry->key.size + entry->value.size;
  meta->key_count += is_older ? 0 : 1;
  meta->entry_count++;
}

bool
gs_tally_equal(const gs_table_meta *a, const gs_table_meta *b)
{
  return a->entry_count == b->entry_count && a->key_count == b->key_count &&
         a->tombstone_count == b->tombstone_count &&
         a->expiring_count == b->expiring_count &&
         a->data_bytes == b->data_bytes && a->min_seq == b->min_seq &&
         a->max_seq == b->max_seq && a->min_expiry_ms == b->min_expiry_ms &&
         a->max_expiry_ms == b->max_expiry_ms;
}
