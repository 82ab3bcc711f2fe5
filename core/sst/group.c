/*
 * group: the span around a block that is worth one call, and its blocks.
 */
#include "sst/group.h"

#include "sst/table_impl.h"

/* Blocks [first, last] of a table. */
typedef struct span {
  uint32_t first;
  uint32_t last;
} span;

static bool
takes(const gs_table *table, uint64_t group, uint32_t block)
{
  return table->fences.list[block].offset / GS_GROUP_BYTES == group &&
         atomic_load_explicit(&table->homes[block], memory_order_relaxed) ==
             NULL;
}

static span
choose(const gs_table *table, uint32_t block)
{
  span s = {.first = block, .last = block};
  uint64_t group = table->fences.list[block].offset / GS_GROUP_BYTES;
  while (s.first > 0 && takes(table, group, s.first - 1)) {
    s.first--;
  }
  while (s.last + 1 < table->fences.count && takes(table, group, s.last + 1)) {
    s.last++;
  }
  return s;
}

/* The stored bytes of the span; NULL where they cannot be had. */
static const uint8_t *
read_span(const gs_table *table, span s, gs_buffer *room)
{
  const gs_fence *first = &table->fences.list[s.first];
  const gs_fence *last = &table->fences.list[s.last];
  size_t size = (size_t)(last->offset + last->size - first->offset);
  gs_buffer_clear(room);
  uint8_t *bytes = gs_buffer_extend(room, size);
  bool is_read = bytes != NULL && gs_file_read(table->file, first->offset,
                                               bytes, size, NULL) == GS_OK;
  return is_read ? bytes : NULL;
}

/* The others first: the frame of the one that is wanted must not be pushed out
 * by them. */
static gs_status
load_span(gs_table *table, span s, const uint8_t *stored, uint32_t block,
          gs_frame **out, gs_error *err)
{
  const gs_fence *list = table->fences.list;
  for (uint32_t i = s.first; i <= s.last; i++) {
    if (i != block) {
      gs_frame *frame;
      GS_IGNORE(gs_table_load(table, i,
                              stored + (list[i].offset - list[s.first].offset),
                              &frame, NULL),
                "whoever wants it meets what is wrong with it");
    }
  }
  return gs_table_load(table, block,
                       stored + (list[block].offset - list[s.first].offset),
                       out, err);
}

gs_status
gs_group_load(gs_table *table, uint32_t block, gs_frame **out, gs_error *err)
{
  span s = {.first = block, .last = block};
  if (!gs_cache_is_full(table->cache) &&
      gs_table_codec(table) == GS_CODEC_NONE) {
    s = choose(table, block);
  }
  if (s.first == s.last) {
    return gs_table_load(table, block, NULL, out, err);
  }
  gs_unpackers *pool = gs_cache_unpackers(table->cache);
  gs_unpacker *lent = gs_unpackers_take(pool);
  const uint8_t *stored =
      lent == NULL ? NULL : read_span(table, s, &lent->bytes);
  gs_status status = stored == NULL
                         ? gs_table_load(table, block, NULL, out, err)
                         : load_span(table, s, stored, block, out, err);
  if (lent != NULL) {
    gs_unpackers_give(pool, lent);
  }
  return status;
}
