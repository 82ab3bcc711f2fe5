/*
 * report: filling the reports of care.h.
 *
 * Model: reports own their texts and keys; everything given in is copied.
 *
 * Life: init before the first use, the deinit functions of care.h end them.
 * Threads: one.
 * Errors: GS_NOMEM, and then the report holds what came before.
 */
#ifndef GS_STORE_REPORT_H
#define GS_STORE_REPORT_H

#include "store/care.h"
#include "store/paths.h"

void gs_report_init(gs_verify_report *report, gs_alloc *alloc);

/* Appends a file that is sound so far; *out is valid until the next one. */
GS_MUST_CHECK gs_status gs_report_file(gs_verify_report *report,
                                       const char *name, gs_file_kind kind,
                                       uint64_t bytes, gs_file_report **out,
                                       gs_error *err);

/* The file of that name, or NULL. */
gs_file_report *gs_report_find(gs_verify_report *report, const char *name);

/* The last part of a path. */
const char *gs_report_name_of(const char *path);

/* Says what is wrong with a file, unless something worse was said already; the
 * first real problem is also the report's. */
GS_MUST_CHECK gs_status gs_report_problem(gs_verify_report *report,
                                          gs_file_report *file,
                                          gs_file_state state,
                                          const gs_error *what, gs_error *err);

/* The same for a look at the file at path that failed. Want of memory,
 * descriptors and the like say nothing of the file and are returned. */
GS_MUST_CHECK gs_status gs_report_judge(gs_verify_report *report,
                                        gs_file_report *file, gs_status failure,
                                        const char *path, gs_error *what,
                                        gs_error *err);

/* Appends a loss; name and keys are copied. */
GS_MUST_CHECK gs_status gs_report_loss(gs_repair_report *report,
                                       const gs_loss *loss, gs_error *err);

#endif
