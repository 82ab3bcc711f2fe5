/*
 * note: the application's last note, and those it would fall back to.
 *
 * Model: a note comes with a write. Until that write is visible the note before
 * it still counts, should the write be given up: so notes stand in a line, the
 * newest last, and one that a later visible note follows is let go.
 *
 * Life: init/deinit with the store.
 * Threads: everything with the store's commit lock held.
 */
#ifndef GS_STORE_NOTE_H
#define GS_STORE_NOTE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

typedef struct gs_note {
  gs_buffer text; /* of the newest */
  uint64_t seq;   /* its place; 0 with an empty text: there is none */
  gs_buffer line; /* older ones, oldest first: seq, size, text */
} gs_note;

void gs_note_init(gs_note *note, gs_alloc *alloc);
void gs_note_deinit(gs_note *note);

/* Whether there is one. */
bool gs_note_is_present(const gs_note *note);

/* Whether it is another one than the text at that place. */
bool gs_note_differs(const gs_note *note, gs_slice text, uint64_t seq);

/* A new note with its write; notes up to visible_seq can no longer be given
 * up. GS_NOMEM leaves the note as it was. */
GS_MUST_CHECK gs_status gs_note_set(gs_note *note, gs_slice text, uint64_t seq,
                                    uint64_t visible_seq, gs_error *err);

/* Falls back to the newest note up to the sequence. */
GS_MUST_CHECK gs_status gs_note_revert(gs_note *note, uint64_t visible_seq,
                                       gs_error *err);

#endif
