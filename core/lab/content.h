/*
 * content: pieces in key order: what a virtual table, or the stream of a merge,
 * holds.
 *
 * Model: an array of pieces that rise; between two there may be a gap, which
 * has no keys. Appending grows the array by itself and is sticky: after the
 * first failed growth `failed` is set and appends do nothing.
 *
 * Life: init on the caller's memory, deinit frees the pieces.
 * Threads: one at a time.
 */
#ifndef GS_LAB_CONTENT_H
#define GS_LAB_CONTENT_H

#include "base/alloc.h"
#include "lab/piece.h"

typedef struct gs_content {
  gs_alloc *alloc;
  gs_piece *pieces;
  size_t count;
  size_t capacity;
  bool failed;
} gs_content;

void gs_content_init(gs_content *content, gs_alloc *alloc);
void gs_content_deinit(gs_content *content);
void gs_content_add(gs_content *content, const gs_piece *piece);

/* GS_OK, or GS_NOMEM after a failed append. */
GS_MUST_CHECK gs_status gs_content_status(const gs_content *content,
                                          gs_error *err);

gs_count gs_content_count(const gs_content *content, const gs_mix *mix);

/* The rules of a union; see gs_piece_stack. */
typedef struct gs_union_rules {
  const gs_mix *mix;
  bool expires;
  double deadline_ms;
  /* Share of the keys of lo..hi beneath which no table stays. */
  double (*bottom)(const void *context, uint64_t lo, uint64_t hi);
  const void *context;
} gs_union_rules;

/* Appends to *out what lies on top when the sources, newest first, are laid on
 * each other. Sources may be changed: pieces of keys in order are divided where
 * their time has come. */
GS_MUST_CHECK gs_status gs_content_union(gs_content *sources, size_t count,
                                         const gs_union_rules *rules,
                                         gs_content *out, gs_error *err);

/* Joins neighbours that hold nearly the same, and then the most similar ones,
 * until there are no more than `most`. */
void gs_content_simplify(gs_content *content, const gs_mix *mix, size_t most);

#endif
