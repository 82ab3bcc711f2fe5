/*
 * log_kit: a log with its thread, and one whose last write was damaged while
 * nobody looked.
 */
#ifndef GS_CTEST_STORE_LOG_KIT_H
#define GS_CTEST_STORE_LOG_KIT_H

#include "store_kit.h"

/* With a window so long that nothing is synced unless somebody asks. */
static inline gs_store *
log_open_with_threads(gs_durability durability)
{
  gs_options options = kit_options();
  options.threads = 1;
  options.durability = durability;
  options.wal_batch_ms = 60000;
  options.max_wal_bytes = 64 << 20;
  gs_sim_allow_tasks(sim_machine);
  return kit_open(&options);
}

/* How the machine, killed now and with its last write damaged, opens. */
static inline gs_status
log_open_damaged(const gs_options *options)
{
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  gs_buffer bytes;
  gs_buffer_init(&bytes, sim_machine_env->alloc);
  KIT_OK(gs_sim_read(copy, "/db/000001.wal", &bytes, &kit_err));
  size_t at = 0;
  while (memcmp(bytes.data + at, "last", 4) != 0) {
    at++;
  }
  memcpy(bytes.data + at, "LOST", 4);
  KIT_OK(gs_sim_replace(copy, "/db/000001.wal", gs_buffer_slice(&bytes),
                        &kit_err));
  gs_buffer_deinit(&bytes);
  gs_options there = *options;
  gs_store *store = NULL;
  there.env = gs_sim_env(copy);
  gs_status status = gs_open("/db", &there, &store, &kit_err);
  GS_IGNORE(gs_close(store, NULL), "there may be none");
  gs_sim_free(copy);
  return status;
}

#endif
