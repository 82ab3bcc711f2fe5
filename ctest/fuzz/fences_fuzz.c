/*
 * Fuzz target of the fences' decoder. The input is how many blocks there are
 * (2 bytes), where they end (4 bytes), and the section. Checked: no access
 * outside the section (by the sanitizers), blocks that follow one another to
 * the end, searches that find every first key, and that the same fences are
 * written again as the very same section, but for a prefix that could have been
 * longer.
 */
#include "code/fixed.h"
#include "fuzz/target.h"
#include "sst/fences.h"
#include "sst/format.h"
#include "support/test_alloc.h"

enum { HEAD_BYTES = 6 };

static void
check_fences(const gs_fences *fences, gs_alloc *alloc, uint64_t blocks_end)
{
  uint64_t offset = GS_TABLE_HEADER_BYTES;
  for (uint32_t i = 0; i < fences->count; i++) {
    gs_buffer key;
    gs_buffer_init(&key, alloc);
    gs_fences_append_key(fences, i, &key);
    uint32_t below = gs_fences_below(fences, gs_buffer_slice(&key));
    REQUIRE(below <= i);
    REQUIRE(gs_fences_is_first(fences, below, gs_buffer_slice(&key)));
    REQUIRE(fences->list[i].offset == offset);
    offset += fences->list[i].size;
    gs_buffer_deinit(&key);
  }
  REQUIRE(offset == blocks_end);
}

/* A section whose prefix is the longest there can be has one encoding. */
static void
check_written_again(const gs_fences *fences, gs_alloc *alloc)
{
  gs_fence_list list;
  gs_buffer again;
  gs_buffer_init(&again, alloc);
  gs_fence_list_init(&list, alloc);
  for (uint32_t i = 0; i < fences->count; i++) {
    gs_buffer key;
    gs_buffer_init(&key, alloc);
    gs_fences_append_key(fences, i, &key);
    gs_fence_list_add(&list, gs_buffer_slice(&key), fences->list[i].size);
    gs_buffer_deinit(&key);
  }
  gs_fence_list_encode(&list, &again);
  REQUIRE(again.size == gs_fence_list_bytes(&list));
  REQUIRE(list.prefix_size >= fences->prefix_size);
  REQUIRE(
      list.prefix_size > fences->prefix_size ||
      gs_slice_equal(gs_buffer_slice(&again), gs_buffer_slice(&fences->bytes)));
  gs_fence_list_deinit(&list);
  gs_buffer_deinit(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < HEAD_BYTES) {
    return 0;
  }
  test_alloc heap;
  test_alloc_init(&heap);
  gs_buffer bytes;
  gs_buffer_init(&bytes, &heap.base);
  gs_buffer_append(&bytes, data + HEAD_BYTES, size - HEAD_BYTES);
  uint64_t blocks_end = gs_get_u32(data + 2);
  gs_fences fences;
  if (gs_fences_load(&fences, &bytes, gs_get_u16(data), blocks_end, NULL) ==
      GS_OK) {
    check_fences(&fences, &heap.base, blocks_end);
    check_written_again(&fences, &heap.base);
    gs_fences_deinit(&fences);
  }
  gs_buffer_deinit(&bytes);
  REQUIRE(heap.live_bytes == 0);
  return 0;
}
