/*
 * stall: waiting for flushes and merges, with a reason and a bound.
 *
 * The commit lock is given up while waiting, because a flush needs it to let
 * segments go.
 */
#include "store/stall.h"

#include "store/builtin.h"
#include "store/decision.h"
#include "store/flush.h"
#include "store/journal_note.h"

/* By reason: its name, and what may be done about it. */
static const struct {
  const char *name;
  const char *hint;
} words[GS_STALL_REASONS] = {
    [GS_STALL_FLUSH] = {"flush",
                        "memory is full of entries waiting to be written to "
                        "tables; give the store more memory_bytes, a faster "
                        "disk, or time"},
    [GS_STALL_RUNS] = {"runs",
                       "too many runs wait for merges; check the policy, or "
                       "give the store more threads or time"},
    [GS_STALL_THROTTLE] = {"throttle",
                           "the policy holds writers back while merges catch "
                           "up; write more slowly, or check the policy"},
};

/* What a writer waits for under commit. */
typedef struct stall {
  gs_stall reason;
  bool (*is_over)(const gs_store *store);
} stall;

const char *
gs_stall_name(gs_stall reason)
{
  return words[reason].name;
}

static bool
has_sealable(const gs_store *store)
{
  return atomic_load(&store->sealed_count) < GS_SEALED_MAX;
}

static bool
has_few_runs(const gs_store *store)
{
  return atomic_load(&store->run_count) <= GS_RUNS_STALL;
}

static bool
is_eased(const gs_store *store)
{
  return atomic_load(&store->run_count) <= GS_RUNS_BRAKE;
}

static const stall runs_brake = {GS_STALL_RUNS, is_eased};
static const stall flush_stall = {GS_STALL_FLUSH, has_sealable};
static const stall runs_stall = {GS_STALL_RUNS, has_few_runs};

gs_status
gs_stall_give_up(const gs_store *store, gs_stall reason, gs_error *err)
{
  gs_status status = GS_FAIL(err, GS_BUSY, "%s: a write waited for %s too long",
                             store->path, words[reason].name);
  return gs_error_hint(err, status, words[reason].hint);
}

uint64_t
gs_stall_patience_us(gs_store *store, gs_room *room)
{
  uint64_t now_us = gs_env_mono_us(store->env);
  if (room->until_us == 0) {
    room->until_us = now_us + gs_limit(&store->limits.max_stall_ms) * 1000;
  }
  return room->until_us > now_us ? room->until_us - now_us : 0;
}

/* Another caller may be at the very step this one waits for: then its end is
 * waited for. False when nobody is at work. */
static bool
wait_for_others(gs_store *store, const stall *why)
{
  bool is_at_work = false;
  gs_mutex_lock(store->state);
  for (const gs_job *job = store->jobs; job != NULL; job = job->next) {
    is_at_work |= job->is_stepping;
  }
  if (is_at_work && !why->is_over(store)) {
    gs_cond_wait(store->progress, store->state, 0);
  }
  gs_mutex_unlock(store->state);
  return is_at_work;
}

static gs_status
work_on_runs(gs_store *store, gs_error *err)
{
  bool did_step = gs_store_run_step(store);
  if (!did_step) {
    gs_builtin_decide(store, GS_RUNS_FLOOR);
    did_step = gs_store_run_step(store);
  }
  return did_step || wait_for_others(store, &runs_stall) || has_few_runs(store)
             ? GS_OK
             : gs_stall_give_up(store, GS_STALL_RUNS, err);
}

/* Threads = 0: the writer does the work, and learns why it cannot be done.
 * Commit is released meanwhile. */
static gs_status
work_off(gs_store *store, const stall *why, gs_error *err)
{
  gs_status status = GS_OK;
  while (status == GS_OK && !why->is_over(store)) {
    gs_mutex_unlock(store->commit);
    status = why == &flush_stall ? gs_flush_wait(store, err)
                                 : work_on_runs(store, err);
    gs_mutex_lock(store->commit);
  }
  return status == GS_OK ? gs_store_check_writable(store, err) : status;
}

void
gs_stall_count(gs_store *store, gs_stall reason, uint64_t began_us)
{
  gs_stall_counters *counters = &store->counters.stalls[reason];
  uint64_t waited_us = gs_env_mono_us(store->env) - began_us;
  gs_tally(&counters->count, 1);
  gs_tally(&counters->total_us, waited_us);
  uint64_t max_us = atomic_load(&counters->max_us);
  while (waited_us > max_us &&
         !atomic_compare_exchange_weak(&counters->max_us, &max_us, waited_us)) {
  }
  atomic_store(&store->counters.stall_reason, words[reason].name);
  gs_journal_stall(store, words[reason].name, waited_us);
}

/* The policy is told that writers wait for it. */
static void
call_for_merges(gs_store *store)
{
  gs_mutex_lock(store->state);
  gs_decision_want(store, "debt");
  gs_mutex_unlock(store->state);
}

/* One wait; the condition is looked at under state, where it changes. */
static void
wait_once(gs_store *store, const stall *why, uint64_t timeout_us)
{
  gs_mutex_unlock(store->commit);
  if (why->reason == GS_STALL_RUNS) {
    gs_builtin_decide(store, GS_RUNS_FLOOR);
  }
  gs_mutex_lock(store->state);
  if (!why->is_over(store)) {
    gs_cond_wait(store->progress, store->state, timeout_us);
  }
  gs_mutex_unlock(store->state);
  gs_mutex_lock(store->commit);
}

static gs_status
wait_out(gs_store *store, const stall *why, gs_room *room, gs_error *err)
{
  if (why->reason == GS_STALL_RUNS) {
    call_for_merges(store);
  }
  if (store->options.fail_on_stall) {
    return gs_stall_give_up(store, why->reason, err);
  }
  uint64_t began_us = gs_env_mono_us(store->env);
  gs_status status = GS_OK;
  while (status == GS_OK && !why->is_over(store)) {
    uint64_t patience_us = gs_stall_patience_us(store, room);
    if (patience_us == 0) {
      status = gs_stall_give_up(store, why->reason, err);
      break;
    }
    wait_once(store, why, patience_us);
    status = gs_store_check_writable(store, err);
  }
  gs_stall_count(store, why->reason, began_us);
  return status;
}

static gs_status
stall_on(gs_store *store, const stall *why, gs_room *room, gs_error *err)
{
  if (why->is_over(store)) {
    return GS_OK;
  }
  return store->worker_count == 0 ? work_off(store, why, err)
                                  : wait_out(store, why, room, err);
}

/* The flush may not have been queued when the memtable was sealed, for want of
 * memory. */
gs_status
gs_stall_until_sealable(gs_store *store, gs_room *room, gs_error *err)
{
  if (!has_sealable(store)) {
    gs_mutex_lock(store->state);
    gs_status status = gs_flush_queue(store, err);
    gs_mutex_unlock(store->state);
    if (status != GS_OK) {
      return status;
    }
  }
  return stall_on(store, &flush_stall, room, err);
}

/* ---- the brake ------------------------------------------------------------- */

enum {
  BRAKE_BYTES = 1024 * 1024,   /* written from pause to pause, */
  BRAKE_EASY = 4,              /* halved by each run beyond so many too many */
  BRAKE_US = 5000,             /* of a pause, for each run too many */
  BRAKE_MOST_US = 1000 * 1000, /* before a write larger than that */
};

static uint64_t
bytes_between_pauses(uint64_t excess)
{
  uint64_t bytes = BRAKE_BYTES;
  return excess > BRAKE_EASY ? bytes >> (excess - BRAKE_EASY) : bytes;
}

/* Begins a pause for all writers, the longer the larger this write is. */
static void
begin_pause(gs_store *store, const gs_room *room, uint64_t excess)
{
  uint64_t bytes = bytes_between_pauses(excess);
  uint64_t pause_us = excess * BRAKE_US * (1 + room->payload_bytes / bytes);
  pause_us = pause_us < BRAKE_MOST_US ? pause_us : BRAKE_MOST_US;
  store->brake_bytes = gs_limit(&store->counters.user_bytes) + bytes;
  store->brake_until_us = gs_env_mono_us(store->env) + pause_us;
  call_for_merges(store);
}

/* How long the write pauses: until the present pause ends, and for half of its
 * patience at most, since it may have to wait afterwards. */
static uint64_t
pause_us(gs_store *store, gs_room *room)
{
  const uint64_t most = GS_RUNS_STALL - GS_RUNS_BRAKE;
  uint64_t runs = atomic_load(&store->run_count);
  if (runs <= GS_RUNS_BRAKE) {
    return 0;
  }
  if (gs_limit(&store->counters.user_bytes) >= store->brake_bytes) {
    uint64_t excess = runs - GS_RUNS_BRAKE;
    begin_pause(store, room, excess < most ? excess : most);
  }
  uint64_t now_us = gs_env_mono_us(store->env);
  if (now_us >= store->brake_until_us) {
    return 0;
  }
  uint64_t left_us = store->brake_until_us - now_us;
  uint64_t half_us = gs_stall_patience_us(store, room) / 2;
  return left_us < half_us ? left_us : half_us;
}

static gs_status
sit_out(gs_store *store, uint64_t us, gs_error *err)
{
  gs_status status = GS_OK;
  uint64_t began_us = gs_env_mono_us(store->env);
  uint64_t passed_us = 0;
  while (status == GS_OK && passed_us < us && !is_eased(store)) {
    wait_once(store, &runs_brake, us - passed_us);
    status = gs_store_check_writable(store, err);
    passed_us = gs_env_mono_us(store->env) - began_us;
  }
  gs_stall_count(store, GS_STALL_RUNS, began_us);
  return status;
}

/* Writers that outrun the merges pause in small pieces before they would have to
 * wait for a whole merge; near the wall one of them gets 1.6 MB a second. LevelDB slows
 * each write by a millisecond from a number of tables on; one pause for many
 * writes leaves all others as fast as ever. A write pauses once, whatever others
 * write meanwhile. */
static gs_status
brake(gs_store *store, gs_room *room, gs_error *err)
{
  if (is_eased(store) || room->has_paused || store->worker_count == 0 ||
      store->options.fail_on_stall) {
    return GS_OK;
  }
  uint64_t us = pause_us(store, room);
  room->has_paused = us > 0;
  return us > 0 ? sit_out(store, us, err) : GS_OK;
}

/* ---- the disk ------------------------------------------------------------------ */

enum { DISK_LOOK_BYTES = 4 * 1024 * 1024 };

/* Files that are about to go are as good as gone, for up to half of the reserve:
 * some give nothing back while others have them too. */
static bool
is_low(gs_store *store, uint64_t free_bytes)
{
  uint64_t reserve = gs_limit(&store->limits.disk_reserve_bytes);
  uint64_t leaving = gs_remover_bytes(store);
  leaving = leaving < reserve / 2 ? leaving : reserve / 2;
  return free_bytes < reserve - leaving;
}

/* Looks at the disk after every few megabytes written, and at every write while
 * it was short. */
static void
look_at_disk(gs_store *store)
{
  uint64_t written =
      atomic_load_explicit(&store->counters.user_bytes, memory_order_relaxed);
  if (!store->disk_is_low && written < store->disk_look_bytes) {
    return;
  }
  store->disk_look_bytes = written + DISK_LOOK_BYTES;
  gs_disk_space space;
  if (gs_env_space(store->env, store->path, &space, NULL) == GS_OK) {
    store->disk_is_low = is_low(store, space.free_bytes);
  }
}

static gs_status
check_disk(gs_store *store, const gs_room *room, gs_error *err)
{
  look_at_disk(store);
  if (!store->disk_is_low || room->tombstone_count == room->entry_count) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_FULL, "%s: less than %llu bytes are free on the disk",
              store->path,
              (unsigned long long)gs_limit(&store->limits.disk_reserve_bytes));
  return gs_error_hint(err, status,
                       "free some space, delete entries and compact, or lower "
                       "disk_reserve_bytes");
}

gs_status
gs_stall_check(gs_store *store, gs_room *room, gs_error *err)
{
  gs_status status = check_disk(store, room, err);
  if (status == GS_OK) {
    status = brake(store, room, err);
  }
  return status == GS_OK ? stall_on(store, &runs_stall, room, err) : status;
}
