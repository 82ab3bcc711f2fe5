/*
 * sim: a seeded machine in memory, for tests of what crashes and faults do.
 *
 * Model: a file has durable content D (what the last good sync left) and
 * volatile content V (what reads see), and an ordered list of pending writes
 * since that sync; a directory likewise has durable and volatile entries and
 * pending entry operations. sync_data moves V to D; sync_dir makes names
 * durable. A crash makes a new machine whose durable and volatile state are
 * one state that the chosen model allows (after a kill, which the kernel
 * survives, they stay two). Paths are opaque strings with "/"
 * between names; the root directory "/" exists.
 * There are no threads; the clock stands still until told to move; random64
 * follows the seed. Same seed, same calls: same answers, byte for byte.
 *
 * Life: gs_sim_new / gs_sim_free; a crash copy is a machine of its own. All
 * files of a machine are closed before it is freed.
 * Threads: one.
 * Errors: injected ones are returned as the real machine would return them.
 * Mistakes (a mutex locked twice, a block freed with a wrong size) and lack of
 * memory for the machine's own books end the process.
 */
#ifndef GS_ENV_SIM_H
#define GS_ENV_SIM_H

#include "env/env.h"

typedef struct gs_sim gs_sim;

typedef enum gs_crash_model {
  GS_CRASH_SYNCED = 0, /* nothing that was not synced survives */
  GS_CRASH_KILL = 1,   /* the process dies, the machine lives: all survives,
                          and what was pending is pending still */
  GS_CRASH_PREFIX = 2, /* a prefix, in program order, of all pending work:
                          its first choice % (gs_sim_pending + 1) parts */
  GS_CRASH_RANDOM = 3, /* any subset of pending sectors and entry operations */
  GS_CRASH_TORN = 4,   /* as RANDOM, and one sector may be torn at a byte */
} gs_crash_model;

/* Operations a fault can hit. */
typedef enum gs_sim_op {
  GS_SIM_OPEN = 0,
  GS_SIM_READ = 1,
  GS_SIM_WRITE = 2,
  GS_SIM_ALLOCATE = 3,
  GS_SIM_SYNC = 4,
  GS_SIM_LIST = 5,
  GS_SIM_STAT = 6,
  GS_SIM_MAKE_DIR = 7,
  GS_SIM_REMOVE = 8,
  GS_SIM_LINK = 9,
  GS_SIM_SYNC_DIR = 10,
  GS_SIM_TRUNCATE = 11,
  GS_SIM_ANY = 12, /* matches every operation */
} gs_sim_op;

/* What a failed sync leaves behind. */
typedef enum gs_sync_failure {
  GS_SYNC_CLEAN = 0,   /* pages are clean, V keeps the new bytes; they can
                          never become durable by a later sync */
  GS_SYNC_REVERT = 1,  /* the same, but V goes back to D */
  GS_SYNC_PENDING = 2, /* still pending; a retry works */
} gs_sync_failure;

/* One rule. Every rule counts the operations that match it; the first rule
 * whose turn has come decides. An interruption (EINTR) of a sync leaves all
 * pending, as a retry is then allowed. */
typedef struct gs_sim_fault {
  gs_sim_op op;
  const char *suffix;   /* path must end with it; NULL matches every path */
  uint64_t nth;         /* fires at the nth match from now, counted from 1 */
  uint64_t times;       /* and that many matches on end; 0 = for ever */
  int os_errno;         /* what the operation returns; 0 for a short transfer */
  uint64_t short_bytes; /* with os_errno 0: transfer at most that many */
  gs_sync_failure sync_failure; /* for GS_SIM_SYNC */
} gs_sim_fault;

/* A machine with an empty root. The seed fixes random64 and every random
 * choice. Gives: free with gs_sim_free. */
gs_sim *gs_sim_new(uint64_t seed);
void gs_sim_free(gs_sim *sim);

gs_env *gs_sim_env(gs_sim *sim);

void gs_sim_advance_ms(gs_sim *sim, uint64_t ms);
void gs_sim_set_wall_ms(gs_sim *sim, uint64_t wall_ms);

/* Operations that count (all of gs_sim_op but ANY), since the machine began.*/
uint64_t gs_sim_ops(const gs_sim *sim);

/* After that many operations in all, every later one fails with EIO, as if the
 * power had gone: crash the machine then. 0 lifts the limit. */
void gs_sim_stop_at(gs_sim *sim, uint64_t ops);

/* The suffix is copied. */
GS_MUST_CHECK gs_status gs_sim_fail(gs_sim *sim, const gs_sim_fault *fault,
                                    gs_error *err);
void gs_sim_heal(gs_sim *sim); /* forgets all faults */

/* Bytes that files may occupy in all; writes beyond fail with ENOSPC.
 * 0: no limit. */
void gs_sim_set_capacity(gs_sim *sim, uint64_t bytes);

/* Allocations from now on until one fails, once; 0 fails none. */
void gs_sim_fail_alloc(gs_sim *sim, uint64_t nth);

/* Parts of work not yet durable: the sectors of pending writes, size changes
 * and changes of names. */
uint64_t gs_sim_pending(const gs_sim *sim);

/* A new machine as power loss (or a kill) leaves this one; this one is
 * unchanged. choice selects among the states of a random model; that of a
 * machine with other numbers for random64 is another. Gives: free with
 * gs_sim_free. */
gs_sim *gs_sim_crash(const gs_sim *sim, gs_crash_model model, uint64_t choice);

/* Flips one bit of the durable and volatile content. */
GS_MUST_CHECK gs_status gs_sim_flip(gs_sim *sim, const char *path, uint64_t bit,
                                    gs_error *err);

/* Replaces content, durable and volatile; creates the file if need be. */
GS_MUST_CHECK gs_status gs_sim_replace(gs_sim *sim, const char *path,
                                       gs_slice content, gs_error *err);

/* One line for each file and directory, by inode. */
void gs_sim_dump(const gs_sim *sim, gs_buffer *out);

/* Bytes now allocated through the machine's allocator; 0 proves no leak. */
uint64_t gs_sim_allocated_bytes(const gs_sim *sim);

#endif
