/*
 * admission: whether what stands in the directory may be opened.
 *
 * Threads: one; the store is not yet shared. Nothing is written.
 */
#ifndef GS_STORE_ADMISSION_H
#define GS_STORE_ADMISSION_H

#include "store/directory.h"

/* An error about a place, with the next step. */
gs_status gs_admission_refuse(gs_error *err, gs_status status, const char *path,
                              const char *text, const char *hint);

/* Of a store whose only manifest was not made to its end, with data beside it: a
 * creation that was cut short leaves none, but a checkpoint or a repair does. */
gs_status gs_admission_refuse_cut(const char *path, gs_error *err);

/* Whether the options go with what the directory holds, and whether that can be
 * a store: one without its manifest is damaged and never made anew. */
GS_MUST_CHECK gs_status gs_admission_check_directory(const gs_store *store,
                                                     const gs_directory *found,
                                                     gs_error *err);

/* Whether the manifest's store is of the kind asked for. */
GS_MUST_CHECK gs_status gs_admission_check_kind(gs_store *store, gs_error *err);

/* Whether the manifest still has its end, see late.h. Requires: next_id is
 * beyond every number in the directory. */
GS_MUST_CHECK gs_status gs_admission_check_end(const gs_store *store,
                                               gs_error *err);

/* Whether every listed table is there with its whole size. In a degraded store
 * one that is not counts as damaged, and reads of its keys fail. */
GS_MUST_CHECK gs_status gs_admission_check_tables(gs_store *store,
                                                  gs_error *err);

/* Opens every table, for a reader beside a writer: open files stay readable
 * when the writer has deleted their names. */
GS_MUST_CHECK gs_status gs_admission_open_tables(gs_store *store,
                                                 gs_error *err);

#endif
