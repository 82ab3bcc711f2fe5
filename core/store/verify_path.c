/*
 * verify_path: a directory is held against itself: the manifest says what has
 * to be there, every file says whether it is what was written.
 *
 *   list ─▶ manifest ─▶ each file ─▶ what is missing ─▶ the log as a whole
 *
 * Where no manifest can be read, tables and logs are still looked at, each by
 * what it says of itself. A writer may change the directory meanwhile: problems
 * that are met while one is at work count when they are met twice.
 */
#include <inttypes.h>

#include "code/hash.h"
#include "store/directory.h"
#include "store/journal_read.h"
#include "store/log_check.h"
#include "store/report.h"
#include "store/store.h"
#include "tree/sort.h"

enum {
  TRIES = 8, /* of problems that another process may explain */
  CACHE_BYTES = 1 << 16,
};

typedef struct audit {
  gs_env *env;
  const char *dir;
  const gs_verify_options *options;
  gs_verify_report *report;
  gs_epoch *epoch;
  gs_cache *cache;
  gs_manifest_state state;
  gs_manifest_found found;
  bool has_state;
  uint64_t done_bytes;
  gs_buffer path; /* of the file looked at */
} audit;

/* ---- small words ------------------------------------------------------------- */

static gs_status
tell(audit *a, const gs_file_report *file, gs_error *err)
{
  const gs_verify_options *o = a->options;
  gs_status status = GS_OK;
  if (o->progress != NULL) {
    status = o->progress(o->context, a->done_bytes, a->report->bytes,
                         file->name, err);
  }
  a->done_bytes += file->bytes;
  return status;
}

static bool
is_named(const gs_file_report *file, gs_file_kind kind)
{
  uint64_t number;
  return gs_path_kind(file->name, &number) == kind;
}

/* ---- logs -------------------------------------------------------------------- */

static gs_status
check_log(audit *a, gs_file_report *file, const gs_log_identity *listed,
          gs_error *err)
{
  gs_log_check check = {
      .env = a->env,
      .path = (const char *)a->path.data,
      .store_id = a->has_state ? &a->state.facts.store_id : NULL,
      .listed = listed,
  };
  return gs_log_check_file(&check, a->report, file, err);
}

static const gs_segment *
find_segment(const audit *a, uint64_t number)
{
  for (size_t i = 0; a->has_state && i < a->state.segment_count; i++) {
    if (a->state.segments[i].number == number) {
      return &a->state.segments[i];
    }
  }
  return NULL;
}

static gs_status
check_segment(audit *a, gs_file_report *file, uint64_t number, gs_error *err)
{
  const gs_segment *segment = find_segment(a, number);
  if (segment == NULL) {
    file->state = a->has_state ? GS_STATE_UNUSED : GS_STATE_SOUND;
    return a->has_state ? GS_OK : check_log(a, file, NULL, err);
  }
  gs_log_identity identity = {.salt = segment->salt, .number = number};
  return check_log(a, file, &identity, err);
}

/* ---- tables ------------------------------------------------------------------ */

static gs_status
check_table(audit *a, gs_file_report *file, uint64_t number, gs_error *err)
{
  size_t run;
  const gs_tree_table *listed =
      a->has_state ? gs_version_find_table(a->state.version, number, &run)
                   : NULL;
  if (a->has_state && listed == NULL) {
    file->state = GS_STATE_UNUSED;
    return GS_OK;
  }
  gs_table *table = NULL;
  gs_error what;
  gs_status status =
      gs_table_open(a->cache, (const char *)a->path.data, a->state.facts.salt,
                    listed == NULL ? NULL : &listed->meta, &table, &what);
  if (status == GS_OK && !a->options->is_shallow) {
    status = gs_table_verify(table, &what);
  }
  if (status == GS_OK) {
    file->entries = gs_table_get_meta(table)->entry_count;
    a->report->entries += file->entries;
  }
  gs_table_unref(table);
  return status == GS_OK
             ? GS_OK
             : gs_report_judge(a->report, file, status,
                               (const char *)a->path.data, &what, err);
}

/* ---- journals ---------------------------------------------------------------- */

/* Nothing of a journal is promised: one that cannot be read to its end is torn
 * there, whatever became of it. */
static gs_status
check_journal(audit *a, gs_file_report *file, uint64_t number, gs_error *err)
{
  const char *path = (const char *)a->path.data;
  gs_journal_end end;
  gs_error what;
  gs_buffer content;
  gs_file *opened = NULL;
  gs_buffer_init(&content, a->env->alloc);
  gs_status status =
      gs_journal_load(a->env, path, GS_OPEN_READ, &opened, &content, &what);
  gs_journal_find_end(gs_buffer_slice(&content), number, &end);
  GS_IGNORE(gs_file_close(opened, NULL), "it was only read");
  gs_buffer_deinit(&content);
  file->entries = end.events;
  if (status == GS_MISSING || (status == GS_OK && end.is_whole)) {
    file->state = status == GS_OK ? GS_STATE_SOUND : GS_STATE_UNUSED;
    return GS_OK; /* the writer may have let it go */
  }
  if (status != GS_OK && status != GS_TOOLARGE) {
    return gs_report_judge(a->report, file, status, path, &what, err);
  }
  status = GS_FAIL(&what, GS_CORRUPT, "%s: no event stands at offset %llu",
                   path, (unsigned long long)end.bytes);
  GS_IGNORE(gs_error_offset(&what, status, end.bytes), "it is reported");
  return gs_report_problem(a->report, file, GS_STATE_TORN, &what, err);
}

/* ---- the directory ----------------------------------------------------------- */

typedef struct listing {
  gs_buffer bytes; /* names with their NULs */
  gs_buffer names; /* pointers to them, sorted */
} listing;

static void
note_name(void *context, const char *name)
{
  listing *l = context;
  gs_buffer_append(&l->bytes, name, strlen(name) + 1);
}

static bool
is_less_name(const void *items, size_t a, size_t b)
{
  const char *const *names = items;
  return strcmp(names[a], names[b]) < 0;
}

static void
swap_names(void *items, size_t a, size_t b)
{
  const char **names = items;
  const char *held = names[a];
  names[a] = names[b];
  names[b] = held;
}

static size_t
sort_names(listing *l)
{
  size_t count = 0;
  for (size_t at = 0; at < l->bytes.size;) {
    const char *name = (const char *)l->bytes.data + at;
    gs_buffer_append(&l->names, (const void *)&name, sizeof name);
    at += strlen(name) + 1;
    count++;
  }
  const gs_sortable sortable = {l->names.data, is_less_name, swap_names};
  if (!l->names.failed) {
    gs_sort(&sortable, count);
  }
  return count;
}

static gs_status
report_name(audit *a, const char *name, gs_error *err)
{
  uint64_t number;
  gs_file_info info;
  gs_file_report *file;
  if (gs_path_join(&a->path, a->dir, name) == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status =
      gs_env_stat(a->env, (const char *)a->path.data, &info, err);
  if (status != GS_OK) {
    return status == GS_MISSING ? GS_OK : status; /* it has just gone */
  }
  gs_file_kind kind = gs_path_kind(name, &number);
  kind = info.is_directory ? GS_FILE_FOREIGN : kind;
  uint64_t bytes = info.is_directory ? 0 : info.size_bytes;
  status = gs_report_file(a->report, name, kind, bytes, &file, err);
  if (status == GS_OK && kind == GS_FILE_FOREIGN) {
    file->state = GS_STATE_UNUSED;
  }
  return status;
}

static gs_status
list_files(audit *a, gs_error *err)
{
  listing l;
  gs_buffer_init(&l.bytes, a->env->alloc);
  gs_buffer_init(&l.names, a->env->alloc);
  gs_status status = gs_env_list(a->env, a->dir, note_name, &l, err);
  size_t count = 0;
  if (status == GS_OK) {
    count = sort_names(&l);
    status = gs_buffer_status(&l.bytes, err);
  }
  if (status == GS_OK) {
    status = gs_buffer_status(&l.names, err);
  }
  for (size_t i = 0; status == GS_OK && i < count; i++) {
    const char *name;
    memcpy((void *)&name, l.names.data + i * sizeof name, sizeof name);
    status = report_name(a, name, err);
  }
  gs_buffer_deinit(&l.bytes);
  gs_buffer_deinit(&l.names);
  return status;
}

/* The file that an error names, or else the newest manifest. */
static gs_file_report *
find_blamed(audit *a, const gs_error *what)
{
  gs_file_report *file =
      gs_report_find(a->report, gs_report_name_of(what->path));
  for (size_t i = a->report->file_count; file == NULL && i > 0; i--) {
    if (is_named(&a->report->files[i - 1], GS_FILE_MANIFEST)) {
      file = &a->report->files[i - 1];
    }
  }
  return file;
}

static bool
is_about_content(gs_status status)
{
  return status == GS_CORRUPT || status == GS_MISSING || status == GS_VERSION;
}

static gs_status
read_manifest(audit *a, gs_error *err)
{
  gs_error what;
  gs_status status =
      gs_manifest_read(a->env, a->dir, &a->state, &a->found, &what);
  a->has_state = status == GS_OK;
  if (status == GS_OK) {
    a->report->kind = a->state.facts.store_kind;
    return GS_OK;
  }
  if (!is_about_content(status)) {
    if (err != NULL) {
      *err = what;
    }
    return status;
  }
  gs_file_report *file = find_blamed(a, &what);
  if (file != NULL) {
    return gs_report_problem(a->report, file, GS_STATE_DAMAGED, &what, err);
  }
  status = gs_report_file(a->report, "MANIFEST-000001", GS_FILE_MANIFEST, 0,
                          &file, err);
  return status == GS_OK
             ? gs_report_problem(a->report, file, GS_STATE_MISSING, &what, err)
             : status;
}

/* ---- each file --------------------------------------------------------------- */

static gs_status
check_manifest(audit *a, gs_file_report *file, uint64_t number, gs_error *err)
{
  if (a->has_state && number != a->found.number) {
    file->state = GS_STATE_UNUSED;
    return GS_OK;
  }
  return check_log(a, file, NULL, err);
}

static gs_status
check_file(audit *a, size_t at, gs_error *err)
{
  gs_file_report *file = &a->report->files[at];
  uint64_t number;
  if (gs_path_join(&a->path, a->dir, file->name) == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = tell(a, file, err);
  if (status != GS_OK || file->state != GS_STATE_SOUND) {
    return status;
  }
  switch (gs_path_kind(file->name, &number)) {
  case GS_FILE_MANIFEST:
    return check_manifest(a, file, number, err);
  case GS_FILE_SEGMENT:
    return check_segment(a, file, number, err);
  case GS_FILE_TABLE:
    return check_table(a, file, number, err);
  case GS_FILE_JOURNAL:
    return check_journal(a, file, number, err);
  case GS_FILE_LOCK:
  case GS_FILE_BALLAST:
  case GS_FILE_FOREIGN:
    break;
  }
  return GS_OK;
}

static gs_status
report_missing(audit *a, gs_file_kind kind, uint64_t number, uint64_t entries,
               gs_error *err)
{
  const char *path = kind == GS_FILE_TABLE
                         ? gs_path_table(&a->path, a->dir, number)
                         : gs_path_segment(&a->path, a->dir, number);
  if (path == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  const char *name = gs_report_name_of(path);
  if (gs_report_find(a->report, name) != NULL) {
    return GS_OK;
  }
  gs_error what;
  gs_file_report *file;
  gs_status status = gs_report_file(a->report, name, kind, 0, &file, err);
  if (status != GS_OK) {
    return status;
  }
  file->entries = entries;
  status =
      GS_FAIL(&what, GS_CORRUPT, "'%s' is in the manifest and not there", path);
  GS_IGNORE(gs_error_at(&what, status, path), "it is what is reported");
  return gs_report_problem(a->report, file, GS_STATE_MISSING, &what, err);
}

static gs_status
find_missing(audit *a, gs_error *err)
{
  gs_status status = GS_OK;
  const gs_version *version = a->state.version;
  for (size_t r = 0; status == GS_OK && r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    for (size_t t = 0; status == GS_OK && t < run->table_count; t++) {
      const gs_table_meta *meta = &run->tables[t]->meta;
      status =
          report_missing(a, GS_FILE_TABLE, meta->id, meta->entry_count, err);
    }
  }
  for (size_t i = 0; status == GS_OK && i < a->state.segment_count; i++) {
    status =
        report_missing(a, GS_FILE_SEGMENT, a->state.segments[i].number, 0, err);
  }
  return status;
}

/* ---- the whole --------------------------------------------------------------- */

static gs_status
pass_over(void *context, const gs_frame_info *info, gs_slice payload,
          gs_error *err)
{
  (void)context;
  (void)info;
  (void)payload;
  (void)err;
  return GS_OK;
}

/* Whether the segments make one log. */
static gs_status
check_replay(audit *a, gs_error *err)
{
  const gs_store_facts *facts = &a->state.facts;
  gs_replay_request request = {
      .dir = a->dir,
      .store_id = facts->store_id,
      .segments = a->state.segments,
      .segment_count = a->state.segment_count,
      .flushed_seq = facts->flushed_seq,
      .known_seq = facts->flushed_seq,
      .was_clean = facts->is_clean,
      .batch = pass_over,
  };
  gs_replay_result result = {0};
  gs_error what;
  gs_status status = gs_wal_replay(a->env, &request, &result, &what);
  a->report->last_seq = result.last_seq;
  if (status == GS_OK) {
    return GS_OK;
  }
  gs_file_report *file = find_blamed(a, &what);
  return file == NULL ? GS_OK
                      : gs_report_judge(a->report, file, status,
                                        (const char *)a->path.data, &what, err);
}

/* The manifest against itself: what no single file tells. */
static gs_status
check_tree(audit *a, gs_error *err)
{
  gs_error what;
  const gs_version *version = a->state.version;
  gs_status status = gs_version_verify(version, &what);
  for (size_t r = 0; status == GS_OK && r < version->run_count; r++) {
    const gs_run *run = version->runs[r];
    for (size_t t = 0; status == GS_OK && t < run->table_count; t++) {
      if (run->tables[t]->meta.max_seq > a->state.facts.flushed_seq) {
        status = GS_FAIL(&what, GS_CORRUPT,
                         "table %" PRIu64 " holds sequence %" PRIu64
                         ", and %" PRIu64 " is said to be the last in tables",
                         run->tables[t]->meta.id, run->tables[t]->meta.max_seq,
                         a->state.facts.flushed_seq);
      }
    }
  }
  gs_file_report *file = status == GS_OK ? NULL : find_blamed(a, &what);
  return file == NULL
             ? GS_OK
             : gs_report_problem(a->report, file, GS_STATE_DAMAGED, &what, err);
}

static gs_status
look(audit *a, gs_error *err)
{
  gs_status status = list_files(a, err);
  if (status == GS_OK) {
    status = read_manifest(a, err);
  }
  size_t count = a->report->file_count;
  for (size_t i = 0; status == GS_OK && i < count; i++) {
    status = check_file(a, i, err);
  }
  if (status == GS_OK && a->has_state) {
    status = find_missing(a, err);
  }
  if (status == GS_OK && a->has_state) {
    status = check_tree(a, err);
  }
  return status == GS_OK && a->has_state ? check_replay(a, err) : status;
}

/* With tools of its own, and an empty report. */
static gs_status
look_afresh(gs_env *env, const char *path, const gs_verify_options *options,
            gs_verify_report *report, gs_error *err)
{
  audit a = {.env = env, .dir = path, .options = options, .report = report};
  gs_verify_report_deinit(report);
  gs_report_init(report, env->alloc);
  gs_buffer_init(&a.path, env->alloc);
  gs_status status = gs_manifest_state_init(&a.state, env->alloc, err);
  if (status == GS_OK) {
    status = gs_epoch_new(env, &a.epoch, err);
  }
  if (status == GS_OK) {
    status = gs_cache_new(env, a.epoch, CACHE_BYTES, &a.cache, err);
  }
  if (status == GS_OK) {
    status = look(&a, err);
  }
  gs_cache_free(a.cache);
  gs_epoch_free(a.epoch);
  gs_manifest_state_deinit(&a.state);
  gs_buffer_deinit(&a.path);
  return status;
}

/* A number that two looks share which found the same problems. */
static uint64_t
fingerprint(const gs_verify_report *report)
{
  uint64_t sum = report->problem_count;
  for (size_t i = 0; i < report->file_count; i++) {
    const gs_file_report *file = &report->files[i];
    if (file->state != GS_STATE_SOUND && file->state != GS_STATE_UNUSED) {
      gs_slice name = gs_slice_str(file->name);
      sum = sum * 31 + gs_hash_key(name) + file->offset + file->state;
    }
  }
  return sum;
}

static gs_status
is_written_to(gs_env *env, const char *path, bool *out, gs_error *err)
{
  gs_buffer name;
  char owner[8];
  gs_buffer_init(&name, env->alloc);
  const char *lock = gs_path_lock(&name, path);
  gs_status status = lock == NULL
                         ? GS_FAIL_NOMEM(err)
                         : gs_env_probe(env, lock, owner, sizeof owner, err);
  gs_buffer_deinit(&name);
  *out = status == GS_LOCKED;
  return status == GS_LOCKED ? GS_OK : status;
}

static gs_status
verify(gs_env *env, const char *path, const gs_verify_options *options,
       gs_verify_report *report, gs_error *err)
{
  bool is_live = false;
  uint64_t before = 0;
  gs_status status = is_written_to(env, path, &is_live, err);
  for (int i = 0; status == GS_OK && i < TRIES; i++) {
    status = look_afresh(env, path, options, report, err);
    uint64_t now = fingerprint(report);
    if (status != GS_OK || report->problem_count == 0 || !is_live ||
        (i > 0 && now == before)) {
      break;
    }
    before = now;
  }
  return status;
}

/* ---- the call ---------------------------------------------------------------- */

static gs_status
check_is_store(gs_env *env, const char *path, gs_error *err)
{
  gs_directory found;
  gs_status status = gs_directory_look(env, path, &found, err);
  if (status != GS_OK || found.manifest_count + found.data_count > 0) {
    return status;
  }
  status = GS_FAIL(err, GS_MISSING, "%s: there is no store here", path);
  status = gs_error_at(err, status, path);
  return gs_error_hint(err, status, "check the path");
}

gs_status
gs_verify_path(gs_env *env, const char *path, const gs_verify_options *options,
               gs_verify_report *report, gs_error *err)
{
  static const gs_verify_options everything = {0};
  env = env == NULL ? gs_env_posix() : env;
  gs_report_init(report, env->alloc);
  gs_status status = check_is_store(env, path, err);
  if (status == GS_OK) {
    status =
        verify(env, path, options == NULL ? &everything : options, report, err);
  }
  if (status != GS_OK || report->problem_count == 0) {
    return status;
  }
  if (err != NULL) {
    *err = report->first;
  }
  return report->first.status == GS_IO ? GS_IO : GS_CORRUPT;
}
