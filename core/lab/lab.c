/*
 * lab: the object, what a driver sets, and the look at it.
 */
#include "lab/lab.h"

#include <math.h>

#include "lab/state.h"
#include "tree/shape.h"

#define MIB (UINT64_C(1) << 20)

/* ---- options ------------------------------------------------------------------- */

static gs_status
check_classes(const gs_mix_class *classes, size_t count, gs_error *err)
{
  double sum = 0;
  bool is_sound = count <= GS_MIX_CLASSES;
  for (size_t c = 0; c < count && is_sound; c++) {
    is_sound = classes[c].keys >= 0 && classes[c].keys <= 1e15 &&
               classes[c].rate >= 0 && classes[c].rate <= 1;
    sum += classes[c].keys * classes[c].rate;
  }
  return is_sound && sum > 0
             ? GS_OK
             : GS_FAIL(err, GS_MISUSE,
                       "classes of keys are 1 to %d, with chances from 0 to 1",
                       GS_MIX_CLASSES);
}

static gs_status
check_workload(const gs_lab_options *o, gs_error *err)
{
  if (!(o->keys >= 1 && o->keys <= 1e15) ||
      !(o->writes >= 1 && o->writes <= 1e16)) {
    return GS_FAIL(err, GS_MISUSE,
                   "a workload has 1 to 1e15 keys and 1 to 1e16 writes");
  }
  if (!(o->skew >= 0 && o->skew <= 4) ||
      !(o->delete_share >= 0 && o->delete_share <= 1) || !(o->rate >= 0)) {
    return GS_FAIL(err, GS_MISUSE,
                   "skew is 0 to 4, delete_share 0 to 1, rate not negative");
  }
  if (o->key_bytes < 1 || o->key_bytes > 65535 ||
      o->value_bytes > UINT32_C(1) << 30) {
    return GS_FAIL(err, GS_MISUSE,
                   "keys have 1 to 65535 bytes, values 0 to 2^30");
  }
  if (o->class_count != 0) {
    gs_status status = check_classes(o->classes, o->class_count, err);
    if (status != GS_OK) {
      return status;
    }
  }
  if (o->ttl_ms != 0 && !o->is_fed && o->rate <= 0 &&
      o->write_bytes_per_s <= 0) {
    return GS_FAIL(err, GS_MISUSE,
                   "where entries expire, time has to pass: give the workload "
                   "a rate or the device a bandwidth");
  }
  return GS_OK;
}

static gs_status
check_store(const gs_lab_options *o, gs_error *err)
{
  if (o->memtable_bytes < 4096 || o->table_bytes < 4096) {
    return GS_FAIL(err, GS_MISUSE,
                   "memtable_bytes and table_bytes are at least 4096");
  }
  if (o->memtable_bytes / 2 < (uint64_t)o->key_bytes + o->value_bytes + 256) {
    return GS_FAIL(err, GS_MISUSE, "a memtable has room for two entries");
  }
  if (o->block_bytes < 256 || o->block_bytes > 65536) {
    return GS_FAIL(err, GS_MISUSE, "block_bytes takes 256 to 65536");
  }
  if (!(o->ratio > 0) || !(o->ratio <= 1)) {
    return GS_FAIL(err, GS_MISUSE, "ratio is above 0 and at most 1");
  }
  if (!(o->read_bytes_per_s >= 0) || !(o->write_bytes_per_s >= 0) ||
      o->workers < 1) {
    return GS_FAIL(err, GS_MISUSE,
                   "bandwidths are not negative, and there is a worker");
  }
  return GS_OK;
}

/* What the engine would take. */
static void
derive(gs_lab_options *o)
{
  o->memtable_bytes = o->memtable_bytes == 0 ? 32 * MIB : o->memtable_bytes;
  o->table_bytes = o->table_bytes == 0 ? 64 * MIB : o->table_bytes;
  o->block_bytes = o->block_bytes == 0 ? 4096 : o->block_bytes;
  o->max_stall_ms = o->max_stall_ms == 0 ? 1000 : o->max_stall_ms;
  o->ratio = o->ratio == 0 ? 1 : o->ratio;
  o->workers = o->workers == 0 ? 1 : o->workers;
}

/* ---- life ------------------------------------------------------------------------ */

static void
set_up(gs_lab *lab)
{
  const gs_lab_options *o = &lab->options;
  if (o->class_count != 0 && o->kind == GS_LAB_RANDOM) {
    gs_mix_init_classes(&lab->mix, o->classes, o->class_count);
  } else {
    gs_mix_init(&lab->mix, o->kind, gs_fill_keys(o), o->skew);
  }
  lab->format = (gs_lab_format){
      .key_bytes = o->key_bytes,
      .value_bytes = o->value_bytes,
      .block_bytes = o->block_bytes,
      .expires = o->ttl_ms != 0,
  };
  lab->fill = (gs_fill){&lab->options, &lab->mix, &lab->format};
  double gone = o->kind == GS_LAB_QUEUE ? 0.5 : o->delete_share;
  lab->user_bytes = gs_size_data(&lab->format, (gs_count){1 - gone, gone});
  lab->log_bytes = (1 - gone) * gs_size_log(&lab->format, false) +
                   gone * gs_size_log(&lab->format, true);
  lab->random = o->seed;
  lab->next_id = 1;
  lab->reason = "flush";
  lab->floor_runs = GS_RUNS_FLOOR;
  lab->wake_s = INFINITY;
  lab->ask_at = INFINITY;
  lab->active_ms = (double)o->start_ms;
  lab->active_end = o->is_fed
                        ? gs_lab_fed_end(lab)
                        : gs_fill_end(&lab->fill, 0, (double)o->memtable_bytes);
}

gs_status
gs_lab_new(gs_alloc *alloc, const gs_lab_options *options, gs_lab **out,
           gs_error *err)
{
  gs_lab_options completed = *options;
  derive(&completed);
  gs_status status = check_workload(&completed, err);
  if (status == GS_OK) {
    status = check_store(&completed, err);
  }
  if (status != GS_OK) {
    return status;
  }
  gs_lab *lab = GS_NEW(alloc, gs_lab);
  if (lab == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  lab->alloc = alloc;
  lab->options = completed;
  set_up(lab);
  lab->options.classes = NULL; /* the caller's */
  lab->options.class_count = 0;
  lab->version = gs_version_new_empty(alloc);
  if (lab->version == NULL) {
    gs_lab_free(lab);
    return GS_FAIL_NOMEM(err);
  }
  gs_lab_note_time(lab);
  *out = lab;
  return GS_OK;
}

void
gs_lab_free(gs_lab *lab)
{
  if (lab == NULL) {
    return;
  }
  while (lab->jobs != NULL) {
    gs_lab_job *job = lab->jobs;
    lab->jobs = job->next;
    gs_lab_job_free(lab, job);
  }
  gs_version_unref(lab->version);
  GS_DELETE(lab->alloc, lab);
}

gs_status
gs_lab_set_sizes(gs_lab *lab, uint32_t key_bytes, uint32_t value_bytes,
                 uint64_t ttl_ms, gs_error *err)
{
  gs_lab_options changed = lab->options;
  changed.key_bytes = key_bytes;
  changed.value_bytes = value_bytes;
  changed.ttl_ms = ttl_ms;
  gs_status status = check_workload(&changed, err);
  if (status == GS_OK) {
    lab->options.key_bytes = key_bytes;
    lab->options.value_bytes = value_bytes;
    lab->options.ttl_ms = ttl_ms;
    lab->format.key_bytes = key_bytes;
    lab->format.value_bytes = value_bytes;
    lab->format.expires = ttl_ms != 0;
  }
  return status;
}

void
gs_lab_set_speed(gs_lab *lab, double read_bytes_per_s, double write_bytes_per_s)
{
  lab->options.read_bytes_per_s = read_bytes_per_s;
  lab->options.write_bytes_per_s = write_bytes_per_s;
}

gs_status
gs_lab_set_mix(gs_lab *lab, const gs_mix_class *classes, size_t count,
               gs_error *err)
{
  gs_status status = check_classes(classes, count, err);
  if (status == GS_OK && gs_mix_is_ordered(&lab->mix)) {
    status = GS_FAIL(err, GS_MISUSE, "keys in order have no classes");
  }
  if (status == GS_OK) {
    gs_mix_init_classes(&lab->mix, classes, count);
  }
  return status;
}

/* ---- what a driver does ----------------------------------------------------------- */

static void
fill_memtable(const gs_lab *lab, gs_shape_memtable *out)
{
  gs_count entries = gs_fill_entries(&lab->fill, lab->active_from, lab->writes);
  double age_ms = gs_lab_now_ms(lab) - lab->active_ms;
  *out = (gs_shape_memtable){
      .bytes =
          (uint64_t)gs_fill_memory(&lab->fill, lab->active_from, lab->writes),
      .entry_count = (uint64_t)(entries.puts + entries.gones),
      .tombstone_count = (uint64_t)entries.gones,
      .age_ms = (uint64_t)age_ms,
      .budget_bytes = lab->options.memtable_bytes,
      .sealed_count = lab->sealed_count,
  };
}

/* The log holds what is not in tables. */
static double
log_bytes(const gs_lab *lab)
{
  double from = lab->sealed_count > 0 ? lab->sealed[0].from : lab->active_from;
  return (lab->writes - from) * lab->log_bytes;
}

static void
fill_amplification(const gs_lab *lab, gs_shape *shape)
{
  const gs_lab_sample *sums = &lab->sums;
  uint64_t largest = 0;
  uint64_t bytes = 0;
  for (size_t r = 0; r < shape->run_count; r++) {
    uint64_t data = shape->runs[r].data_bytes;
    largest = data > largest ? data : largest;
    bytes += shape->runs[r].bytes;
  }
  shape->disk_used_bytes = bytes + shape->wal_bytes;
  shape->read_amp = gs_shape_expected_runs(lab->version);
  shape->space_amp = largest == 0 ? 0 : (double)bytes / (double)largest;
  if (sums->flushed_data > 0) {
    shape->write_amp =
        (sums->flushed_bytes + sums->merged_bytes) / sums->flushed_data;
  }
}

gs_status
gs_lab_shape(gs_lab *lab, gs_shape **out, gs_error *err)
{
  const gs_claim *claims[GS_LAB_CLAIMS];
  size_t count = gs_lab_claims(lab, NULL, claims);
  gs_status status =
      gs_shape_new_of(lab->alloc, lab->version, claims, count, out, err);
  if (status != GS_OK) {
    return status;
  }
  gs_shape *shape = *out;
  shape->now_ms = (uint64_t)gs_lab_now_ms(lab);
  shape->reason = lab->reason;
  shape->running_count = count;
  shape->wal_bytes = (uint64_t)log_bytes(lab);
  shape->disk_free_bytes = gs_lab_free_bytes(lab);
  fill_memtable(lab, &shape->memtable);
  fill_amplification(lab, shape);
  return GS_OK;
}

gs_status
gs_lab_submit(gs_lab *lab, const gs_plan *plan, bool dry_run, uint64_t *job_id,
              gs_refusal *refusal, gs_error *err)
{
  if (!gs_lab_check(lab, plan, NULL, refusal)) {
    lab->sums.refused++;
    return GS_FAIL(err, GS_REFUSED, "%s: %s", gs_refusal_name(refusal->code),
                   refusal->text);
  }
  return dry_run ? GS_OK : gs_lab_job_queue(lab, plan, job_id, err);
}

void
gs_lab_set_aside(gs_lab *lab)
{
  lab->floor_runs = GS_RUNS_BUILTIN;
  lab->throttle = 0;
  lab->ask_at = INFINITY;
  lab->ask_more = 0;
  lab->wake_s = INFINITY;
}

void
gs_lab_set_throttle(gs_lab *lab, uint64_t bytes_per_s)
{
  lab->throttle = bytes_per_s;
}

void
gs_lab_set_flush_ask(gs_lab *lab, uint64_t more_bytes)
{
  double used = gs_fill_memory(&lab->fill, lab->active_from, lab->writes);
  lab->ask_more = (double)more_bytes;
  lab->ask_at = more_bytes == 0 ? INFINITY : used + (double)more_bytes;
}

void
gs_lab_set_wake(gs_lab *lab, uint64_t in_ms)
{
  lab->wake_s = in_ms == 0 ? INFINITY : lab->now_s + (double)in_ms / 1000;
}

void
gs_lab_set_layout(gs_lab *lab, uint32_t level, const gs_lab_layout *layout)
{
  if (level < GS_LAB_LEVELS) {
    lab->layouts[level] = *layout;
  }
}

/* ---- looking ----------------------------------------------------------------------- */

static void
add_run(const gs_lab *lab, const gs_run *run, gs_lab_sample *out)
{
  gs_lab_level *level = &out->levels[run->level % GS_LAB_LEVELS];
  double deadline_ms = gs_lab_now_ms(lab) - (double)lab->options.ttl_ms;
  level->runs++;
  level->tables += run->table_count;
  level->bytes += run->bytes;
  out->runs++;
  out->tables += run->table_count;
  out->disk_bytes += (double)run->bytes;
  out->tombstones += (double)run->tombstone_count;
  if (run->level + 1 > out->level_count) {
    out->level_count = run->level + 1;
  }
  for (size_t t = 0; lab->options.ttl_ms != 0 && t < run->table_count; t++) {
    const gs_content *content = gs_table_content(run->tables[t]);
    for (size_t i = 0; i < content->count; i++) {
      out->expired +=
          gs_piece_expired(&content->pieces[i], &lab->mix, deadline_ms);
    }
  }
}

static double
live_bytes(const gs_lab *lab)
{
  double expired = 0;
  if (lab->options.ttl_ms != 0) {
    expired =
        gs_lab_writes_at(lab, gs_lab_now_ms(lab) - (double)lab->options.ttl_ms);
  }
  if (lab->options.is_fed && lab->mix.kind != GS_LAB_QUEUE) {
    return gs_lab_fed_live(lab, expired);
  }
  double keys = gs_fill_live(&lab->fill, lab->writes, expired);
  return gs_size_data(&lab->format, (gs_count){keys, 0});
}

void
gs_lab_look(gs_lab *lab, gs_lab_sample *out)
{
  *out = lab->sums;
  out->writes = lab->writes;
  out->time_s = lab->now_s;
  out->user_bytes =
      lab->options.is_fed
          ? gs_lab_fed_bytes(lab)
          : gs_size_data(&lab->format,
                         gs_fill_entries(&lab->fill, 0, lab->writes));
  out->live_bytes = live_bytes(lab);
  for (size_t r = 0; r < lab->version->run_count; r++) {
    add_run(lab, lab->version->runs[r], out);
  }
  for (const gs_lab_job *job = lab->jobs; job != NULL; job = job->next) {
    out->debt_bytes += job->is_flush ? 0 : job->input_bytes;
  }
  if (lab->stall.reason != NULL) {
    double lasted = lab->now_s - lab->stall.began_s;
    bool is_flush = lab->stall.reason[0] == 'f';
    out->flush_stalled_s += is_flush ? lasted : 0;
    out->run_stalled_s += is_flush ? 0 : lasted;
  }
  out->read_amp = gs_lab_read_amp(lab);
}
