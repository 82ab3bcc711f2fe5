/*
 * plan_bottom: whether anything older of a key may stand below the target.
 *
 * The caller asks with keys that never fall, so one index per run, which never
 * falls either, stands at the first table that could hold the key. Beside the
 * index the state keeps whether that table is an input, found once per table:
 * index * 4 + 2 if that is known + 1 if it is one.
 */
#include "tree/plan.h"

enum { IS_KNOWN = 2, IS_INPUT = 1, INDEX_UNIT = 4 };

static bool
is_input(const gs_plan *plan, uint64_t table_id)
{
  for (size_t i = 0; i < plan->input_count; i++) {
    if (plan->inputs[i] == table_id) {
      return true;
    }
  }
  return false;
}

/* Whether a table of the run that stays has the key within its bounds. */
static bool
may_hold(const gs_run *run, const gs_plan *plan, size_t *state, gs_slice key)
{
  size_t index = *state / INDEX_UNIT;
  while (index < run->table_count &&
         gs_slice_compare(run->tables[index]->meta.max_key, key) < 0) {
    index++;
    *state = index * INDEX_UNIT;
  }
  if (index == run->table_count ||
      gs_slice_compare(run->tables[index]->meta.min_key, key) > 0) {
    return false;
  }
  if ((*state & IS_KNOWN) == 0) {
    bool is_one = is_input(plan, run->tables[index]->meta.id);
    *state |= is_one ? IS_KNOWN | IS_INPUT : IS_KNOWN;
  }
  return (*state & IS_INPUT) == 0;
}

bool
gs_plan_is_bottom(const gs_version *version, const gs_plan *plan,
                  size_t position, size_t *state, gs_slice key)
{
  for (size_t i = (position + 1) / 2; i < version->run_count; i++) {
    if (may_hold(version->runs[i], plan, &state[i], key)) {
      return false;
    }
  }
  return true;
}
