/*
 * Fuzz target of the fences' decoder. The input is how many blocks there are
 * (2 bytes), where they end (4 bytes), and the section. Checked: no access
 * outside the section (by the sanitizers), blocks that follow one another to
 * the end, and searches that find every first key.
 */
#include <stdlib.h>

#include "code/fixed.h"
#include "sst/fences.h"
#include "sst/format.h"
#include "support/test_alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_BYTES = 6 };

static void
require(bool condition)
{
  if (!condition) {
    abort();
  }
}

static void
check_fences(const gs_fences *fences, gs_alloc *alloc, uint64_t blocks_end)
{
  uint64_t offset = GS_TABLE_HEADER_BYTES;
  for (uint32_t i = 0; i < fences->count; i++) {
    gs_buffer key;
    gs_buffer_init(&key, alloc);
    gs_fences_append_key(fences, i, &key);
    uint32_t below = gs_fences_below(fences, gs_buffer_slice(&key));
    require(below <= i);
    require(gs_fences_is_first(fences, below, gs_buffer_slice(&key)));
    require(fences->list[i].offset == offset);
    offset += fences->list[i].size;
    gs_buffer_deinit(&key);
  }
  require(offset == blocks_end);
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
    gs_fences_deinit(&fences);
  }
  gs_buffer_deinit(&bytes);
  require(heap.live_bytes == 0);
  return 0;
}
