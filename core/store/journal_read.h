/*
 * journal_read: the files of a journal, as far as they can be read.
 *
 * Model: what is torn or damaged ends a file, and the next file goes on;
 * events whose number does not rise are passed over, as are those of a later
 * format.
 *
 * Threads: any.
 */
#ifndef GS_STORE_JOURNAL_READ_H
#define GS_STORE_JOURNAL_READ_H

#include "env/env.h"
#include "store/journal_format.h"

enum {
  GS_JOURNAL_FILES_MAX = 8
}; /* looked at; there are two, but for crashes */

/* The newest files of a directory, numbers rising. */
typedef struct gs_journal_numbers {
  uint64_t numbers[GS_JOURNAL_FILES_MAX];
  size_t count;
} gs_journal_numbers;

GS_MUST_CHECK gs_status gs_journal_list(gs_env *env, const char *dir,
                                        gs_journal_numbers *out, gs_error *err);

/* Opens and reads a file; GS_TOOLARGE for one that is none of ours. The file is
 * the caller's where *file is not NULL afterwards. */
GS_MUST_CHECK gs_status gs_journal_load(gs_env *env, const char *path,
                                        gs_open_mode mode, gs_file **file,
                                        gs_buffer *content, gs_error *err);

/* Where a file ends. */
typedef struct gs_journal_end {
  bool is_whole;       /* header and frames, and nothing else */
  uint64_t salt;       /* 0 without a header */
  uint64_t bytes;      /* that verify, from the start */
  uint64_t events;     /* frames */
  uint64_t last_event; /* 0: it tells of none */
} gs_journal_end;

void gs_journal_find_end(gs_slice file, uint64_t number, gs_journal_end *out);

/* The last event of the file of that number, or 0. */
uint64_t gs_journal_last_event(gs_env *env, const char *dir, uint64_t number);

#endif
