/*
 * machine: the real one works in a temporary directory, the simulated one in a
 * directory of the same kind.
 */
#include "support/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void
machine_open_posix(machine *m)
{
  *m = (machine){.env = gs_env_posix()};
  temp_dir_make(&m->dir);
}

void
machine_open_sim(machine *m)
{
  *m = (machine){.sim = gs_sim_new(1)};
  m->env = gs_sim_env(m->sim);
  memcpy(m->dir.path, "/root", sizeof "/root");
  assert_int_equal(gs_env_make_dir(m->env, m->dir.path, NULL), GS_OK);
}

void
machine_close(machine *m)
{
  if (m->sim == NULL) {
    temp_dir_remove(&m->dir);
    return;
  }
  assert_int_equal(gs_sim_allocated_bytes(m->sim), 0);
  gs_sim_free(m->sim);
}
