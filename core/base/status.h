/*
 * status: the one list of outcomes, shared by C and Lua.
 *
 * Model: a status is a small integer. Each row below gives the C name, its
 * number, the short string Lua code hands out, and a sentence used when
 * nothing better is known. Numbers and strings are an interface: a row is
 * never renumbered, renamed or removed.
 *
 * Threads: everything here is constant.
 */
#ifndef GS_BASE_STATUS_H
#define GS_BASE_STATUS_H

#define GS_STATUS_LIST(X)                                                     \
  X(GS_OK, 0, "ok", "success")                                                \
  X(GS_ABSENT, 1, "absent", "no such entry")                                  \
  X(GS_MISSING, 2, "missing", "there is no store at this path")               \
  X(GS_EXISTS, 3, "exists", "a store is already at this path")                \
  X(GS_KIND, 4, "kind", "the store is of the other kind")                     \
  X(GS_VERSION, 5, "version", "the format is newer than this library")        \
  X(GS_MISMATCH, 6, "mismatch", "the options disagree with the open store")   \
  X(GS_LOCKED, 7, "locked", "another process has the store open")             \
  X(GS_FORKED, 8, "forked", "the store was opened before a fork")             \
  X(GS_READONLY, 9, "readonly", "the store does not take writes")             \
  X(GS_BUSY, 10, "busy", "the store cannot take this write now")              \
  X(GS_FULL, 11, "full", "the disk is full")                                  \
  X(GS_LIMIT, 12, "limit", "a resource limit was reached")                    \
  X(GS_TOOLARGE, 13, "toolarge", "the key, value or batch is too large")      \
  X(GS_CORRUPT, 14, "corrupt", "the file is damaged")                         \
  X(GS_IO, 15, "io", "the operating system reported an error")                \
  X(GS_POLICY, 16, "policy", "the policy gave no usable answer")              \
  X(GS_UNSUPPORTED, 17, "unsupported", "this is not supported here")          \
  X(GS_GAP, 18, "gap", "sequence numbers are missing")                        \
  X(GS_CONFLICT, 19, "conflict", "another write came first")                  \
  X(GS_NOMEM, 20, "memory", "out of memory")                                  \
  X(GS_CLOSED, 21, "closed", "the handle is closed")                          \
  X(GS_MISUSE, 22, "misuse", "the call does not fit the state of the object") \
  X(GS_REFUSED, 23, "refused", "the plan was refused")

typedef enum gs_status {
#define GS_STATUS_ENUM(name, number, code, text) name = number,
  GS_STATUS_LIST(GS_STATUS_ENUM)
#undef GS_STATUS_ENUM
} gs_status;

/* The stable short string of a status ("io"); "unknown" for any other int. */
const char *gs_status_code(gs_status status);

/* One lower-case sentence without a full stop. */
const char *gs_status_text(gs_status status);

/* A fallible call whose result must be looked at. */
#define GS_MUST_CHECK __attribute__((warn_unused_result))

/* Drops a result on purpose; the reason is for the reader. */
#define GS_IGNORE(expr, reason)                     \
  do {                                              \
    if (expr) { /* dropped: see the reason given */ \
    }                                               \
  } while (0)

#endif
