/*
 * Fuzz target of a whole store. The input chooses one of a few small stores,
 * as they stood at some moments of their lives, and lists changes to the files
 * in their directory, on a simulated machine; then the store is opened, read,
 * verified, written to and opened again.
 *
 * Model: a store's life is a row of states, one after each commit; state 0 is
 * the empty store. Checked: opening refuses with a named code and a message, or
 * there is a state of which every read gives the entry or fails with a named
 * code. Where nothing failed and verify agrees, the store closes, or, one in a
 * few, takes a write, and after closing and opening again the same state with
 * that write is found. No leak, no access outside (by the sanitizers). Where the
 * input forges checksums, only the codes and the memory are checked.
 *
 * Input: store, moment, forges (1 byte each), changes. A change is a kind and
 * its operands; a file is an index into the sorted list of files.
 *   0  change a byte: file, offset (3), by
 *   1  zero: file, offset (3), length (2)
 *   2  cut: file, length (3)
 *   3  swap sectors: file, sector, sector
 *   4  append: file, byte, how often
 *   5  remove: file
 *   6  swap the contents of two files
 *   7  as it was at another moment: file, moment
 *   8  from another store: file, store, moment
 *   9  sums: file, offset (3): makes the checksums of the frame there right
 */
#include "env/env.h"
#include "env/sim.h"
#include "fuzz/frame_sums.h"
#include "fuzz/target.h"
#include "grainstore.h"

enum {
  STORES = 4,
  MOMENTS = 4,
  KEYS = 12,
  STATES = 64,
  FILES = 32,
  NAME_BYTES = 32,
  KIND_COUNT = 10,
  SECTOR = 512,
  OFFSET_BYTES = 3,
  GOES_ON = 4,  /* one store in so many is used on */
  UNKNOWN = -1, /* the read failed */
};

/* What is under each key: the commit that wrote it, 0: nothing. */
typedef struct state {
  int by[KEYS];
} state;

/* A store's life, made once. */
typedef struct life {
  state states[STATES];
  int state_count;
  gs_sim *moments[MOMENTS];
} life;

typedef struct file_list {
  char names[FILES][NAME_BYTES];
  size_t count;
} file_list;

static life lives[STORES];

/* ---- the stores ----------------------------------------------------------- */

static gs_options
options_of(gs_sim *sim, size_t number)
{
  gs_options options;
  gs_options_init(&options);
  options.env = gs_sim_env(sim);
  options.durability = number % 2 == 0 ? GS_DURABILITY_SYNC : GS_DURABILITY_OS;
  options.memory_bytes = 1 << 20;
  options.memtable_bytes = 4096;
  options.max_wal_bytes = 65536;
  options.table_bytes = 4096;
  options.block_bytes = 256;
  options.disk_reserve_bytes = 0;
  options.has_policy = true; /* no merges but those asked for */
  options.seed = number + 1;
  return options;
}

static gs_slice
key_of(size_t index, char text[16])
{
  int size = snprintf(text, 16, "key%02zu", index);
  return gs_slice_of(text, (size_t)size);
}

static gs_slice
value_of(int commit, char text[128])
{
  int size = snprintf(text, 128, "%d ", commit);
  size_t whole = (size_t)size + (size_t)(commit * 37 % 90);
  memset(text + size, 'v', whole - (size_t)size);
  return gs_slice_of(text, whole);
}

static void
commit(gs_store *store, life *of, size_t number)
{
  int at = of->state_count;
  char key[16];
  char value[128];
  state *next = &of->states[at];
  *next = of->states[at - 1];
  gs_write_batch *batch = NULL;
  REQUIRE(gs_write_batch_new(store, &batch, NULL) == GS_OK);
  for (size_t i = 0; i < 1 + (size_t)at % 3; i++) {
    size_t index = ((size_t)at * 7 + i * 5 + number) % KEYS;
    bool is_delete = (at + (int)i) % 5 == 0;
    next->by[index] = is_delete ? 0 : at;
    gs_status status =
        is_delete ? gs_write_batch_delete(batch, key_of(index, key), NULL)
                  : gs_write_batch_put(batch, key_of(index, key),
                                       value_of(at, value), NULL, NULL);
    REQUIRE(status == GS_OK);
  }
  REQUIRE(gs_write_batch_commit(batch, NULL, NULL, NULL, NULL) == GS_OK);
  gs_write_batch_free(batch);
  of->state_count++;
}

/* Moments: in the middle of the log, after a flush, after a merge and some
 * more, closed. */
static void
live(life *of, size_t number)
{
  gs_sim *sim = gs_sim_new(number + 1);
  gs_options options = options_of(sim, number);
  gs_store *store = NULL;
  of->state_count = 1;
  REQUIRE(gs_open("/db", &options, &store, NULL) == GS_OK);
  for (int part = 0; part < MOMENTS; part++) {
    for (size_t i = 0; i < 9; i++) {
      commit(store, of, number);
    }
    if (part == 1 || part == 2) {
      REQUIRE(gs_flush(store, NULL) == GS_OK);
    }
    if (part == 2 && number < 2) {
      REQUIRE(gs_compact(store, NULL, NULL) == GS_OK);
    }
    commit(store, of, number);
    if (part == MOMENTS - 1) {
      REQUIRE(gs_close(store, NULL) == GS_OK);
    }
    of->moments[part] = gs_sim_copy(sim);
  }
  gs_sim_free(sim);
}

static const life *
life_of(uint64_t number)
{
  life *of = &lives[number % STORES];
  if (of->state_count == 0) {
    live(of, number % STORES);
  }
  return of;
}

/* ---- changes -------------------------------------------------------------- */

static void
add_file(void *context, const char *path, uint64_t size)
{
  file_list *list = context;
  (void)size;
  if (list->count < FILES && strlen(path) < NAME_BYTES) {
    memcpy(list->names[list->count++], path, strlen(path) + 1);
  }
}

/* A file, by its place in the list; NULL where there are none. */
static const char *
take_file(gs_sim *sim, fuzz_input *in, file_list *list)
{
  list->count = 0;
  gs_sim_files(sim, add_file, list);
  size_t at = (size_t)fuzz_take(in, 1);
  return list->count == 0 ? NULL : list->names[at % list->count];
}

static void
read_file(const gs_sim *sim, const char *path, gs_buffer *out)
{
  gs_buffer_init(out, gs_env_posix()->alloc);
  gs_status status = gs_sim_read(sim, path, out, NULL);
  REQUIRE(status == GS_OK || status == GS_MISSING);
}

static void
write_file(gs_sim *sim, const char *path, gs_buffer *bytes)
{
  REQUIRE(gs_sim_replace(sim, path, gs_buffer_slice(bytes), NULL) == GS_OK);
  gs_buffer_deinit(bytes);
}

static void
swap_sectors(gs_buffer *file, size_t a, size_t b)
{
  size_t count = file->size / SECTOR;
  if (count > 0) {
    uint8_t held[SECTOR];
    uint8_t *x = file->data + a % count * SECTOR;
    uint8_t *y = file->data + b % count * SECTOR;
    memcpy(held, x, SECTOR);
    memmove(x, y, SECTOR);
    memcpy(y, held, SECTOR);
  }
}

/* The frame at the offset, as its log's header page would have it. */
static void
sum_frame(gs_buffer *file, size_t at)
{
  if (file->size < GS_LOG_HEADER_BYTES) {
    return;
  }
  gs_log_identity identity = {.salt = gs_get_u64(file->data + 56),
                              .number = gs_get_u64(file->data + 40)};
  fuzz_sum_frame(file->data, file->size, at - at % GS_FRAME_ALIGN, identity);
}

static void
change_bytes(gs_buffer *file, fuzz_input *in, uint64_t kind)
{
  size_t at =
      file->size == 0 ? 0 : (size_t)fuzz_take(in, OFFSET_BYTES) % file->size;
  if (kind == 0 && file->size > 0) {
    file->data[at] ^= (uint8_t)fuzz_take(in, 1);
  } else if (kind == 1 && file->size > 0) {
    size_t size = (size_t)fuzz_take(in, 2);
    size_t room = file->size - at;
    memset(file->data + at, 0, size < room ? size : room);
  } else if (kind == 2) {
    file->size = at;
  } else if (kind == 9) {
    sum_frame(file, at);
  }
}

static void
append_bytes(gs_buffer *file, fuzz_input *in)
{
  uint8_t byte = (uint8_t)fuzz_take(in, 1);
  for (uint64_t left = fuzz_take(in, 1); left > 0; left--) {
    gs_buffer_append(file, &byte, 1);
  }
}

/* Changes that need one file and no other. */
static void
change_file(gs_sim *sim, const char *path, fuzz_input *in, uint64_t kind)
{
  gs_buffer file;
  read_file(sim, path, &file);
  if (kind == 3) {
    size_t a = (size_t)fuzz_take(in, 1);
    swap_sectors(&file, a, (size_t)fuzz_take(in, 1));
  } else if (kind == 4) {
    append_bytes(&file, in);
  } else {
    change_bytes(&file, in, kind);
  }
  write_file(sim, path, &file);
}

static void
swap_files(gs_sim *sim, const char *path, fuzz_input *in)
{
  file_list list;
  gs_buffer one;
  gs_buffer two;
  const char *other = take_file(sim, in, &list);
  read_file(sim, path, &one);
  read_file(sim, other, &two);
  write_file(sim, path, &two);
  write_file(sim, other, &one);
}

/* The file as another machine has it; that one may lack it. */
static void
take_over(gs_sim *sim, const char *path, const gs_sim *from)
{
  gs_buffer file;
  read_file(from, path, &file);
  write_file(sim, path, &file);
}

static void
change(gs_sim *sim, const life *of, fuzz_input *in, bool forges)
{
  file_list list;
  uint64_t kind = fuzz_take(in, 1) % KIND_COUNT;
  const char *path = take_file(sim, in, &list);
  if (path == NULL || (kind == 9 && !forges)) {
    return;
  }
  switch (kind) {
  case 5:
    REQUIRE(gs_sim_remove(sim, path, NULL) == GS_OK);
    break;
  case 6:
    swap_files(sim, path, in);
    break;
  case 7:
    take_over(sim, path, of->moments[fuzz_take(in, 1) % MOMENTS]);
    break;
  case 8:
    of = life_of(fuzz_take(in, 1));
    take_over(sim, path, of->moments[fuzz_take(in, 1) % MOMENTS]);
    break;
  default:
    change_file(sim, path, in, kind);
  }
}

/* ---- reading -------------------------------------------------------------- */

static bool
is_named(gs_status status)
{
  return status == GS_OK || status == GS_CORRUPT || status == GS_VERSION ||
         status == GS_MISSING || status == GS_MISMATCH || status == GS_KIND ||
         status == GS_EXISTS;
}

/* The commit whose value this is; no other bytes were ever written. */
static int
commit_of(gs_slice value, bool forges)
{
  char text[128];
  int number =
      value.size == 0 ? 0 : (int)strtol((const char *)value.data, NULL, 10);
  REQUIRE(forges || (number > 0 && number < STATES + 1 &&
                     gs_slice_equal(value, value_of(number, text))));
  return number;
}

static state
read_all(gs_store *store, bool forges, bool *is_whole)
{
  state found;
  gs_value value;
  gs_error err;
  gs_value_init(&value, store);
  *is_whole = true;
  for (size_t i = 0; i < KEYS; i++) {
    char key[16];
    gs_status status = gs_get(store, NULL, key_of(i, key), &value, &err);
    found.by[i] = status == GS_OK ? 0 : status == GS_ABSENT ? 0 : UNKNOWN;
    REQUIRE(is_named(status) || status == GS_ABSENT);
    if (status == GS_OK) {
      gs_buffer_append_zeros(&value.bytes, 1);
      found.by[i] = commit_of(
          gs_slice_of(value.bytes.data, value.bytes.size - 1), forges);
    }
    *is_whole = *is_whole && found.by[i] != UNKNOWN;
  }
  gs_value_deinit(&value);
  return found;
}

static bool
fits(const state *found, const state *one)
{
  for (size_t i = 0; i < KEYS; i++) {
    if (found->by[i] != UNKNOWN && found->by[i] != one->by[i]) {
      return false;
    }
  }
  return true;
}

/* The files of one store may all have become those of another. */
static bool
fits_any(const state *found)
{
  for (size_t number = 0; number < STORES; number++) {
    for (int i = lives[number].state_count; i > 0; i--) {
      if (fits(found, &lives[number].states[i - 1])) {
        return true;
      }
    }
  }
  return false;
}

/* The keys of a scan are the ones that reads found, unless it failed. */
static void
scan_all(gs_store *store, const state *found, bool forges)
{
  gs_scan *scan = NULL;
  gs_error err;
  size_t count = 0;
  size_t expected = 0;
  for (size_t i = 0; i < KEYS; i++) {
    expected += found->by[i] > 0;
  }
  REQUIRE(gs_scan_new(store, NULL, NULL, &scan, &err) == GS_OK);
  gs_status status = gs_scan_first(scan, &err);
  for (; status == GS_OK && count < STATES; status = gs_scan_next(scan, &err)) {
    count++;
  }
  REQUIRE(forges || status == GS_ABSENT || is_named(status));
  REQUIRE(forges || status != GS_ABSENT || count >= expected);
  gs_scan_free(scan);
}

static gs_store *
open_store(gs_sim *sim, uint64_t number)
{
  gs_options options = options_of(sim, (size_t)number % STORES);
  gs_store *store = NULL;
  gs_error err = {0};
  options.create = false;
  gs_status status = gs_open("/db", &options, &store, &err);
  REQUIRE(is_named(status) && (status == GS_OK) == (store != NULL));
  REQUIRE(status == GS_OK || err.message[0] != '\0');
  return store;
}

/* ---- going on ------------------------------------------------------------- */

/* A sound store takes a write, and has it and all else after reopening. */
static void
go_on(gs_sim *sim, gs_store *store, uint64_t number, const state *found)
{
  char value[128];
  bool is_whole;
  state wanted = *found;
  wanted.by[0] = STATES;
  REQUIRE(gs_put(store, gs_slice_str("key00"), value_of(STATES, value), NULL,
                 NULL, NULL) == GS_OK);
  REQUIRE(gs_compact(store, NULL, NULL) == GS_OK);
  REQUIRE(gs_close(store, NULL) == GS_OK);
  store = open_store(sim, number);
  REQUIRE(store != NULL);
  state again = read_all(store, false, &is_whole);
  REQUIRE(is_whole && fits(&again, &wanted));
  REQUIRE(gs_close(store, NULL) == GS_OK);
}

/* A damaged one may fail at anything, by name. */
static void
struggle_on(gs_store *store)
{
  char value[128];
  gs_error err = {0};
  gs_status status = gs_put(store, gs_slice_str("key00"),
                            value_of(STATES, value), NULL, NULL, &err);
  REQUIRE(is_named(status) || status == GS_READONLY || status == GS_BUSY ||
          status == GS_IO || status == GS_LIMIT || status == GS_NOMEM);
  status = gs_compact(store, NULL, &err);
  REQUIRE(status == GS_OK || err.message[0] != '\0');
  GS_IGNORE(gs_close(store, &err), "damaged tables may not be flushed over");
}

static void
use(gs_sim *sim, uint64_t number, bool forges)
{
  bool is_whole;
  gs_store *store = open_store(sim, number);
  if (store == NULL) {
    return;
  }
  state found = read_all(store, forges, &is_whole);
  REQUIRE(forges || fits_any(&found));
  scan_all(store, &found, forges);
  gs_error err;
  gs_status status = gs_verify(store, &err);
  REQUIRE(is_named(status));
  if (is_whole && status == GS_OK && !forges) {
    if (number / STORES % GOES_ON == 0) {
      go_on(sim, store, number, &found);
    } else {
      REQUIRE(gs_close(store, NULL) == GS_OK);
    }
  } else {
    struggle_on(store);
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  fuzz_input in = fuzz_input_of(data, size);
  uint64_t number = fuzz_take(&in, 1);
  uint64_t moment = fuzz_take(&in, 1) % MOMENTS;
  bool forges = fuzz_take(&in, 1) % 4 == 1;
  const life *of = life_of(number);
  gs_sim *sim = gs_sim_copy(of->moments[moment]);
  for (int changes = 0; changes < 16 && !fuzz_is_over(&in); changes++) {
    change(sim, of, &in, forges);
  }
  use(sim, number, forges);
  REQUIRE(gs_sim_allocated_bytes(sim) == 0);
  gs_sim_free(sim);
  return 0;
}
