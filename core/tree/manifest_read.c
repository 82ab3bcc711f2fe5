/*
 * manifest_read: from the highest number down to the first complete base.
 *
 * A file without a complete base is one of two things. Its creation was cut
 * short: then nobody was told of it, and the one before it still holds. Or it
 * was complete once and is damaged: then the one before it, should it be there,
 * is out of date. What tells them apart is a frame further on that says the
 * base had been durable. The same question is asked where an edit does not
 * verify: cut short, it never took effect; damaged, it did.
 */
#include <inttypes.h>

#include "tree/manifest_name.h"
#include "wal/reader.h"

enum { LOOKS_MOST = 64 }; /* at a directory whose manifests go meanwhile */

/* One manifest being read. */
typedef struct reading {
  gs_env *env;
  const char *path;
  uint64_t number;
  gs_log_reader *reader;
  gs_manifest_state state;
  gs_manifest_found *found;
} reading;

static gs_status
fail_damaged(const reading *r, uint64_t offset, uint64_t evidence,
             gs_error *err)
{
  gs_status status =
      GS_FAIL(err, GS_CORRUPT,
              "'%s' is damaged at byte %" PRIu64 ": byte %" PRIu64
              " attests that it had been written",
              r->path, offset, evidence);
  status = gs_error_at(err, status, r->path);
  status = gs_error_offset(err, status, offset);
  return gs_error_hint(err, status,
                       "restore the directory from a copy, or rebuild the "
                       "store with repair");
}

/* ---- a file without a header ---------------------------------------------- */

/* GS_ABSENT, or GS_CORRUPT where frames prove that there was a base. */
static gs_status
judge_headless(reading *r, gs_error *err)
{
  uint64_t at;
  gs_status status =
      gs_log_open_headless(r->env, r->path, r->number, &r->reader, err);
  if (status != GS_OK) {
    return status;
  }
  if (gs_log_find_durable(r->reader, GS_LOG_HEADER_BYTES, &at)) {
    return fail_damaged(r, 0, at, err);
  }
  return GS_ABSENT;
}

/* ---- frames --------------------------------------------------------------- */

static gs_status
check_header(const reading *r, gs_error *err)
{
  const gs_log_header *header = gs_log_reader_header(r->reader);
  if (header->kind == GS_LOG_MANIFEST && header->number == r->number) {
    return GS_OK;
  }
  gs_status status =
      GS_FAIL(err, GS_CORRUPT,
              "'%s' holds log %" PRIu64 " of kind %d, not this manifest",
              r->path, header->number, (int)header->kind);
  return gs_error_at(err, status, r->path);
}

static gs_status
check_base(const reading *r, gs_error *err)
{
  const gs_store_facts *facts = &r->state.facts;
  const gs_log_header *header = gs_log_reader_header(r->reader);
  if (facts->store_kind != 0 && memcmp(&facts->store_id, &header->store_id,
                                       sizeof facts->store_id) == 0) {
    return GS_OK;
  }
  gs_status status = GS_FAIL(
      err, GS_CORRUPT, "the base of '%s' does not name its store", r->path);
  return gs_error_at(err, status, r->path);
}

static gs_status
apply_frame(reading *r, const gs_frame_info *info, gs_slice payload,
            gs_error *err)
{
  if (info->type != GS_FRAME_EDIT) {
    return GS_OK;
  }
  gs_status status = gs_manifest_state_apply(&r->state, payload, NULL, 0, err);
  if (status == GS_OK) {
    return GS_OK;
  }
  status = gs_error_at(err, status, r->path);
  return gs_error_offset(err, status, info->offset);
}

/* Where the frames end: GS_OK, or GS_CORRUPT where they should go on. */
static gs_status
judge_end(reading *r, gs_error *err)
{
  uint64_t at;
  uint64_t end = gs_log_reader_offset(r->reader);
  if (gs_log_reader_end(r->reader) != GS_LOG_TORN) {
    return GS_OK;
  }
  if (gs_log_find_evidence(r->reader, &at)) {
    return fail_damaged(r, end, at, err);
  }
  r->found->is_torn = true;
  r->found->torn_offset = end;
  return GS_OK;
}

/* GS_ABSENT where there is no complete base, and a crash can explain it. */
static gs_status
read_frames(reading *r, gs_error *err)
{
  gs_frame_info info;
  gs_slice payload;
  bool has_base = false;
  gs_status status = check_header(r, err);
  while (status == GS_OK && gs_log_next(r->reader, &info, &payload)) {
    status = apply_frame(r, &info, payload, err);
    if (status == GS_OK && !has_base) {
      status = check_base(r, err);
    }
    has_base = true;
  }
  if (status == GS_OK) {
    status = judge_end(r, err);
  }
  r->found->repaired_bits = gs_log_reader_repaired_bits(r->reader);
  return status == GS_OK && !has_base ? GS_ABSENT : status;
}

/* ---- one file ------------------------------------------------------------- */

static gs_status
read_file(reading *r, gs_error *err)
{
  gs_status status = gs_log_open(r->env, r->path, NULL, &r->reader, err);
  if (status == GS_CORRUPT) {
    return judge_headless(r, err);
  }
  return status == GS_OK ? read_frames(r, err) : status;
}

/* On success the state is replaced. */
static gs_status
read_number(gs_env *env, const char *dir, uint64_t number,
            gs_manifest_state *state, gs_manifest_found *found, gs_error *err)
{
  gs_buffer path;
  gs_buffer_init(&path, env->alloc);
  gs_manifest_path(&path, dir, number);
  reading r = {.env = env, .number = number, .found = found};
  gs_status status = gs_buffer_status(&path, err);
  if (status == GS_OK) {
    status = gs_manifest_state_init(&r.state, env->alloc, err);
  }
  if (status == GS_OK) {
    r.path = (const char *)path.data;
    *found = (gs_manifest_found){.number = number};
    status = read_file(&r, err);
    if (status == GS_OK) {
      gs_manifest_state_adopt(state, &r.state);
    } else {
      gs_manifest_state_deinit(&r.state);
    }
  }
  gs_log_reader_close(r.reader);
  gs_buffer_deinit(&path);
  return status;
}

/* ---- all of them ---------------------------------------------------------- */

/* Where the first manifest ever is still there, incomplete, none after it was
 * ever given an edit: that happens when no other is left. */
static gs_status
fail_none(const char *dir, const gs_manifest_list *list, gs_error *err)
{
  size_t count = gs_manifest_list_count(list);
  gs_status status;
  if (count == 0) {
    status = GS_FAIL(err, GS_MISSING, "'%s' holds no manifest", dir);
  } else if (gs_manifest_list_at(list, 0) == 1) {
    status = GS_FAIL(err, GS_MISSING,
                     "the store in '%s' was not made to its end", dir);
  } else {
    status = GS_FAIL(err, GS_CORRUPT,
                     "none of the manifests in '%s' has a complete base", dir);
  }
  return gs_error_at(err, status, dir);
}

/* One look at the directory; *is_gone: a manifest that was listed was not there
 * any more. */
static gs_status
read_listed(gs_env *env, const char *dir, gs_manifest_state *state,
            gs_manifest_found *found, bool *is_gone, gs_error *err)
{
  gs_manifest_list list;
  *is_gone = false;
  gs_status status = gs_manifest_list_init(&list, env, dir, err);
  if (status != GS_OK) {
    return status;
  }
  size_t count = gs_manifest_list_count(&list);
  status = GS_ABSENT;
  for (size_t i = count; i > 0 && status == GS_ABSENT; i--) {
    status = read_number(env, dir, gs_manifest_list_at(&list, i - 1), state,
                         found, err);
  }
  *is_gone = status == GS_MISSING;
  if (status == GS_ABSENT) {
    status = fail_none(dir, &list, err);
    found->is_unmade = status == GS_MISSING && count > 0;
  }
  if (status == GS_OK) {
    found->stale_count = count - 1;
  }
  gs_manifest_list_deinit(&list);
  return status;
}

gs_status
gs_manifest_read(gs_env *env, const char *dir, gs_manifest_state *state,
                 gs_manifest_found *found, gs_error *err)
{
  gs_status status = GS_MISSING;
  bool is_gone = true;
  *found = (gs_manifest_found){0};
  for (int looks = 0; is_gone && looks < LOOKS_MOST; looks++) {
    status = read_listed(env, dir, state, found, &is_gone, err);
  }
  return status;
}
