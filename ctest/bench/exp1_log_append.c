/*
 * Experiment 1: what it costs to append one frame of 150 bytes to the log, so
 * that it survives a killed process, and how long the longest append takes
 * while the kernel writes the log back.
 *
 * Two runs per way of writing:
 * - flat out: append until the segment is full; nothing else runs;
 * - paced: append at a fixed rate and time each append, while a second thread
 *   asks for fdatasync over and over.
 *
 * The floors show what the machine does on its own: a copy into plain memory
 * has no log behind it, so its longest append is the scheduler's doing.  After
 * each run the whole segment is read back and every frame checked.
 *
 * The buffered way is the only one that loses frames when the process dies.
 */

#include "bench.h"

#include <pthread.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
  FRAME_BYTES = 150,
  HEADER_BYTES = 16,
  BUFFER_BYTES = 64 << 10,
  REPEATS = 5,
  PACED_REPEATS = 3,
  PACE_NS = 2000,
  SYNC_GAP_NS = 20000000,
  SMALL_CHUNK_BYTES = 4 << 10,
  LARGE_CHUNK_BYTES = 1 << 20
};

typedef struct log_file {
  bench_file file;
  uint8_t *map;          /* the segment in memory, or NULL */
  uint8_t *buffer;       /* frames not yet written, or NULL */
  size_t buffered_bytes; /* bytes in `buffer` */
  size_t end;            /* where the next frame goes */
  size_t bytes;          /* size of the segment */
} log_file;

typedef struct log_way {
  const char *name;
  bool has_checksum;
  void (*prepare)(log_file *log);
  void (*append)(log_file *log, const uint8_t *frame);
} log_way;

/* --- frames --- */

/* A frame is: number (8), checksum of the rest or zero (8), payload. */
static void
frame_init(uint8_t *frame)
{
  for (int i = 0; i < FRAME_BYTES; i++) {
    frame[i] = (uint8_t)(i * 7);
  }
  memset(frame, 0, HEADER_BYTES);
}

static uint64_t
frame_checksum(const uint8_t *frame, uint64_t number)
{
  return XXH3_64bits_withSeed(frame + HEADER_BYTES, FRAME_BYTES - HEADER_BYTES,
                              number);
}

static void
frame_number(uint8_t *frame, uint64_t number, bool has_checksum)
{
  uint64_t checksum = has_checksum ? frame_checksum(frame, number) : 0;
  memcpy(frame, &number, 8);
  memcpy(frame + 8, &checksum, 8);
}

/* --- preparing a segment --- */

static void
prepare_nothing(log_file *log)
{
  (void)log;
}

static void
prepare_memory(log_file *log)
{
  log->map = bench_map(log->bytes, false);
}

static void
prepare_small_zeros(log_file *log)
{
  bench_file_zero(log->file.fd, log->bytes, SMALL_CHUNK_BYTES);
}

static void
prepare_large_zeros(log_file *log)
{
  bench_file_zero(log->file.fd, log->bytes, LARGE_CHUNK_BYTES);
}

static void
prepare_buffer(log_file *log)
{
  prepare_small_zeros(log);
  log->buffer = bench_alloc(1, BUFFER_BYTES);
}

static void
prepare_map(log_file *log)
{
  log->map = mmap(NULL, log->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                  log->file.fd, 0);
  BENCH_REQUIRE(log->map != MAP_FAILED);
}

static void
prepare_allocated_map(log_file *log)
{
  BENCH_REQUIRE(posix_fallocate(log->file.fd, 0, (off_t)log->bytes) == 0);
  prepare_map(log);
}

/* Makes the pages present and writable without changing a byte. */
static void
populate_for_writing(log_file *log)
{
#ifdef MADV_POPULATE_WRITE
  if (madvise(log->map, log->bytes, MADV_POPULATE_WRITE) == 0) {
    return;
  }
#endif
  for (size_t at = 0; at < log->bytes; at += 4096) {
    volatile uint8_t *byte = log->map + at;
    *byte = *byte;
  }
}

static void
prepare_populated_map(log_file *log)
{
  prepare_allocated_map(log);
  populate_for_writing(log);
}

/* Makes the pages present for reading; the first store to each still asks the
 * file system, as it must for a page that is clean. */
static void
prepare_clean_map(log_file *log)
{
  prepare_small_zeros(log);
  prepare_map(log);
  volatile uint8_t sum = 0;
  for (size_t at = 0; at < log->bytes; at += 4096) {
    sum = (uint8_t)(sum + log->map[at]);
  }
}

static void
prepare_writable_map(log_file *log)
{
  prepare_small_zeros(log);
  prepare_map(log);
  populate_for_writing(log);
}

static void
prepare_large_writable_map(log_file *log)
{
  prepare_large_zeros(log);
  prepare_map(log);
  populate_for_writing(log);
}

/* --- appending --- */

static void
append_write(log_file *log, const uint8_t *frame)
{
  BENCH_REQUIRE(write(log->file.fd, frame, FRAME_BYTES) == FRAME_BYTES);
}

static void
append_pwrite(log_file *log, const uint8_t *frame)
{
  BENCH_REQUIRE(pwrite(log->file.fd, frame, FRAME_BYTES, (off_t)log->end) ==
                FRAME_BYTES);
}

static void
flush_buffer(log_file *log, size_t end)
{
  size_t length = log->buffered_bytes;
  BENCH_REQUIRE(pwrite(log->file.fd, log->buffer, length,
                       (off_t)(end - length)) == (ssize_t)length);
  log->buffered_bytes = 0;
}

static void
append_buffered(log_file *log, const uint8_t *frame)
{
  if (log->buffered_bytes + FRAME_BYTES > BUFFER_BYTES) {
    flush_buffer(log, log->end);
  }
  memcpy(log->buffer + log->buffered_bytes, frame, FRAME_BYTES);
  log->buffered_bytes += FRAME_BYTES;
}

static void
append_mapped(log_file *log, const uint8_t *frame)
{
  memcpy(log->map + log->end, frame, FRAME_BYTES);
}

static const log_way ways[] = {
    {"write(2), growing file", false, prepare_nothing, append_write},
    {"pwrite, zeroed by 4 KiB", false, prepare_small_zeros, append_pwrite},
    {"pwrite, zeroed by 1 MiB", false, prepare_large_zeros, append_pwrite},
    {"64 KiB buffer, pwrite when full", false, prepare_buffer, append_buffered},
    {"mapped, allocated, first touch", false, prepare_allocated_map,
     append_mapped},
    {"mapped, allocated, made writable", false, prepare_populated_map,
     append_mapped},
    {"mapped, zeroed by 4 KiB, clean", false, prepare_clean_map, append_mapped},
    {"mapped, zeroed by 4 KiB, made writable", false, prepare_writable_map,
     append_mapped},
    {"mapped, zeroed by 1 MiB, made writable", false,
     prepare_large_writable_map, append_mapped},
    {"floor: copy to memory", false, prepare_memory, append_mapped},
    {"floor: checksum and copy to memory", true, prepare_memory, append_mapped},
};

enum { WAY_COUNT = sizeof ways / sizeof ways[0] };

/* --- one segment --- */

static void
log_open(log_file *log, const log_way *way, size_t bytes)
{
  memset(log, 0, sizeof *log);
  log->bytes = bytes;
  bench_file_open(&log->file, "exp1_log_append", 0);
  way->prepare(log);
}

static void
check_frames(const uint8_t *segment, size_t count, bool has_checksum)
{
  uint8_t expected[FRAME_BYTES];
  frame_init(expected);
  for (size_t i = 0; i < count; i++) {
    frame_number(expected, i, has_checksum);
    BENCH_REQUIRE(memcmp(segment + i * FRAME_BYTES, expected, FRAME_BYTES) ==
                  0);
  }
}

static void
read_segment(const log_file *log, uint8_t *out)
{
  for (size_t at = 0; at < log->end;) {
    ssize_t got = pread(log->file.fd, out + at, log->end - at, (off_t)at);
    BENCH_REQUIRE(got > 0);
    at += (size_t)got;
  }
}

static void
log_check(log_file *log, const log_way *way)
{
  if (way->prepare == prepare_memory) {
    check_frames(log->map, log->end / FRAME_BYTES, way->has_checksum);
    return;
  }
  uint8_t *segment = bench_alloc(1, log->bytes);
  read_segment(log, segment);
  check_frames(segment, log->end / FRAME_BYTES, way->has_checksum);
  free(segment);
}

static void
log_close(log_file *log, const log_way *way)
{
  if (log->buffered_bytes > 0) {
    flush_buffer(log, log->end);
  }
  log_check(log, way);
  if (way->prepare == prepare_memory) {
    bench_unmap(log->map, log->bytes);
  } else if (log->map != NULL) {
    munmap(log->map, log->bytes);
  }
  free(log->buffer);
  bench_file_close(&log->file);
}

static void
append_next(log_file *log, const log_way *way, uint8_t *frame)
{
  frame_number(frame, log->end / FRAME_BYTES, way->has_checksum);
  way->append(log, frame);
  log->end += FRAME_BYTES;
}

/* --- flat out --- */

static void
run_flat_out(bench_grid *grid, int row, size_t frame_count)
{
  const log_way *way = &ways[row];
  log_file log;
  uint8_t frame[FRAME_BYTES];
  frame_init(frame);
  uint64_t start = bench_now_ns();
  log_open(&log, way, frame_count * FRAME_BYTES);
  bench_grid_add(grid, row, 0, bench_per_op(start, 1) / 1e6);
  start = bench_now_ns();
  for (size_t i = 0; i < frame_count; i++) {
    append_next(&log, way, frame);
  }
  bench_grid_add(grid, row, 1, bench_per_op(start, frame_count));
  log_close(&log, way);
}

/* --- paced, beside writeback --- */

typedef struct log_flusher {
  pthread_t thread;
  int fd;
  atomic_bool is_done;
  size_t sync_count;
} log_flusher;

static void *
flush_loop(void *argument)
{
  log_flusher *flusher = argument;
  do {
    BENCH_REQUIRE(fdatasync(flusher->fd) == 0);
    flusher->sync_count++;
    nanosleep(&(struct timespec){.tv_nsec = SYNC_GAP_NS}, NULL);
  } while (!atomic_load(&flusher->is_done));
  return NULL;
}

static void
flusher_start(log_flusher *flusher, int fd)
{
  flusher->fd = fd;
  flusher->sync_count = 0;
  atomic_init(&flusher->is_done, false);
  BENCH_REQUIRE(pthread_create(&flusher->thread, NULL, flush_loop, flusher) ==
                0);
}

static void
flusher_stop(log_flusher *flusher)
{
  atomic_store(&flusher->is_done, true);
  BENCH_REQUIRE(pthread_join(flusher->thread, NULL) == 0);
  BENCH_REQUIRE(flusher->sync_count > 0);
}

/* Appends one frame per PACE_NS; `took_ns` receives the time of each. */
static void
append_paced(log_file *log, const log_way *way, uint32_t *took_ns, size_t count)
{
  uint8_t frame[FRAME_BYTES];
  frame_init(frame);
  uint64_t due = bench_now_ns();
  for (size_t i = 0; i < count; i++) {
    uint64_t now = bench_now_ns();
    while (now < due) {
      now = bench_now_ns();
    }
    append_next(log, way, frame);
    took_ns[i] = (uint32_t)(bench_now_ns() - now);
    due += PACE_NS;
  }
}

static void
add_paced_samples(bench_grid *grid, int row, uint32_t *took_ns, size_t count)
{
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += took_ns[i];
  }
  qsort(took_ns, count, sizeof *took_ns, bench_compare_u32);
  bench_grid_add(grid, row, 0, took_ns[count / 2]);
  bench_grid_add(grid, row, 1, sum / (double)count);
  bench_grid_add(grid, row, 2, took_ns[count - 1 - count / 1000] / 1e3);
  bench_grid_add(grid, row, 3, took_ns[count - 1 - count / 10000] / 1e3);
  bench_grid_add(grid, row, 4, took_ns[count - 1] / 1e3);
}

static void
run_paced(bench_grid *grid, int row, size_t frame_count)
{
  const log_way *way = &ways[row];
  log_file log;
  log_flusher flusher;
  uint32_t *took_ns = bench_alloc(frame_count, sizeof *took_ns);
  log_open(&log, way, frame_count * FRAME_BYTES);
  flusher_start(&flusher, log.file.fd);
  append_paced(&log, way, took_ns, frame_count);
  flusher_stop(&flusher);
  log_close(&log, way);
  add_paced_samples(grid, row, took_ns, frame_count);
  free(took_ns);
}

int
main(int argc, char **argv)
{
  static bench_grid flat, paced;
  static const char *const flat_columns[] = {"prepare, ms", "append, ns"};
  static const char *const paced_columns[] = {
      "median, ns", "mean, ns", "99.9 %, us", "99.99 %, us", "longest, us"};
  const char *names[WAY_COUNT];
  double scale = bench_scale(argc, argv);
  size_t frame_count = bench_scaled(scale, 400000, 1000);
  for (int w = 0; w < WAY_COUNT; w++) {
    names[w] = ways[w].name;
  }
  bench_grid_init(&flat, "Flat out, no writeback", names, WAY_COUNT,
                  flat_columns, 2);
  bench_grid_init(&paced, "Paced, beside fdatasync", names, WAY_COUNT,
                  paced_columns, 5);
  for (int i = 0; i < REPEATS; i++) {
    for (int w = 0; w < WAY_COUNT; w++) {
      run_flat_out(&flat, w, frame_count);
    }
  }
  for (int i = 0; i < PACED_REPEATS; i++) {
    for (int w = 0; w < WAY_COUNT; w++) {
      run_paced(&paced, w, frame_count);
    }
  }
  printf("%zu frames of %d bytes per segment; paced: one per %d ns.\n",
         frame_count, FRAME_BYTES, PACE_NS);
  bench_grid_print(&flat);
  bench_grid_print(&paced);
  return 0;
}
