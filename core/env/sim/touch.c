/*
 * touch: which units change which sectors of a file. A write changes those it
 * covers; a cut changes those between the new size and the old one, into zeros.
 */
#include <stdlib.h>
#include <string.h>

#include "env/sim/crash.h"

static void
add_touches(sim_touches *all, uint32_t sector, uint64_t start, uint64_t end,
            size_t unit)
{
  for (uint64_t s = start / sector; s * sector < end; s++) {
    all->items =
        gs_sim_grow(all->items, all->count, &all->capacity, sizeof *all->items);
    all->items[all->count++] = (sim_touch){.sector = s, .unit = unit};
  }
}

static int
compare_touches(const void *a, const void *b)
{
  const sim_touch *left = a;
  const sim_touch *right = b;
  if (left->sector != right->sector) {
    return left->sector > right->sector ? 1 : -1;
  }
  return (left->unit > right->unit) - (left->unit < right->unit);
}

uint64_t
gs_sim_size_after(const sim_unit *unit, uint64_t size)
{
  if (unit->kind == SIM_UNIT_RESIZE) {
    return unit->size;
  }
  uint64_t end = unit->offset + unit->size;
  return size < end ? end : size;
}

sim_touches
gs_sim_touches_of(const sim_node *file, uint32_t sector)
{
  sim_touches all = {0};
  uint64_t size = file->durable.content.size;
  for (size_t u = 0; u < file->unit_count; u++) {
    const sim_unit *unit = &file->units[u];
    uint64_t after = gs_sim_size_after(unit, size);
    if (unit->kind == SIM_UNIT_WRITE) {
      add_touches(&all, sector, unit->offset, unit->offset + unit->size, u);
    } else if (after < size) {
      add_touches(&all, sector, after, size, u);
    }
    size = after;
  }
  if (all.count > 0) {
    qsort(all.items, all.count, sizeof *all.items, compare_touches);
  }
  return all;
}

void
gs_sim_touch(const sim_unit *unit, uint8_t *bytes, uint64_t start,
             uint64_t size)
{
  if (unit->kind == SIM_UNIT_RESIZE) {
    uint64_t from = unit->size > start ? unit->size - start : 0;
    memset(bytes + from, 0, (size_t)(size - from));
    return;
  }
  uint64_t from = unit->offset > start ? unit->offset : start;
  uint64_t end = unit->offset + unit->size;
  uint64_t to = end < start + size ? end : start + size;
  memcpy(bytes + (from - start), unit->bytes + (from - unit->offset),
         (size_t)(to - from));
}
