/*
 * clock: the time since some start, which never jumps, and the time of day,
 * which may.
 */
#include <time.h>

#include "env/posix/posix.h"

enum {
  US_PER_S = 1000000,
  NS_PER_US = 1000,
  MS_PER_S = 1000,
  NS_PER_MS = 1000000,
};

uint64_t
gs_posix_mono_us(gs_env *env)
{
  (void)env;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / NS_PER_US;
}

uint64_t
gs_posix_wall_ms(gs_env *env)
{
  (void)env;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}
