/*
 * os_error: from errno values to statuses, messages and next steps.
 *
 * Threads: everything here may be called from any thread.
 */
#ifndef GS_ENV_OS_ERROR_H
#define GS_ENV_OS_ERROR_H

#include "base/error.h"

/* The status a positive errno value stands for. */
gs_status gs_os_error_status(int os_errno);

/* What to do next; "" where nothing sensible can be said. Static text. */
const char *gs_os_error_hint(int os_errno);

/* "cannot <verb> '<path>': <reason>", with path, errno and hint. */
gs_status gs_os_error_fail(gs_error *err, int os_errno, const char *verb,
                           const char *path);

#endif
