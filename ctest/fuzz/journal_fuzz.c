/*
 * Fuzz target of the journal's decoders. The input is a mode and bytes: 0 an
 * event, 1 a file, 2 a file whose checksums are made right first. Checked: no
 * access outside (by the sanitizers); that an event which was decoded is encoded
 * again to the very same bytes, but for fields of its tables that are not known;
 * and that what is read of a file ends within it.
 */
#include "fuzz/target.h"
#include "store/journal_read.h"
#include "support/test_alloc.h"

static void
look_at_lists(const gs_event *event)
{
  gs_table_meta meta;
  gs_event_run run;
  size_t at = 0;
  uint64_t outputs = 0;
  while (gs_event_output(event, &at, &meta)) {
    REQUIRE(gs_table_meta_covers(&meta, meta.min_key));
    outputs++;
  }
  REQUIRE(at == event->outputs.size && outputs <= event->output_count);
  for (size_t i = 0; i < gs_event_input_count(event); i++) {
    (void)gs_event_input(event, i);
  }
  for (size_t i = 0; i < gs_event_run_count(event); i++) {
    gs_event_run_at(event, i, &run);
  }
}

static void
take_event(gs_slice bytes, test_alloc *heap)
{
  gs_event event;
  gs_error err;
  gs_status status = gs_event_decode(bytes, &event, &err);
  if (status != GS_OK) {
    REQUIRE(status == GS_CORRUPT || status == GS_VERSION);
    return;
  }
  look_at_lists(&event);
  gs_buffer again;
  gs_buffer_init(&again, &heap->base);
  gs_event_encode(&event, &again);
  REQUIRE(again.size == bytes.size);
  REQUIRE(memcmp(again.data, bytes.data, bytes.size) == 0);
  gs_buffer_deinit(&again);
}

/* Frames as far as their sizes lead. */
static void
make_sums(uint8_t *file, size_t size)
{
  gs_journal_header header = {.number = 1, .salt = 7, .first_event = 1};
  size_t at = GS_JOURNAL_HEADER_BYTES;
  if (size < at) {
    return;
  }
  gs_journal_header_encode(&header, file);
  while (size - at >= GS_JOURNAL_FRAME_BYTES) {
    uint32_t event_bytes;
    memcpy(&event_bytes, file + at + 8, sizeof event_bytes);
    if (event_bytes > size || gs_journal_frame_bytes(event_bytes) > size - at) {
      return;
    }
    at += gs_journal_sum_frame(file + at, &header, at);
  }
}

static void
take_file(gs_slice file, test_alloc *heap)
{
  gs_journal_header header;
  gs_journal_end end;
  gs_slice event;
  size_t at = GS_JOURNAL_HEADER_BYTES;
  uint64_t count = 0;
  gs_journal_find_end(file, 1, &end);
  REQUIRE(end.bytes <= file.size);
  if (!gs_journal_header_decode(file, &header)) {
    REQUIRE(end.events == 0 && !end.is_whole);
    return;
  }
  while (gs_journal_next_frame(file, &header, &at, &event)) {
    REQUIRE(at <= file.size);
    take_event(event, heap);
    count++;
  }
  REQUIRE(header.number != 1 || (count == end.events && at == end.bytes));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  test_alloc heap;
  test_alloc_init(&heap);
  if (size == 0) {
    return 0;
  }
  gs_buffer bytes;
  gs_buffer_init(&bytes, &heap.base);
  gs_buffer_append(&bytes, data + 1, size - 1);
  if (data[0] == 0) {
    take_event(gs_buffer_slice(&bytes), &heap);
  } else {
    if (data[0] == 2) {
      make_sums(bytes.data, bytes.size);
    }
    take_file(gs_buffer_slice(&bytes), &heap);
  }
  gs_buffer_deinit(&bytes);
  REQUIRE(heap.live_bytes == 0);
  return 0;
}
