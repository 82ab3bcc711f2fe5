/*
 * clocked: the real machine with a clock that stands still until it is moved,
 * for tests of expiry on a real disk.
 *
 * Model: a machine whose operations are those of the real one, but for the
 * time of day. Durations (the window of a batch, the length of a stall) are
 * real ones still.
 *
 * Life: gs_clocked_new / gs_clocked_free, after every store that was opened on
 * it. Each is a machine of its own: a store that is open on one is locked for
 * the others.
 * Threads: the clock may be moved and read from any thread.
 * Errors: GS_NOMEM.
 */
#ifndef GS_ENV_CLOCKED_H
#define GS_ENV_CLOCKED_H

#include <stdint.h>

#include "base/api.h"
#include "base/error.h"

struct gs_env; /* a machine, see env/env.h */

typedef struct gs_clocked gs_clocked;

/* Gives: free with gs_clocked_free. */
GS_API GS_MUST_CHECK gs_status gs_clocked_new(uint64_t wall_ms,
                                              gs_clocked **out, gs_error *err);
GS_API void gs_clocked_free(gs_clocked *clocked); /* NULL is accepted */

GS_API struct gs_env *gs_clocked_env(gs_clocked *clocked);

GS_API void gs_clocked_set_wall_ms(gs_clocked *clocked, uint64_t wall_ms);
GS_API uint64_t gs_clocked_wall_ms(const gs_clocked *clocked);

#endif
