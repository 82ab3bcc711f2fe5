/*
 * late: a file that is newer than what the manifest says.
 *
 * Model: a manifest that was cut off between two edits looks whole and tells of
 * an earlier state. What was made since shows it, where it cannot be there in
 * that state:
 *   1. A segment is listed before it takes its header page. So one with a
 *      header page has a number that the manifest has given out.
 *   2. The clean mark is taken back before the first table of an opening is
 *      begun. So behind a clean mark every table has such a number.
 * A crash leaves tables that no edit came to list, but behind no clean mark.
 *
 * Threads: nothing is shared.
 * Errors: those of the machine; a file without a sound header of this store's
 * says nothing and is none.
 */
#ifndef GS_STORE_LATE_H
#define GS_STORE_LATE_H

#include "env/env.h"
#include "tree/edit.h"

/* The name of a file that cannot be there in the state with these facts, with a
 * terminating NUL; left empty where there is none. */
GS_MUST_CHECK gs_status gs_late_find(gs_env *env, const char *dir,
                                     const gs_store_facts *facts,
                                     gs_buffer *out, gs_error *err);

#endif
