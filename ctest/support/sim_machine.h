/*
 * sim_machine: a simulated machine of one test, and the short words for what
 * tests do to it again and again. Each fails the running test when the machine
 * says no, unless it is about saying no.
 *
 * Life: sim_machine_set_up and sim_machine_tear_down fit cmocka; tearing down
 * also proves that all memory came back.
 */
#ifndef GS_CTEST_SUPPORT_SIM_MACHINE_H
#define GS_CTEST_SUPPORT_SIM_MACHINE_H

#include "env/env.h"
#include "env/sim.h"

/* The machine of the running test and its environment. */
extern gs_sim *sim_machine;
extern gs_env *sim_machine_env;

int sim_machine_set_up(void **state);
int sim_machine_tear_down(void **state);

/* Another machine takes its place, as after a crash. */
void sim_machine_become(gs_sim *sim);
void sim_machine_crash(gs_crash_model model, uint64_t choice);

gs_file *sim_machine_open(const char *path, gs_open_mode mode);
void sim_machine_close(gs_file *file);
void sim_machine_write(gs_file *file, uint64_t offset, const char *text);
void sim_machine_sync(gs_file *file);
void sim_machine_sync_dir(const char *dir);

/* A new file with the text; nothing is synced. */
void sim_machine_make(const char *path, const char *text);
/* The same, synced, and its directory too. */
void sim_machine_make_durable(const char *path, const char *text);

/* The content of the file on any machine, as a string; "(none)" when there is
 * no such file. Valid until the next call. */
const char *sim_machine_text(gs_sim *sim, const char *path);

/* A rule for every path that fires at the nth match, once. */
void sim_machine_fail(gs_sim_op op, uint64_t nth, int os_errno);

#endif
