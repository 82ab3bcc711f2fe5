/*
 * late: the names first, since few numbers lie beyond what the manifest has
 * given out; then the headers of those.
 */
#include "store/late.h"

#include <string.h>

#include "store/mend.h"
#include "store/paths.h"
#include "wal/frame.h"

typedef struct search {
  gs_env *env;
  const gs_store_facts *facts;
  gs_buffer names; /* with their NULs */
  gs_buffer path;
} search;

/* ---- headers ---------------------------------------------------------------- */

static gs_status
judge_table(search *s, uint64_t number, bool *is_late, gs_error *err)
{
  gs_table_header header;
  gs_status status =
      gs_mend_header(s->env, (const char *)s->path.data, &header, err);
  *is_late =
      status == GS_OK && header.id == number && header.salt == s->facts->salt;
  return status;
}

static gs_status
judge_segment(search *s, uint64_t number, bool *is_late, gs_error *err)
{
  const char *path = (const char *)s->path.data;
  uint8_t page[GS_LOG_HEADER_BYTES];
  gs_log_header header = {0};
  uint32_t link;
  gs_file *file = NULL;
  gs_status status = gs_file_open(s->env, path, GS_OPEN_READ, &file, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_file_read(file, 0, page, sizeof page, err);
  GS_IGNORE(gs_file_close(file, NULL), "nothing was written");
  if (status == GS_OK) {
    status = gs_log_header_decode(gs_slice_of(page, sizeof page), path, &header,
                                  &link, err);
  }
  *is_late =
      status == GS_OK && header.kind == GS_LOG_WAL && header.number == number &&
      memcmp(&header.store_id, &s->facts->store_id, sizeof header.store_id) ==
          0;
  return status;
}

static gs_status
judge(search *s, const char *name, bool *is_late, gs_error *err)
{
  uint64_t number = 0;
  gs_file_info info;
  gs_status status =
      gs_env_stat(s->env, (const char *)s->path.data, &info, err);
  if (status == GS_OK && !info.is_directory) {
    status = gs_path_kind(name, &number) == GS_FILE_TABLE
                 ? judge_table(s, number, is_late, err)
                 : judge_segment(s, number, is_late, err);
  }
  bool says_nothing =
      status == GS_MISSING || status == GS_CORRUPT || status == GS_VERSION;
  return says_nothing ? GS_OK : status;
}

/* ---- names ------------------------------------------------------------------ */

static void
look_at(void *context, const char *name)
{
  search *s = context;
  uint64_t number = 0;
  gs_file_kind kind = gs_path_kind(name, &number);
  bool counts =
      kind == GS_FILE_SEGMENT || (kind == GS_FILE_TABLE && s->facts->is_clean);
  if (counts && number >= s->facts->next_id) {
    gs_buffer_append(&s->names, name, strlen(name) + 1);
  }
}

static gs_status
judge_all(search *s, const char *dir, gs_buffer *out, gs_error *err)
{
  gs_status status = gs_buffer_status(&s->names, err);
  bool is_late = false;
  for (size_t at = 0; status == GS_OK && !is_late && at < s->names.size;) {
    const char *name = (const char *)s->names.data + at;
    status = gs_path_join(&s->path, dir, name) == NULL
                 ? GS_FAIL_NOMEM(err)
                 : judge(s, name, &is_late, err);
    if (is_late) {
      gs_buffer_append(out, name, strlen(name) + 1);
    }
    at += strlen(name) + 1;
  }
  return status == GS_OK ? gs_buffer_status(out, err) : status;
}

gs_status
gs_late_find(gs_env *env, const char *dir, const gs_store_facts *facts,
             gs_buffer *out, gs_error *err)
{
  search s = {.env = env, .facts = facts};
  gs_buffer_init(&s.names, env->alloc);
  gs_buffer_init(&s.path, env->alloc);
  gs_status status = gs_env_list(env, dir, look_at, &s, err);
  if (status == GS_OK) {
    status = judge_all(&s, dir, out, err);
  }
  gs_buffer_deinit(&s.path);
  gs_buffer_deinit(&s.names);
  return status;
}
