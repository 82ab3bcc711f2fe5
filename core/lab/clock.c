/*
 * clock: time moves from event to event: the memtable is full, a job ends, a
 * decision falls due, the caller's number of writes is reached. Between two
 * events all speeds are constant.
 *
 * The device is shared: those who want it (jobs at work, and the writer where
 * it logs) get equal parts, and what a slow writer leaves is the jobs'.
 */
#include <math.h>

#include "lab/state.h"

/* ---- when writes were made ----------------------------------------------------- */

void
gs_lab_note_time(gs_lab *lab)
{
  gs_lab_times *times = &lab->times;
  if (times->count == GS_LAB_TIMES) {
    for (size_t i = 0; i < GS_LAB_TIMES / 2; i++) {
      times->ms[i] = times->ms[2 * i];
      times->writes[i] = times->writes[2 * i];
    }
    times->count = GS_LAB_TIMES / 2;
  }
  times->ms[times->count] = gs_lab_now_ms(lab);
  times->writes[times->count++] = lab->writes;
}

double
gs_lab_writes_at(const gs_lab *lab, double ms)
{
  const gs_lab_times *times = &lab->times;
  double to_ms = gs_lab_now_ms(lab);
  double to = lab->writes;
  for (size_t i = times->count; i > 0; i--) {
    double from_ms = times->ms[i - 1];
    double from = times->writes[i - 1];
    if (from_ms <= ms) {
      double span = to_ms - from_ms;
      return span > 0 ? from + (to - from) * fmin((ms - from_ms) / span, 1)
                      : to;
    }
    to_ms = from_ms;
    to = from;
  }
  return 0;
}

/* ---- memtables ------------------------------------------------------------------ */

static double
next_end(const gs_lab *lab)
{
  double bytes = (double)lab->options.memtable_bytes;
  if (lab->options.is_fed) {
    return gs_lab_fed_end(lab);
  }
  return lab->mix.kind == GS_LAB_QUEUE
             ? gs_fill_end(&lab->fill, lab->writes, bytes)
             : lab->writes + gs_fill_end(&lab->fill, 0, bytes);
}

void
gs_lab_seal(gs_lab *lab)
{
  if (lab->writes <= lab->active_from || lab->sealed_count == GS_SEALED_MAX) {
    return;
  }
  lab->sealed[lab->sealed_count++] = gs_lab_active_span(lab);
  lab->active_from = lab->writes;
  lab->active_ms = gs_lab_now_ms(lab);
  lab->active_end = next_end(lab);
  lab->ask_at = lab->ask_more > 0 ? lab->ask_more : INFINITY;
  gs_lab_note_time(lab);
}

static bool
is_full(const gs_lab *lab)
{
  return lab->writes >= lab->active_end;
}

static gs_status
make_room(gs_lab *lab, gs_error *err)
{
  if (is_full(lab)) {
    gs_lab_seal(lab);
  }
  return gs_lab_flush_queue(lab, err);
}

/* ---- stalls ---------------------------------------------------------------------- */

static void
end_stall(gs_lab *lab)
{
  double lasted = lab->now_s - lab->stall.began_s;
  gs_lab_sample *sums = &lab->sums;
  if (lab->stall.reason == NULL) {
    return;
  }
  bool is_flush = lab->stall.reason[0] == 'f';
  sums->flush_stalls += is_flush;
  sums->run_stalls += !is_flush;
  sums->flush_stalled_s += is_flush ? lasted : 0;
  sums->run_stalled_s += is_flush ? 0 : lasted;
  sums->longest_stall_s =
      lasted > sums->longest_stall_s ? lasted : sums->longest_stall_s;
  lab->stall.reason = NULL;
}

static void
look_for_stall(gs_lab *lab)
{
  const char *reason = lab->version->run_count > GS_RUNS_STALL ? "runs"
                       : is_full(lab)                          ? "flush"
                                                               : NULL;
  if (reason == lab->stall.reason) {
    return;
  }
  end_stall(lab);
  lab->stall.reason = reason;
  lab->stall.began_s = lab->now_s;
  lab->stall.ask_s = lab->now_s + (double)lab->options.max_stall_ms / 1000;
}

/* A driver at the writer's safe points is asked when the writer's call comes
 * back: after a stall, or when the call gives up. */
static bool
may_ask(gs_lab *lab)
{
  if (lab->stall.reason == NULL || lab->options.asks_at_once) {
    return true;
  }
  if (lab->now_s < lab->stall.ask_s) {
    return false;
  }
  lab->stall.ask_s = lab->now_s + (double)lab->options.max_stall_ms / 1000;
  return true;
}

/* ---- speeds ---------------------------------------------------------------------- */

typedef struct speeds {
  double writes_per_s;
  double work; /* seconds of a job's work done in a second */
} speeds;

static gs_lab_job *
find_flush(const gs_lab *lab)
{
  gs_lab_job *job = lab->jobs;
  while (job != NULL && !job->is_flush) {
    job = job->next;
  }
  return job;
}

/* The next job at work after `job` (NULL: the first); a flush goes first. */
static gs_lab_job *
next_at_work(const gs_lab *lab, const gs_lab_job *job, size_t *left)
{
  gs_lab_job *flush = find_flush(lab);
  if (*left == 0) {
    return NULL;
  }
  gs_lab_job *next = job == NULL ? flush : NULL;
  if (next == NULL) {
    next = job == NULL || job->is_flush ? lab->jobs : job->next;
    while (next != NULL && next->is_flush) {
      next = next->next;
    }
  }
  *left -= next != NULL;
  return next;
}

static double
wanted_rate(const gs_lab *lab)
{
  double rate = lab->options.rate > 0 ? lab->options.rate : INFINITY;
  double allowed =
      lab->throttle > 0 ? (double)lab->throttle / lab->user_bytes : INFINITY;
  return lab->stall.reason != NULL ? 0 : fmin(rate, allowed);
}

static speeds
find_speeds(const gs_lab *lab, size_t at_work)
{
  double jobs = (double)at_work;
  double rate = wanted_rate(lab);
  double device = lab->options.write_bytes_per_s;
  if (!lab->options.has_log || device <= 0 || rate <= 0) {
    return (speeds){rate, jobs > 0 ? 1 / jobs : 0};
  }
  double fair = 1 / (jobs + 1);
  double need = rate * lab->log_bytes / device;
  double share = need < fair ? need : fair;
  return (speeds){share * device / lab->log_bytes,
                  jobs > 0 ? (1 - share) / jobs : 0};
}

static size_t
count_at_work(const gs_lab *lab)
{
  size_t left = lab->options.workers;
  size_t count = 0;
  const gs_lab_job *job = next_at_work(lab, NULL, &left);
  while (job != NULL) {
    count++;
    job = next_at_work(lab, job, &left);
  }
  return count;
}

static gs_status
begin_jobs(gs_lab *lab, gs_error *err)
{
  size_t left = lab->options.workers;
  gs_status status = GS_OK;
  gs_lab_job *job = next_at_work(lab, NULL, &left);
  while (job != NULL && status == GS_OK) {
    if (!job->has_begun) {
      status = gs_lab_job_begin(lab, job, err);
    }
    job = next_at_work(lab, job, &left);
  }
  return status;
}

/* ---- events ---------------------------------------------------------------------- */

/* Writes at which the writer's part of the world changes. */
static double
next_write(const gs_lab *lab, double until)
{
  double next = fmin(until, lab->active_end);
  if (isinf(lab->ask_at)) {
    return next;
  }
  /* Bytes grow about evenly towards the end of the memtable. */
  double whole = lab->active_end - lab->active_from;
  double part = lab->ask_at / (double)lab->options.memtable_bytes;
  double at = ceil(lab->active_from + whole * part);
  return at > lab->writes ? fmin(next, at) : next;
}

static double
time_to_event(const gs_lab *lab, const speeds *at, double until)
{
  size_t left = lab->options.workers;
  double least = INFINITY;
  const gs_lab_job *job = next_at_work(lab, NULL, &left);
  while (job != NULL) {
    least = fmin(least, at->work > 0 ? job->left_s / at->work : INFINITY);
    job = next_at_work(lab, job, &left);
  }
  if (at->writes_per_s > 0) {
    double writes = next_write(lab, until) - lab->writes;
    least =
        fmin(least, isinf(at->writes_per_s) ? 0 : writes / at->writes_per_s);
  }
  if (lab->wants_decision && lab->stall.reason != NULL) {
    least = fmin(least, lab->stall.ask_s - lab->now_s);
  }
  return fmax(0, fmin(least, lab->wake_s - lab->now_s));
}

/* Lets the time pass. Jobs whose work is done, but for what rounding leaves,
 * are done. */
static void
pass(gs_lab *lab, const speeds *at, double dt, double until)
{
  size_t left = lab->options.workers;
  gs_lab_job *job = next_at_work(lab, NULL, &left);
  while (job != NULL) {
    job->left_s -= at->work * dt;
    job->left_s = job->left_s < 1e-9 ? 0 : job->left_s;
    job = next_at_work(lab, job, &left);
  }
  double next = next_write(lab, until);
  if (at->writes_per_s > 0) {
    double made = lab->writes + at->writes_per_s * dt;
    bool is_there = isinf(at->writes_per_s) || made >= next - 1e-3;
    lab->writes = is_there ? next : made;
  }
  lab->now_s += dt;
  if (lab->wake_s <= lab->now_s) {
    lab->wake_s = INFINITY;
    lab->wants_decision = true;
    lab->reason = "timer";
  }
  if (!isinf(lab->ask_at) && lab->writes == next && next < lab->active_end &&
      next < until) {
    lab->ask_at = INFINITY;
    lab->wants_decision = true;
    lab->reason = "memtable";
  }
}

/* With a boundless device all that is queued is done in one moment. */
static gs_status
end_jobs(gs_lab *lab, bool *did_end, gs_error *err)
{
  gs_status status = GS_OK;
  size_t left = lab->options.workers;
  gs_lab_job *job = next_at_work(lab, NULL, &left);
  *did_end = false;
  while (job != NULL && status == GS_OK) {
    if (job->has_begun && job->left_s <= 0) {
      *did_end = true;
      return gs_lab_job_end(lab, job, err);
    }
    job = next_at_work(lab, job, &left);
  }
  return status;
}

static bool
is_instant(const gs_lab *lab)
{
  return lab->options.write_bytes_per_s <= 0 &&
         lab->options.read_bytes_per_s <= 0;
}

/* One event. */
static gs_status
turn(gs_lab *lab, double until, gs_error *err)
{
  bool did_end = false;
  gs_status status = begin_jobs(lab, err);
  if (status == GS_OK) {
    status = end_jobs(lab, &did_end, err);
  }
  if (status != GS_OK || did_end) {
    return status;
  }
  speeds at = find_speeds(lab, count_at_work(lab));
  double dt = time_to_event(lab, &at, until);
  if (isinf(dt)) {
    return GS_FAIL(err, GS_LIMIT,
                   "writers wait for %s and no merge can be made: %zu runs",
                   lab->stall.reason == NULL ? "nothing" : lab->stall.reason,
                   lab->version->run_count);
  }
  pass(lab, &at, dt, until);
  return GS_OK;
}

gs_status
gs_lab_advance(gs_lab *lab, double writes, gs_lab_event *event, gs_error *err)
{
  double until = fmin(writes, lab->options.writes);
  for (;;) {
    gs_status status = make_room(lab, err);
    look_for_stall(lab);
    if (status == GS_OK && lab->stall.reason != NULL) {
      status = gs_lab_floor(lab, err);
    }
    if (status != GS_OK) {
      return status;
    }
    bool is_drained = !is_instant(lab) || lab->jobs == NULL;
    if (is_drained && lab->wants_decision && may_ask(lab)) {
      lab->wants_decision = false;
      *event = GS_LAB_DECIDE;
      return GS_OK;
    }
    bool is_sealed = !lab->options.is_fed || !is_full(lab);
    if (is_drained && is_sealed && lab->writes >= until) {
      *event = GS_LAB_REACHED;
      return GS_OK;
    }
    status = turn(lab, until, err);
    if (status != GS_OK) {
      return status;
    }
  }
}
