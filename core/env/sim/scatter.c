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

#include "env/sim/crash.h"

typedef enum temper {
  TEMPER_FAIR = 0,  /* every version is as likely */
  TEMPER_KEEPS = 1, /* nearly always the newest */
  TEMPER_LOSES = 2, /* nearly always the durable one */
  TEMPER_COUNT = 3,
} temper;

enum { EXCEPTION = 16 }; /* a temper is broken once in so many draws */

typedef struct lottery {
  uint32_t sector; /* bytes */
  uint64_t random;
  temper temper;
  uint64_t until_tear; /* touches to come before the torn one; UINT64_MAX: none
                          will be torn */
  const gs_sim *sim;
  gs_buffer *notes; /* NULL: none are taken */
} lottery;

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
tear_sector(lottery *chance, uint8_t *bytes, uint64_t start,
            const sim_unit *unit)
{
  uint8_t next[SIM_SECTOR_MOST];
  if (chance->sector == 1) {
    return; /* a byte cannot be torn */
  }
  memcpy(next, bytes, chance->sector);
  gs_sim_touch(unit, next, start, chance->sector);
  size_t at = 1 + (size_t)(gs_sim_draw(&chance->random) % (chance->sector - 1));
  if (gs_sim_draw(&chance->random) % 2 == 0) {
    memcpy(bytes, next, at);
  } else {
    memcpy(bytes + at, next + at, chance->sector - at);
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

static void
note_unit(const lottery *chance, const sim_node *node, const sim_unit *unit,
          const char *fate)
{
  if (chance->notes != NULL) {
    gs_sim_explain_unit(chance->sim, node, unit, fate, chance->notes);
  }
}

/* The part of a write that falls into the sector. */
static void
note_touch(const lottery *chance, const sim_node *file,
           const sim_touch *touched, const char *fate)
{
  const sim_unit *unit = &file->units[touched->unit];
  if (unit->kind == SIM_UNIT_WRITE) {
    uint64_t at = touched->sector - unit->offset / chance->sector;
    sim_unit part = gs_sim_unit_cut(chance->sim, unit, at, at + 1);
    note_unit(chance, file, &part, fate);
  }
}

/* Decides one sector from the touches on it. */
static void
settle_sector(lottery *chance, sim_content *to, const sim_node *file,
              const sim_touch *items, size_t v)
{
  uint8_t bytes[SIM_SECTOR_MOST];
  uint64_t start = items[0].sector * chance->sector;
  size_t arrived = pick(chance, v);
  bool is_torn = tear_falls(chance, v, &arrived);
  gs_sim_content_read(to, start, bytes, chance->sector);
  for (size_t i = 0; i < arrived; i++) {
    gs_sim_touch(&file->units[items[i].unit], bytes, start, chance->sector);
  }
  for (size_t i = 0; i < v; i++) {
    bool is_half = is_torn && i == arrived;
    note_touch(chance, file, &items[i],
               is_half       ? "torn"
               : i < arrived ? "kept"
                             : "lost");
  }
  if (is_torn) {
    tear_sector(chance, bytes, start, &file->units[items[arrived].unit]);
  }
  gs_sim_content_write(to, start, bytes, chance->sector);
}

static uint64_t
settle_size(lottery *chance, const sim_node *file)
{
  uint64_t size = file->durable.content.size;
  size_t changes = 0;
  for (size_t u = 0; u < file->unit_count; u++) {
    uint64_t after = gs_sim_size_after(&file->units[u], size);
    changes += after != size;
    size = after;
  }
  size_t arrived = pick(chance, changes);
  uint64_t settled = file->durable.content.size;
  size = settled;
  for (size_t u = 0; u < file->unit_count; u++) {
    uint64_t after = gs_sim_size_after(&file->units[u], size);
    if (after != size) {
      sim_unit change = {.kind = SIM_UNIT_RESIZE, .size = after};
      note_unit(chance, file, &change, arrived > 0 ? "kept" : "lost");
      settled = arrived > 0 ? after : settled;
      arrived -= arrived > 0;
    }
    size = after;
  }
  return settled;
}

static void
settle_file(lottery *chance, sim_content *to, const sim_node *file)
{
  sim_touches all = gs_sim_touches_of(file, chance->sector);
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
  for (size_t u = first; u < dir->unit_count; u++) {
    if (strcmp(dir->units[u].name, name) != 0) {
      continue;
    }
    note_unit(chance, dir, &dir->units[u], arrived > 0 ? "kept" : "lost");
    if (arrived > 0) {
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
      sim_touches all = gs_sim_touches_of(sim->nodes[i], sim->sector);
      count += all.count;
      free(all.items);
    }
  }
  return count;
}

void
gs_sim_scatter(gs_sim *copy, const gs_sim *sim, gs_crash_model model,
               uint64_t random, gs_buffer *notes)
{
  lottery chance = {
      .sector = sim->sector,
      .random = random,
      .until_tear = UINT64_MAX,
      .sim = sim,
      .notes = notes,
  };
  uint64_t touch_count = model == GS_CRASH_TORN ? count_touches(sim) : 0;
  if (touch_count > 0) {
    chance.until_tear = gs_sim_draw(&chance.random) % touch_count;
  }
  for (size_t i = 0; i < sim->node_count; i++) {
    if (sim->nodes[i]->unit_count > 0) {
      settle_node(&chance, copy, sim->nodes[i]);
    }
  }
  if (model == GS_CRASH_HOSTILE) {
    gs_sim_haunt(copy, sim, &chance.random);
  }
}
