/*
 * care_kit: a small store of which every write is remembered, on a machine
 * where nobody has it open, and the question what a copy of it holds.
 *
 * Model: write number n puts its own number under its key, or deletes the key.
 * So what a reader gets tells which write it sees.
 */
#ifndef GS_CTEST_CARE_KIT_H
#define GS_CTEST_CARE_KIT_H

#include "env/env.h"
#include "store_kit.h"

#include <stdlib.h>

enum { CARE_KEYS = 60, CARE_WRITES = 400 };

typedef struct care_write {
  int key;
  bool is_delete;
  uint64_t seq;
} care_write;

/* What tables are packed by: tests that take it in run once for each. */
static gs_compression care_compression = GS_COMPRESSION_NONE;

static care_write care_writes[CARE_WRITES];
static int care_count;

static inline gs_options
care_options(void)
{
  gs_options options = kit_options();
  options.block_bytes = 256;
  options.compression = care_compression;
  options.max_wal_bytes = 65536;
  options.has_policy = true; /* that is: none, the runs stay */
  return options;
}

static inline void
care_put(gs_store *store, int key, bool is_delete)
{
  char name[16];
  char value[48];
  care_write *w = &care_writes[care_count];
  snprintf(name, sizeof name, "key%03d", key);
  int size = snprintf(value, sizeof value, "%d of %d%*s", care_count, key,
                      care_count % 17, "");
  *w = (care_write){.key = key, .is_delete = is_delete};
  if (is_delete) {
    KIT_OK(gs_delete(store, gs_slice_str(name), NULL, &w->seq, &kit_err));
  } else {
    KIT_OK(gs_put(store, gs_slice_str(name), gs_slice_of(value, (size_t)size),
                  NULL, &w->seq, &kit_err));
  }
  care_count++;
}

/* Three runs that overlap, with tombstones above values, then writes that only
 * the log holds; all of it synced. */
static inline void
care_fill(gs_store *store)
{
  care_count = 0;
  for (int key = 0; key < CARE_KEYS; key++) {
    care_put(store, key, false);
  }
  KIT_OK(gs_flush(store, &kit_err));
  for (int key = 0; key < CARE_KEYS; key += 2) {
    care_put(store, key, key % 3 == 0);
  }
  KIT_OK(gs_flush(store, &kit_err));
  for (int key = 20; key < 40; key++) {
    care_put(store, key, key % 5 == 0);
  }
  KIT_OK(gs_flush(store, &kit_err));
  for (int key = 10; key < CARE_KEYS; key += 4) {
    care_put(store, key, key % 7 == 0);
  }
  KIT_OK(gs_sync(store, &kit_err));
  care_put(store, CARE_KEYS - 1, false);
}

/* The store as a killed process leaves it; the machine becomes that one. */
static inline void
care_make_killed(void)
{
  gs_options options = care_options();
  gs_store *store = kit_open(&options);
  care_fill(store);
  gs_sim *copy = gs_sim_crash(sim_machine, GS_CRASH_KILL, 0);
  kit_close(store);
  sim_machine_become(copy);
}

/* The store as it is after a close: no log is left. */
static inline void
care_make_closed(void)
{
  gs_options options = care_options();
  gs_store *store = kit_open(&options);
  care_fill(store);
  kit_close(store);
}

/* The newest write to the key, or -1. */
static inline int
care_newest(int key)
{
  int n = care_count - 1;
  while (n >= 0 && care_writes[n].key != key) {
    n--;
  }
  return n;
}

/* The write that a reader of the key sees; -1: none. Fails for a value that was
 * never written under the key. */
static inline int
care_seen(gs_store *store, int key)
{
  char name[16];
  snprintf(name, sizeof name, "key%03d", key);
  const char *text = kit_get(store, name);
  if (strcmp(text, "(absent)") == 0) {
    return -1;
  }
  char *end = NULL;
  long n = strtol(text, &end, 10);
  if (n < 0 || n >= care_count || care_writes[n].key != key ||
      care_writes[n].is_delete || strncmp(end, " of ", 4) != 0 ||
      strtol(end + 4, NULL, 10) != key) {
    fail_msg("under %s stands \"%s\"", name, text);
  }
  return (int)n;
}

/* What a reader should see. */
static inline int
care_wanted(int key)
{
  int n = care_newest(key);
  return n >= 0 && care_writes[n].is_delete ? -1 : n;
}

/* Every key reads as it should. */
static inline void
care_check_whole(gs_store *store)
{
  for (int key = 0; key < CARE_KEYS; key++) {
    int seen = care_seen(store, key);
    if (seen != care_wanted(key)) {
      fail_msg("key %d reads as of write %d, not %d", key, seen,
               care_wanted(key));
    }
  }
}

/* ---- files -------------------------------------------------------------------- */

typedef struct care_files {
  char paths[64][64];
  uint64_t sizes[64];
  size_t count;
} care_files;

static inline void
care_note_file(void *context, const char *path, uint64_t size)
{
  care_files *files = context;
  assert_in_range(files->count, 0, 63);
  snprintf(files->paths[files->count], 64, "%s", path);
  files->sizes[files->count++] = size;
}

/* The files of the store, or of another directory. */
static inline care_files
care_list(const char *dir)
{
  care_files all = {.count = 0};
  care_files files = {.count = 0};
  gs_sim_files(sim_machine, care_note_file, &all);
  for (size_t i = 0; i < all.count; i++) {
    if (strncmp(all.paths[i], dir, strlen(dir)) == 0 &&
        all.paths[i][strlen(dir)] == '/') {
      care_note_file(&files, all.paths[i], all.sizes[i]);
    }
  }
  return files;
}

/* A number that changes with any byte of any file of the directory. */
static inline uint64_t
care_fingerprint(const char *dir)
{
  care_files files = care_list(dir);
  uint64_t sum = files.count;
  for (size_t i = 0; i < files.count; i++) {
    gs_buffer bytes;
    gs_buffer_init(&bytes, gs_sim_env(sim_machine)->alloc);
    KIT_OK(gs_sim_read(sim_machine, files.paths[i], &bytes, &kit_err));
    for (size_t at = 0; at < bytes.size; at++) {
      sum = (sum ^ bytes.data[at]) * UINT64_C(1099511628211);
    }
    sum += bytes.size;
    gs_buffer_deinit(&bytes);
  }
  return sum;
}

static inline bool
care_ends_with(const char *path, const char *ending)
{
  size_t size = strlen(ending);
  return strlen(path) >= size &&
         strcmp(path + strlen(path) - size, ending) == 0;
}

static inline gs_buffer
care_content(const char *path)
{
  gs_buffer bytes;
  gs_buffer_init(&bytes, gs_sim_env(sim_machine)->alloc);
  KIT_OK(gs_sim_read(sim_machine, path, &bytes, &kit_err));
  return bytes;
}

static inline void
care_put_back(const char *path, gs_buffer *bytes)
{
  KIT_OK(gs_sim_replace(sim_machine, path, gs_buffer_slice(bytes), &kit_err));
  gs_buffer_deinit(bytes);
}

#endif
