/*
 * power_node: what stands behind the names of a power_dir, and what a cut makes
 * of it. For power_dir.c alone.
 *
 * Model: a node is the content of a file; it lives as long as a name, a past of
 * a name or an open handle holds it. A step is a change since its last sync. A
 * cut takes the synced bytes and some pieces of some of the steps, in order.
 */
#ifndef GS_CTEST_SUPPORT_POWER_NODE_H
#define GS_CTEST_SUPPORT_POWER_NODE_H

#include "support/power_dir.h"

typedef struct power_node {
  unsigned references;
  bool is_directory;
  gs_buffer synced;
  gs_buffer steps; /* of step */
  gs_buffer bytes; /* of the steps */
} power_node;

/* How a cut chooses. */
typedef struct power_chooser {
  uint64_t state;
  uint64_t odds; /* of 8 that a piece is kept */
  uint64_t name_odds;
  size_t grain; /* of pieces; WHOLE: a file's steps stand and fall together */
  bool may_tear;
} power_chooser;

gs_alloc *power_memory(void);

/* Appends and fails the running test where that fails. */
void power_append(gs_buffer *buffer, const void *data, size_t size);

/* Without references. */
power_node *power_node_new(bool is_directory);
power_node *power_node_hold(power_node *held); /* NULL is accepted */
void power_node_drop(power_node *held);        /* NULL is accepted */

/* One more step: a write of data, or the size that the file was given. */
void power_node_add(power_node *changed, bool is_resize, uint64_t offset,
                    const void *data, size_t size);

/* All steps are synced. */
void power_node_settle(power_node *synced);

power_chooser power_chooser_of(power_cut how, uint64_t seed);

/* True so many times of eight. */
bool power_happens(power_chooser *c, uint64_t odds);

/* The content that a cut leaves; other salts make other choices. */
void power_node_build(power_chooser c, uint64_t salt, const power_node *of,
                      gs_buffer *image);

#endif
