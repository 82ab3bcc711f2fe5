/*
 * power_kit: what a life of power_test may hold, and the judging of a directory
 * that a power cut left.
 *
 * Model: a moment is what the store holds after so many commits; moment 0 is
 * the empty store. A judgement says which moments are allowed, and collects in
 * words what is found wrong: nothing here fails the running test, so a directory
 * may be judged in any thread, and a wrong one may be what is expected.
 *
 * Threads: one for each judgement.
 */
#ifndef GS_CTEST_STORE_POWER_KIT_H
#define GS_CTEST_STORE_POWER_KIT_H

#include "store_kit.h"

#include <stdlib.h>

#include "support/temp_dir.h"

enum {
  POWER_KEYS = 20,
  POWER_MOMENTS = 400,
  POWER_WHY_BYTES = 512,
  POWER_PATH_BYTES = TEMP_DIR_BYTES + 64,
};

/* What a store holds: a number for each key, 0 where there is none. */
typedef struct power_content {
  uint32_t values[POWER_KEYS];
  uint32_t note;
} power_content;

typedef struct power_moment {
  power_content content;
  uint64_t last_seq;
} power_moment;

static inline uint64_t
power_mix(uint64_t a, uint64_t b)
{
  uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) + b;
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

/* ---- keys and values -------------------------------------------------------- */

static inline gs_slice
power_key_of(size_t index, char text[16])
{
  int size = snprintf(text, 16, "%.*sk%02zu", (int)(index % 3), "zz", index);
  return gs_slice_of(text, (size_t)size);
}

enum { POWER_VALUE_BYTES = 2048 };

/* A number and filling of its own, of uneven size, now and then of pages. */
static inline gs_slice
power_value_of(uint32_t number, char text[POWER_VALUE_BYTES])
{
  uint64_t dice = power_mix(number, 11);
  size_t whole = 12 + dice % (dice % 7 == 0 ? POWER_VALUE_BYTES - 12 : 200);
  snprintf(text, POWER_VALUE_BYTES, "%010u ", number);
  memset(text + 11, 'a' + (char)(dice % 26), whole - 11);
  return gs_slice_of(text, whole);
}

/* 0 where the value is none that was ever written. */
static inline uint32_t
power_number_of(gs_slice value)
{
  char text[POWER_VALUE_BYTES];
  if (value.size < 12) {
    return 0;
  }
  uint32_t number = (uint32_t)strtoul((const char *)value.data, NULL, 10);
  return gs_slice_equal(value, power_value_of(number, text)) ? number : 0;
}

/* ---- checking --------------------------------------------------------------- */

/* What must be true of a copy, and where the words go. */
typedef struct power_judgement {
  const power_moment *moments; /* all that there were */
  const gs_options *options;
  size_t low;
  size_t high;
  char *why;
} power_judgement;

static inline bool
power_wrong(const power_judgement *j, const char *what, const char *detail)
{
  if (j->why[0] == '\0') {
    snprintf(j->why, POWER_WHY_BYTES, "%.80s: %.300s", what, detail);
  }
  return false;
}

static inline bool
power_read_keys(const power_judgement *j, gs_store *store, power_content *out)
{
  gs_value value;
  gs_error err = {0};
  bool is_read = true;
  gs_value_init(&value, store);
  for (size_t i = 0; is_read && i < POWER_KEYS; i++) {
    char text[16];
    gs_status status = gs_get(store, NULL, power_key_of(i, text), &value, &err);
    out->values[i] =
        status == GS_OK ? power_number_of(gs_buffer_slice(&value.bytes)) : 0;
    if (status != GS_ABSENT && out->values[i] == 0) {
      is_read = power_wrong(j, "a key cannot be read", err.message);
    }
  }
  gs_status status = gs_get_note(store, &value, &err);
  if (status == GS_OK) {
    gs_buffer_append_zeros(&value.bytes, 1);
    out->note = (uint32_t)strtoul((const char *)value.bytes.data, NULL, 10);
  } else if (status != GS_ABSENT) {
    is_read = power_wrong(j, "the note cannot be read", err.message);
  }
  gs_value_deinit(&value);
  return is_read;
}

static inline bool
power_scan_keys(const power_judgement *j, gs_store *store,
                const power_content *read)
{
  uint64_t count = 0;
  uint64_t live = 0;
  gs_error err = {0};
  if (gs_count(store, NULL, NULL, &count, &err) != GS_OK) {
    return power_wrong(j, "a scan fails", err.message);
  }
  for (size_t i = 0; i < POWER_KEYS; i++) {
    live += read->values[i] != 0;
  }
  return count == live || power_wrong(j, "a scan finds something else", "");
}

static inline bool
power_is_same(const power_content *a, const power_content *b)
{
  return memcmp(a, b, sizeof *a) == 0;
}

/* Which moment the content is, from the newest allowed one down. */
static inline bool
power_find_moment(const power_judgement *j, const power_content *found,
                  size_t *at)
{
  char range[96];
  for (*at = j->high + 1; *at > j->low; (*at)--) {
    if (power_is_same(&j->moments[*at - 1].content, found)) {
      (*at)--;
      return true;
    }
  }
  size_t any = j->high + 1;
  while (any > 0 && !power_is_same(&j->moments[any - 1].content, found)) {
    any--;
  }
  snprintf(range, sizeof range, "%d, not one of %zu to %zu", (int)any - 1,
           j->low, j->high);
  return power_wrong(j, any > 0 ? "a moment" : "a moment that never was",
                     range);
}

static inline gs_store *
power_open_copy(const power_judgement *j, gs_env *env, const char *path)
{
  char db[POWER_PATH_BYTES + 16];
  gs_error err = {0};
  gs_store *store = NULL;
  gs_options options = *j->options;
  options.env = env;
  options.threads = 0;
  snprintf(db, sizeof db, "%s/db", path);
  if (gs_open(db, &options, &store, &err) != GS_OK) {
    power_wrong(j, "it cannot be opened", err.message);
  }
  return store;
}

static inline bool
power_look(const power_judgement *j, gs_store *store, size_t *at)
{
  power_content found = {0};
  gs_error err = {0};
  bool is_right = power_read_keys(j, store, &found) &&
                  power_scan_keys(j, store, &found) &&
                  power_find_moment(j, &found, at);
  if (is_right && gs_verify(store, &err) != GS_OK) {
    is_right = power_wrong(j, "verification fails", err.message);
  }
  return is_right;
}

static inline bool
power_close_copy(const power_judgement *j, gs_store *store)
{
  gs_error err = {0};
  return gs_close(store, &err) == GS_OK ||
         power_wrong(j, "it cannot be closed", err.message);
}

/* Opens, looks and closes; then again, for the same moment. */
static inline bool
power_check_twice(power_judgement j, const char *path)
{
  size_t at = 0;
  for (int i = 0; i < 2; i++) {
    gs_store *store = power_open_copy(&j, gs_env_posix(), path);
    if (store == NULL) {
      return false;
    }
    bool is_right = power_look(&j, store, &at);
    if (!power_close_copy(&j, store) || !is_right) {
      return false;
    }
    j.low = j.high = at;
  }
  return true;
}

#endif
