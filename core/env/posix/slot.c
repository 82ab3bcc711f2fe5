/*
 * slot: small numbers for living threads.
 *
 * One bit per slot says whether it is taken; a thread takes the lowest free
 * one at its first question, remembers it in thread-local memory and gives it
 * back when it ends, through the destructor of a key. Low numbers keep arrays
 * indexed by slot dense.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "env/posix/posix.h"

enum { BITS = 64, WORDS = GS_POSIX_SLOTS / BITS };

static _Atomic uint64_t taken[WORDS];
static pthread_key_t at_exit;
static bool has_key; /* written once, before any slot is asked for */

/* The slot plus one; 0 while the thread has none. Asked by every read: it is one
 * word of the space that the loader keeps for this, so
 * that reading it is no call, in a module loaded late as well. */
static _Thread_local uint32_t own __attribute__((tls_model("initial-exec")));

static uint32_t
take_slot(void)
{
  for (uint32_t w = 0; w < WORDS; w++) {
    uint64_t word = atomic_load_explicit(&taken[w], memory_order_relaxed);
    while (word != UINT64_MAX) {
      uint32_t bit = (uint32_t)__builtin_ctzll(~word);
      uint64_t with = word | UINT64_C(1) << bit;
      if (atomic_compare_exchange_weak_explicit(&taken[w], &word, with,
                                                memory_order_acquire,
                                                memory_order_relaxed)) {
        return w * BITS + bit;
      }
    }
  }
  return UINT32_MAX;
}

/* The release pairs with the acquire of the next holder: what the ended thread
 * did at its slot has happened before. */
static void
give_slot(uint32_t slot)
{
  atomic_fetch_and_explicit(&taken[slot / BITS], ~(UINT64_C(1) << slot % BITS),
                            memory_order_release);
}

static void
end_of_thread(void *unused)
{
  (void)unused;
  uint32_t slot = own - 1;
  own = 0;
  give_slot(slot);
}

uint32_t
gs_posix_thread_slot(gs_env *env)
{
  (void)env;
  if (own != 0) {
    return own - 1;
  }
  uint32_t slot = has_key ? take_slot() : UINT32_MAX;
  if (slot == UINT32_MAX) {
    return slot;
  }
  /* The value only has to be non-NULL for the destructor to be called. */
  if (pthread_setspecific(at_exit, &own) != 0) {
    give_slot(slot);
    return UINT32_MAX;
  }
  own = slot + 1;
  return slot;
}

uint32_t
gs_posix_slot_count(void)
{
  int count = 0;
  for (uint32_t w = 0; w < WORDS; w++) {
    count += __builtin_popcountll(
        atomic_load_explicit(&taken[w], memory_order_relaxed));
  }
  return (uint32_t)count;
}

void
gs_posix_slot_start(void)
{
  has_key = pthread_key_create(&at_exit, end_of_thread) == 0;
}

void
gs_posix_slot_forked(void)
{
  for (uint32_t w = 0; w < WORDS; w++) {
    bool is_here = own != 0 && (own - 1) / BITS == w;
    uint64_t word = is_here ? UINT64_C(1) << (own - 1) % BITS : 0;
    atomic_store_explicit(&taken[w], word, memory_order_relaxed);
  }
}

/* When the library is unloaded, threads of the program live on and must not
 * call into it at their end. */
__attribute__((destructor)) static void
forget_key(void)
{
  if (has_key) {
    pthread_key_delete(at_exit);
  }
}
