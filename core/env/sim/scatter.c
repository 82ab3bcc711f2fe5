/*
 * scatter: the weakest machine that still honours its syncs. Of what was not
 * synced, each sector, each file's size and each name is decided by itself:
 *
 *   - a sector written v times since the sync holds one of v + 1 versions;
 *   - a size is the durable one or any it had since; bytes it exposes that
 *     never arrived are zero;
 *   - a name means what it meant at the sync or at any time since.
 *
 * One sector may be torn besides: its front from one version and its back from
 * the next, or the other way round.
 *
 * Independent fair draws would almost never lose all or keep all of a large
 * file, so each node first draws a temper.
 */
#include <stdlib.h>
#include <string.h>

#include "env/sim/state.h"

typedef enum temper {
  TEMPER_FAIR = 0,  /* every version is as likely */
  TEMPER_KEEPS = 1, /* nearly always the newest */
  TEMPER_LOSES = 2, /* nearly always the durable one */
  TEMPER_COUNT = 3,
} temper;

enum { EXCEPTION = 16 }; /* a temper is broken once in so many draws */

typedef struct lottery {
  uint64_t random;
  temper temper;
  uint64_t until_tear; /* touches to come before the torn one; UINT64_MAX: none
                          will be torn */
} lottery;

/* The unit changes bytes of the sector. */
typedef struct touch {
  uint64_t sector;
  size_t unit;
} touch;

typedef struct touches {
  touch *items;
  size_t count;
  size_t capacity;
} touches;

/* How many of v changes, in order, arrived. */
static size_t
pick(lottery *chance, size_t v)
{
  uint64_t drawn = gs_sim_draw(&chance->random);
  bool is_exception = drawn % EXCEPTION == 0;
  if (chance->temper == TEMPER_FAIR || is_exception) {
    return (size_t)(gs_sim_draw(&chance->random) % (v + 1));
  }
  return chance->temper == TEMPER_KEEPS ? v : 0;
}

static void
add_touches(touches *all, uint64_t start, uint64_t end, size_t unit)
{
  for (uint64_t s = start / SIM_SECTOR; s * SIM_SECTOR < end; s++) {
    all->items =
        gs_sim_grow(all->items, all->count, &all->capacity, sizeof *all->items);
    all->items[all->count++] = (touch){.sector = s, .unit = unit};
  }
}

static int
compare_touches(const void *a, const void *b)
{
  const touch *left = a;
  const touch *right = b;
  if (left->sector != right->sector) {
    return left->sector > right->sector ? 1 : -1;
  }
  return (left->unit > right->unit) - (left->unit < right->unit);
}

static uint64_t
size_after(const sim_unit *unit, uint64_t size)
{
  if (unit->kind == SIM_UNIT_RESIZE) {
    return unit->size;
  }
  uint64_t end = unit->offset + unit->size;
  return size < end ? end : size;
}

/* By sector, and by time within a sector. Gives: free the items. */
static touches
touches_of(const sim_node *file)
{
  touches all = {0};
  uint64_t size = file->durable.content.size;
  for (size_t u = 0; u < file->unit_count; u++) {
    const sim_unit *unit = &file->units[u];
    uint64_t after = size_after(unit, size);
    if (unit->kind == SIM_UNIT_WRITE) {
      add_touches(&all, unit->offset, unit->offset + unit->size, u);
    } else if (after < size) {
      add_touches(&all, after, size, u);
    }
    size = after;
  }
  if (all.count > 0) {
    qsort(all.items, all.count, sizeof *all.items, compare_touches);
  }
  return all;
}

/* The part of the unit that falls into the sector. */
static void
change_sector(uint8_t *bytes, uint64_t sector, const sim_unit *unit)
{
  uint64_t start = sector * SIM_SECTOR;
  if (unit->kind == SIM_UNIT_RESIZE) {
    uint64_t from = unit->size > start ? unit->size - start : 0;
    memset(bytes + from, 0, SIM_SECTOR - (size_t)from);
    return;
  }
  uint64_t from = unit->offset > start ? unit->offset : start;
  uint64_t end = unit->offset + unit->size;
  uint64_t to = end < start + SIM_SECTOR ? end : start + SIM_SECTOR;
  memcpy(bytes + (from - start), unit->bytes + (from - unit->offset),
         (size_t)(to - from));
}

static void
tear_sector(lottery *chance, uint8_t *bytes, uint64_t sector,
            const sim_unit *unit)
{
  uint8_t next[SIM_SECTOR];
  memcpy(next, bytes, sizeof next);
  change_sector(next, sector, unit);
  size_t at = 1 + (size_t)(gs_sim_draw(&chance->random) % (SIM_SECTOR - 1));
  if (gs_sim_draw(&chance->random) % 2 == 0) {
    memcpy(bytes, next, at);
  } else {
    memcpy(bytes + at, next + at, SIM_SECTOR - at);
  }
}

/* Whether the tear falls on one of the next v touches, and on which. */
static bool
tear_falls(lottery *chance, size_t v, size_t *which)
{
  if (chance->until_tear == UINT64_MAX) {
    return false;
  }
  if (chance->until_tear >= v) {
    chance->until_tear -= v;
    return false;
  }
  *which = (size_t)chance->until_tear;
  chance->until_tear = UINT64_MAX;
  return true;
}

/* Decides one sector from the touches on it. */
static void
settle_sector(lottery *chance, sim_content *to, const sim_node *file,
              const touch *items, size_t v)
{
  uint8_t bytes[SIM_SECTOR];
  uint64_t sector = items[0].sector;
  size_t arrived = pick(chance, v);
  bool is_torn = tear_falls(chance, v, &arrived);
  gs_sim_content_read(to, sector * SIM_SECTOR, bytes, sizeof bytes);
  for (size_t i = 0; i < arrived; i++) {
    change_sector(bytes, sector, &file->units[items[i].unit]);
  }
  if (is_torn) {
    tear_sector(chance, bytes, sector, &file->units[items[arrived].unit]);
  }
  gs_sim_content_write(to, sector * SIM_SECTOR, bytes, sizeof bytes);
}

static uint64_t
settle_size(lottery *chance, const sim_node *file)
{
  uint64_t size = file->durable.content.size;
  size_t changes = 0;
  for (size_t u = 0; u < file->unit_count; u++) {
    uint64_t after = size_after(&file->units[u], size);
    changes += after != size;
    size = after;
  }
  size_t arrived = pick(chance, changes);
  size = file->durable.content.size;
  for (size_t u = 0; arrived > 0; u++) {
    uint64_t after = size_after(&file->units[u], size);
    arrived -= after != size;
    size = after;
  }
  return size;
}

static void
settle_file(lottery *chance, sim_content *to, const sim_node *file)
{
  touches all = touches_of(file);
  for (size_t i = 0; i < all.count;) {
    size_t v = 1;
    while (i + v < all.count &&
           all.items[i + v].sector == all.items[i].sector) {
      v++;
    }
    settle_sector(chance, to, file, &all.items[i], v);
    i += v;
  }
  free(all.items);
  gs_sim_content_resize(to, settle_size(chance, file));
}

static bool
is_first_of_name(const sim_node *dir, size_t unit)
{
  for (size_t u = 0; u < unit; u++) {
    if (strcmp(dir->units[u].name, dir->units[unit].name) == 0) {
      return false;
    }
  }
  return true;
}

/* Decides one name from the units about it, the first of which is known. */
static void
settle_name(lottery *chance, const gs_sim *copy, const sim_node *dir,
            size_t first)
{
  sim_entries *to = &gs_sim_twin(copy, dir)->durable.entries;
  const char *name = dir->units[first].name;
  size_t v = 0;
  for (size_t u = first; u < dir->unit_count; u++) {
    v += strcmp(dir->units[u].name, name) == 0;
  }
  size_t arrived = pick(chance, v);
  for (size_t u = first; arrived > 0; u++) {
    if (strcmp(dir->units[u].name, name) == 0) {
      gs_sim_entries_set(to, name, gs_sim_twin(copy, dir->units[u].node));
      arrived--;
    }
  }
}

static void
settle_node(lottery *chance, const gs_sim *copy, const sim_node *node)
{
  chance->temper = (temper)(gs_sim_draw(&chance->random) % TEMPER_COUNT);
  if (!node->is_directory) {
    settle_file(chance, &gs_sim_twin(copy, node)->durable.content, node);
    return;
  }
  for (size_t u = 0; u < node->unit_count; u++) {
    if (is_first_of_name(node, u)) {
      settle_name(chance, copy, node, u);
    }
  }
}

static uint64_t
count_touches(const gs_sim *sim)
{
  uint64_t count = 0;
  for (size_t i = 0; i < sim->node_count; i++) {
    if (!sim->nodes[i]->is_directory) {
      touches all = touches_of(sim->nodes[i]);
      count += all.count;
      free(all.items);
    }
  }
  return count;
}

void
gs_sim_scatter(gs_sim *copy, const gs_sim *sim, bool is_torn, uint64_t random)
{
  lottery chance = {.random = random, .until_tear = UINT64_MAX};
  uint64_t touch_count = is_torn ? count_touches(sim) : 0;
  if (touch_count > 0) {
    chance.until_tear = gs_sim_draw(&chance.random) % touch_count;
  }
  for (size_t i = 0; i < sim->node_count; i++) {
    if (sim->nodes[i]->unit_count > 0) {
      settle_node(&chance, copy, sim->nodes[i]);
    }
  }
}
