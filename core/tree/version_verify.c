/*
 * version_verify: what a version's metadata can prove about its invariants.
 *
 * Bounds are tight: the table that has key k as a bound holds an entry of k. So
 * where a bound of a newer table u is also a bound of an older table t, I1
 * demands that u's newest entry of k has a larger sequence than each entry of k
 * in t. What is known of them: u's newest entry of k is at most u.max_seq, and
 * at least u.min_seq; a table with one key alone knows more, for all of its
 * entries are entries of k.
 */
#include <inttypes.h>

#include "tree/version.h"

static gs_status
verify_table(const gs_run *run, const gs_table_meta *meta, gs_error *err)
{
  if (gs_slice_compare(meta->min_key, meta->max_key) > 0 ||
      meta->min_seq > meta->max_seq) {
    return GS_FAIL(err, GS_CORRUPT,
                   "the bounds of table %" PRIu64 " in run %" PRIu64
                   " are in the wrong order",
                   meta->id, run->id);
  }
  return GS_OK;
}

gs_status
gs_run_verify(const gs_run *run, gs_error *err)
{
  for (size_t i = 0; i < run->table_count; i++) {
    const gs_table_meta *meta = &run->tables[i]->meta;
    gs_status status = verify_table(run, meta, err);
    if (status != GS_OK) {
      return status;
    }
    if (i + 1 < run->table_count &&
        gs_slice_compare(meta->max_key, run->tables[i + 1]->meta.min_key) >=
            0) {
      return GS_FAIL(err, GS_CORRUPT,
                     "tables %" PRIu64 " and %" PRIu64 " of run %" PRIu64
                     " overlap",
                     meta->id, run->tables[i + 1]->meta.id, run->id);
    }
  }
  return GS_OK;
}

static bool
has_one_key(const gs_table_meta *meta)
{
  return gs_slice_equal(meta->min_key, meta->max_key);
}

static bool
has_bound(const gs_table_meta *meta, gs_slice key)
{
  return gs_slice_equal(meta->min_key, key) ||
         gs_slice_equal(meta->max_key, key);
}

/* I1 for the newer and the older one of two tables. */
static gs_status
verify_pair(const gs_table_meta *newer, const gs_table_meta *older,
            gs_error *err)
{
  if (!has_bound(older, newer->min_key) && !has_bound(older, newer->max_key)) {
    return GS_OK;
  }
  uint64_t above = has_one_key(newer) ? newer->min_seq : newer->max_seq;
  uint64_t below = has_one_key(older) ? older->max_seq : older->min_seq;
  if (above <= below) {
    return GS_FAIL(err, GS_CORRUPT,
                   "table %" PRIu64 " stands above table %" PRIu64
                   ", shares a key with it, and holds nothing newer",
                   newer->id, older->id);
  }
  return GS_OK;
}

/* The table against an older run. Of the tables it overlaps there, those in the
 * middle have both bounds strictly inside its range. */
static gs_status
verify_below(const gs_table_meta *newer, const gs_run *run, gs_error *err)
{
  size_t end;
  size_t at = gs_run_overlap(run, newer->min_key, newer->max_key, &end);
  if (at == end) {
    return GS_OK;
  }
  gs_status status = verify_pair(newer, &run->tables[at]->meta, err);
  if (status != GS_OK || at + 1 == end) {
    return status;
  }
  return verify_pair(newer, &run->tables[end - 1]->meta, err);
}

static gs_status
verify_order(const gs_version *version, gs_error *err)
{
  for (size_t i = 0; i < version->run_count; i++) {
    const gs_run *run = version->runs[i];
    for (size_t t = 0; t < run->table_count; t++) {
      for (size_t j = i + 1; j < version->run_count; j++) {
        gs_status status =
            verify_below(&run->tables[t]->meta, version->runs[j], err);
        if (status != GS_OK) {
          return status;
        }
      }
    }
  }
  return GS_OK;
}

static gs_status
verify_ids(const gs_version *version, gs_error *err)
{
  for (size_t i = 0; i < version->run_count; i++) {
    const gs_run *run = version->runs[i];
    if (gs_version_find_run(version, run->id) != i) {
      return GS_FAIL(err, GS_CORRUPT, "run %" PRIu64 " stands twice", run->id);
    }
    for (size_t t = 0; t < run->table_count; t++) {
      size_t first;
      uint64_t id = run->by_id[t]->meta.id;
      bool is_twice = t > 0 && run->by_id[t - 1]->meta.id == id;
      if (is_twice || gs_version_find_table(version, id, &first) == NULL ||
          first != i) {
        return GS_FAIL(err, GS_CORRUPT, "table %" PRIu64 " stands twice", id);
      }
    }
  }
  return GS_OK;
}

gs_status
gs_version_verify(const gs_version *version, gs_error *err)
{
  for (size_t i = 0; i < version->run_count; i++) {
    gs_status status = gs_run_verify(version->runs[i], err);
    if (status != GS_OK) {
      return status;
    }
  }
  gs_status status = verify_ids(version, err);
  return status == GS_OK ? verify_order(version, err) : status;
}
