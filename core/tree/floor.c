/*
 * floor: picks a prefix of the runs.
 */
#include "tree/floor.h"

size_t
gs_floor_gather(const gs_version *version, size_t runs)
{
  uint64_t gathered = 0;
  size_t tables = 0;
  size_t count = 0;
  while (count < version->run_count) {
    uint64_t bytes = version->runs[count]->bytes;
    bool is_needed = version->run_count - count > runs;
    tables += version->runs[count]->table_count;
    if (tables > GS_PLAN_MAX_INPUTS ||
        (count >= 2 && bytes > gathered && !is_needed)) {
      break;
    }
    gathered += bytes;
    count++;
  }
  return count;
}

static size_t
count_tables(const gs_version *version, size_t runs)
{
  size_t count = 0;
  for (size_t i = 0; i < runs; i++) {
    count += version->runs[i]->table_count;
  }
  return count;
}

/* Where to cut; 0: where the store says. */
static uint64_t
choose_size(const gs_version *version, size_t runs)
{
  uint64_t bytes = 0;
  uint64_t largest = 0;
  for (size_t i = 0; i < runs; i++) {
    bytes += version->runs[i]->bytes;
    if (version->runs[i]->largest_bytes > largest) {
      largest = version->runs[i]->largest_bytes;
    }
  }
  return bytes / GS_RUN_TABLES > largest ? bytes / GS_RUN_TABLES : 0;
}

gs_status
gs_floor_plan(gs_alloc *alloc, const gs_version *version, size_t runs,
              gs_plan *plan, gs_error *err)
{
  size_t count = count_tables(version, runs);
  uint64_t *inputs = gs_alloc_array(alloc, count, sizeof *inputs);
  if (inputs == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  size_t used = 0;
  for (size_t i = 0; i < runs; i++) {
    for (size_t t = 0; t < version->runs[i]->table_count; t++) {
      inputs[used++] = version->runs[i]->tables[t]->meta.id;
    }
  }
  *plan = (gs_plan){
      .op = GS_PLAN_MERGE,
      .target = GS_TARGET_ABOVE,
      .run_id = version->runs[runs - 1]->id,
      .level = runs == version->run_count ? 1 : 0,
      .inputs = inputs,
      .input_count = count,
      .table_bytes = choose_size(version, runs),
      .why = "built-in policy",
  };
  return GS_OK;
}
