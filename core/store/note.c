/*
 * note: the line is nearly always empty: it fills only while writes with notes
 * wait for the device.
 */
#include "store/note.h"

#include "code/fixed.h"

enum {
  HEAD_BYTES = 32
}; /* seq, frame, number and size of a note in the line */

void
gs_note_init(gs_note *note, gs_alloc *alloc)
{
  note->seq = 0;
  note->frame = 0;
  note->number = 0;
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
replace(gs_note *note, const gs_note_text *fresh)
{
  gs_buffer_clear(&note->text);
  gs_buffer_append_slice(&note->text, fresh->text);
  note->seq = fresh->seq;
  note->frame = fresh->frame;
  note->number = fresh->number;
}

/* The present note goes to the end of the line. Requires: room. */
static void
push(gs_note *note)
{
  uint8_t head[HEAD_BYTES];
  gs_put_u64(head, note->seq);
  gs_put_u64(head + 8, note->frame);
  gs_put_u64(head + 16, note->number);
  gs_put_u64(head + 24, note->text.size);
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

/* The one at the head of what is left of a line, which becomes shorter. */
static gs_note_text
next_in_line(gs_slice *line)
{
  gs_note_text next = {
      .text = gs_slice_of(line->data + HEAD_BYTES,
                          (size_t)gs_get_u64(line->data + 24)),
      .seq = gs_get_u64(line->data),
      .frame = gs_get_u64(line->data + 8),
      .number = gs_get_u64(line->data + 16),
  };
  size_t bytes = HEAD_BYTES + next.text.size;
  *line = gs_slice_of(line->data + bytes, line->size - bytes);
  return next;
}

/* Lets go what is older than the newest note that counts. */
static void
shorten(gs_note *note, uint64_t durable_frame)
{
  gs_slice line = gs_buffer_slice(&note->line);
  gs_slice kept = line;
  while (line.size > 0) {
    gs_slice at = line;
    if (next_in_line(&line).frame <= durable_frame) {
      kept = at;
    }
  }
  if (note->frame <= durable_frame) {
    gs_buffer_clear(&note->line);
  } else if (kept.size < note->line.size) {
    memmove(note->line.data, kept.data, kept.size);
    note->line.size = kept.size;
  }
}

gs_status
gs_note_set(gs_note *note, const gs_note_text *fresh, uint64_t durable_frame,
            gs_error *err)
{
  shorten(note, durable_frame);
  if (!has_room(&note->line, HEAD_BYTES + note->text.size) ||
      !has_room(&note->text, fresh->text.size)) {
    return GS_FAIL_NOMEM(err);
  }
  gs_note_text numbered = *fresh;
  numbered.number = note->number + 1;
  push(note);
  replace(note, &numbered);
  return GS_OK;
}

gs_note_text
gs_note_read(const gs_note *note, uint64_t durable_frame)
{
  if (note->frame <= durable_frame) {
    return (gs_note_text){gs_buffer_slice(&note->text), note->seq, note->frame,
                          note->number};
  }
  gs_note_text newest = {gs_slice_of(NULL, 0), 0, 0, 0};
  gs_slice line = gs_buffer_slice(&note->line);
  while (line.size > 0) {
    gs_note_text next = next_in_line(&line);
    if (next.frame <= durable_frame) {
      newest = next;
    }
  }
  return newest;
}

gs_status
gs_note_revert(gs_note *note, uint64_t durable_frame, gs_error *err)
{
  if (note->frame > durable_frame) {
    gs_note_text kept = gs_note_read(note, durable_frame);
    kept.number = note->number + 1;
    replace(note, &kept);
  }
  note->frame = 0;
  gs_buffer_clear(&note->line);
  return gs_buffer_status(&note->text, err);
}
