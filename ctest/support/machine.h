/*
 * machine: either machine, with a directory in which a test may do as it
 * pleases, for tests that both must pass.
 *
 * Life: closing removes the directory; of the simulated machine it also proves
 * that all memory came back.
 */
#ifndef GS_CTEST_SUPPORT_MACHINE_H
#define GS_CTEST_SUPPORT_MACHINE_H

#include "env/env.h"
#include "env/sim.h"
#include "support/temp_dir.h"

typedef struct machine {
  gs_env *env;
  gs_sim *sim; /* NULL: the real one */
  temp_dir dir;
} machine;

void machine_open_posix(machine *m);
void machine_open_sim(machine *m);
void machine_close(machine *m);

#endif
