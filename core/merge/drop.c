/*
 * drop: the rules read as a filter over one key's versions, newest first.
 *
 *     seq      9     7     5     4     2            snapshots 4 and 8
 *     input    put   del   put   del   put
 *     seen by  lat.  8     -     4     -
 *     E2                   goes        goes
 *     left     put   del         del
 *     E4             goes                           4 hides what 7 hid
 *     E3                         goes               only at the bottom
 *
 * E2 needs the version just before in the inputs and no other: if some gap
 * (seq(e_i), seq(e_j)) holds no snapshot, then neither does the smaller gap up
 * to the neighbour. E6 asks those who see the version, which are the snapshots
 * in that same gap, and "latest" for the newest version; the safe clock stands
 * for "latest", whose clock is never behind it.
 *
 * E4 and E3 only ever remove a tombstone because of what comes after it, so
 * one tombstone waits until the next kept version or the key's end decides.
 * After E4 at most the last kept version is a tombstone above nothing, so E3
 * need not be repeated.
 */
#include "merge/drop.h"

#include "base/check.h"

void
gs_drop_init(gs_drop *drop, const gs_snapshot_point *snapshots,
             size_t snapshot_count, uint64_t safe_clock_ms)
{
  for (size_t i = 1; i < snapshot_count; i++) {
    GS_ASSERT(snapshots[i - 1].seq < snapshots[i].seq);
  }
  *drop = (gs_drop){.snapshots = snapshots,
                    .snapshot_count = snapshot_count,
                    .safe_clock_ms = safe_clock_ms};
}

void
gs_drop_begin(gs_drop *drop)
{
  GS_ASSERT(!drop->has_pending);
  drop->newer_seq = 0;
}

/* Index of the first snapshot that sees sequence number seq. */
static size_t
first_snapshot_at(const gs_drop *drop, uint64_t seq)
{
  size_t low = 0;
  size_t high = drop->snapshot_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (drop->snapshots[middle].seq < seq) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static bool
is_newest(const gs_drop *drop)
{
  return drop->newer_seq == 0;
}

/* Whether snapshot i stands before the version that came before. */
static bool
is_in_gap(const gs_drop *drop, size_t i)
{
  return i < drop->snapshot_count &&
         (is_newest(drop) || drop->snapshots[i].seq < drop->newer_seq);
}

static bool
is_covered(const gs_drop *drop, uint64_t seq)
{
  return !is_newest(drop) && !is_in_gap(drop, first_snapshot_at(drop, seq));
}

static bool
is_expired_for_all(const gs_drop *drop, const gs_entry *entry)
{
  if (!gs_entry_is_expired(entry, drop->safe_clock_ms)) {
    return false;
  }
  for (size_t i = first_snapshot_at(drop, entry->seq); is_in_gap(drop, i);
       i++) {
    if (!gs_entry_is_expired(entry, drop->snapshots[i].clock_ms)) {
      return false;
    }
  }
  return true;
}

/* Keeps the tombstone back; one that was kept back is doubled by it. */
static int
hold_back(gs_drop *drop, const gs_entry *entry)
{
  drop->counts.doubled += drop->has_pending;
  drop->has_pending = true;
  drop->pending =
      (gs_entry){.key = entry->key, .seq = entry->seq, .kind = GS_KIND_DELETE};
  return 0;
}

static int
write_put(gs_drop *drop, const gs_entry *entry, gs_entry out[2])
{
  int count = 0;
  if (drop->has_pending) {
    out[count++] = drop->pending;
    drop->has_pending = false;
  }
  out[count++] = *entry;
  drop->counts.written += (uint64_t)count;
  return count;
}

int
gs_drop_offer(gs_drop *drop, const gs_entry *entry, gs_entry out[2])
{
  GS_ASSERT(is_newest(drop) || entry->seq < drop->newer_seq);
  drop->counts.offered++;
  bool covered = is_covered(drop, entry->seq);
  bool expired =
      !covered && entry->expires_at_ms != 0 && is_expired_for_all(drop, entry);
  drop->newer_seq = entry->seq;
  drop->counts.covered += covered;
  drop->counts.expired += expired;
  if (covered) {
    return 0;
  }
  return expired || entry->kind == GS_KIND_DELETE ? hold_back(drop, entry)
                                                  : write_put(drop, entry, out);
}

bool
gs_drop_finish(gs_drop *drop, bool is_bottom, gs_entry *out)
{
  if (!drop->has_pending) {
    return false;
  }
  drop->has_pending = false;
  if (is_bottom) {
    drop->counts.bottom++;
    return false;
  }
  *out = drop->pending;
  drop->counts.written++;
  return true;
}
