/*
 * Fuzz target of the batch reader. The input is a payload; a sequence number
 * is taken from its first bytes. Checked: no access outside the payload (by
 * the sanitizers), entries within their limits, and that a payload read to its
 * end is written again to the very same bytes.
 *
 * Needs nothing but core/data/batch.c and core/base.
 */
#include "data/batch.h"
#include "fuzz/target.h"
#include "support/test_alloc.h"

static void
write_again(gs_batch *out, gs_batch_item item, const gs_entry *entry)
{
  if (item == GS_BATCH_META) {
    gs_batch_meta(out, entry->value);
    return;
  }
  REQUIRE(entry->key.size <= GS_KEY_MAX_BYTES);
  REQUIRE(entry->value.size <= GS_VALUE_MAX_BYTES);
  REQUIRE(entry->seq <= GS_SEQ_MAX);
  if (entry->kind == GS_KIND_DELETE) {
    REQUIRE(entry->value.size == 0 && entry->expires_at_ms == 0);
    gs_batch_delete(out, entry->key);
  } else {
    REQUIRE(entry->kind == GS_KIND_PUT);
    gs_batch_put(out, entry->key, entry->value, entry->expires_at_ms);
  }
}

/* What is handed out are views of the payload. */
static void
check_view(gs_slice view, gs_slice payload)
{
  REQUIRE(view.size <= payload.size);
  REQUIRE(view.size == 0 ||
          (view.data >= payload.data &&
           view.data + view.size <= payload.data + payload.size));
}

static void
read_and_compare(gs_batch_reader *reader, gs_slice payload, gs_batch *out)
{
  gs_batch_set_now(out, reader->now_ms);
  gs_batch_item item;
  gs_entry entry;
  gs_error err;
  while (gs_batch_read(reader, &item, &entry, &err) == GS_OK) {
    if (item == GS_BATCH_END) {
      REQUIRE(gs_batch_status(out, NULL) == GS_OK);
      REQUIRE(gs_slice_equal(payload, gs_buffer_slice(&out->bytes)));
      return;
    }
    check_view(entry.key, payload);
    check_view(entry.value, payload);
    write_again(out, item, &entry);
  }
  REQUIRE(err.status == GS_CORRUPT || err.status == GS_VERSION);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  test_alloc heap;
  test_alloc_init(&heap);
  uint64_t first_seq = size > 0 && data[0] == 0 ? GS_SEQ_MAX - 1 : 1;
  gs_slice payload = gs_slice_of(data, size);
  gs_batch_reader reader;
  if (gs_batch_read_begin(&reader, payload, first_seq, NULL) == GS_OK) {
    gs_batch out;
    gs_batch_init(&out, &heap.base);
    read_and_compare(&reader, payload, &out);
    gs_batch_deinit(&out);
  }
  REQUIRE(heap.live_bytes == 0);
  return 0;
}
