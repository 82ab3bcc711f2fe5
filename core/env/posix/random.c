/*
 * random: a counter that steps by an odd constant, mixed with secret numbers
 * from the kernel. The step is one atomic addition, so threads neither wait nor
 * repeat each other. Good for salts, names and sampling; not for secrets.
 */
#include <stdatomic.h>
#include <sys/random.h>
#include <unistd.h>

#include "env/posix/posix.h"

#define STEP UINT64_C(0x9e3779b97f4a7c15) /* 2^64 over the golden ratio */

static _Atomic uint64_t counter;
static _Atomic uint64_t secret;

/* A bijection whose output bits each depend on all input bits. */
static uint64_t
mixed(uint64_t x)
{
  x ^= x >> 32;
  x *= UINT64_C(0xe9846af9b1a615d);
  x ^= x >> 32;
  x *= UINT64_C(0xe9846af9b1a615d);
  x ^= x >> 28;
  return x;
}

void
gs_posix_random_seed(void)
{
  uint64_t seed[2];
  if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
    seed[0] = gs_posix_mono_us(NULL) * STEP ^ (uint64_t)getpid();
    seed[1] = mixed(gs_posix_wall_ms(NULL));
  }
  atomic_store_explicit(&counter, seed[0], memory_order_relaxed);
  atomic_store_explicit(&secret, seed[1], memory_order_relaxed);
}

uint64_t
gs_posix_random64(gs_env *env)
{
  (void)env;
  uint64_t step =
      atomic_fetch_add_explicit(&counter, STEP, memory_order_relaxed);
  uint64_t key = atomic_load_explicit(&secret, memory_order_relaxed);
  return mixed(mixed(step) + key);
}
