/*
 * group: the span around a block that is worth one call, and its blocks.
 */
#include "sst/group.h"

#include "sst/table_impl.h"

enum {
  SPAN_BYTES = GS_GROUP_BYTES + GS_GROUP_BYTES / 2, /* of a group's blocks, the
                                  one that reaches into the next among them */
  ROOM_BYTES = 2 * GS_GROUP_BYTES,
};

/* Blocks [first, last] of a table, which lie in a row. */
typedef struct span {
  uint32_t first;
  uint32_t last;
  uint64_t bytes;
} span;

static bool
is_in_memory(const gs_table *table, uint32_t block)
{
  return atomic_load_explicit(&table->homes[block], memory_order_relaxed) !=
         NULL;
}

/* Whether the span may have this block, next to it, too. */
static bool
takes(const gs_table *table, const span *s, uint64_t group, uint32_t block)
{
  const gs_fence *fence = &table->fences.list[block];
  return fence->offset / GS_GROUP_BYTES == group &&
         s->bytes + fence->size <= SPAN_BYTES && !is_in_memory(table, block);
}

static span
choose(const gs_table *table, uint32_t block)
{
  const gs_fence *list = table->fences.list;
  uint64_t group = list[block].offset / GS_GROUP_BYTES;
  span s = {.first = block, .last = block, .bytes = list[block].size};
  while (s.first > 0 && takes(table, &s, group, s.first - 1)) {
    s.bytes += list[--s.first].size;
  }
  while (s.last + 1 < table->fences.count &&
         takes(table, &s, group, s.last + 1)) {
    s.bytes += list[++s.last].size;
  }
  return s;
}

/* The stored bytes of the span; NULL where they cannot be had. */
static const uint8_t *
read_span(const gs_table *table, const span *s, gs_buffer *room)
{
  gs_buffer_clear(room);
  uint8_t *bytes = gs_buffer_extend(room, (size_t)s->bytes);
  uint64_t offset = table->fences.list[s->first].offset;
  bool is_read = bytes != NULL && gs_file_read(table->file, offset, bytes,
                                               (size_t)s->bytes, NULL) == GS_OK;
  return is_read ? bytes : NULL;
}

/* Others may have loaded some of them meanwhile. */
static gs_status
load_span(gs_table *table, const span *s, const uint8_t *stored, uint32_t block,
          gs_frame **out, gs_error *err)
{
  const gs_fence *list = table->fences.list;
  uint64_t start = list[s->first].offset;
  for (uint32_t i = s->first; i <= s->last; i++) {
    if (i != block && !is_in_memory(table, i)) {
      gs_frame *frame;
      GS_IGNORE(gs_table_load(table, i, stored + (list[i].offset - start),
                              &frame, NULL),
                "whoever wants it meets what is wrong with it");
    }
  }
  return gs_table_load(table, block, stored + (list[block].offset - start), out,
                       err);
}

static gs_status
load_together(gs_table *table, const span *s, uint32_t block, gs_frame **out,
              gs_error *err)
{
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

/* A cache that pushed blocks out has room now and then, as walks end; that is
 * for those who come back. */
static bool
has_room(gs_cache *cache)
{
  return !gs_cache_is_full(cache) && gs_cache_room(cache) >= ROOM_BYTES;
}

gs_status
gs_group_load(gs_table *table, uint32_t block, gs_frame **out, gs_error *err)
{
  if (gs_table_codec(table) == GS_CODEC_NONE && has_room(table->cache)) {
    span s = choose(table, block);
    if (s.first < s.last) {
      return load_together(table, &s, block, out, err);
    }
  }
  return gs_table_load(table, block, NULL, out, err);
}
