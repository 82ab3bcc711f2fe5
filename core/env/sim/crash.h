/*
 * crash: what copies and crashes are made of. Only env/sim includes it.
 */
#ifndef GS_ENV_SIM_CRASH_H
#define GS_ENV_SIM_CRASH_H

#include "env/sim/state.h"

/* copy.c */

/* The node that stands in the copy for one of the original; NULL for NULL. */
sim_node *gs_sim_twin(const gs_sim *copy, const sim_node *node);

/* Another machine with the same nodes in their durable states. */
gs_sim *gs_sim_copy_durable(const gs_sim *sim, uint64_t seed);

/* Gives the copy what the original has now and what is pending in it. */
void gs_sim_keep_running(gs_sim *copy, const gs_sim *sim);

/* What is durable is what there is. */
void gs_sim_start_again(gs_sim *copy);

/* part.c */

/* A unit, whose it is, and the number of its first part. */
typedef struct sim_step {
  const sim_unit *unit;
  const sim_node *node;
  uint64_t first;
} sim_step;

/* Sectors a write touches; 1 for any other unit. */
uint64_t gs_sim_unit_parts(const gs_sim *sim, const sim_unit *unit);

/* All pending units in program order. Gives: free. */
sim_step *gs_sim_history(const gs_sim *sim, size_t *count);

/* The parts [from, to) of a unit, as a unit. Borrows. */
sim_unit gs_sim_unit_cut(const gs_sim *sim, const sim_unit *unit, uint64_t from,
                         uint64_t to);

/* select.c: the models that decide part by part. */

typedef struct sim_selection {
  gs_crash_model model;
  uint64_t choice;
  uint64_t *left; /* OBJECT: parts that a node may keep yet, by index */
} sim_selection;

sim_selection gs_sim_selection_make(const gs_sim *sim, gs_crash_model model,
                                    uint64_t choice);
void gs_sim_selection_free(sim_selection *selection);

/* Whether a part survives. Asked once for each, in order of their numbers. */
bool gs_sim_selection_keeps(sim_selection *selection, const sim_node *node,
                            uint64_t number);

/* touch.c */

/* The unit changes bytes of the sector. */
typedef struct sim_touch {
  uint64_t sector;
  size_t unit;
} sim_touch;

typedef struct sim_touches {
  sim_touch *items;
  size_t count;
  size_t capacity;
} sim_touches;

/* All there are of a file, by sector, and by time within a sector. Gives: free
 * the items. */
sim_touches gs_sim_touches_of(const sim_node *file, uint32_t sector);

/* The size of a file that had this size before the unit. */
uint64_t gs_sim_size_after(const sim_unit *unit, uint64_t size);

/* Changes the bytes of one sector, which begins at start, as the unit does. */
void gs_sim_touch(const sim_unit *unit, uint8_t *bytes, uint64_t start,
                  uint64_t size);

/* scatter.c */

/* Lets some of every node's pending work through, each piece by chance; says
 * what became of each in notes, which may be NULL. TORN may tear one sector,
 * HOSTILE keeps to nothing. */
void gs_sim_scatter(gs_sim *copy, const gs_sim *sim, gs_crash_model model,
                    uint64_t random, gs_buffer *notes);

/* hostile.c: what no honest machine does, before and after the scattering. */

void gs_sim_haunt(gs_sim *copy, const gs_sim *sim, uint64_t *random);

/* listing.c */

/* Appends the path of the node, by names that hold now or held at the last
 * sync. */
void gs_sim_path_of(const gs_sim *sim, const sim_node *node, gs_buffer *out);

/* explain.c */

void gs_sim_explain_unit(const gs_sim *sim, const sim_node *node,
                         const sim_unit *unit, const char *fate,
                         gs_buffer *out);

#endif
