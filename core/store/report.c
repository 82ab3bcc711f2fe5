/*
 * report: lists that double, texts of their own.
 */
#include "store/report.h"

static const char *const kind_names[] = {
    [GS_FILE_FOREIGN] = "other",     [GS_FILE_LOCK] = "lock",
    [GS_FILE_MANIFEST] = "manifest", [GS_FILE_SEGMENT] = "log",
    [GS_FILE_TABLE] = "table",       [GS_FILE_BALLAST] = "ballast",
    [GS_FILE_JOURNAL] = "journal",
};

/* ---- lists and texts --------------------------------------------------------- */

/* Room for one more; the list moves. */
static void *
grow(gs_alloc *alloc, void *list, size_t count, size_t *capacity, size_t size)
{
  if (count < *capacity) {
    return list;
  }
  size_t more = *capacity == 0 ? 16 : *capacity * 2;
  void *grown = alloc->resize(alloc, list, *capacity * size, more * size);
  if (grown != NULL) {
    *capacity = more;
  }
  return grown;
}

/* "" takes no memory. */
static const char *
copy_text(gs_alloc *alloc, const char *text)
{
  if (text[0] == '\0') {
    return "";
  }
  size_t size = strlen(text) + 1;
  char *copy = gs_alloc_bytes(alloc, size);
  if (copy != NULL) {
    memcpy(copy, text, size);
  }
  return copy;
}

static void
free_text(gs_alloc *alloc, const char *text)
{
  if (text != NULL && text[0] != '\0') {
    gs_alloc_free(alloc, (char *)(uintptr_t)text, strlen(text) + 1);
  }
}

static bool
copy_key(gs_alloc *alloc, gs_slice *key)
{
  if (key->size == 0) {
    *key = gs_slice_of("", 0);
    return true;
  }
  uint8_t *copy = gs_alloc_bytes(alloc, key->size);
  if (copy != NULL) {
    memcpy(copy, key->data, key->size);
  }
  key->data = copy;
  return copy != NULL;
}

static void
free_key(gs_alloc *alloc, gs_slice key)
{
  if (key.size > 0 && key.data != NULL) {
    gs_alloc_free(alloc, (uint8_t *)(uintptr_t)key.data, key.size);
  }
}

/* ---- files ------------------------------------------------------------------- */

void
gs_report_init(gs_verify_report *report, gs_alloc *alloc)
{
  *report = (gs_verify_report){.alloc = alloc};
}

void
gs_verify_report_deinit(gs_verify_report *report)
{
  gs_alloc *alloc = report->alloc;
  for (size_t i = 0; i < report->file_count; i++) {
    free_text(alloc, report->files[i].name);
    free_text(alloc, report->files[i].problem);
  }
  gs_alloc_free(alloc, report->files,
                report->file_capacity * sizeof *report->files);
  *report = (gs_verify_report){.alloc = alloc};
}

gs_status
gs_report_file(gs_verify_report *report, const char *name, gs_file_kind kind,
               uint64_t bytes, gs_file_report **out, gs_error *err)
{
  gs_file_report *files = grow(report->alloc, report->files, report->file_count,
                               &report->file_capacity, sizeof *report->files);
  if (files == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  report->files = files;
  const char *copy = copy_text(report->alloc, name);
  if (copy == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  *out = &files[report->file_count++];
  **out = (gs_file_report){
      .name = copy,
      .kind = kind_names[kind],
      .bytes = bytes,
      .problem = "",
  };
  report->bytes += bytes;
  return GS_OK;
}

gs_file_report *
gs_report_find(gs_verify_report *report, const char *name)
{
  for (size_t i = 0; i < report->file_count; i++) {
    if (strcmp(report->files[i].name, name) == 0) {
      return &report->files[i];
    }
  }
  return NULL;
}

const char *
gs_report_name_of(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

static bool
is_problem(gs_file_state state)
{
  return state == GS_STATE_DAMAGED || state == GS_STATE_MISSING ||
         state == GS_STATE_UNREAD;
}

gs_status
gs_report_problem(gs_verify_report *report, gs_file_report *file,
                  gs_file_state state, const gs_error *what, gs_error *err)
{
  bool is_worse = is_problem(state) ? !is_problem(file->state)
                                    : file->state == GS_STATE_SOUND;
  if (!is_worse) {
    return GS_OK;
  }
  const char *text = copy_text(report->alloc, what->message);
  if (text == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  free_text(report->alloc, file->problem);
  report->torn_count -= file->state == GS_STATE_TORN;
  report->torn_count += state == GS_STATE_TORN;
  file->problem = text;
  file->state = state;
  file->offset = what->offset;
  file->has_offset = what->has_offset;
  if (is_problem(state) && report->problem_count++ == 0) {
    report->first = *what;
  }
  return GS_OK;
}

gs_status
gs_report_judge(gs_verify_report *report, gs_file_report *file,
                gs_status failure, const char *path, gs_error *what,
                gs_error *err)
{
  gs_file_state state;
  switch (failure) {
  case GS_CORRUPT:
  case GS_VERSION:
  case GS_MISMATCH:
    state = GS_STATE_DAMAGED;
    break;
  case GS_MISSING:
    state = GS_STATE_MISSING;
    break;
  case GS_IO:
    state = GS_STATE_UNREAD;
    break;
  default:
    if (err != NULL) {
      *err = *what;
    }
    return failure;
  }
  if (what->path[0] == '\0') {
    GS_IGNORE(gs_error_at(what, failure, path), "it is what is reported");
  }
  return gs_report_problem(report, file, state, what, err);
}

const char *
gs_file_state_name(gs_file_state state)
{
  static const char *const names[] = {"sound",   "torn",   "damaged",
                                      "missing", "unread", "unused"};
  return names[state];
}

/* ---- losses ------------------------------------------------------------------ */

gs_status
gs_report_loss(gs_repair_report *report, const gs_loss *loss, gs_error *err)
{
  gs_alloc *alloc = report->found.alloc;
  gs_loss *losses = grow(alloc, report->losses, report->loss_count,
                         &report->loss_capacity, sizeof *report->losses);
  if (losses == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  report->losses = losses;
  gs_loss copy = *loss;
  copy.name = copy_text(alloc, loss->name);
  bool is_whole = copy.name != NULL;
  is_whole = copy_key(alloc, &copy.from) && is_whole;
  is_whole = copy_key(alloc, &copy.to) && is_whole;
  if (!is_whole) {
    free_text(alloc, copy.name);
    free_key(alloc, copy.from);
    free_key(alloc, copy.to);
    return GS_FAIL_NOMEM(err);
  }
  losses[report->loss_count++] = copy;
  return GS_OK;
}

void
gs_repair_report_deinit(gs_repair_report *report)
{
  gs_alloc *alloc = report->found.alloc;
  for (size_t i = 0; i < report->loss_count; i++) {
    free_text(alloc, report->losses[i].name);
    free_key(alloc, report->losses[i].from);
    free_key(alloc, report->losses[i].to);
  }
  gs_alloc_free(alloc, report->losses,
                report->loss_capacity * sizeof *report->losses);
  gs_verify_report_deinit(&report->found);
  *report = (gs_repair_report){.found.alloc = alloc};
}

const char *
gs_loss_cause_name(gs_loss_cause cause)
{
  static const char *const names[] = {"", "block", "table", "log", "manifest"};
  return names[cause];
}
