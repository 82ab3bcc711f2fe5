/*
 * table: a point read is one bucket of the point index, one pointer to the
 * block, and the row itself. Without a point index, or before it is worth
 * reading, the fences give the block and its heads the row. Older versions follow the newest in row order, so a
 * read in the past walks on from there.
 */
#include <stddef.h>

#include "code/hash.h"
#include "sst/table_impl.h"

const gs_table_meta *
gs_table_get_meta(const gs_table *table)
{
  return &table->meta;
}

uint64_t
gs_table_memory_bytes(const gs_table *table)
{
  return sizeof *table + atomic_load(&table->index_memory_bytes) +
         gs_fences_memory_bytes(&table->fences) + table->properties.capacity +
         table->fences.count * sizeof *table->homes;
}

void
gs_table_prefetch(const gs_table *table, uint64_t hash)
{
  const gs_point_index *index = gs_table_index(table);
  if (index != NULL) {
    uint64_t home = gs_point_home(hash, index->bucket_count);
    __builtin_prefetch(gs_point_bucket(index, home));
  }
}

/* A block as it is stored: from where it was read before, or from the file. */
static gs_status
fetch(const gs_table *table, const gs_fence *fence, const uint8_t *stored,
      uint8_t *room, gs_error *err)
{
  if (stored == NULL) {
    return gs_file_read(table->file, fence->offset, room, fence->size, err);
  }
  memcpy(room, stored, fence->size);
  return GS_OK;
}

/* A plain block, into a frame of its own. */
static gs_status
load_plain(gs_table *table, const gs_fence *fence, const uint8_t *stored,
           gs_frame **out, gs_error *err)
{
  gs_frame *frame;
  gs_status status = gs_cache_frame_new(table->cache, fence->size, &frame, err);
  if (status != GS_OK) {
    return status;
  }
  status = fetch(table, fence, stored, frame->data, err);
  if (status != GS_OK) {
    gs_cache_frame_free(frame);
    return status;
  }
  uint64_t seed = gs_table_seed(table, fence->offset);
  gs_block view;
  status =
      gs_block_open(gs_slice_of(frame->data, fence->size), seed, &view, err);
  if (status != GS_OK) {
    gs_cache_frame_free(frame);
    return gs_table_fail_at(table, err, status, fence->offset);
  }
  *out = frame;
  return GS_OK;
}

/* Unpacks verified bytes into a new frame; a plain block is copied. */
static gs_status
unpack_frame(gs_table *table, gs_unpacker *unpacker, uint64_t seed,
             gs_frame **out, gs_error *err)
{
  gs_slice bytes = gs_buffer_slice(&unpacker->bytes);
  gs_packed packed = {.plain_bytes = (uint32_t)bytes.size};
  gs_block view;
  bool is_packed = gs_packed_codec(bytes) != GS_CODEC_NONE;
  gs_status status =
      is_packed
          ? gs_packed_open(bytes, seed, gs_table_codec(table), &packed, err)
          : gs_block_open(bytes, seed, &view, err);
  if (status != GS_OK) {
    return status;
  }
  gs_frame *frame;
  status = gs_cache_frame_new(table->cache, packed.plain_bytes, &frame, err);
  if (status != GS_OK) {
    return status;
  }
  if (is_packed) {
    status =
        gs_packed_unpack(&packed, &unpacker->decoder, frame->data, &view, err);
  } else {
    memcpy(frame->data, bytes.data, bytes.size);
  }
  if (status != GS_OK) {
    gs_cache_frame_free(frame);
    return status;
  }
  *out = frame;
  return GS_OK;
}

/* A stored block of a table with a codec. */
static gs_status
load_stored(gs_table *table, const gs_fence *fence, const uint8_t *stored,
            gs_frame **out, gs_error *err)
{
  gs_unpackers *pool = gs_cache_unpackers(table->cache);
  gs_unpacker *unpacker = gs_unpackers_take(pool);
  if (unpacker == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_buffer_clear(&unpacker->bytes);
  uint8_t *room = gs_buffer_extend(&unpacker->bytes, fence->size);
  gs_status status = GS_OK;
  if (room == NULL) {
    status = GS_FAIL_NOMEM(err);
  } else {
    status = fetch(table, fence, stored, room, err);
  }
  if (status == GS_OK) {
    uint64_t seed = gs_table_seed(table, fence->offset);
    status = unpack_frame(table, unpacker, seed, out, err);
    if (status != GS_OK) {
      status = gs_table_fail_at(table, err, status, fence->offset);
    }
  }
  gs_unpackers_give(pool, unpacker);
  return status;
}

gs_status
gs_table_load(gs_table *table, uint32_t block, const uint8_t *stored,
              gs_frame **out, gs_error *err)
{
  const gs_fence *fence = &table->fences.list[block];
  gs_frame *frame = NULL;
  gs_status status = gs_table_codec(table) == GS_CODEC_NONE
                         ? load_plain(table, fence, stored, &frame, err)
                         : load_stored(table, fence, stored, &frame, err);
  if (status == GS_OK) {
    /* The seed names the place like no other number. */
    uint64_t seed = gs_table_seed(table, fence->offset);
    *out = gs_cache_insert(table->cache, frame, &table->homes[block], seed);
  }
  return status;
}

/* A row in a block, and where the next one begins. */
typedef struct row_place {
  gs_block block;
  uint32_t number; /* of the block */
  uint32_t next;
} row_place;

static gs_status
read_row(const gs_table *table, row_place *place, uint32_t at, gs_entry *out,
         gs_error *err)
{
  place->next = gs_block_row(&place->block, at, out);
  if (place->next != 0) {
    return GS_OK;
  }
  gs_status status = gs_block_row_fail(&place->block, at, err);
  return gs_table_fail_at(table, err, status,
                          table->fences.list[place->number].offset + at);
}

static void
set_block(row_place *place, uint32_t number, const gs_frame *frame)
{
  place->block = gs_frame_block(frame);
  place->number = number;
}

static gs_status
enter_block(gs_table *table, uint32_t number, row_place *place, gs_error *err)
{
  gs_frame *frame;
  gs_status status = gs_table_frame(table, number, &frame, err);
  if (status == GS_OK) {
    set_block(place, number, frame);
  }
  return status;
}

/* To the first row of a block. */
static gs_status
enter_first_row(gs_table *table, uint32_t number, row_place *place,
                gs_entry *out, gs_error *err)
{
  gs_status status = enter_block(table, number, place, err);
  if (status != GS_OK) {
    return status;
  }
  return read_row(table, place, gs_block_row_at(&place->block, 0), out, err);
}

/* From the newest version of a key to the newest one with sequence <= seq. */
static gs_status
newest_visible(gs_table *table, row_place *place, uint64_t seq, gs_entry *out,
               gs_error *err)
{
  while (out->seq > seq) {
    gs_status status;
    if (place->next < place->block.end) {
      if (!gs_block_is_older(&place->block, place->next)) {
        return GS_ABSENT;
      }
      status = read_row(table, place, place->next, out, err);
    } else {
      uint32_t number = place->number + 1;
      if (number == table->fences.count ||
          !gs_fences_is_first(&table->fences, number, out->key)) {
        return GS_ABSENT;
      }
      status = enter_first_row(table, number, place, out, err);
    }
    if (status != GS_OK) {
      return status;
    }
  }
  return GS_OK;
}

/* Where a locator points, as a place in a block. */
static inline uint32_t
place_in_block(const gs_table *table, uint32_t locator)
{
  uint32_t shift = table->footer.locator_shift;
  return (locator & ((1U << shift) - 1)) * GS_BLOCK_UNIT_BYTES;
}

/* Asks for a common row's lines while the frame's own words come; the place is
 * not yet known to be inside it. */
static inline void
ask_for_row(const gs_frame *frame, uint32_t at)
{
  uintptr_t row = (uintptr_t)frame + offsetof(gs_frame, data) + at;
  __builtin_prefetch((const void *)row);
  __builtin_prefetch((const void *)(row + GS_CACHE_LINE_BYTES));
  __builtin_prefetch((const void *)(row + (uintptr_t)2 * GS_CACHE_LINE_BYTES));
}

/* The row a locator points at. */
static gs_status
follow(gs_table *table, uint32_t locator, row_place *place, gs_entry *out,
       gs_error *err)
{
  uint32_t shift = table->footer.locator_shift;
  uint32_t number = locator >> shift;
  if (number >= table->fences.count) {
    gs_status status =
        GS_FAIL(err, GS_CORRUPT, "the point index names a block that is not");
    return gs_table_fail_at(table, err, status, table->footer.index.offset);
  }
  uint32_t at = place_in_block(table, locator);
  gs_frame *frame =
      atomic_load_explicit(&table->homes[number], memory_order_acquire);
  if (frame != NULL) {
    ask_for_row(frame, at);
  }
  gs_status status = enter_block(table, number, place, err);
  return status == GS_OK ? read_row(table, place, at, out, err) : status;
}

/* The newest version by the point index. */
static gs_status
find_by_index(gs_table *table, const gs_point_index *index, gs_slice key,
              uint64_t hash, row_place *place, gs_entry *out, gs_error *err)
{
  gs_point_probe probe = gs_point_probe_begin(index, hash);
  uint32_t locator;
  while (gs_point_probe_next(&probe, &locator)) {
    gs_status status = follow(table, locator, place, out, err);
    if (status != GS_OK || gs_slice_equal(out->key, key)) {
      return status;
    }
  }
  return GS_ABSENT;
}

/* The newest version by the fences: in the last block that begins before the
 * key, or else at the start of the next. */
static gs_status
find_by_fences(gs_table *table, gs_slice key, row_place *place, gs_entry *out,
               gs_error *err)
{
  uint32_t below = gs_fences_below(&table->fences, key);
  if (below > 0) {
    gs_frame *frame;
    gs_status status = gs_table_frame(table, below - 1, &frame, err);
    if (status != GS_OK) {
      return status;
    }
    gs_frame_prefetch(frame);
    set_block(place, below - 1, frame);
    uint32_t row = gs_block_seek(&place->block, key);
    if (row < place->block.row_count) {
      uint32_t at = gs_block_row_at(&place->block, row);
      status = read_row(table, place, at, out, err);
      return status == GS_OK && !gs_slice_equal(out->key, key) ? GS_ABSENT
                                                               : status;
    }
  }
  if (below < table->fences.count &&
      gs_fences_is_first(&table->fences, below, key)) {
    return enter_first_row(table, below, place, out, err);
  }
  return GS_ABSENT;
}

/* ---- getting ready for it -------------------------------------------------- */

gs_table_hint
gs_table_prefetch_home(const gs_table *table, uint64_t hash)
{
  const gs_point_index *index = gs_table_index(table);
  gs_table_hint hint = {0};
  if (index == NULL) {
    return hint;
  }
  uint32_t locator;
  gs_point_probe probe = gs_point_probe_begin(index, hash);
  if (gs_point_probe_next(&probe, &locator)) {
    uint32_t number = locator >> table->footer.locator_shift;
    if (number < table->fences.count) {
      hint.home = &table->homes[number];
      hint.at = place_in_block(table, locator);
      __builtin_prefetch(hint.home);
    }
  }
  return hint;
}

void
gs_table_prefetch_row(gs_table_hint hint)
{
  const _Atomic(gs_frame *) *home = hint.home;
  const gs_frame *frame =
      home == NULL ? NULL : atomic_load_explicit(home, memory_order_acquire);
  if (frame != NULL) {
    __builtin_prefetch(
        frame->data); /* the block's header, and who touched it */
    ask_for_row(frame, hint.at);
  }
}

/* ---- getting ---------------------------------------------------------------- */

enum { EARLY_GETS = 16 };

static inline gs_status
index_if_asked_often(gs_table *table, gs_error *err)
{
  if (gs_table_index(table) != NULL || table->footer.index.size == 0 ||
      atomic_fetch_add_explicit(&table->early_gets, 1, memory_order_relaxed) <
          EARLY_GETS) {
    return GS_OK;
  }
  return gs_table_need_index(table, err);
}

gs_status
gs_table_get(gs_table *table, gs_slice key, uint64_t hash, uint64_t seq,
             gs_entry *out, gs_error *err)
{
  row_place place;
  gs_status status = index_if_asked_often(table, err);
  if (status != GS_OK) {
    return status;
  }
  const gs_point_index *index = gs_table_index(table);
  status = index != NULL
               ? find_by_index(table, index, key, hash, &place, out, err)
               : find_by_fences(table, key, &place, out, err);
  return status == GS_OK ? newest_visible(table, &place, seq, out, err)
                         : status;
}
