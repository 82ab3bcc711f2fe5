/*
 * journal_read: files, then what is still in memory.
 */
#include "store/journal_read.h"

#include "store/directory.h"
#include "store/paths.h"

struct gs_journal {
  gs_alloc *alloc;
  gs_journal_query query;
  gs_buffer bytes;  /* encoded events, one after another */
  gs_buffer places; /* of each its place in them */
  size_t count;
  uint64_t last_number; /* seen, wanted or not */
  uint32_t store_kind;
};

typedef struct place {
  size_t at;
  size_t size;
} place;

/* ---- files ----------------------------------------------------------------- */

static void
take_name(void *context, const char *name)
{
  gs_journal_numbers *found = context;
  uint64_t number;
  if (gs_path_kind(name, &number) != GS_FILE_JOURNAL) {
    return;
  }
  size_t at = found->count;
  while (at > 0 && found->numbers[at - 1] > number) {
    at--;
  }
  if (found->count == GS_JOURNAL_FILES_MAX) {
    if (at == 0) {
      return;
    }
    at--;
    found->count--;
    memmove(found->numbers, found->numbers + 1,
            found->count * sizeof *found->numbers);
  }
  memmove(found->numbers + at + 1, found->numbers + at,
          (found->count - at) * sizeof *found->numbers);
  found->numbers[at] = number;
  found->count++;
}

gs_status
gs_journal_list(gs_env *env, const char *dir, gs_journal_numbers *out,
                gs_error *err)
{
  *out = (gs_journal_numbers){.count = 0};
  return gs_env_list(env, dir, take_name, out, err);
}

gs_status
gs_journal_load(gs_env *env, const char *path, gs_open_mode mode,
                gs_file **file, gs_buffer *content, gs_error *err)
{
  uint64_t bytes = 0;
  gs_status status = gs_file_open(env, path, mode, file, err);
  if (status == GS_OK) {
    status = gs_file_size(*file, &bytes, err);
  }
  if (status == GS_OK && bytes > GS_JOURNAL_MAX_BYTES) {
    status = GS_FAIL(err, GS_TOOLARGE, "%s: no journal is so large", path);
  }
  return status == GS_OK ? gs_file_read_all(*file, content, err) : status;
}

void
gs_journal_find_end(gs_slice file, uint64_t number, gs_journal_end *out)
{
  gs_journal_header header;
  gs_slice event;
  *out = (gs_journal_end){.salt = 0};
  if (!gs_journal_header_decode(file, &header) || header.number != number) {
    return;
  }
  size_t at = GS_JOURNAL_HEADER_BYTES;
  out->salt = header.salt;
  out->last_event = header.first_event == 0 ? 0 : header.first_event - 1;
  while (gs_journal_next_frame(file, &header, &at, &event)) {
    uint64_t next = gs_event_get_number(event.data);
    out->last_event = next > out->last_event ? next : out->last_event;
    out->events++;
  }
  out->bytes = at;
  out->is_whole = at == file.size;
}

/* The content of the file of that number. One that is gone, or too large to be
 * ours, has none. */
static gs_status
read_file(gs_env *env, const char *dir, uint64_t number, gs_buffer *content,
          gs_error *err)
{
  gs_file *file = NULL;
  gs_buffer path;
  gs_buffer_init(&path, env->alloc);
  gs_status status = gs_path_journal(&path, dir, number) == NULL
                         ? GS_FAIL_NOMEM(err)
                         : gs_journal_load(env, (const char *)path.data,
                                           GS_OPEN_READ, &file, content, err);
  GS_IGNORE(gs_file_close(file, NULL), "it was only read");
  gs_buffer_deinit(&path);
  bool is_none = status == GS_MISSING || status == GS_TOOLARGE;
  return is_none ? GS_OK : status;
}

uint64_t
gs_journal_last_event(gs_env *env, const char *dir, uint64_t number)
{
  gs_journal_end end = {.last_event = 0};
  gs_buffer content;
  gs_buffer_init(&content, env->alloc);
  if (number > 0 && read_file(env, dir, number, &content, NULL) == GS_OK) {
    gs_journal_find_end(gs_buffer_slice(&content), number, &end);
  }
  gs_buffer_deinit(&content);
  return end.last_event;
}

/* ---- the list -------------------------------------------------------------- */

static gs_status
journal_new(gs_alloc *alloc, const gs_journal_query *query, gs_journal **out,
            gs_error *err)
{
  gs_journal *journal = GS_NEW(alloc, gs_journal);
  if (journal == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  journal->alloc = alloc;
  if (query != NULL) {
    journal->query = *query;
  }
  gs_buffer_init(&journal->bytes, alloc);
  gs_buffer_init(&journal->places, alloc);
  *out = journal;
  return GS_OK;
}

void
gs_journal_free(gs_journal *journal)
{
  if (journal != NULL) {
    gs_buffer_deinit(&journal->bytes);
    gs_buffer_deinit(&journal->places);
    GS_DELETE(journal->alloc, journal);
  }
}

static void
add(gs_journal *journal, gs_slice bytes, uint64_t number)
{
  gs_event event;
  const gs_journal_query *query = &journal->query;
  if (number <= journal->last_number ||
      gs_event_decode(bytes, &event, NULL) != GS_OK) {
    return;
  }
  journal->last_number = number;
  bool is_wanted = number > query->since &&
                   (query->kinds == 0 || (query->kinds >> event.kind & 1) != 0);
  if (!is_wanted) {
    return;
  }
  place where = {journal->bytes.size, bytes.size};
  gs_buffer_append_slice(&journal->bytes, bytes);
  gs_buffer_append(&journal->places, &where, sizeof where);
  if (!journal->bytes.failed && !journal->places.failed) {
    gs_event_set_number(journal->bytes.data + where.at, number);
    journal->count++;
  }
}

static void
add_file(gs_journal *journal, gs_slice file, uint64_t number)
{
  gs_journal_header header;
  gs_slice event;
  size_t at = GS_JOURNAL_HEADER_BYTES;
  if (!gs_journal_header_decode(file, &header) || header.number != number) {
    return;
  }
  journal->store_kind = header.store_kind;
  while (gs_journal_next_frame(file, &header, &at, &event)) {
    add(journal, event, gs_event_get_number(event.data));
  }
}

static gs_status
add_files(gs_journal *journal, gs_env *env, const char *dir, gs_error *err)
{
  gs_journal_numbers found;
  gs_buffer content;
  gs_buffer_init(&content, env->alloc);
  gs_status status = gs_journal_list(env, dir, &found, err);
  for (size_t i = 0; status == GS_OK && i < found.count; i++) {
    gs_buffer_clear(&content);
    status = read_file(env, dir, found.numbers[i], &content, err);
    if (status == GS_OK) {
      add_file(journal, gs_buffer_slice(&content), found.numbers[i]);
    }
  }
  gs_buffer_deinit(&content);
  return status;
}

/* Hands the list over where all went well. */
static gs_status
give(gs_journal *journal, gs_status status, gs_journal **out, gs_error *err)
{
  if (status == GS_OK) {
    status = gs_buffer_status(&journal->bytes, err);
  }
  if (status == GS_OK) {
    status = gs_buffer_status(&journal->places, err);
  }
  if (status != GS_OK) {
    gs_journal_free(journal);
    journal = NULL;
  }
  *out = journal;
  return status;
}

gs_status
gs_journal_read_path(gs_env *env, const char *path,
                     const gs_journal_query *query, gs_journal **out,
                     gs_error *err)
{
  gs_directory found;
  gs_journal *journal = NULL;
  env = env == NULL ? gs_env_posix() : env;
  *out = NULL;
  gs_status status = gs_directory_look(env, path, &found, err);
  if (status == GS_OK && found.manifest_count == 0) {
    status = GS_FAIL(err, GS_MISSING, "%s: there is no store here", path);
    status = gs_error_at(err, status, path);
    status = gs_error_hint(err, status, "check the path");
  }
  if (status == GS_OK) {
    status = journal_new(env->alloc, query, &journal, err);
  }
  if (status != GS_OK) {
    return status;
  }
  return give(journal, add_files(journal, env, path, err), out, err);
}

/* ---- of an open store ------------------------------------------------------ */

static void
add_ring(gs_journal *journal, gs_store *store)
{
  gs_recorder *r = &store->recorder;
  gs_mutex_lock(store->state);
  for (size_t i = 0; i < r->count; i++) {
    const gs_journal_slot *slot = &r->slots[(r->first + i) % GS_JOURNAL_SLOTS];
    uint64_t number = gs_event_get_number(slot->bytes);
    add(journal, gs_slice_of(slot->bytes, slot->size), r->base + number);
  }
  r->sealed = r->last_number; /* what was handed out does not change */
  gs_mutex_unlock(store->state);
}

static gs_status
add_store(gs_journal *journal, gs_store *store, gs_error *err)
{
  gs_recorder *r = &store->recorder;
  gs_mutex_lock(r->files);
  gs_status status =
      gs_journal_find_base(store)
          ? GS_OK
          : GS_FAIL(err, GS_IO, "%s: the journal cannot be read", store->path);
  if (status == GS_OK && !journal->query.in_memory) {
    status = add_files(journal, store->env, store->path, err);
  }
  if (status == GS_OK) {
    add_ring(journal, store);
  }
  gs_mutex_unlock(r->files);
  return status;
}

uint64_t
gs_jobs_noted(const gs_store *store)
{
  return atomic_load_explicit(&store->recorder.jobs, memory_order_acquire);
}

gs_status
gs_journal_read(gs_store *store, const gs_journal_query *query,
                gs_journal **out, gs_error *err)
{
  gs_journal *journal = NULL;
  *out = NULL;
  gs_status status = gs_store_check(store, err);
  if (status == GS_OK) {
    status = journal_new(store->alloc, query, &journal, err);
  }
  if (status != GS_OK) {
    return status;
  }
  journal->store_kind = (uint32_t)store->kind;
  status = store->is_readonly ? add_files(journal, store->env, store->path, err)
                              : add_store(journal, store, err);
  return give(journal, status, out, err);
}

/* ---- looking at it --------------------------------------------------------- */

static size_t
skipped(const gs_journal *journal)
{
  size_t limit = journal->query.limit;
  return limit == 0 || limit > journal->count ? 0 : journal->count - limit;
}

uint32_t
gs_journal_store_kind(const gs_journal *journal)
{
  return journal->store_kind;
}

size_t
gs_journal_count(const gs_journal *journal)
{
  return journal->count - skipped(journal);
}

void
gs_journal_at(const gs_journal *journal, size_t index, gs_event *out)
{
  place where;
  memcpy(&where,
         journal->places.data + (skipped(journal) + index) * sizeof where,
         sizeof where);
  gs_slice bytes = gs_slice_of(journal->bytes.data + where.at, where.size);
  GS_IGNORE(gs_event_decode(bytes, out, NULL), "it was decoded before");
}
