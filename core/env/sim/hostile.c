/*
 * hostile: what no honest machine does. Names whose removal was durable are
 * back, sectors that were synced hold zeros, and what no write ever filled
 * holds garbage.
 */
#include "env/sim/crash.h"

enum {
  HAUNTED = 3, /* of removed names, one in so many is back */
  LOST = 4,    /* of files, one in so many loses a sector */
  FOUL = 2,    /* of files, one in so many shows garbage in its holes */
};

static void
bring_back(gs_sim *copy, const sim_node *dir, uint64_t *random)
{
  sim_entries *to = &gs_sim_twin(copy, dir)->durable.entries;
  for (size_t i = 0; i < dir->ghosts.count; i++) {
    const sim_entry *ghost = &dir->ghosts.items[i];
    if (gs_sim_draw(random) % HAUNTED == 0 &&
        gs_sim_entries_find(to, ghost->name) == NULL) {
      gs_sim_entries_set(to, ghost->name, gs_sim_twin(copy, ghost->node));
    }
  }
}

static void
lose_sector(const gs_sim *copy, sim_content *content, uint64_t *random)
{
  static const uint8_t zeros[SIM_SECTOR_MOST];
  uint64_t sectors = (content->size + copy->sector - 1) / copy->sector;
  uint64_t start = gs_sim_draw(random) % sectors * copy->sector;
  uint64_t left = content->size - start;
  gs_sim_content_write(content, start, zeros,
                       (size_t)(left < copy->sector ? left : copy->sector));
}

/* Beyond the synced size, sectors of zeros were exposed without their data. */
static void
foul(const gs_sim *copy, sim_content *content, uint64_t synced,
     uint64_t *random)
{
  uint8_t bytes[SIM_SECTOR_MOST];
  uint64_t start = (synced + copy->sector - 1) / copy->sector * copy->sector;
  for (; start + copy->sector <= content->size; start += copy->sector) {
    gs_sim_content_read(content, start, bytes, copy->sector);
    bool is_hole = true;
    for (size_t i = 0; i < copy->sector; i++) {
      is_hole &= bytes[i] == 0;
    }
    for (size_t i = 0; is_hole && i < copy->sector; i++) {
      bytes[i] = (uint8_t)gs_sim_draw(random);
    }
    if (is_hole) {
      gs_sim_content_write(content, start, bytes, copy->sector);
    }
  }
}

void
gs_sim_haunt(gs_sim *copy, const gs_sim *sim, uint64_t *random)
{
  for (size_t i = 0; i < sim->node_count; i++) {
    const sim_node *node = sim->nodes[i];
    sim_content *content = &copy->nodes[i]->durable.content;
    if (node->is_directory) {
      bring_back(copy, node, random);
      continue;
    }
    if (gs_sim_draw(random) % FOUL == 0) {
      foul(copy, content, node->durable.content.size, random);
    }
    if (content->size > 0 && gs_sim_draw(random) % LOST == 0) {
      lose_sector(copy, content, random);
    }
  }
}
