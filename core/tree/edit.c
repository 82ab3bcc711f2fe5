/*
 * edit: building is appending; the size of a record is filled in when its body
 * is complete. After a failed append the bytes mean nothing and are not touched
 * again.
 */
#include "tree/edit.h"

#include "code/fixed.h"
#include "tree/edit_format.h"

struct gs_edit {
  gs_alloc *alloc;
  gs_buffer bytes;
};

gs_edit *
gs_edit_new(gs_alloc *alloc)
{
  gs_edit *edit = GS_NEW(alloc, gs_edit);
  if (edit != NULL) {
    edit->alloc = alloc;
    gs_buffer_init(&edit->bytes, alloc);
  }
  return edit;
}

void
gs_edit_free(gs_edit *edit)
{
  if (edit != NULL) {
    gs_buffer_deinit(&edit->bytes);
    GS_DELETE(edit->alloc, edit);
  }
}

static void
append_u32(gs_edit *edit, uint32_t number)
{
  uint8_t bytes[sizeof number];
  gs_put_u32(bytes, number);
  gs_buffer_append(&edit->bytes, bytes, sizeof bytes);
}

static void
append_u64(gs_edit *edit, uint64_t number)
{
  uint8_t bytes[sizeof number];
  gs_put_u64(bytes, number);
  gs_buffer_append(&edit->bytes, bytes, sizeof bytes);
}

/* Returns where the record starts, for end_record. */
static size_t
begin_record(gs_edit *edit, gs_edit_tag tag)
{
  size_t start = edit->bytes.size;
  uint8_t head[GS_EDIT_RECORD_BYTES] = {0};
  gs_put_u16(head, (uint16_t)tag);
  gs_buffer_append(&edit->bytes, head, sizeof head);
  return start;
}

static void
end_record(gs_edit *edit, size_t start)
{
  if (!edit->bytes.failed) {
    size_t size = edit->bytes.size - start - GS_EDIT_RECORD_BYTES;
    gs_put_u32(edit->bytes.data + start + 2, (uint32_t)size);
  }
}

void
gs_edit_add_run(gs_edit *edit, uint64_t run_id, uint32_t level,
                gs_run_place place, uint64_t anchor_id)
{
  size_t start = begin_record(edit, GS_EDIT_ADD_RUN);
  append_u64(edit, run_id);
  append_u64(edit, anchor_id);
  append_u32(edit, level);
  append_u32(edit, (uint32_t)place);
  end_record(edit, start);
}

void
gs_edit_set_level(gs_edit *edit, uint64_t run_id, uint32_t level)
{
  size_t start = begin_record(edit, GS_EDIT_SET_LEVEL);
  append_u64(edit, run_id);
  append_u32(edit, level);
  end_record(edit, start);
}

void
gs_edit_add_table(gs_edit *edit, uint64_t run_id, const gs_table_meta *meta)
{
  size_t start = begin_record(edit, GS_EDIT_ADD_TABLE);
  append_u64(edit, run_id);
  gs_table_meta_encode(meta, &edit->bytes);
  end_record(edit, start);
}

void
gs_edit_remove_table(gs_edit *edit, uint64_t run_id, uint64_t table_id)
{
  size_t start = begin_record(edit, GS_EDIT_REMOVE_TABLE);
  append_u64(edit, run_id);
  append_u64(edit, table_id);
  end_record(edit, start);
}

void
gs_edit_set_facts(gs_edit *edit, const gs_store_facts *facts)
{
  size_t start = begin_record(edit, GS_EDIT_FACTS);
  gs_buffer_append(&edit->bytes, facts->store_id.bytes,
                   sizeof facts->store_id.bytes);
  append_u32(edit, facts->store_kind);
  append_u32(edit, facts->is_clean ? 1 : 0);
  append_u64(edit, facts->salt);
  append_u64(edit, facts->feature_bits);
  append_u64(edit, facts->incarnation);
  append_u64(edit, facts->flushed_seq);
  append_u64(edit, facts->last_seq);
  append_u64(edit, facts->next_id);
  append_u64(edit, facts->clock_floor_ms);
  append_u64(edit, facts->safe_clock_ms);
  end_record(edit, start);
}

void
gs_edit_add_segment(gs_edit *edit, const gs_segment *segment)
{
  size_t start = begin_record(edit, GS_EDIT_ADD_SEGMENT);
  append_u64(edit, segment->number);
  append_u64(edit, segment->allocated_bytes);
  append_u64(edit, segment->salt);
  end_record(edit, start);
}

void
gs_edit_remove_segment(gs_edit *edit, uint64_t number)
{
  size_t start = begin_record(edit, GS_EDIT_REMOVE_SEGMENT);
  append_u64(edit, number);
  end_record(edit, start);
}

void
gs_edit_set_note(gs_edit *edit, gs_slice note, uint64_t seq)
{
  size_t start = begin_record(edit, GS_EDIT_NOTE);
  append_u64(edit, seq);
  gs_buffer_append_slice(&edit->bytes, note);
  end_record(edit, start);
}

gs_status
gs_edit_status(const gs_edit *edit, gs_error *err)
{
  return gs_buffer_status(&edit->bytes, err);
}

gs_slice
gs_edit_encoding(const gs_edit *edit)
{
  return gs_buffer_slice(&edit->bytes);
}
