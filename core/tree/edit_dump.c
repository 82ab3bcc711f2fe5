/*
 * edit_dump: an edit as text, record by record in the order they stand.
 */
#include <inttypes.h>

#include "tree/edit_format.h"
#include "tree/notation.h"

static void
dump_facts(const gs_store_facts *facts, gs_buffer *out)
{
  gs_buffer_printf(out, "facts store ");
  for (size_t i = 0; i < sizeof facts->store_id.bytes; i++) {
    gs_buffer_printf(out, "%02x", facts->store_id.bytes[i]);
  }
  gs_buffer_printf(out,
                   " kind %" PRIu32 " salt %016" PRIx64 " incarnation %" PRIu64
                   " flushed %" PRIu64 " last %" PRIu64 " next %" PRIu64
                   " clock %" PRIu64 " safe %" PRIu64 "%s\n",
                   facts->store_kind, facts->salt, facts->incarnation,
                   facts->flushed_seq, facts->last_seq, facts->next_id,
                   facts->clock_floor_ms, facts->safe_clock_ms,
                   facts->is_clean ? " clean" : "");
}

static void
dump_run(const gs_edit_record *record, gs_buffer *out)
{
  gs_buffer_printf(out, "add run %" PRIu64 " L%" PRIu32, record->id,
                   record->level);
  switch (record->place) {
  case GS_PLACE_TOP:
    gs_buffer_printf(out, " top\n");
    break;
  case GS_PLACE_ABOVE:
    gs_buffer_printf(out, " above %" PRIu64 "\n", record->other);
    break;
  case GS_PLACE_BOTTOM:
    gs_buffer_printf(out, " bottom\n");
    break;
  }
}

static void
dump_record(const gs_edit_record *record, gs_buffer *out)
{
  switch (record->tag) {
  case GS_EDIT_FACTS:
    dump_facts(&record->facts, out);
    break;
  case GS_EDIT_ADD_RUN:
    dump_run(record, out);
    break;
  case GS_EDIT_SET_LEVEL:
    gs_buffer_printf(out, "level of run %" PRIu64 " is L%" PRIu32 "\n",
                     record->id, record->level);
    break;
  case GS_EDIT_ADD_TABLE:
    gs_buffer_printf(out, "add to run %" PRIu64 " ", record->id);
    gs_notation_table(&record->meta, out);
    gs_buffer_printf(out, "\n");
    break;
  case GS_EDIT_REMOVE_TABLE:
    gs_buffer_printf(out, "remove from run %" PRIu64 " %" PRIu64 "\n",
                     record->id, record->other);
    break;
  case GS_EDIT_ADD_SEGMENT:
    gs_buffer_printf(
        out, "add segment %" PRIu64 " of %" PRIu64 " salt %" PRIx64 "\n",
        record->id, record->other, record->salt);
    break;
  case GS_EDIT_REMOVE_SEGMENT:
    gs_buffer_printf(out, "remove segment %" PRIu64 "\n", record->id);
    break;
  case GS_EDIT_NOTE:
    gs_buffer_printf(out, "note at %" PRIu64 " ", record->id);
    gs_notation_key(record->note, out);
    gs_buffer_printf(out, "\n");
    break;
  default:
    gs_buffer_printf(out, "record %#" PRIx32 " of %zu bytes\n", record->tag,
                     record->body.size);
    break;
  }
}

gs_status
gs_edit_dump(gs_slice encoding, gs_buffer *out, gs_error *err)
{
  gs_edit_record record;
  gs_status status;
  while ((status = gs_edit_next(&encoding, &record, err)) == GS_OK) {
    dump_record(&record, out);
  }
  return status == GS_ABSENT ? gs_buffer_status(out, err) : status;
}
