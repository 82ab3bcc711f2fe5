/*
 * note: the application's last note, and those it would fall back to.
 *
 * Model: a note comes with a write, and some writes wait for the device: such a
 * note counts once the device has their frame of the log. Until then the note
 * before it is the one to be read, and the one that stays should the write be
 * given up: so notes stand in a line, the newest last, and ones that a later note
 * follows that counts are let go when the next one comes. Frames are numbered in the order in which they
 * are written; a sequence number would not do, since a note alone has none.
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
  gs_buffer text;  /* of the newest */
  uint64_t seq;    /* its place; 0 with an empty text: there is none */
  uint64_t frame;  /* it waits for this one; 0: for none */
  uint64_t number; /* of the note among all of this opening */
  gs_buffer line; /* older ones, oldest first: seq, frame, number, size, text */
} gs_note;

void gs_note_init(gs_note *note, gs_alloc *alloc);
void gs_note_deinit(gs_note *note);

/* Whether there is one, counting or not. */
bool gs_note_is_present(const gs_note *note);

/* Whether it is another one than the text at that place. */
bool gs_note_differs(const gs_note *note, gs_slice text, uint64_t seq);

/* A note as others see it. */
typedef struct gs_note_text {
  gs_slice text; /* valid until the note changes */
  uint64_t seq;  /* 0 with an empty text: there is none */
  uint64_t frame;
  uint64_t number; /* given by gs_note_set */
} gs_note_text;

/* A new note with its write; those that wait for frames up to durable_frame can
 * no longer be given up, and what is older than the newest of them is let go.
 * GS_NOMEM leaves the note as it was. */
GS_MUST_CHECK gs_status gs_note_set(gs_note *note, const gs_note_text *fresh,
                                    uint64_t durable_frame, gs_error *err);

/* The newest one that counts. */
gs_note_text gs_note_read(const gs_note *note, uint64_t durable_frame);

/* Falls back to that one, which waits for nothing from then on. */
GS_MUST_CHECK gs_status gs_note_revert(gs_note *note, uint64_t durable_frame,
                                       gs_error *err);

#endif
