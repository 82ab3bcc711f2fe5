/*
 * gather: the least of what stands at the front of each open source.
 */
#include "store/gather.h"

#include "code/hash.h"
#include "sst/unpacker.h"
#include "store/mend.h"
#include "tree/sort.h"

struct gs_gather_source {
  const gs_remains *table;
  gs_file *file;
  gs_buffer bytes; /* of the block it stands in, as stored */
  gs_unpacker unpacker;
  gs_block block;
  size_t next_block;
  uint32_t next_row;
  uint32_t at; /* where that row stands */
  gs_entry entry;
};

/* ---- one table --------------------------------------------------------------- */

static void
free_source(gs_gather *g, gs_gather_source *source)
{
  GS_IGNORE(gs_file_close(source->file, NULL), "nothing was written");
  gs_buffer_deinit(&source->bytes);
  gs_unpacker_deinit(&source->unpacker);
  GS_DELETE(g->env->alloc, source);
}

static gs_status
fail_changed(const gs_gather_source *source, uint64_t offset, gs_error *err)
{
  const char *path = gs_remains_path(source->table);
  gs_status status =
      GS_FAIL(err, GS_CORRUPT, "'%s' changed while it was read", path);
  status = gs_error_at(err, status, path);
  return gs_error_offset(err, status, offset);
}

static gs_status
enter_block(gs_gather_source *source, gs_error *err)
{
  const gs_remains *table = source->table;
  gs_remains_block place = gs_remains_get_block(table, source->next_block++);
  gs_buffer_clear(&source->bytes);
  uint8_t *room = gs_buffer_extend(&source->bytes, place.size);
  if (room == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status =
      gs_file_read(source->file, place.offset, room, place.size, err);
  if (status != GS_OK) {
    return status;
  }
  if (place.wrong_bit != GS_MEND_NONE) {
    gs_mend_flip(room, place.wrong_bit);
  }
  uint64_t seed = gs_checksum_seed(table->salt, table->id, place.offset);
  gs_slice bytes = gs_slice_of(room, place.size);
  status = gs_unpacker_open(&source->unpacker, bytes, seed,
                            gs_packed_codec(bytes), &source->block, err);
  if (status == GS_NOMEM) {
    return status;
  }
  if (status != GS_OK) {
    return fail_changed(source, place.offset, err);
  }
  source->next_row = 0;
  source->at = gs_block_row_at(&source->block, 0);
  return GS_OK;
}

/* To the next row; GS_ABSENT behind the last one. */
static gs_status
step(gs_gather_source *source, gs_error *err)
{
  if (source->next_row == source->block.row_count) {
    if (source->next_block == source->table->block_count) {
      return GS_ABSENT;
    }
    gs_status status = enter_block(source, err);
    if (status != GS_OK) {
      return status;
    }
  }
  uint32_t next = gs_block_row(&source->block, source->at, &source->entry);
  if (next == 0) {
    return fail_changed(source, source->at, err);
  }
  source->at = next;
  source->next_row++;
  return GS_OK;
}

static gs_status
open_source(gs_gather *g, const gs_remains *table, gs_error *err)
{
  gs_gather_source *source = GS_NEW(g->env->alloc, gs_gather_source);
  if (source == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  source->table = table;
  gs_buffer_init(&source->bytes, g->env->alloc);
  gs_unpacker_init(&source->unpacker, g->env->alloc);
  gs_status status = gs_file_open(g->env, gs_remains_path(table), GS_OPEN_READ,
                                  &source->file, err);
  if (status == GS_OK) {
    status = step(source, err);
  }
  if (status == GS_OK) {
    gs_buffer_append(&g->sources, (const void *)&source, sizeof source);
    status = gs_buffer_status(&g->sources, err);
  }
  if (status != GS_OK) {
    free_source(g, source);
    return status;
  }
  g->source_count++;
  return GS_OK;
}

/* ---- all of them ------------------------------------------------------------- */

static bool
is_less_table(const void *items, size_t a, size_t b)
{
  gs_remains *const *tables = items;
  return gs_slice_compare(gs_buffer_slice(&tables[a]->first_key),
                          gs_buffer_slice(&tables[b]->first_key)) < 0;
}

static void
swap_tables(void *items, size_t a, size_t b)
{
  gs_remains **tables = items;
  gs_remains *held = tables[a];
  tables[a] = tables[b];
  tables[b] = held;
}

void
gs_gather_init(gs_gather *g, gs_env *env, gs_remains **tables,
               size_t table_count, const gs_entry *log, size_t log_count)
{
  *g = (gs_gather){
      .env = env,
      .tables = tables,
      .table_count = table_count,
      .log = log,
      .log_count = log_count,
  };
  const gs_sortable sortable = {(void *)tables, is_less_table, swap_tables};
  gs_sort(&sortable, table_count);
  gs_buffer_init(&g->sources, env->alloc);
}

static gs_gather_source **
sources_of(const gs_gather *g)
{
  void *sources = g->sources.data;
  return sources;
}

void
gs_gather_deinit(gs_gather *g)
{
  for (size_t i = 0; i < g->source_count; i++) {
    free_source(g, sources_of(g)[i]);
  }
  gs_buffer_deinit(&g->sources);
}

static void
leave_source(gs_gather *g, gs_gather_source *source)
{
  gs_gather_source **sources = sources_of(g);
  size_t at = 0;
  while (sources[at] != source) {
    at++;
  }
  sources[at] = sources[--g->source_count];
  g->sources.size -= sizeof source;
  free_source(g, source);
}

static gs_status
leave_last(gs_gather *g, gs_error *err)
{
  g->next_log += g->was_log;
  g->was_log = false;
  if (g->last == NULL) {
    return GS_OK;
  }
  gs_gather_source *last = g->last;
  g->last = NULL;
  gs_status status = step(last, err);
  if (status == GS_ABSENT) {
    leave_source(g, last);
    status = GS_OK;
  }
  return status;
}

/* Internal order; of the same entry the newer place. */
static bool
is_before(const gs_entry *a, uint32_t a_place, const gs_entry *b,
          uint32_t b_place)
{
  int order = gs_slice_compare(a->key, b->key);
  if (order != 0) {
    return order < 0;
  }
  return a->seq != b->seq ? a->seq > b->seq : a_place < b_place;
}

static gs_gather_source *
find_least(const gs_gather *g)
{
  gs_gather_source *least = NULL;
  for (size_t i = 0; i < g->source_count; i++) {
    gs_gather_source *source = sources_of(g)[i];
    if (least == NULL || is_before(&source->entry, source->table->place,
                                   &least->entry, least->table->place)) {
      least = source;
    }
  }
  return least;
}

/* Whether a table that is not yet open may hold the next key. */
static bool
must_enter(const gs_gather *g, const gs_gather_source *least)
{
  if (g->next_table == g->table_count) {
    return false;
  }
  gs_slice first = gs_buffer_slice(&g->tables[g->next_table]->first_key);
  bool has_log = g->next_log < g->log_count;
  return (least == NULL || gs_slice_compare(first, least->entry.key) <= 0) &&
         (!has_log || gs_slice_compare(first, g->log[g->next_log].key) <= 0 ||
          least == NULL);
}

gs_status
gs_gather_next(gs_gather *g, gs_entry *out, uint32_t *place, gs_error *err)
{
  gs_status status = leave_last(g, err);
  gs_gather_source *least = find_least(g);
  while (status == GS_OK && must_enter(g, least)) {
    status = open_source(g, g->tables[g->next_table], err);
    g->next_table += status == GS_OK;
    least = find_least(g);
  }
  if (status != GS_OK) {
    return status;
  }
  const gs_entry *log =
      g->next_log < g->log_count ? &g->log[g->next_log] : NULL;
  if (log == NULL && least == NULL) {
    return GS_ABSENT;
  }
  bool is_log =
      log != NULL &&
      (least == NULL || is_before(log, 0, &least->entry, least->table->place));
  g->was_log = is_log;
  g->last = is_log ? NULL : least;
  *out = is_log ? *log : least->entry;
  *place = is_log ? 0 : least->table->place;
  return GS_OK;
}
