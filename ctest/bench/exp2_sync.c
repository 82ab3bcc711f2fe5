/*
 * Experiment 2: what it costs to make one appended frame durable, by the way
 * the space was prepared and by the way the device is asked.
 *
 * A growing file must record its new size (and new blocks) in the file
 * system's journal with each sync; allocated but unwritten space must record
 * that it is written now; space written beforehand needs nothing but the data
 * and one device flush.
 *
 * The contenders take turns, each on a fresh file; one append is one frame and
 * one request for durability.  Afterwards the file is read back and every
 * frame checked.  On a memory file system the figures say nothing; the program
 * prints what it stands on.
 */

#include "bench.h"

#include <sys/vfs.h>

enum {
  SMALL_BYTES = 150,
  LARGE_BYTES = 16 << 10,
  LARGE_DIVISOR = 4, /* one large append for so many small ones */
  MAX_SECTOR_BYTES = 4096,
  CHUNK_BYTES = 4096,
  REPEATS = 5
};

typedef struct log_file {
  bench_file file;
  size_t bytes;        /* size of the prepared space */
  size_t sector_bytes; /* unit of direct writes */
  uint8_t *image;      /* what the file holds, or its mapping */
} log_file;

typedef struct log_way {
  const char *name;
  int open_flags;
  void (*prepare)(log_file *log);
  void (*append)(log_file *log, size_t at, const uint8_t *frame, size_t bytes);
} log_way;

/* --- preparing --- */

static void
prepare_nothing(log_file *log)
{
  (void)log;
}

static void
prepare_allocated(log_file *log)
{
  BENCH_REQUIRE(posix_fallocate(log->file.fd, 0, (off_t)log->bytes) == 0);
  BENCH_REQUIRE(fsync(log->file.fd) == 0);
}

static void
prepare_zeros(log_file *log)
{
  bench_file_zero(log->file.fd, log->bytes, CHUNK_BYTES);
}

static void
prepare_map(log_file *log)
{
  prepare_zeros(log);
  log->image = mmap(NULL, log->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                    log->file.fd, 0);
  BENCH_REQUIRE(log->image != MAP_FAILED);
}

/* Finds the smallest unit the device takes for direct writes. */
static void
prepare_direct(log_file *log)
{
  prepare_zeros(log);
  void *image = NULL;
  BENCH_REQUIRE(posix_memalign(&image, MAX_SECTOR_BYTES, log->bytes) == 0);
  memset(image, 0, log->bytes);
  log->image = image;
  log->sector_bytes = 512;
  if (pwrite(log->file.fd, image, 512, 0) != 512) {
    log->sector_bytes = MAX_SECTOR_BYTES;
  }
}

/* --- appending --- */

static void
append_dsync(log_file *log, size_t at, const uint8_t *frame, size_t bytes)
{
  BENCH_REQUIRE(pwrite(log->file.fd, frame, bytes, (off_t)at) ==
                (ssize_t)bytes);
}

static void
append_fdatasync(log_file *log, size_t at, const uint8_t *frame, size_t bytes)
{
  append_dsync(log, at, frame, bytes);
  BENCH_REQUIRE(fdatasync(log->file.fd) == 0);
}

static void
append_mapped(log_file *log, size_t at, const uint8_t *frame, size_t bytes)
{
  memcpy(log->image + at, frame, bytes);
  BENCH_REQUIRE(fdatasync(log->file.fd) == 0);
}

/* Writes all sectors the frame touches; the first one again in part. */
static void
append_direct(log_file *log, size_t at, const uint8_t *frame, size_t bytes)
{
  size_t low = at / log->sector_bytes * log->sector_bytes;
  size_t high = at + bytes + log->sector_bytes - 1;
  high -= high % log->sector_bytes;
  memcpy(log->image + at, frame, bytes);
  BENCH_REQUIRE(pwrite(log->file.fd, log->image + low, high - low,
                       (off_t)low) == (ssize_t)(high - low));
}

static const log_way ways[] = {
    {"growing file, fdatasync", 0, prepare_nothing, append_fdatasync},
    {"allocated, fdatasync", 0, prepare_allocated, append_fdatasync},
    {"zero-written, fdatasync", 0, prepare_zeros, append_fdatasync},
    {"zero-written, O_DSYNC", O_DSYNC, prepare_zeros, append_dsync},
    {"zero-written, O_DSYNC and O_DIRECT", O_DSYNC | O_DIRECT, prepare_direct,
     append_direct},
    {"zero-written and mapped, fdatasync", 0, prepare_map, append_mapped},
};

enum { WAY_COUNT = sizeof ways / sizeof ways[0] };

/* --- one run --- */

static void
fill_frame(uint8_t *frame, size_t bytes, size_t number)
{
  memset(frame, (int)(number % 251) + 1, bytes);
  memcpy(frame, &number, sizeof number);
}

static void
check_file(const log_file *log, size_t bytes, size_t count)
{
  uint8_t *expected = bench_alloc(1, bytes);
  uint8_t *found = NULL;
  BENCH_REQUIRE(posix_memalign((void **)&found, MAX_SECTOR_BYTES, log->bytes) ==
                0);
  int fd = open(log->file.path, O_RDONLY | O_CLOEXEC);
  BENCH_REQUIRE(fd >= 0);
  BENCH_REQUIRE(pread(fd, found, log->bytes, 0) >= (ssize_t)(bytes * count));
  for (size_t i = 0; i < count; i++) {
    fill_frame(expected, bytes, i);
    BENCH_REQUIRE(memcmp(found + i * bytes, expected, bytes) == 0);
  }
  close(fd);
  free(found);
  free(expected);
}

static void
release_image(log_file *log, const log_way *way)
{
  if (way->prepare == prepare_map) {
    munmap(log->image, log->bytes);
  } else {
    free(log->image);
  }
}

static void
append_all(log_file *log, const log_way *way, size_t bytes, uint32_t *took_ns,
           size_t count)
{
  uint8_t *frame = bench_alloc(1, bytes);
  for (size_t i = 0; i < count; i++) {
    fill_frame(frame, bytes, i);
    uint64_t start = bench_now_ns();
    way->append(log, i * bytes, frame, bytes);
    took_ns[i] = (uint32_t)(bench_now_ns() - start);
  }
  free(frame);
}

/* Appends `count` frames; `took_ns` receives their times in rising order. */
static void
run_way(const log_way *way, size_t bytes, uint32_t *took_ns, size_t count)
{
  log_file log = {.bytes = (bytes * count + MAX_SECTOR_BYTES) /
                           MAX_SECTOR_BYTES * MAX_SECTOR_BYTES};
  bench_file_open(&log.file, "exp2_sync", way->open_flags);
  way->prepare(&log);
  append_all(&log, way, bytes, took_ns, count);
  check_file(&log, bytes, count);
  release_image(&log, way);
  bench_file_close(&log.file);
  qsort(took_ns, count, sizeof *took_ns, bench_compare_u32);
}

static void
run_round(bench_grid *grid, uint32_t *took_ns, size_t count)
{
  size_t large_count = count / LARGE_DIVISOR;
  for (int w = 0; w < WAY_COUNT; w++) {
    run_way(&ways[w], SMALL_BYTES, took_ns, count);
    bench_grid_add(grid, w, 0, took_ns[count / 2] / 1e3);
    bench_grid_add(grid, w, 1, took_ns[count - 1 - count / 100] / 1e3);
    run_way(&ways[w], LARGE_BYTES, took_ns, large_count);
    bench_grid_add(grid, w, 2, took_ns[large_count / 2] / 1e3);
  }
}

static void
print_file_system(void)
{
  bench_file file;
  struct statfs fs;
  bench_file_open(&file, "exp2_sync", 0);
  BENCH_REQUIRE(fstatfs(file.fd, &fs) == 0);
  bench_file_close(&file);
  bool is_memory = (unsigned long)fs.f_type == 0x01021994ul;
  printf("File system type %#lx%s.\n", (unsigned long)fs.f_type,
         is_memory ? " (memory: the figures mean nothing)" : "");
}

int
main(int argc, char **argv)
{
  static bench_grid grid;
  static const char *const columns[] = {"150 B, us", "150 B 99 %, us",
                                        "16 KiB, us"};
  const char *names[WAY_COUNT];
  double scale = bench_scale(argc, argv);
  size_t count = bench_scaled(scale, 2000, 40);
  for (int w = 0; w < WAY_COUNT; w++) {
    names[w] = ways[w].name;
  }
  bench_grid_init(&grid, "Durable append, median per append", names, WAY_COUNT,
                  columns, 3);
  print_file_system();
  uint32_t *took_ns = bench_alloc(count, sizeof *took_ns);
  for (int i = 0; i < REPEATS; i++) {
    run_round(&grid, took_ns, count);
  }
  bench_grid_print(&grid);
  free(took_ns);
  return 0;
}
