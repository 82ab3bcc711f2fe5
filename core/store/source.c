/*
 * source: facts, then tables, then logs.
 */
#include "store/source.h"

#include "grainstore.h"
#include "store/mend.h"
#include "store/regain.h"
#include "store/report.h"

/* ---- life ---------------------------------------------------------------------- */

gs_status
gs_source_init(gs_source *r, gs_env *env, const char *dir,
               gs_repair_report *report, gs_error *err)
{
  *r = (gs_source){.env = env, .dir = dir, .report = report};
  gs_doubt_init(&r->doubt, report);
  gs_buffer_init(&r->tables, env->alloc);
  gs_buffer_init(&r->path, env->alloc);
  gs_log_remains_init(&r->log, env);
  return gs_manifest_state_init(&r->state, env->alloc, err);
}

static void
free_table(gs_source *r, gs_remains *s)
{
  gs_remains_deinit(s);
  GS_DELETE(r->env->alloc, s);
}

void
gs_source_deinit(gs_source *r)
{
  for (size_t i = 0; i < r->table_count; i++) {
    free_table(r, gs_source_tables(r)[i]);
  }
  gs_buffer_deinit(&r->tables);
  gs_buffer_deinit(&r->path);
  gs_log_remains_deinit(&r->log);
  gs_doubt_deinit(&r->doubt);
  if (r->state.alloc != NULL) {
    gs_manifest_state_deinit(&r->state);
  }
}

static gs_status
tell(gs_source *r, const char *name, gs_error *err)
{
  return r->tell == NULL ? GS_OK : r->tell(r->context, name, err);
}

/* ---- losses -------------------------------------------------------------------- */

static gs_status
lose(gs_source *r, const gs_loss *loss, uint32_t place, gs_error *err)
{
  return gs_doubt_add(&r->doubt, loss, place, err);
}

static gs_status
lose_gap(gs_source *r, const gs_remains *s, const gs_remains_gap *gap,
         gs_error *err)
{
  bool is_all = s->block_count == 0;
  gs_loss loss = {
      .cause = is_all ? GS_LOST_TABLE : GS_LOST_BLOCK,
      .name = gs_report_name_of(gs_remains_path(s)),
      .offset = gap->offset,
      .bytes = gap->bytes,
      .from = gs_buffer_slice(&gap->from),
      .to = gs_buffer_slice(&gap->to),
      .has_to = gap->has_to,
      .last_seq = s->is_max_known ? s->max_seq : UINT64_MAX,
  };
  r->report->blocks_lost += gap->blocks;
  return lose(r, &loss, s->place, err);
}

/* All of a table that the manifest lists. */
static gs_status
lose_table(gs_source *r, const gs_table_meta *meta, uint32_t place,
           gs_error *err)
{
  const char *path = gs_path_table(&r->path, r->dir, meta->id);
  gs_buffer to;
  gs_buffer_init(&to, r->env->alloc);
  gs_buffer_append_slice(&to, meta->max_key);
  gs_buffer_append_zeros(&to, 1);
  gs_status status = path == NULL || to.failed ? GS_FAIL_NOMEM(err) : GS_OK;
  if (status == GS_OK) {
    gs_loss loss = {
        .cause = GS_LOST_TABLE,
        .name = gs_report_name_of(path),
        .bytes = meta->file_bytes,
        .from = meta->min_key,
        .to = gs_buffer_slice(&to),
        .has_to = true,
        .first_seq = meta->min_seq,
        .last_seq = meta->max_seq,
    };
    r->report->tables_lost++;
    status = lose(r, &loss, place, err);
  }
  gs_buffer_deinit(&to);
  return status;
}

/* ---- tables -------------------------------------------------------------------- */

gs_remains **
gs_source_tables(const gs_source *r)
{
  void *tables = r->tables.data;
  return tables;
}

/* The salvage and its path stay until the end. */
static gs_status
keep_table(gs_source *r, gs_remains *s, gs_error *err)
{
  gs_buffer_append(&r->tables, (const void *)&s, sizeof s);
  gs_status status = gs_buffer_status(&r->tables, err);
  r->table_count += status == GS_OK;
  return status;
}

static gs_status
new_table(gs_source *r, uint64_t id, gs_remains **out, gs_error *err)
{
  *out = GS_NEW(r->env->alloc, gs_remains);
  if (*out == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_remains_init(*out, r->env);
  return gs_path_table(&(*out)->path, r->dir, id) == NULL ? GS_FAIL_NOMEM(err)
                                                          : GS_OK;
}

/* What was salvaged into the report. */
static gs_status
account_table(gs_source *r, const gs_remains *s, gs_error *err)
{
  gs_repair_report *report = r->report;
  gs_status status = GS_OK;
  report->blocks_read += s->block_count;
  report->bits_fixed += s->bits_fixed;
  report->tables_read += s->block_count > 0;
  report->tables_lost += s->block_count == 0;
  r->max_seq = s->max_seq > r->max_seq ? s->max_seq : r->max_seq;
  r->created_ms = s->created_ms > r->created_ms ? s->created_ms : r->created_ms;
  for (size_t i = 0; status == GS_OK && i < s->gap_count; i++) {
    status = lose_gap(r, s, gs_remains_get_gap(s, i), err);
  }
  return status;
}

static gs_status
read_table(gs_source *r, uint64_t file, const gs_remains_identity *identity,
           uint32_t place, gs_error *err)
{
  gs_remains *s = NULL;
  gs_status status = new_table(r, file, &s, err);
  if (s == NULL) {
    return status;
  }
  s->place = place;
  if (status == GS_OK) {
    status = tell(r, gs_report_name_of(gs_remains_path(s)), err);
  }
  if (status == GS_OK) {
    status = gs_remains_read(s, identity, err);
  }
  bool is_gone = status == GS_MISSING || s->is_foreign;
  if (is_gone && identity->listed != NULL) {
    status = lose_table(r, identity->listed, place, err);
  } else if (status == GS_OK) {
    status = account_table(r, s, err);
  }
  if (status == GS_OK && s->block_count > 0) {
    status = keep_table(r, s, err);
    s = status == GS_OK ? NULL : s;
  }
  if (s != NULL) {
    free_table(r, s);
  }
  return status;
}

static gs_status
read_listed(gs_source *r, gs_error *err)
{
  const gs_version *version = r->state.version;
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < version->run_count; i++) {
    const gs_run *run = version->runs[i];
    for (size_t t = 0; status == GS_OK && t < run->table_count; t++) {
      const gs_table_meta *meta = &run->tables[t]->meta;
      gs_remains_identity identity = {meta->id, r->state.facts.salt, meta};
      status = read_table(r, meta->id, &identity, (uint32_t)i + 1, err);
    }
  }
  return status;
}

static bool
is_kind(const gs_file_report *file, gs_file_kind kind, uint64_t *number)
{
  return gs_path_kind(file->name, number) == kind &&
         strcmp(file->kind, "other") != 0;
}

/* Header of a table that no manifest speaks of; false where it is of no use. */
static gs_status
read_header(gs_source *r, const gs_file_report *file, gs_table_header *out,
            bool *is_there, gs_error *err)
{
  uint64_t number;
  *is_there = false;
  if (!is_kind(file, GS_FILE_TABLE, &number)) {
    return GS_OK;
  }
  if (gs_path_join(&r->path, r->dir, file->name) == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status =
      gs_mend_header(r->env, (const char *)r->path.data, out, err);
  *is_there = status == GS_OK;
  return status == GS_CORRUPT || status == GS_IO ? GS_OK : status;
}

/* The salt that most tables name. */
static gs_status
choose_salt(gs_source *r, gs_error *err)
{
  const gs_verify_report *found = &r->report->found;
  size_t best = 0;
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < found->file_count; i++) {
    gs_table_header candidate;
    bool is_there;
    size_t votes = 0;
    status = read_header(r, &found->files[i], &candidate, &is_there, err);
    for (size_t k = 0; status == GS_OK && is_there && k < found->file_count;
         k++) {
      gs_table_header other;
      bool is_other;
      status = read_header(r, &found->files[k], &other, &is_other, err);
      votes += is_other && other.salt == candidate.salt;
    }
    if (votes > best) {
      best = votes;
      r->state.facts.salt = candidate.salt;
    }
  }
  return status;
}

static gs_status
read_found(gs_source *r, gs_error *err)
{
  const gs_verify_report *found = &r->report->found;
  gs_status status =
      r->state.facts.store_kind == 0 ? choose_salt(r, err) : GS_OK;
  for (size_t i = 0; status == GS_OK && i < found->file_count; i++) {
    uint64_t number;
    gs_table_header header;
    bool is_there;
    status = read_header(r, &found->files[i], &header, &is_there, err);
    if (status != GS_OK || !is_kind(&found->files[i], GS_FILE_TABLE, &number)) {
      continue;
    }
    uint64_t salt = r->state.facts.salt;
    if (is_there && header.salt != salt) {
      continue;
    }
    gs_remains_identity identity = {is_there ? header.id : number, salt, NULL};
    status = read_table(r, number, &identity, 1, err);
  }
  return status;
}

/* ---- logs ---------------------------------------------------------------------- */

static gs_status
read_log(gs_source *r, uint64_t number, const gs_segment *listed, gs_error *err)
{
  gs_log_outcome outcome = {0};
  const char *path = gs_path_segment(&r->path, r->dir, number);
  if (path == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_log_identity identity = {.salt = listed == NULL ? 0 : listed->salt,
                              .number = number};
  gs_status status = tell(r, gs_report_name_of(path), err);
  if (status == GS_OK) {
    status = gs_log_remains_file(&r->log, path, identity, listed != NULL,
                                 &outcome, err);
  }
  if (status == GS_MISSING && listed != NULL) {
    status = GS_OK;
  }
  if (listed != NULL && outcome.bytes < listed->allocated_bytes) {
    outcome.lost_more = true;
  }
  r->lost_log_end = r->lost_log_end || outcome.lost_more;
  r->log_bytes += listed == NULL ? outcome.used : listed->allocated_bytes;
  return status;
}

static gs_status
read_logs(gs_source *r, gs_error *err)
{
  const gs_verify_report *found = &r->report->found;
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < r->state.segment_count; i++) {
    const gs_segment *segment = &r->state.segments[i];
    status = read_log(r, segment->number, segment, err);
  }
  for (size_t i = 0;
       status == GS_OK && !r->report->has_manifest && i < found->file_count;
       i++) {
    uint64_t number;
    if (is_kind(&found->files[i], GS_FILE_SEGMENT, &number)) {
      status = read_log(r, number, NULL, err);
    }
  }
  r->report->writes_read = r->log.batch_count;
  r->report->bits_fixed += r->log.bits_fixed;
  r->max_seq = r->log.max_seq > r->max_seq ? r->log.max_seq : r->max_seq;
  return status;
}

static gs_status
lose_seqs(gs_source *r, uint64_t first, uint64_t last, gs_error *err)
{
  gs_loss loss = {
      .cause = GS_LOST_LOG,
      .name = "",
      .first_seq = first,
      .last_seq = last,
  };
  r->report->seqs_lost += last == UINT64_MAX ? 0 : last - first + 1;
  return lose(r, &loss, GS_PLACE_UNKNOWN, err);
}

/* Sequence numbers that no batch has, between those that some have. Requires:
 * the log is sorted. */
static gs_status
find_lost_seqs(gs_source *r, gs_error *err)
{
  const gs_log_span *spans = gs_log_remains_spans(&r->log);
  bool is_begin_known = r->report->has_manifest;
  uint64_t expected = is_begin_known ? r->state.facts.flushed_seq + 1 : 0;
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < r->log.span_count; i++) {
    if (expected == 0) {
      expected = spans[i].first;
    }
    if (spans[i].first > expected) {
      status = lose_seqs(r, expected, spans[i].first - 1, err);
    }
    expected = spans[i].last >= expected ? spans[i].last + 1 : expected;
  }
  return status == GS_OK && r->lost_log_end
             ? lose_seqs(r, expected == 0 ? 1 : expected, UINT64_MAX, err)
             : status;
}

/* ---- what the store is ----------------------------------------------------------- */

/* Facts from whatever frames of the manifests can be read. */
static gs_status
scrape_facts(gs_source *r, gs_error *err)
{
  const gs_verify_report *found = &r->report->found;
  gs_status status = GS_OK;
  for (size_t i = 0; status == GS_OK && i < found->file_count; i++) {
    uint64_t number;
    if (!is_kind(&found->files[i], GS_FILE_MANIFEST, &number) ||
        found->files[i].state == GS_STATE_MISSING) {
      continue;
    }
    gs_manifest_path(&r->path, r->dir, number);
    status = gs_buffer_status(&r->path, err);
    if (status == GS_OK) {
      status = gs_log_remains_facts(r->env, (const char *)r->path.data, number,
                                    &r->state.facts, &r->state.note,
                                    &r->state.note_seq, err);
    }
  }
  return status;
}

static gs_status
lose_manifest(gs_source *r, gs_error *err)
{
  gs_loss loss = {
      .cause = GS_LOST_MANIFEST,
      .name = gs_report_name_of(r->report->found.first.path),
      .offset = r->report->found.first.offset,
      .last_seq = UINT64_MAX,
  };
  return lose(r, &loss, GS_PLACE_UNKNOWN, err);
}

static gs_status
read_facts(gs_source *r, gs_error *err)
{
  gs_manifest_found found = {0};
  gs_error what;
  gs_status status = gs_manifest_read(r->env, r->dir, &r->state, &found, &what);
  r->report->has_manifest = status == GS_OK;
  r->report->bits_fixed += status == GS_OK ? found.repaired_bits : 0;
  if (status == GS_CORRUPT || status == GS_MISSING || status == GS_IO) {
    return scrape_facts(r, err);
  }
  if (status != GS_OK && err != NULL) {
    *err = what;
  }
  return status;
}

/* Whether a table that the manifest does not list holds what came later than
 * all that manifest and log know of. */
static gs_status
is_later(gs_source *r, uint64_t number, bool *out, gs_error *err)
{
  gs_remains *s = NULL;
  gs_remains_identity identity = {number, r->state.facts.salt, NULL};
  gs_status status = new_table(r, number, &s, err);
  if (status == GS_OK) {
    status = gs_remains_read(s, &identity, err);
  }
  if (status == GS_OK) {
    *out = s->block_count > 0 && s->max_seq > r->state.facts.flushed_seq &&
           s->max_seq > r->report->found.last_seq;
  }
  if (s != NULL) {
    free_table(r, s);
  }
  return status;
}

/*
 * A manifest that was cut off between two edits looks whole. What it lists may
 * be gone by then, and what it does not list yet may hold what no log holds any
 * more: either shows that it is behind. Unlisted tables alone do not, a crash
 * leaves such.
 */
static gs_status
is_behind(gs_source *r, bool *out, gs_error *err)
{
  const gs_verify_report *found = &r->report->found;
  bool has_missing = false;
  bool has_unlisted = false;
  gs_status status = GS_OK;
  *out = false;
  for (size_t i = 0; status == GS_OK && !*out && i < found->file_count; i++) {
    uint64_t number;
    const gs_file_report *file = &found->files[i];
    has_missing = has_missing || file->state == GS_STATE_MISSING;
    if (file->state == GS_STATE_UNUSED &&
        is_kind(file, GS_FILE_TABLE, &number)) {
      has_unlisted = true;
      status = is_later(r, number, out, err);
    }
  }
  *out = *out || (has_missing && has_unlisted);
  return status;
}

static gs_status
settle_facts(gs_source *r, gs_error *err)
{
  bool behind = false;
  gs_status status = read_facts(r, err);
  if (status == GS_OK && r->report->has_manifest) {
    status = is_behind(r, &behind, err);
  }
  if (status == GS_OK && behind) {
    r->report->has_manifest = false;
    r->state.segment_count = 0;
  }
  return status == GS_OK && !r->report->has_manifest ? lose_manifest(r, err)
                                                     : status;
}

static gs_status
fail_kind(const gs_source *r, const char *text, gs_error *err)
{
  gs_status status = GS_FAIL(err, GS_KIND, "%s: %s", r->dir, text);
  status = gs_error_at(err, status, r->dir);
  return gs_error_hint(err, status, "give the kind of the store");
}

/* A u32 store holds nothing but four bytes under four bytes. */
static bool
may_be_u32(const gs_source *r)
{
  bool is_four = !r->log.has_other_shapes;
  for (size_t i = 0; i < r->table_count; i++) {
    is_four = is_four && gs_source_tables(r)[i]->first_key.size == 4;
  }
  return is_four;
}

static gs_status
choose_kind(gs_source *r, uint32_t wanted, gs_error *err)
{
  uint32_t known = r->state.facts.store_kind;
  bool is_open = known == 0 && wanted == 0;
  if (known != 0 && wanted != 0 && known != wanted) {
    return fail_kind(r, "the store is of the other kind", err);
  }
  if (is_open && may_be_u32(r)) {
    return fail_kind(r, "nothing is left that tells whether it is a u32 store",
                     err);
  }
  r->report->kind = known != 0 ? known : wanted != 0 ? wanted : GS_STORE_BYTES;
  if (r->report->kind == GS_STORE_U32 && !may_be_u32(r)) {
    return fail_kind(r, "it holds keys that a u32 store cannot hold", err);
  }
  return GS_OK;
}

/* ---- the whole -------------------------------------------------------------------- */

gs_status
gs_source_read(gs_source *r, uint32_t kind, gs_error *err)
{
  gs_status status = settle_facts(r, err);
  if (status == GS_OK) {
    status = r->report->has_manifest ? read_listed(r, err) : read_found(r, err);
  }
  gs_buffer_append_slice(&r->log.note, gs_buffer_slice(&r->state.note));
  r->log.note_seq = r->state.note_seq;
  if (status == GS_OK) {
    status = read_logs(r, err);
  }
  if (status == GS_OK) {
    status = choose_kind(r, kind, err);
  }
  if (status == GS_OK) {
    gs_log_remains_finish(&r->log, r->report->kind == GS_STORE_U32);
    status =
        r->report->has_manifest
            ? gs_regain(&r->log, r->report, r->state.facts.flushed_seq, err)
            : GS_OK;
  }
  if (status == GS_OK) {
    status = find_lost_seqs(r, err);
  }
  return status;
}
