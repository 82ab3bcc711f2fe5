/*
 * sim: a seeded machine in memory, for tests of what crashes, faults and
 * schedules do. It is part of the library, so that applications are tested on
 * it too.
 *
 * Model: a file has durable content D (what the last good sync left) and
 * volatile content V (what reads see), and an ordered list of pending writes
 * since that sync; a directory likewise has durable and volatile entries and
 * pending entry operations. A sync of a file moves V to D; a sync of a
 * directory makes its names durable. What is pending is counted in *parts*: the
 * sectors of each write, each change of a size, each change of a name, numbered
 * in program order from 0. A crash makes a new machine whose durable and
 * volatile state are one state that the chosen model allows (after a kill,
 * which the kernel survives, they stay two). Paths are opaque strings with "/"
 * between names; the root directory "/" exists.
 * The clock stands still until told to move; random numbers follow the seed.
 * Same seed, same calls: same answers, same trace, byte for byte.
 *
 * Tasks: a machine has no threads until gs_sim_allow_tasks. From then on what
 * the engine starts as threads, and what gs_sim_spawn starts, are *tasks* of
 * which one runs at a time; the caller is a task as well. A task may be changed
 * for another only where it waits (a mutex, a condition, the end of another)
 * and at named *points* and file operations. The caller goes on by itself
 * until it waits; then the chooser says who runs. Where all wait with a limit
 * of time, the clock moves to the nearest one; where all wait for ever, the
 * machine ends the process and says what each waits for.
 *
 * Life: gs_sim_new / gs_sim_free; a crash copy is a machine of its own, without
 * the tasks. All files of a machine are closed and all tasks ended before it is
 * freed.
 * Threads: one, the tasks aside.
 * Errors: injected ones are returned as the real machine would return them.
 * Mistakes (a mutex locked twice, a block freed with a wrong size) and lack of
 * memory for the machine's own books end the process.
 */
#ifndef GS_ENV_SIM_H
#define GS_ENV_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/api.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

struct gs_env; /* a machine, see env/env.h */

typedef struct gs_sim gs_sim;

/* A machine with an empty root. The seed fixes random numbers and every random
 * choice. Gives: free with gs_sim_free. */
GS_API gs_sim *gs_sim_new(uint64_t seed);
GS_API void gs_sim_free(gs_sim *sim); /* NULL is accepted */

GS_API struct gs_env *gs_sim_env(gs_sim *sim);

/* ---- clock ----------------------------------------------------------------*/

GS_API void gs_sim_advance_ms(gs_sim *sim, uint64_t ms); /* both clocks */
GS_API void gs_sim_set_wall_ms(gs_sim *sim, uint64_t wall_ms);
GS_API uint64_t gs_sim_wall_ms(const gs_sim *sim);

/* ---- operations and faults ------------------------------------------------ */

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

/* Operations that count (all of gs_sim_op but ANY), since the machine began.*/
GS_API uint64_t gs_sim_ops(const gs_sim *sim);

/* After that many operations in all, every later one fails with EIO, as if the
 * power had gone: crash the machine then. 0 lifts the limit. */
GS_API void gs_sim_stop_at(gs_sim *sim, uint64_t ops);

/* What a fault does to an operation. */
typedef enum gs_sim_effect {
  GS_SIM_ERROR = 0, /* returns os_errno */
  GS_SIM_SHORT = 1, /* a read or write transfers at most `amount` bytes */
  GS_SIM_FLIP = 2,  /* bit `amount`, modulo their number, of what a read
                          returns is turned over; the medium stays as it is */
  GS_SIM_STALE = 3, /* a read returns the durable bytes, not the newer ones */
  GS_SIM_MISDIRECT = 4 /* a write goes `amount` bytes further on, and is lost
                          where it should have gone */
} gs_sim_effect;

/* What a failed sync leaves behind. */
typedef enum gs_sync_failure {
  GS_SYNC_CLEAN = 0,   /* pages are clean, V keeps the new bytes; they can
                          never become durable by a later sync */
  GS_SYNC_REVERT = 1,  /* the same, but V goes back to D */
  GS_SYNC_PENDING = 2, /* still pending; a retry works */
  GS_SYNC_LATE = 3,    /* this sync says it succeeded; the next one of the file
                          fails, and what this one should have kept is lost */
} gs_sync_failure;

/* One rule. Every rule counts the operations that match it; the first rule
 * whose turn has come decides. An interruption (EINTR) of a sync leaves all
 * pending, as a retry is then allowed. */
typedef struct gs_sim_fault {
  gs_sim_op op;
  gs_sim_effect effect;
  const char *path; /* shell pattern of the whole path, where "*" stands for
                       any text, "/" among it; NULL matches every path */
  uint64_t nth;     /* fires at the nth match from now, counted from 1 */
  uint64_t times;   /* and that many matches on end; 0 = for ever */
  uint64_t one_in;  /* and then by chance, once in so many; 0 and 1: always */
  int os_errno;     /* for GS_SIM_ERROR */
  uint64_t amount;  /* bytes or bit, see gs_sim_effect */
  gs_sync_failure sync_failure; /* for GS_SIM_SYNC */
} gs_sim_fault;

/* The path is copied. */
GS_API GS_MUST_CHECK gs_status gs_sim_fail(gs_sim *sim,
                                           const gs_sim_fault *fault,
                                           gs_error *err);
GS_API void gs_sim_heal(gs_sim *sim); /* forgets all faults */

/* Bytes that files may occupy in all; writes beyond fail with ENOSPC.
 * 0: no limit. */
GS_API void gs_sim_set_capacity(gs_sim *sim, uint64_t bytes);
GS_API uint64_t gs_sim_used_bytes(const gs_sim *sim);

/* Files that may be open at a time; opening one more fails with EMFILE.
 * 0: no limit. */
GS_API void gs_sim_set_open_files(gs_sim *sim, uint64_t count);

/* What a disk writes as one, in bytes: 512 at first; a power of two from 1 to
 * 4096. For crashes from now on. */
GS_API void gs_sim_set_sector(gs_sim *sim, uint32_t bytes);

/* ---- memory ---------------------------------------------------------------*/

/* The allocation at this place from now on fails, counted from 1, and as many
 * on end (times 0: for ever). nth 0: none fails. */
GS_API void gs_sim_fail_alloc(gs_sim *sim, uint64_t nth, uint64_t times);
GS_API uint64_t gs_sim_allocs(const gs_sim *sim); /* asked for so far */

/* Bytes now allocated through the machine's allocator; 0 proves no leak. */
GS_API uint64_t gs_sim_allocated_bytes(const gs_sim *sim);

/* ---- crashes --------------------------------------------------------------*/

typedef enum gs_crash_model {
  GS_CRASH_SYNCED = 0,  /* no part survives */
  GS_CRASH_KILL = 1,    /* the process dies, the machine lives: all survives,
                          and what was pending is pending still */
  GS_CRASH_PREFIX = 2,  /* the first `choice` parts survive */
  GS_CRASH_RANDOM = 3,  /* any parts survive, drawn from choice; of a sector
                          written several times, any of its versions */
  GS_CRASH_TORN = 4,    /* as RANDOM, and one sector may be torn at a byte */
  GS_CRASH_OBJECT = 5,  /* of each file and directory a prefix of its own, drawn
                          from choice */
  GS_CRASH_MISSING = 6, /* all parts survive but the one numbered choice */
  GS_CRASH_ALONE = 7,   /* none survives but the one numbered choice */
  GS_CRASH_SUBSET = 8,  /* part i survives where bit i of choice is set */
  GS_CRASH_HOSTILE = 9, /* as RANDOM, and what a size exposes without its data
                           is garbage, removed names may be back, synced
                           sectors may be lost: beyond what is promised */
} gs_crash_model;

/* Parts of work not yet durable. */
GS_API uint64_t gs_sim_pending(const gs_sim *sim);

/* How many choices give different states: 1 for SYNCED and KILL, pending + 1
 * for PREFIX, pending for MISSING and ALONE, 2^pending for SUBSET while there
 * are at most 20 parts and 0 beyond, UINT64_MAX for the others. A choice
 * beyond is taken modulo this number. */
GS_API uint64_t gs_sim_choices(const gs_sim *sim, gs_crash_model model);

/* A new machine as power loss (or a kill) leaves this one; this one is
 * unchanged. Gives: free with gs_sim_free. */
GS_API gs_sim *gs_sim_crash(const gs_sim *sim, gs_crash_model model,
                            uint64_t choice);

/* The same choice in words, one line a part: "lost /db/000007.wal 4096+512",
 * "kept /db/ MANIFEST-000002". */
GS_API void gs_sim_explain(const gs_sim *sim, gs_crash_model model,
                           uint64_t choice, gs_buffer *out);

/* A copy with all that is pending, faults and tasks left out. Gives: free with
 * gs_sim_free. */
GS_API gs_sim *gs_sim_copy(const gs_sim *sim);

/* From now on, before each operation whose number (what gs_sim_ops gives then)
 * is from `from` to `to` - 1, the machine takes a copy of itself, unless nothing
 * has changed on its disk since the last one. Forgets the copies that were not
 * taken before. */
GS_API void gs_sim_watch(gs_sim *sim, uint64_t from, uint64_t to);

/* The oldest of those copies; NULL when there is none left. It knows how many
 * operations there had been. Gives: free with gs_sim_free. */
GS_API gs_sim *gs_sim_take_copy(gs_sim *sim);

/* ---- looking and meddling ------------------------------------------------- */

/* Visits files, in order of their paths. */
typedef void (*gs_sim_visitor)(void *context, const char *path, uint64_t size);
GS_API void gs_sim_files(const gs_sim *sim, gs_sim_visitor visit,
                         void *context);

/* Appends the volatile content. GS_MISSING where there is no such file. */
GS_API GS_MUST_CHECK gs_status gs_sim_read(const gs_sim *sim, const char *path,
                                           gs_buffer *out, gs_error *err);

/* Flips one bit of the durable and volatile content. */
GS_API GS_MUST_CHECK gs_status gs_sim_flip(gs_sim *sim, const char *path,
                                           uint64_t bit, gs_error *err);

/* Replaces content, durable and volatile; creates the file if need be. */
GS_API GS_MUST_CHECK gs_status gs_sim_replace(gs_sim *sim, const char *path,
                                              gs_slice content, gs_error *err);

/* Removes a file, durably. */
GS_API GS_MUST_CHECK gs_status gs_sim_remove(gs_sim *sim, const char *path,
                                             gs_error *err);

/* One line for each file and directory, by inode. */
GS_API void gs_sim_dump(const gs_sim *sim, gs_buffer *out);

/* From now on each operation leaves a line: its number, name, path, range and
 * outcome; so do points. Text is valid until the next operation. */
GS_API void gs_sim_set_tracing(gs_sim *sim, bool is_on);
GS_API gs_slice gs_sim_trace(const gs_sim *sim);

/* ---- tasks ---------------------------------------------------------------- */

typedef enum gs_sim_task_state {
  GS_TASK_READY = 0,   /* could run */
  GS_TASK_WAITING = 1, /* for a mutex, a condition or another task */
  GS_TASK_HELD = 2,    /* at a point that is held */
  GS_TASK_ENDED = 3,
} gs_sim_task_state;

typedef struct gs_sim_task {
  uint32_t id;      /* 0: the caller; then in order of their beginning */
  const char *name; /* "thread" for what the engine started */
  gs_sim_task_state state;
  const char *place; /* the point or operation where it stands, "" before the
                        first; a text that stays */
} gs_sim_task;

/* Requires: no store is open on the machine. */
GS_API void gs_sim_allow_tasks(gs_sim *sim);

/* A task of the tester's: run(arg), on the tester's behalf, ready but not yet
 * begun. The name is copied. */
GS_API GS_MUST_CHECK gs_status gs_sim_spawn(gs_sim *sim, const char *name,
                                            void (*run)(void *arg), void *arg,
                                            uint32_t *id, gs_error *err);

/* Fills up to capacity rows; returns how many tasks there are, the caller and
 * those that ended among them; 0 where tasks are not allowed. */
GS_API size_t gs_sim_tasks(const gs_sim *sim, gs_sim_task *out,
                           size_t capacity);

/* Lets a task other than the caller come to that many points and operations; it
 * stays before the last of them. False where it could not come so far, because
 * it waits, is held or ended. */
GS_API bool gs_sim_step(gs_sim *sim, uint32_t id, uint64_t count);

/* Lets tasks other than the caller run until none is ready. The clock does
 * not move. */
GS_API void gs_sim_drain(gs_sim *sim);

/* From now on a task, the caller aside, that comes to the point stays there,
 * until it is released. The name is copied. */
GS_API void gs_sim_hold(gs_sim *sim, const char *point);
GS_API void gs_sim_release(gs_sim *sim, const char *point);

/* Releases every point where a task stays now. */
GS_API void gs_sim_release_held(gs_sim *sim);

/* Says who goes on: an index into ready[0..count), the ids that could. Asked
 * whenever the running task comes to a point, an operation or a wait and more
 * than one could run; `running` is its index in ready, or count where it
 * cannot go on itself. NULL, as at first: who runs goes on, else the next by
 * id. With a chooser the caller gives way at points as any other task. */
typedef size_t (*gs_sim_chooser)(void *context, const uint32_t *ready,
                                 size_t count, size_t running);
GS_API void gs_sim_set_chooser(gs_sim *sim, gs_sim_chooser chooser,
                               void *context);

#endif
