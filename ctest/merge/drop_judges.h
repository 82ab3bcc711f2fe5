/*
 * drop_judges: one key's merge as a value, and what is to be said about it.
 *
 * Model: a history is split into what lies above, in and below the inputs of a
 * merge. Three judges look at what the merge wrote: the reads of all snapshots
 * and of "latest", which no merge may change; the rules as sets, word for
 * word, against which the streaming filter is compared; and whether a version
 * was kept that could have gone.
 *
 * Threads: one.
 */
#ifndef GS_CTEST_MERGE_DROP_JUDGES_H
#define GS_CTEST_MERGE_DROP_JUDGES_H

#include "merge/drop.h"

enum { MAX_VERSIONS = 8, CLOCKS = 3, LOWEST_SEQ = 1 };

/* The second clock is the very moment at which the first expiry takes hold. */
static const uint64_t clocks[CLOCKS] = {9, 10, 20};

enum { PUT, DELETE, PUT_UNTIL_10, PUT_UNTIL_20, KINDS };

/* One key's versions newest first; the oldest is LOWEST_SEQ + 1. */
typedef struct history {
  size_t count;
  gs_entry versions[MAX_VERSIONS + 1];
} history;

/* A merge: count inputs after `above` versions; the rest lies below. */
typedef struct merge_case {
  history before;
  size_t above;
  size_t inputs;
  gs_snapshot_point snapshots[MAX_VERSIONS + 1];
  size_t snapshot_count;
  uint64_t safe_clock;
  bool is_bottom;
} merge_case;

static inline gs_entry
make_version(unsigned kind, uint64_t seq)
{
  static const uint64_t expiries[KINDS] = {0, 0, 10, 20};
  static const char value[] = "value";
  gs_entry entry = {.key = gs_slice_str("k"),
                    .seq = seq,
                    .kind = kind == DELETE ? GS_KIND_DELETE : GS_KIND_PUT,
                    .expires_at_ms = expiries[kind]};
  if (kind != DELETE) {
    entry.value = gs_slice_str(value);
  }
  return entry;
}

/* Running ----------------------------------------------------------------- */

static inline history
run_drop(const merge_case *c, gs_drop_counts *counts)
{
  history after = {.count = 0};
  gs_drop drop;
  gs_drop_init(&drop, c->snapshots, c->snapshot_count, c->safe_clock);
  gs_drop_begin(&drop);
  for (size_t i = 0; i < c->inputs; i++) {
    gs_entry out[2];
    int count = gs_drop_offer(&drop, &c->before.versions[c->above + i], out);
    for (int k = 0; k < count; k++) {
      after.versions[after.count++] = out[k];
    }
  }
  gs_entry last;
  if (gs_drop_finish(&drop, c->is_bottom, &last)) {
    after.versions[after.count++] = last;
  }
  *counts = drop.counts;
  return after;
}

/* All versions after the merge: above, what it wrote, below. */
static inline history
whole_after(const merge_case *c, const history *written)
{
  history whole = c->before;
  whole.count = c->above;
  for (size_t i = 0; i < written->count; i++) {
    whole.versions[whole.count++] = written->versions[i];
  }
  for (size_t i = c->above + c->inputs; i < c->before.count; i++) {
    whole.versions[whole.count++] = c->before.versions[i];
  }
  return whole;
}

/* The sequence number a reader gets a value from, 0 for absent. */
static inline uint64_t
read_at(const history *h, uint64_t seq, uint64_t clock)
{
  for (size_t i = 0; i < h->count; i++) {
    const gs_entry *entry = &h->versions[i];
    if (entry->seq <= seq) {
      return gs_entry_is_live(entry, clock) ? entry->seq : 0;
    }
  }
  return 0;
}

/* Judge one: reads ---------------------------------------------------------- */

static inline bool
reads_are_equal(const merge_case *c, const history *before,
                const history *after)
{
  for (size_t i = 0; i < c->snapshot_count; i++) {
    const gs_snapshot_point *point = &c->snapshots[i];
    if (read_at(before, point->seq, point->clock_ms) !=
        read_at(after, point->seq, point->clock_ms)) {
      return false;
    }
  }
  for (size_t i = 0; i < CLOCKS; i++) {
    if (clocks[i] >= c->safe_clock &&
        read_at(before, GS_SEQ_MAX, clocks[i]) !=
            read_at(after, GS_SEQ_MAX, clocks[i])) {
      return false;
    }
  }
  return true;
}

/* Judge two: the rules as sets ----------------------------------------------- */

static inline bool
has_snapshot_in(const merge_case *c, uint64_t from, uint64_t to)
{
  for (size_t i = 0; i < c->snapshot_count; i++) {
    if (from <= c->snapshots[i].seq && c->snapshots[i].seq < to) {
      return true;
    }
  }
  return false;
}

static inline bool
rule_covers(const merge_case *c, size_t i)
{
  const gs_entry *inputs = c->before.versions + c->above;
  for (size_t j = 0; j < i; j++) {
    if (!has_snapshot_in(c, inputs[i].seq, inputs[j].seq)) {
      return true;
    }
  }
  return false;
}

static inline bool
rule_expires(const merge_case *c, size_t i)
{
  const gs_entry *inputs = c->before.versions + c->above;
  uint64_t expiry = inputs[i].expires_at_ms;
  if (expiry == 0 || expiry > c->safe_clock) {
    return false;
  }
  for (size_t s = 0; s < c->snapshot_count; s++) {
    bool sees = c->snapshots[s].seq >= inputs[i].seq &&
                (i == 0 || c->snapshots[s].seq < inputs[i - 1].seq);
    if (sees && c->snapshots[s].clock_ms < expiry) {
      return false;
    }
  }
  return true;
}

static inline void
remove_version(history *h, size_t at)
{
  h->count--;
  for (size_t i = at; i < h->count; i++) {
    h->versions[i] = h->versions[i + 1];
  }
}

static inline history
rules_as_sets(const merge_case *c, gs_drop_counts *counts)
{
  history kept = {.count = 0};
  *counts = (gs_drop_counts){.offered = c->inputs};
  for (size_t i = 0; i < c->inputs; i++) {
    const gs_entry *entry = &c->before.versions[c->above + i];
    if (rule_covers(c, i)) {
      counts->covered++;
      continue;
    }
    bool expires = rule_expires(c, i);
    counts->expired += expires;
    kept.versions[kept.count++] =
        expires ? make_version(DELETE, entry->seq) : *entry;
  }
  for (size_t i = kept.count; i-- > 1;) {
    if (kept.versions[i].kind == GS_KIND_DELETE &&
        kept.versions[i - 1].kind == GS_KIND_DELETE) {
      remove_version(&kept, i - 1);
      counts->doubled++;
    }
  }
  if (c->is_bottom && kept.count > 0 &&
      kept.versions[kept.count - 1].kind == GS_KIND_DELETE) {
    kept.count--;
    counts->bottom++;
  }
  counts->written = kept.count;
  return kept;
}

static inline bool
histories_are_equal(const history *a, const history *b)
{
  bool equal = a->count == b->count;
  for (size_t i = 0; equal && i < a->count; i++) {
    const gs_entry *x = &a->versions[i];
    const gs_entry *y = &b->versions[i];
    equal = x->seq == y->seq && x->kind == y->kind &&
            x->expires_at_ms == y->expires_at_ms &&
            x->value.data == y->value.data && x->value.size == y->value.size &&
            x->key.data == y->key.data;
  }
  return equal;
}

/* Judge three: exactness ------------------------------------------------------ */

/* Whether some version written could have gone with no read changed, whatever
 * lies below: nothing where the bottom is known, else perhaps an old put. */
static inline bool
could_drop_more(const merge_case *c, const history *written)
{
  for (size_t i = 0; i < written->count; i++) {
    history full = *written;
    if (!c->is_bottom) {
      full.versions[full.count++] = make_version(PUT, LOWEST_SEQ);
    }
    history less = full;
    remove_version(&less, i);
    if (reads_are_equal(c, &full, &less)) {
      return true;
    }
  }
  return false;
}

#endif
