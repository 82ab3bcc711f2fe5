/*
 * Fuzz target of the table metadata's decoder. The input is an encoding.
 * Checked: no access outside it (by the sanitizers), and that what was decoded
 * from fields all known is encoded again to the very same bytes.
 */
#include "data/table_meta.h"
#include "fuzz/target.h"
#include "support/test_alloc.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  gs_table_meta meta;
  size_t used = 0;
  gs_error err;
  gs_status status =
      gs_table_meta_decode(gs_slice_of(data, size), &meta, &used, &err);
  if (status != GS_OK) {
    REQUIRE(status == GS_CORRUPT || status == GS_VERSION);
    return 0;
  }
  test_alloc heap;
  test_alloc_init(&heap);
  gs_buffer again;
  gs_buffer_init(&again, &heap.base);
  gs_table_meta_encode(&meta, &again);
  REQUIRE(gs_buffer_status(&again, NULL) == GS_OK);
  REQUIRE(again.size == gs_table_meta_encoded_bytes(&meta));
  REQUIRE(used <= size && used >= again.size);
  REQUIRE(used > again.size || memcmp(again.data, data, used) == 0);
  REQUIRE(gs_table_meta_covers(&meta, meta.min_key));
  gs_buffer_deinit(&again);
  REQUIRE(heap.live_bytes == 0);
  return 0;
}
