/*
 * event: what the slices of an event hold.
 */
#include "store/event.h"

#include "code/fixed.h"
#include "store/event_format.h"

const char *
gs_event_kind_name(gs_event_kind kind)
{
  static const char *const names[] = {
      [GS_EVENT_FLUSH] = "flush",
      [GS_EVENT_MERGE] = "merge",
      [GS_EVENT_MOVE] = "move",
      [GS_EVENT_DROP] = "drop",
      [GS_EVENT_STALL] = "stall",
      [GS_EVENT_REFUSED] = "refused",
      [GS_EVENT_POLICY_ERROR] = "policy_error",
      [GS_EVENT_OPEN] = "open",
      [GS_EVENT_CLOSE] = "close",
      [GS_EVENT_RESUME] = "resume",
  };
  size_t index = (size_t)kind;
  bool is_known = index > 0 && index < sizeof names / sizeof names[0];
  return is_known ? names[index] : "unknown";
}

size_t
gs_event_input_count(const gs_event *event)
{
  return event->inputs.size / GS_EVENT_ID_BYTES;
}

uint64_t
gs_event_input(const gs_event *event, size_t index)
{
  return gs_get_u64(event->inputs.data + index * GS_EVENT_ID_BYTES);
}

bool
gs_event_output(const gs_event *event, size_t *at, gs_table_meta *out)
{
  size_t used = 0;
  if (*at >= event->outputs.size) {
    return false;
  }
  gs_slice rest =
      gs_slice_of(event->outputs.data + *at, event->outputs.size - *at);
  gs_status status = gs_table_meta_decode(rest, out, &used, NULL);
  *at += used;
  return status == GS_OK;
}

size_t
gs_event_run_count(const gs_event *event)
{
  return event->runs.size / GS_EVENT_RUN_BYTES;
}

void
gs_event_run_at(const gs_event *event, size_t index, gs_event_run *out)
{
  const uint8_t *at = event->runs.data + index * GS_EVENT_RUN_BYTES;
  *out = (gs_event_run){
      .id = gs_get_u64(at),
      .level = gs_get_u32(at + 8),
      .table_count = gs_get_u32(at + 12),
      .bytes = gs_get_u64(at + 16),
      .entry_count = gs_get_u64(at + 24),
  };
}
