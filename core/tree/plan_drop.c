/*
 * plan_drop: what may be thrown away without being read.
 *
 * Three questions. Is every entry dead, or may the policy lose living ones?
 * Would older versions come back, because an older table that overlaps an input
 * stays? And does a snapshot still look at what goes: a snapshot reads with the
 * clock of its own moment, so a table is dead for all snapshots iff it is dead
 * at the least of their clocks. Which snapshots were taken after a table was
 * written is not asked: with any of them alive, a table that is not dead stays.
 */
#include <inttypes.h>

#include "tree/plan_rules.h"
#include "tree/refusal.h"

static bool
is_dead(const gs_table_meta *meta, uint64_t clock_ms)
{
  return meta->expiring_count == meta->entry_count &&
         meta->max_expiry_ms <= clock_ms;
}

/* The first input that is not dead at that time, or NULL. */
static const gs_tree_table *
find_living(const gs_plan_inputs *inputs, uint64_t clock_ms)
{
  for (size_t at = 0; at < inputs->count; at++) {
    const gs_tree_table *table = gs_plan_inputs_at(inputs, at);
    if (!is_dead(&table->meta, clock_ms)) {
      return table;
    }
  }
  return NULL;
}

static bool
check_dead(const gs_plan_inputs *inputs, const gs_plan_limits *limits,
           gs_refusal *refusal)
{
  const gs_tree_table *living = find_living(inputs, limits->safe_clock_ms);
  if (living != NULL && !limits->may_lose) {
    GS_REFUSE(refusal, GS_REFUSAL_NOT_DEAD,
              "not every entry of table %" PRIu64 " has expired; leave it out, "
              "merge it, or open the store with loss by policy allowed",
              living->meta.id);
    gs_refusal_add_table(refusal, living->meta.id);
    return false;
  }
  if (limits->oldest_snapshot_seq == UINT64_MAX) {
    return true;
  }
  living = find_living(inputs, limits->oldest_snapshot_clock_ms);
  if (living != NULL) {
    GS_REFUSE(refusal, GS_REFUSAL_NOT_DEAD,
              "a snapshot may still read table %" PRIu64
              "; leave it out, or wait until the snapshot is closed",
              living->meta.id);
    gs_refusal_add_table(refusal, living->meta.id);
    return false;
  }
  return true;
}

static bool
check_hidden(const gs_plan_inputs *inputs, gs_refusal *refusal)
{
  const gs_version *version = inputs->version;
  for (size_t run = inputs->top + 1; run < version->run_count; run++) {
    size_t at;
    const gs_tree_table *stay = gs_plan_inputs_find_stay(inputs, run, &at);
    if (stay != NULL) {
      const gs_tree_table *input = gs_plan_inputs_at(inputs, at);
      GS_REFUSE(refusal, GS_REFUSAL_PATH_BLOCKED,
                "table %" PRIu64 " in run %" PRIu64
                " stays and overlaps input %" PRIu64
                ", which hides its older entries: they would come back; add it",
                stay->meta.id, version->runs[run]->id, input->meta.id);
      gs_plan_inputs_name_stays(inputs, input, run, refusal);
      return false;
    }
  }
  return true;
}

bool
gs_plan_check_drop(const gs_plan_inputs *inputs, const gs_plan_limits *limits,
                   gs_refusal *refusal)
{
  return check_dead(inputs, limits, refusal) && check_hidden(inputs, refusal);
}
