/*
 * gsl_sim: what the files about simulated machines share.
 *
 * Model: an env is a userdata that holds one gs_sim. A job is a call on a task
 * of it; the store that it is made on has it on its list until it has ended,
 * and is not closed before that. Text that the machine gives goes through the
 * env's scratch buffer, whose memory is that of the Lua state: it is in no
 * account of the machine, and a raise leaves it to the env.
 */
#ifndef GSL_SIM_H
#define GSL_SIM_H

#include "env/sim.h"
#include "gsl.h"

/* User values of an env. */
enum {
  GSL_ENV_CLOCK = 1, /* its clock's userdata, made at first use */
  GSL_ENV_VALUES = 1,
};

/* The memory of a Lua state as an allocator of the engine. */
typedef struct gsl_alloc {
  gs_alloc base;
  lua_Alloc resize;
  void *context;
} gsl_alloc;

void gsl_alloc_init(lua_State *L, gsl_alloc *memory);

typedef struct gsl_schedule gsl_schedule;

typedef struct gsl_env {
  gsl_machine machine;
  gs_sim *sim; /* NULL: closed */
  gsl_alloc memory;
  gs_buffer scratch;
  gsl_schedule *schedule; /* who goes on; NULL: first come */
} gsl_env;

/* The open env at index 1; raises. */
gsl_env *gsl_check_env(lua_State *L);

/* A closed env, pushed; and what opens it: it takes the simulator. */
gsl_env *gsl_push_env(lua_State *L);
void gsl_env_take(gsl_env *e, gs_sim *sim, bool has_tasks);

/* An env's clock, pushed; the env stands at env_arg. */
void gsl_push_env_clock(lua_State *L, int env_arg);

/* The machine behind the clock at that index; raises. */
gsl_machine *gsl_clock_machine(lua_State *L, int at);

/* The env's scratch buffer, empty. */
gs_buffer *gsl_scratch(gsl_env *e);

/* The content of the scratch buffer as a string, pushed; raises where there was
 * no memory for it. */
void gsl_push_scratch(lua_State *L, const gsl_env *e);

/* Frees the memory of the schedule, which is none from then on. */
void gsl_end_schedule(gsl_env *e);

/* env:begin, in sim_job.c. */
int gsl_begin_job(lua_State *L);

/* The task of the env's job at that index; raises. */
uint32_t gsl_check_job_id(lua_State *L, const gsl_env *e, int arg);

#endif
