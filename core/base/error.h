/*
 * error: what went wrong, where, and what to do next.
 *
 * Model: a caller-owned value filled by the call that fails. It is meaningful
 * only after a call returned a status other than GS_OK and GS_ABSENT; a
 * successful call leaves it as it was, so callers need not initialise it.
 * Every function that takes one accepts NULL.
 *
 * Errors are born in GS_FAIL and nowhere else, so that a breakpoint on
 * gs_trap stops where an error arises and not where it passes.
 *
 * Threads: a value belongs to one thread at a time.
 */
#ifndef GS_BASE_ERROR_H
#define GS_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum {
  GS_ERROR_MESSAGE_BYTES = 512,
  GS_ERROR_PATH_BYTES = 256,
  GS_ERROR_HINT_BYTES = 192,
};

typedef struct gs_error {
  gs_status status;
  int os_errno;     /* errno of the failed operation, 0 if none was involved */
  uint64_t offset;  /* byte in the file named by path; see has_offset */
  bool has_offset;  /* whether offset says something */
  bool is_doubtful; /* of a write: it may or may not have happened; a resume
                       undoes it, an opening finds out */
  const char *file; /* source file where the error was born; static text */
  int line;         /* source line where the error was born */
  char message[GS_ERROR_MESSAGE_BYTES]; /* names the thing and the place */
  char path[GS_ERROR_PATH_BYTES];       /* file concerned, "" if none */
  char hint[GS_ERROR_HINT_BYTES];       /* the next step, "" if none */
} gs_error;

/* Fills *err (path, offset and hint cleared) and returns the status. */
gs_status gs_error_make(gs_error *err, gs_status status, const char *file,
                        int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Does nothing; every error passes through it at birth. For breakpoints. */
void gs_trap(gs_status status, const char *file, int line);

#define GS_FAIL(err, status, ...) \
  gs_error_make((err), (status), __FILE__, __LINE__, __VA_ARGS__)

/* Out of memory needs no more words than this. */
#define GS_FAIL_NOMEM(err) GS_FAIL((err), GS_NOMEM, "out of memory")

/* Add to a filled error; each returns the status it holds, or the given one
 * where err is NULL, so that a failing path reads as one expression. */
gs_status gs_error_at(gs_error *err, gs_status status, const char *path);
gs_status gs_error_offset(gs_error *err, gs_status status, uint64_t offset);
gs_status gs_error_hint(gs_error *err, gs_status status, const char *hint);
gs_status gs_error_doubtful(gs_error *err, gs_status status);
gs_status gs_error_errno(gs_error *err, gs_status status, int os_errno);

#endif
