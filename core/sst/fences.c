/*
 * fences: the search is one binary search without branches over an array of
 * numbers, then a comparison of whole keys among equal numbers, which are few:
 * the shared prefix is already cut off.
 */
#include "sst/fences.h"

#include "code/fixed.h"
#include "sst/format.h"

/* ---- reading ------------------------------------------------------------ */

static gs_status
fail_form(gs_error *err)
{
  return GS_FAIL(err, GS_CORRUPT, "the fences are not a list of blocks");
}

static gs_slice
suffix_of(const gs_fences *fences, uint32_t block)
{
  const gs_fence *fence = &fences->list[block];
  return gs_slice_of(fences->bytes.data + fence->key_at, fence->key_size);
}

static gs_slice
prefix_of(const gs_fences *fences)
{
  return gs_slice_of(fences->bytes.data + GS_FENCES_FIXED_BYTES,
                     fences->prefix_size);
}

/* Reads the fence at a position and moves the position behind it. */
static bool
read_fence(gs_slice bytes, uint64_t *at, gs_fence *out)
{
  uint64_t left = bytes.size - *at;
  if (left < GS_FENCE_FIXED_BYTES) {
    return false;
  }
  out->size = gs_get_u32(bytes.data + *at);
  out->key_size = gs_get_u16(bytes.data + *at + 4);
  out->key_at = *at + GS_FENCE_FIXED_BYTES;
  *at = out->key_at + out->key_size;
  return left - GS_FENCE_FIXED_BYTES >= out->key_size;
}

static bool
read_all(gs_fences *fences, uint64_t blocks_end)
{
  gs_slice bytes = gs_buffer_slice(&fences->bytes);
  uint64_t at = GS_FENCES_FIXED_BYTES + (uint64_t)fences->prefix_size;
  uint64_t offset = GS_TABLE_HEADER_BYTES;
  for (uint32_t i = 0; i < fences->count; i++) {
    gs_fence *fence = &fences->list[i];
    if (!read_fence(bytes, &at, fence)) {
      return false;
    }
    fence->offset = offset;
    if (fence->size > blocks_end - offset || fence->size == 0) {
      return false;
    }
    offset += fence->size;
    gs_slice key = suffix_of(fences, i);
    fences->heads[i] = gs_slice_head(key);
    if (i > 0 && gs_slice_compare(suffix_of(fences, i - 1), key) > 0) {
      return false;
    }
  }
  return at == bytes.size && offset == blocks_end;
}

gs_status
gs_fences_load(gs_fences *fences, gs_buffer *bytes, uint32_t count,
               uint64_t blocks_end, gs_error *err)
{
  *fences = (gs_fences){.bytes = *bytes};
  gs_buffer_init(bytes, bytes->alloc);
  uint64_t size = fences->bytes.size;
  if (size < GS_FENCES_FIXED_BYTES || count == 0 ||
      count > size / GS_FENCE_FIXED_BYTES ||
      blocks_end < GS_TABLE_HEADER_BYTES) {
    gs_fences_deinit(fences);
    return fail_form(err);
  }
  fences->prefix_size = gs_get_u16(fences->bytes.data);
  gs_alloc *alloc = fences->bytes.alloc;
  fences->list = gs_alloc_array(alloc, count, sizeof *fences->list);
  fences->heads = gs_alloc_array(alloc, count, sizeof *fences->heads);
  fences->count = count;
  if (fences->list == NULL || fences->heads == NULL) {
    gs_fences_deinit(fences);
    return GS_FAIL_NOMEM(err);
  }
  if (fences->prefix_size > size - GS_FENCES_FIXED_BYTES ||
      !read_all(fences, blocks_end)) {
    gs_fences_deinit(fences);
    return fail_form(err);
  }
  return GS_OK;
}

void
gs_fences_deinit(gs_fences *fences)
{
  gs_alloc *alloc = fences->bytes.alloc;
  gs_alloc_free(alloc, fences->list, fences->count * sizeof *fences->list);
  gs_alloc_free(alloc, fences->heads, fences->count * sizeof *fences->heads);
  gs_buffer_deinit(&fences->bytes);
  *fences = (gs_fences){.bytes = fences->bytes};
}

uint64_t
gs_fences_memory_bytes(const gs_fences *fences)
{
  return fences->bytes.capacity +
         fences->count * (sizeof *fences->list + sizeof *fences->heads);
}

static uint32_t
heads_below(const gs_fences *fences, uint64_t head)
{
  return (uint32_t)gs_heads_below(fences->heads, fences->count, head);
}

uint32_t
gs_fences_below(const gs_fences *fences, gs_slice key)
{
  gs_slice prefix = prefix_of(fences);
  if (!gs_slice_has_prefix(key, prefix)) {
    return gs_slice_compare(key, prefix) < 0 ? 0 : fences->count;
  }
  gs_slice rest = key;
  if (prefix.size > 0) {
    rest = gs_slice_of(key.data + prefix.size, key.size - prefix.size);
  }
  uint64_t head = gs_slice_head(rest);
  uint32_t first = heads_below(fences, head);
  uint32_t behind = first;
  if (first < fences->count && fences->heads[first] == head) {
    behind = head == UINT64_MAX ? fences->count : heads_below(fences, head + 1);
  }
  while (first < behind) {
    uint32_t middle = first + (behind - first) / 2;
    if (gs_slice_compare(suffix_of(fences, middle), rest) < 0) {
      first = middle + 1;
    } else {
      behind = middle;
    }
  }
  return first;
}

bool
gs_fences_is_first(const gs_fences *fences, uint32_t block, gs_slice key)
{
  gs_slice prefix = prefix_of(fences);
  gs_slice suffix = suffix_of(fences, block);
  return key.size == prefix.size + suffix.size &&
         gs_slice_has_prefix(key, prefix) &&
         (suffix.size == 0 ||
          memcmp(key.data + prefix.size, suffix.data, suffix.size) == 0);
}

void
gs_fences_append_key(const gs_fences *fences, uint32_t block, gs_buffer *out)
{
  gs_buffer_append_slice(out, prefix_of(fences));
  gs_buffer_append_slice(out, suffix_of(fences, block));
}

/* ---- writing ------------------------------------------------------------ */

void
gs_fence_list_init(gs_fence_list *list, gs_alloc *alloc)
{
  *list = (gs_fence_list){.count = 0};
  gs_buffer_init(&list->bytes, alloc);
}

void
gs_fence_list_deinit(gs_fence_list *list)
{
  gs_buffer_deinit(&list->bytes);
}

/* Keys rise, so what the first and the last share, all share. */
static uint32_t
prefix_with(const gs_fence_list *list, gs_slice key)
{
  if (list->count == 0) {
    return (uint32_t)key.size;
  }
  if (list->bytes.failed) {
    return 0;
  }
  const uint8_t *first = list->bytes.data + GS_FENCE_FIXED_BYTES;
  uint32_t shared = 0;
  while (shared < list->prefix_size && shared < key.size &&
         first[shared] == key.data[shared]) {
    shared++;
  }
  return shared;
}

void
gs_fence_list_add(gs_fence_list *list, gs_slice first_key, uint32_t block_size)
{
  uint32_t prefix_size = prefix_with(list, first_key);
  uint8_t fixed[GS_FENCE_FIXED_BYTES];
  gs_put_u32(fixed, block_size);
  gs_put_u16(fixed + 4, (uint16_t)first_key.size);
  gs_buffer_append(&list->bytes, fixed, sizeof fixed);
  gs_buffer_append_slice(&list->bytes, first_key);
  list->prefix_size = prefix_size;
  list->count++;
}

/* fence_bytes: of all fences with whole keys. */
static uint64_t
section_bytes(uint64_t count, uint64_t fence_bytes, uint64_t prefix_size)
{
  return GS_FENCES_FIXED_BYTES + prefix_size + fence_bytes -
         count * prefix_size;
}

uint64_t
gs_fence_list_bytes(const gs_fence_list *list)
{
  return section_bytes(list->count, list->bytes.size, list->prefix_size);
}

uint64_t
gs_fence_list_bytes_with(const gs_fence_list *list, gs_slice key)
{
  return section_bytes((uint64_t)list->count + 1,
                       list->bytes.size + GS_FENCE_FIXED_BYTES + key.size,
                       prefix_with(list, key));
}

void
gs_fence_list_encode(const gs_fence_list *list, gs_buffer *out)
{
  uint32_t prefix_size = list->prefix_size;
  const uint8_t *from = list->bytes.data;
  uint8_t fixed[GS_FENCES_FIXED_BYTES];
  gs_put_u16(fixed, (uint16_t)prefix_size);
  gs_buffer_append(out, fixed, sizeof fixed);
  gs_buffer_append(out, from + GS_FENCE_FIXED_BYTES, prefix_size);
  for (uint32_t i = 0; i < list->count; i++) {
    uint32_t key_size = gs_get_u16(from + 4);
    uint8_t fence[GS_FENCE_FIXED_BYTES];
    memcpy(fence, from, sizeof fence);
    gs_put_u16(fence + 4, (uint16_t)(key_size - prefix_size));
    gs_buffer_append(out, fence, sizeof fence);
    gs_buffer_append(out, from + GS_FENCE_FIXED_BYTES + prefix_size,
                     key_size - prefix_size);
    from += GS_FENCE_FIXED_BYTES + key_size;
  }
}
