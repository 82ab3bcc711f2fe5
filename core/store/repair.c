/*
 * repair: from what verifies, a new store.
 *
 *   look     verify the source for the report; take its facts
 *   salvage  blocks of tables, frames of logs; note what is lost, and what of
 *            it the log still holds
 *   gather   all entries in internal order: the newest of each key is saved
 *   build    tables, then a manifest, in a directory of their own
 *
 * Where the manifest can be read it says which tables and logs count, and in
 * what order. Where it cannot, all that are there are taken, and sequence
 * numbers alone say what is newer: tables that were no longer in use may then
 * bring back what had been deleted, so everything is counted as uncertain.
 */
#include "data/batch.h"
#include "store/build.h"
#include "store/gather.h"
#include "store/paths.h"
#include "store/report.h"
#include "store/source.h"

enum {
  PHASES = 3,           /* in which all bytes are read */
  TELL_ENTRIES = 16384, /* between two words to the caller */
};

typedef struct repair {
  gs_env *env;
  const char *dir;
  const gs_repair_options *options;
  gs_repair_report *report;
  gs_source source;
  gs_build build;
  bool is_building;
  uint64_t phase;
} repair;

/* ---- telling ------------------------------------------------------------------- */

static gs_status
tell(repair *r, const char *name, gs_error *err)
{
  const gs_repair_options *o = r->options;
  uint64_t bytes = r->report->found.bytes;
  return o->progress == NULL ? GS_OK
                             : o->progress(o->context, bytes * r->phase,
                                           bytes * PHASES, name, err);
}

static gs_status
tell_verified(void *context, uint64_t done, uint64_t total, const char *name,
              gs_error *err)
{
  repair *r = context;
  const gs_repair_options *o = r->options;
  return o->progress(o->context, done, total * PHASES, name, err);
}

static gs_status
tell_read(void *context, const char *name, gs_error *err)
{
  return tell(context, name, err);
}

/* ---- saving ---------------------------------------------------------------------- */

typedef struct saving {
  gs_buffer last_key;
  uint64_t last_seq;
  bool has_last;
} saving;

/* The newest version of a key. */
static gs_status
save_newest(repair *r, const gs_entry *entry, uint32_t place, gs_error *err)
{
  gs_repair_report *report = r->report;
  if (entry->kind == GS_KIND_DELETE) {
    report->entries_deleted++;
    return GS_OK;
  }
  bool is_before_gap = place == 0 && entry->seq < r->source.log.whole_from;
  place = is_before_gap ? GS_PLACE_BELOW_ALL : place;
  report->entries_saved++;
  report->uncertain_keys += gs_doubt_ask(&r->source.doubt, entry, place);
  return r->is_building ? gs_build_add(&r->build, entry, err) : GS_OK;
}

static gs_status
save(repair *r, saving *s, const gs_entry *entry, uint32_t place, gs_error *err)
{
  gs_repair_report *report = r->report;
  bool is_same =
      s->has_last && gs_slice_equal(gs_buffer_slice(&s->last_key), entry->key);
  report->entries_found++;
  if (is_same) {
    report->entries_doubled += entry->seq == s->last_seq;
    report->entries_covered += entry->seq != s->last_seq;
    s->last_seq = entry->seq;
    return GS_OK;
  }
  s->has_last = true;
  s->last_seq = entry->seq;
  gs_buffer_clear(&s->last_key);
  gs_buffer_append_slice(&s->last_key, entry->key);
  gs_status status = gs_buffer_status(&s->last_key, err);
  return status == GS_OK ? save_newest(r, entry, place, err) : status;
}

static gs_status
save_all(repair *r, gs_gather *g, gs_error *err)
{
  saving s = {.has_last = false};
  gs_entry entry;
  uint32_t place;
  gs_status status;
  gs_buffer_init(&s.last_key, r->env->alloc);
  while ((status = gs_gather_next(g, &entry, &place, err)) == GS_OK) {
    status = save(r, &s, &entry, place, err);
    if (status == GS_OK && r->report->entries_found % TELL_ENTRIES == 0) {
      status = tell(r, "", err);
    }
    if (status != GS_OK) {
      break;
    }
  }
  gs_buffer_deinit(&s.last_key);
  return status == GS_ABSENT ? GS_OK : status;
}

static gs_status
gather_all(repair *r, gs_error *err)
{
  gs_gather g;
  gs_status status = gs_doubt_begin(&r->source.doubt, err);
  if (status != GS_OK) {
    return status;
  }
  gs_gather_init(&g, r->env, gs_source_tables(&r->source),
                 r->source.table_count, gs_log_remains_entries(&r->source.log),
                 r->source.log.entry_count);
  status = save_all(r, &g, err);
  gs_gather_deinit(&g);
  return status;
}

static void
make_facts(repair *r, gs_store_facts *facts)
{
  const gs_store_facts *old = &r->source.state.facts;
  uint64_t clock_ms = old->clock_floor_ms;
  clock_ms = r->source.log.now_ms > clock_ms ? r->source.log.now_ms : clock_ms;
  clock_ms = r->source.created_ms > clock_ms ? r->source.created_ms : clock_ms;
  *facts = (gs_store_facts){
      .store_kind = r->report->kind,
      .salt = gs_env_random64(r->env),
      .incarnation = old->incarnation + 1,
      .flushed_seq = r->report->last_seq,
      .last_seq = r->report->last_seq,
      .next_id = 1,
      .clock_floor_ms = clock_ms,
      .safe_clock_ms = old->safe_clock_ms,
      .is_clean = true,
  };
  for (size_t i = 0; i < sizeof facts->store_id.bytes; i += 8) {
    uint64_t word = gs_env_random64(r->env);
    memcpy(facts->store_id.bytes + i, &word, sizeof word);
  }
}

/* Beyond every number that can have been given out, see recover. */
static uint64_t
beyond_all(const repair *r)
{
  uint64_t last = r->source.state.facts.last_seq;
  last = r->source.max_seq > last ? r->source.max_seq : last;
  return last + r->source.log_bytes / GS_BATCH_RECORD_BYTES;
}

static gs_status
save_into(repair *r, gs_error *err)
{
  gs_store_facts facts;
  r->report->last_seq = beyond_all(r);
  if (r->options->into == NULL) {
    return gather_all(r, err);
  }
  make_facts(r, &facts);
  gs_status status =
      gs_build_begin(&r->build, r->env, r->options->into, r->dir, err);
  r->is_building = true;
  r->build.salt = facts.salt;
  r->build.now_ms = facts.clock_floor_ms;
  if (status == GS_OK) {
    status = gather_all(r, err);
  }
  return status == GS_OK ? gs_build_commit(&r->build, &facts,
                                           gs_buffer_slice(&r->source.log.note),
                                           r->source.log.note_seq, err)
                         : status;
}

/* ---- the whole -------------------------------------------------------------------- */

static gs_status
look(repair *r, gs_error *err)
{
  gs_verify_options options = {
      .progress = r->options->progress == NULL ? NULL : tell_verified,
      .context = r,
  };
  gs_error what;
  gs_status status =
      gs_verify_path(r->env, r->dir, &options, &r->report->found, &what);
  if (status != GS_OK && r->report->found.problem_count > 0 &&
      (status == GS_CORRUPT || status == GS_IO)) {
    return GS_OK;
  }
  if (status != GS_OK && err != NULL) {
    *err = what;
  }
  return status;
}

static gs_status
repair_all(repair *r, gs_error *err)
{
  gs_status status = look(r, err);
  r->phase = 1;
  if (status == GS_OK) {
    status = gs_source_read(&r->source, r->options->kind, err);
  }
  r->phase = 2;
  return status == GS_OK ? save_into(r, err) : status;
}

static gs_status
lock_out(repair *r, gs_lock **out, gs_error *err)
{
  gs_buffer name;
  gs_buffer_init(&name, r->env->alloc);
  const char *path = gs_path_lock(&name, r->dir);
  gs_status status =
      path == NULL ? GS_FAIL_NOMEM(err) : gs_env_guard(r->env, path, out, err);
  gs_buffer_deinit(&name);
  return status;
}

gs_status
gs_repair(gs_env *env, const char *path, const gs_repair_options *options,
          gs_repair_report *report, gs_error *err)
{
  env = env == NULL ? gs_env_posix() : env;
  repair r = {.env = env, .dir = path, .options = options, .report = report};
  gs_lock *guard = NULL;
  *report = (gs_repair_report){.kind = 0};
  gs_report_init(&report->found, env->alloc);
  gs_status status = gs_source_init(&r.source, env, path, report, err);
  r.source.tell = tell_read;
  r.source.context = &r;
  if (status == GS_OK) {
    status = lock_out(&r, &guard, err);
  }
  if (status == GS_OK) {
    status = repair_all(&r, err);
  }
  if (r.is_building) {
    gs_build_end(&r.build);
  }
  gs_source_deinit(&r.source);
  gs_env_unlock(guard);
  return status;
}
