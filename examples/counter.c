/*
 * counter: counts how often it was run, and remembers when. GrainStore from C,
 * without Lua.
 *
 *   counter DIRECTORY
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "grainstore.h"

static int
fail(const gs_error *err)
{
  fprintf(stderr, "counter: %s%s%s\n", err->message,
          err->hint[0] == '\0' ? "" : "; ", err->hint);
  return EXIT_FAILURE;
}

/* The number stored under "runs"; 0 where there is none. */
static gs_status
read_runs(gs_store *store, long *runs, gs_error *err)
{
  gs_value value;
  gs_value_init(&value, store);
  gs_status status = gs_get(store, NULL, gs_slice_str("runs"), &value, err);
  char text[24] = "0";
  if (status == GS_OK && value.bytes.size < sizeof text) {
    memcpy(text, value.bytes.data, value.bytes.size);
    text[value.bytes.size] = '\0';
  }
  *runs = strtol(text, NULL, 10);
  gs_value_deinit(&value);
  return status == GS_ABSENT ? GS_OK : status;
}

/* The count and the time of this run, together or not at all, on the device
 * before it returns. */
static gs_status
write_run(gs_store *store, long runs, gs_error *err)
{
  char count[24];
  char key[32];
  char when[32];
  snprintf(count, sizeof count, "%ld", runs);
  snprintf(key, sizeof key, "run %06ld", runs);
  snprintf(when, sizeof when, "%" PRIdMAX, (intmax_t)time(NULL));
  gs_write_batch *batch = NULL;
  gs_status status = gs_write_batch_new(store, &batch, err);
  if (status == GS_OK) {
    status = gs_write_batch_put(batch, gs_slice_str("runs"),
                                gs_slice_str(count), NULL, err);
  }
  if (status == GS_OK) {
    status = gs_write_batch_put(batch, gs_slice_str(key), gs_slice_str(when),
                                NULL, err);
  }
  if (status == GS_OK) {
    gs_commit_options options = {.sync = true};
    status = gs_write_batch_commit(batch, &options, NULL, NULL, err);
  }
  gs_write_batch_free(batch);
  return status;
}

static gs_status
print_last_runs(gs_store *store, gs_error *err)
{
  gs_scan *scan = NULL;
  gs_range range = {
      .from = gs_slice_str("run "), .to = gs_slice_str("run:"), .has_to = true};
  gs_status status = gs_scan_new(store, NULL, &range, &scan, err);
  if (status != GS_OK) {
    return status;
  }
  status = gs_scan_last(scan, err);
  for (int i = 0; status == GS_OK && i < 3; i++) {
    gs_slice key = gs_scan_key(scan);
    gs_slice value = gs_scan_value(scan);
    printf("  %.*s at %.*s\n", (int)key.size, (const char *)key.data,
           (int)value.size, (const char *)value.data);
    status = gs_scan_prev(scan, err);
  }
  gs_scan_free(scan);
  return status == GS_ABSENT ? GS_OK : status;
}

int
main(int argc, char **argv)
{
  if (argc != 2) {
    fprintf(stderr, "usage: counter DIRECTORY\n");
    return EXIT_FAILURE;
  }
  gs_error err;
  gs_store *store = NULL;
  if (gs_open(argv[1], NULL, &store, &err) != GS_OK) {
    return fail(&err);
  }
  long runs = 0;
  gs_status status = read_runs(store, &runs, &err);
  if (status == GS_OK) {
    status = write_run(store, runs + 1, &err);
  }
  if (status == GS_OK) {
    printf("run %ld\n", runs + 1);
    status = print_last_runs(store, &err);
  }
  int code = status == GS_OK ? EXIT_SUCCESS : fail(&err);
  if (gs_close(store, &err) != GS_OK) {
    return fail(&err);
  }
  return code;
}
