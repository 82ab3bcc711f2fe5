/*
 * note: the line is nearly always empty: it fills only while writes with notes
 * wait for the device.
 */
#include "store/note.h"

#include "code/fixed.h"

enum { HEAD_BYTES = 16 }; /* seq and size of a note in the line */

void
gs_note_init(gs_note *note, gs_alloc *alloc)
{
  note->seq = 0;
  gs_buffer_init(&note->text, alloc);
  gs_buffer_init(&note->line, alloc);
}

void
gs_note_deinit(gs_note *note)
{
  gs_buffer_deinit(&note->text);
  gs_buffer_deinit(&note->line);
}

bool
gs_note_is_present(const gs_note *note)
{
  return note->seq > 0 || note->text.size > 0;
}

bool
gs_note_differs(const gs_note *note, gs_slice text, uint64_t seq)
{
  return note->seq != seq ||
         !gs_slice_equal(gs_buffer_slice(&note->text), text);
}

static void
replace(gs_note *note, gs_slice text, uint64_t seq)
{
  gs_buffer_clear(&note->text);
  gs_buffer_append_slice(&note->text, text);
  note->seq = seq;
}

/* The present note goes to the end of the line. Requires: room. */
static void
push(gs_note *note)
{
  uint8_t head[HEAD_BYTES];
  gs_put_u64(head, note->seq);
  gs_put_u64(head + 8, note->text.size);
  gs_buffer_append(&note->line, head, sizeof head);
  gs_buffer_append_slice(&note->line, gs_buffer_slice(&note->text));
}

/* A refusal leaves the buffer as it was. */
static bool
has_room(gs_buffer *buffer, size_t more)
{
  bool has_room = gs_buffer_reserve(buffer, more);
  buffer->failed = false;
  return has_room;
}

gs_status
gs_note_set(gs_note *note, gs_slice text, uint64_t seq, uint64_t visible_seq,
            gs_error *err)
{
  if (note->seq <= visible_seq) {
    gs_buffer_clear(&note->line);
  }
  if (!has_room(&note->line, HEAD_BYTES + note->text.size) ||
      !has_room(&note->text, text.size)) {
    return GS_FAIL_NOMEM(err);
  }
  push(note);
  replace(note, text, seq);
  return GS_OK;
}

gs_status
gs_note_revert(gs_note *note, uint64_t visible_seq, gs_error *err)
{
  if (note->seq > visible_seq) {
    const uint8_t *at = note->line.data;
    size_t left = note->line.size;
    gs_slice text = gs_slice_of(NULL, 0);
    uint64_t seq = 0;
    while (left > 0 && gs_get_u64(at) <= visible_seq) {
      seq = gs_get_u64(at);
      text = gs_slice_of(at + HEAD_BYTES, (size_t)gs_get_u64(at + 8));
      left -= HEAD_BYTES + text.size;
      at += HEAD_BYTES + text.size;
    }
    replace(note, text, seq);
  }
  gs_buffer_clear(&note->line);
  return gs_buffer_status(&note->text, err);
}
