/*
 * power_dir: a machine that works on a real directory and knows what of it the
 * device would still hold, were the power to go now.
 *
 * Model: every operation is done by the real machine; beside it the recorder
 * keeps two books.
 *   of a file: what it held when it was last synced, and each write, growth and
 *     cut since then. A device may hold any of these pieces and not the others.
 *   of a name: what it stood for when its directory was last synced, and what
 *     was made of it since then, in order. A device may hold any beginning of
 *     that, each name for itself.
 * Nothing is shared with the simulated machine: two recorders that were written
 * apart do not overlook the same thing.
 *
 * Life: the directory exists and is not changed behind the machine's back. What
 * stands in it at the beginning counts as synced. All stores are closed before
 * power_dir_free.
 *
 * Threads: the machine as every machine. The watcher runs in the thread that
 * syncs, while all other writing operations wait; cuts are made there or while
 * no store is open.
 *
 * Errors: failures of the recorder itself fail the running test.
 */
#ifndef GS_CTEST_SUPPORT_POWER_DIR_H
#define GS_CTEST_SUPPORT_POWER_DIR_H

#include "env/env.h"

typedef struct power_dir power_dir;

/* What of the unsynced is lost. */
typedef enum power_cut {
  POWER_CUT_ALL = 0,     /* everything */
  POWER_CUT_NOTHING = 1, /* nothing: the process died, the system did not */
  POWER_CUT_SECTORS = 2, /* any pieces of 512 bytes, any names */
  POWER_CUT_PAGES = 3,   /* any pieces of 4096 bytes, any names */
  POWER_CUT_TORN = 4,    /* as sectors, and one of them torn */
  POWER_CUT_NAMES = 5,   /* all names, no content */
  POWER_CUT_CONTENT = 6, /* all content, no names */
  POWER_CUT_FILES = 7,   /* of each file and name all or nothing */
  POWER_CUTS = 8,
} power_cut;

power_dir *power_dir_new(const char *root);
void power_dir_free(power_dir *disk);
gs_env *power_dir_env(power_dir *disk);

/* To be called before and after each sync of a file or directory. */
void power_dir_watch(power_dir *disk, void (*watch)(void *context),
                     void *context);

/* From now on syncs of files whose name ends so, and with "/" syncs of
 * directories, are answered and not done. */
void power_dir_lie(power_dir *disk, const char *suffix);

/* Makes the directory `to` and in it what the device may hold. The same seed
 * makes the same choice. */
void power_dir_cut(power_dir *disk, power_cut how, uint64_t seed,
                   const char *to);

/* Fails the running test unless the books tell what the directory holds: then
 * nothing was written that the recorder did not see. */
void power_dir_check(power_dir *disk);

#endif
