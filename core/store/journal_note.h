/*
 * journal_note: what happens in the store, in the words of its journal.
 *
 * Threads: each says which lock it wants held.
 */
#ifndef GS_STORE_JOURNAL_NOTE_H
#define GS_STORE_JOURNAL_NOTE_H

#include "store/job.h"
#include "store/output.h"

/* A job begins its first step; it ends, or failed. No lock held: clocks are
 * asked. */
void gs_journal_time_begin(gs_job *job);
void gs_journal_time_end(gs_job *job);

/* A job has ended, or failed and will be tried again. err is read where status
 * is not GS_OK. State held. */
void gs_journal_end_job(gs_store *store, const gs_job *job, gs_status status,
                        const gs_error *err);

/* A plan was refused; one that was only asked about is not noted. State
 * held. */
void gs_journal_refusal(gs_store *store, const gs_plan *plan, bool dry_run,
                        const gs_refusal *refusal);

/* A writer has waited. State not held. */
void gs_journal_stall(gs_store *store, const char *reason, uint64_t waited_us);

/* The store is open; newest is the number of the newest file of a journal in
 * its directory. State not held. */
void gs_journal_open(gs_store *store, uint64_t newest);

/* A run that an opening or a resume made of what was in log or memory. State not
 * held. */
void gs_journal_survivors(gs_store *store, const gs_output *output,
                          const char *why);

/* The store takes writes again. State not held. */
void gs_journal_resume(gs_store *store);

/* The store is closed, and its journal written. No lock held. */
void gs_journal_close(gs_store *store, gs_status status, const gs_error *err);

#endif
