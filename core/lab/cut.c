/*
 * cut: one table at a time is filled; what does not fit of a piece goes on.
 */
#include "lab/cut.h"

#include <math.h>

#include "lab/chance.h"

enum { PIECES_RANDOM = 8, PIECES_ORDERED = 32 };

/* ---- keys -------------------------------------------------------------------- */

void
gs_position_put(uint8_t bytes[8], uint64_t position)
{
  for (int i = 0; i < 8; i++) {
    bytes[i] = (uint8_t)(position >> (56 - 8 * i));
  }
}

uint64_t
gs_position_of(gs_slice key)
{
  uint64_t head = gs_slice_head(key);
  return head > GS_SPACE ? GS_SPACE : head;
}

/* ---- lists ------------------------------------------------------------------- */

void
gs_table_list_deinit(gs_table_list *list)
{
  for (size_t i = 0; i < list->count; i++) {
    gs_tree_table_unref(list->tables[i]);
  }
  gs_alloc_free(list->alloc, list->tables,
                list->capacity * sizeof *list->tables);
  *list = (gs_table_list){.alloc = list->alloc};
}

gs_status
gs_table_list_add(gs_table_list *list, gs_tree_table *table, gs_error *err)
{
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
    gs_tree_table **tables = list->alloc->resize(
        list->alloc, list->tables, list->capacity * sizeof *tables,
        capacity * sizeof *tables);
    if (tables == NULL) {
      return GS_FAIL_NOMEM(err);
    }
    list->tables = tables;
    list->capacity = capacity;
  }
  list->tables[list->count++] = table;
  return GS_OK;
}

/* ---- one table --------------------------------------------------------------- */

static void
release(gs_tree_table *table)
{
  gs_content *content = atomic_load(&table->payload);
  gs_content_deinit(content);
  GS_DELETE(table->alloc, content);
}

const gs_content *
gs_table_content(const gs_tree_table *table)
{
  return atomic_load(&table->payload);
}

gs_tree_table *
gs_table_of_content(gs_alloc *alloc, const gs_table_meta *meta,
                    gs_content *content)
{
  gs_content *own = content->failed ? NULL : GS_NEW(alloc, gs_content);
  gs_tree_table *table = own == NULL ? NULL : gs_tree_table_new(alloc, meta);
  if (table == NULL) {
    GS_DELETE(alloc, own);
    gs_content_deinit(content);
    return NULL;
  }
  *own = *content;
  gs_content_init(content, alloc);
  atomic_store(&table->payload, own);
  table->release = release;
  return table;
}

typedef struct cutter {
  gs_alloc *alloc;
  const gs_cut_rules *rules;
  gs_content filling;
  gs_count entries; /* of the pieces in it */
  double bytes;     /* of the file so far */
  size_t next_fence;
  gs_table_list *out;
} cutter;

static double
lesser(double a, double b)
{
  return a < b ? a : b;
}

static gs_lab_extent
extent_of(const gs_cut_rules *rules, gs_count entries, double width)
{
  return (gs_lab_extent){
      .entries = entries,
      .width = width,
      .seqs = (double)(rules->max_seq - rules->min_seq) + 1,
  };
}

static void
note_times(const gs_content *content, uint64_t ttl_ms, gs_table_meta *meta)
{
  double first = INFINITY;
  double last = 0;
  for (size_t i = 0; i < content->count; i++) {
    const gs_piece *piece = &content->pieces[i];
    for (size_t h = 0; h < piece->count; h++) {
      const gs_cohort *cohort = &piece->cohorts[h];
      if (cohort->put > cohort->lasting) {
        first = lesser(first, cohort->from_ms);
        last = cohort->to_ms > last ? cohort->to_ms : last;
      }
    }
  }
  if (ttl_ms != 0 && meta->expiring_count > 0 && !isinf(first)) {
    meta->min_expiry_ms = (uint64_t)first + ttl_ms;
    meta->max_expiry_ms = (uint64_t)last + ttl_ms;
  }
}

static uint64_t
count_lasting(const gs_cut_rules *rules, const gs_content *content)
{
  double lasting = 0;
  for (size_t i = 0; rules->ttl_ms != 0 && i < content->count; i++) {
    lasting += gs_piece_lasting(&content->pieces[i], rules->mix);
  }
  return (uint64_t)(lasting + 0.5);
}

static void
fill_meta(const cutter *c, gs_table_meta *meta)
{
  const gs_cut_rules *rules = c->rules;
  const gs_content *content = &c->filling;
  double width = 0;
  for (size_t i = 0; i < content->count; i++) {
    width += gs_piece_width(&content->pieces[i]);
  }
  gs_lab_extent extent = extent_of(rules, c->entries, width);
  uint64_t puts = (uint64_t)(c->entries.puts + 0.5);
  uint64_t gones = (uint64_t)(c->entries.gones + 0.5);
  uint64_t lasting = count_lasting(rules, content);
  *meta = (gs_table_meta){
      .id = *rules->next_id,
      .file_bytes = (uint64_t)gs_size_table(rules->format, &extent),
      .entry_count = puts + gones,
      .key_count = puts + gones,
      .tombstone_count = gones,
      .expiring_count =
          rules->ttl_ms != 0 && puts > lasting ? puts - lasting : 0,
      .data_bytes = (uint64_t)gs_size_data(rules->format, c->entries),
      .min_seq = rules->min_seq,
      .max_seq = rules->max_seq,
      .created_ms = rules->now_ms,
      .oldest_tombstone_ms = gones == 0 ? 0
                             : rules->oldest_tombstone_ms != 0
                                 ? rules->oldest_tombstone_ms
                                 : rules->now_ms,
  };
  note_times(content, rules->ttl_ms, meta);
}

static void
restart(cutter *c)
{
  gs_content_init(&c->filling, c->alloc);
  c->entries = (gs_count){0, 0};
  c->bytes = gs_size_empty(c->rules->format);
}

/* Hands what was gathered to a new table; less than half an entry is none. */
static gs_status
end_table(cutter *c, gs_error *err)
{
  gs_table_meta meta;
  gs_status status = gs_content_status(&c->filling, err);
  if (status != GS_OK || c->filling.count == 0) {
    return status;
  }
  fill_meta(c, &meta);
  if (meta.entry_count == 0) {
    gs_content_deinit(&c->filling);
    restart(c);
    return GS_OK;
  }
  uint8_t keys[2][8];
  gs_position_put(keys[0], c->filling.pieces[0].lo);
  gs_position_put(keys[1], c->filling.pieces[c->filling.count - 1].hi - 1);
  meta.min_key = gs_slice_of(keys[0], sizeof keys[0]);
  meta.max_key = gs_slice_of(keys[1], sizeof keys[1]);
  gs_content_simplify(&c->filling, c->rules->mix,
                      gs_mix_is_ordered(c->rules->mix) ? PIECES_ORDERED
                                                       : PIECES_RANDOM);
  gs_tree_table *table = gs_table_of_content(c->alloc, &meta, &c->filling);
  restart(c);
  if (table == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  (*c->rules->next_id)++;
  status = gs_table_list_add(c->out, table, err);
  if (status != GS_OK) {
    gs_tree_table_unref(table);
  }
  return status;
}

/* ---- the stream -------------------------------------------------------------- */

/* How much of the piece, at most all of it, the table still takes. */
static uint64_t
take(const cutter *c, const gs_piece *piece, gs_count entries, double per_entry)
{
  uint64_t all = piece->hi - piece->lo;
  double count = entries.puts + entries.gones;
  double missing = (c->rules->table_bytes - c->bytes) / per_entry;
  if (missing < 1) {
    missing = 1;
  }
  if (!gs_mix_is_ordered(c->rules->mix)) {
    double so_far = c->entries.puts + c->entries.gones + missing;
    double other = missing + sqrt(so_far) * gs_lab_deviation(c->rules->random);
    missing = other < 1 ? 1 : other;
  }
  if (missing >= count) {
    return all;
  }
  uint64_t part = (uint64_t)((double)all * (missing / count));
  return part == 0 ? 1 : part;
}

/* The piece's lower part, and time with it where keys are in order. */
static gs_piece
split_off(gs_piece *piece, uint64_t length, bool is_ordered)
{
  gs_piece part = *piece;
  part.hi = piece->lo + length;
  if (is_ordered && piece->count > 0) {
    double share = (double)length / (double)(piece->hi - piece->lo);
    gs_cohort *rest = &piece->cohorts[0];
    double middle = rest->from_ms + (rest->to_ms - rest->from_ms) * share;
    part.cohorts[0].to_ms = middle;
    rest->from_ms = middle;
  }
  piece->lo = part.hi;
  return part;
}

/* Puts a piece without fences inside into tables. */
static gs_status
pour(cutter *c, gs_piece piece, gs_error *err)
{
  bool is_ordered = gs_mix_is_ordered(c->rules->mix);
  gs_status status = GS_OK;
  while (status == GS_OK && piece.lo < piece.hi) {
    gs_count entries = gs_piece_count(&piece, c->rules->mix);
    gs_lab_extent extent = extent_of(c->rules, entries, gs_piece_width(&piece));
    double per_entry = gs_size_entry(c->rules->format, &extent);
    uint64_t length = take(c, &piece, entries, per_entry);
    double share = (double)length / (double)(piece.hi - piece.lo);
    gs_piece part = split_off(&piece, length, is_ordered);
    gs_content_add(&c->filling, &part);
    c->entries.puts += entries.puts * share;
    c->entries.gones += entries.gones * share;
    c->bytes += (entries.puts + entries.gones) * share * per_entry;
    if (piece.lo < piece.hi || c->bytes >= c->rules->table_bytes) {
      status = end_table(c, err);
    }
  }
  return status;
}

/* Ends the table at each fence within or before the piece; what lies between a
 * fence's ends goes. */
static gs_status
pour_between(cutter *c, gs_piece piece, gs_error *err)
{
  const gs_cut_rules *rules = c->rules;
  bool is_ordered = gs_mix_is_ordered(rules->mix);
  gs_status status = GS_OK;
  while (status == GS_OK && c->next_fence < rules->fence_count) {
    const gs_lab_fence *fence = &rules->fences[c->next_fence];
    if (fence->begin >= piece.hi) {
      break;
    }
    if (piece.lo < fence->begin) {
      status =
          pour(c, split_off(&piece, fence->begin - piece.lo, is_ordered), err);
    }
    if (status == GS_OK) {
      status = end_table(c, err);
    }
    if (piece.lo < fence->end) {
      uint64_t length = fence->end - piece.lo;
      if (length >= piece.hi - piece.lo) {
        return status; /* the next piece meets the fence again */
      }
      split_off(&piece, length, is_ordered);
    }
    c->next_fence++;
  }
  return status == GS_OK ? pour(c, piece, err) : status;
}

gs_status
gs_cut_tables(gs_alloc *alloc, const gs_content *stream,
              const gs_cut_rules *rules, gs_table_list *out, gs_error *err)
{
  cutter c = {.alloc = alloc, .rules = rules, .out = out};
  gs_status status = GS_OK;
  restart(&c);
  for (size_t i = 0; i < stream->count && status == GS_OK; i++) {
    status = pour_between(&c, stream->pieces[i], err);
  }
  if (status == GS_OK) {
    status = end_table(&c, err);
  }
  gs_content_deinit(&c.filling);
  return status;
}
