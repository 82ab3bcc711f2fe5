#ifndef GS_CTEST_BENCH_BENCH_H
#define GS_CTEST_BENCH_BENCH_H

/*
 * What the experiment programs share: a clock, random numbers, medians, a
 * table of results, plain memory and temporary files.
 *
 * Model: an experiment is a grid, one row per contender and one column per
 * measure.  Every cell collects one sample per repeat; the printed value is
 * the median, followed by its ratio to the first contender of that column.
 * Contenders take turns within one run, so that a noisy neighbour hits all of
 * them; only ratios within one run are worth comparing.
 *
 * Life: at most one temporary file is open at a time; closing removes it, and
 * so does a failed requirement.
 *
 * Threads: a grid and a random generator belong to one thread.
 *
 * Errors: a requirement that does not hold ends the program with status 1.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BENCH_REQUIRE(condition) \
  ((condition) ? (void)0 : bench_fail(__FILE__, __LINE__, #condition))

enum { BENCH_MAX_ROWS = 12, BENCH_MAX_COLUMNS = 8, BENCH_MAX_REPEATS = 9 };

typedef struct bench_grid {
  const char *title;
  const char *const *row_names;
  const char *const *column_names;
  int row_count;
  int column_count;
  int sample_counts[BENCH_MAX_ROWS][BENCH_MAX_COLUMNS];
  double samples[BENCH_MAX_ROWS][BENCH_MAX_COLUMNS][BENCH_MAX_REPEATS];
} bench_grid;

typedef struct bench_file {
  int fd;
  char path[512];
} bench_file;

/* Path of the open temporary file; empty when there is none. */
static char bench_open_path[512];

_Noreturn static inline void
bench_fail(const char *file, int line, const char *condition)
{
  fprintf(stderr, "%s:%d: required: %s (errno: %s)\n", file, line, condition,
          strerror(errno));
  if (bench_open_path[0] != '\0') {
    {
      unlink(bench_open_path);
    }
  }
  _exit(1);
}

static inline uint64_t
bench_now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Nanoseconds per operation since `start_ns`. */
static inline double
bench_per_op(uint64_t start_ns, size_t op_count)
{
  return (double)(bench_now_ns() - start_ns) / (double)op_count;
}

/* xorshift64*; `state` must not be zero. */
static inline uint64_t
bench_random(uint64_t *state)
{
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* A number below `limit`, by multiplication instead of division. */
static inline size_t
bench_random_below(uint64_t *state, size_t limit)
{
  return (size_t)(((bench_random(state) >> 32) * (uint64_t)limit) >> 32);
}

/* Waits until every earlier load has arrived, so that the work after it
 * cannot overlap with the work before it. */
static inline void
bench_serialise(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __asm__ volatile("lfence" ::: "memory");
#elif defined(__aarch64__)
  __asm__ volatile("dsb sy\n\tisb" ::: "memory");
#else
  atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline int
bench_compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

static inline int
bench_compare_u32(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a;
  uint32_t y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static inline double
bench_median(const double *values, int count)
{
  double sorted[BENCH_MAX_REPEATS];
  memcpy(sorted, values, (size_t)count * sizeof *values);
  qsort(sorted, (size_t)count, sizeof *sorted, bench_compare_doubles);
  if (count % 2 == 1) {
    {
      return sorted[count / 2];
    }
  }
  return (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static inline void
bench_grid_init(bench_grid *grid, const char *title,
                const char *const *row_names, int row_count,
                const char *const *column_names, int column_count)
{
  BENCH_REQUIRE(row_count <= BENCH_MAX_ROWS);
  BENCH_REQUIRE(column_count <= BENCH_MAX_COLUMNS);
  memset(grid, 0, sizeof *grid);
  grid->title = title;
  grid->row_names = row_names;
  grid->row_count = row_count;
  grid->column_names = column_names;
  grid->column_count = column_count;
}

static inline void
bench_grid_add(bench_grid *grid, int row, int column, double value)
{
  int *count = &grid->sample_counts[row][column];
  BENCH_REQUIRE(*count < BENCH_MAX_REPEATS);
  grid->samples[row][column][(*count)++] = value;
}

static inline void
bench_grid_print_cell(const bench_grid *grid, int row, int column)
{
  int count = grid->sample_counts[row][column];
  if (count == 0) {
    printf(" %16s |", "-");
    return;
  }
  double value = bench_median(grid->samples[row][column], count);
  int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  printf(" %8.*f", digits, value);
  double first = 0;
  if (grid->sample_counts[0][column] > 0) {
    {
      first = bench_median(grid->samples[0][column],
                           grid->sample_counts[0][column]);
    }
  }
  if (first > 0) {
    {
      printf(" (%5.2f) |", value / first);
    }
  } else {
    {
      printf("         |");
    }
  }
}

/* Prints the grid as a Markdown table: median and ratio to the first row. */
static inline void
bench_grid_print(const bench_grid *grid)
{
  printf("\n%s\n\n| %-40s |", grid->title, "contender");
  for (int c = 0; c < grid->column_count; c++) {
    {
      printf(" %16s |", grid->column_names[c]);
    }
  }
  printf("\n|---|");
  for (int c = 0; c < grid->column_count; c++) {
    {
      printf("---|");
    }
  }
  for (int r = 0; r < grid->row_count; r++) {
    printf("\n| %-40s |", grid->row_names[r]);
    for (int c = 0; c < grid->column_count; c++) {
      {
        bench_grid_print_cell(grid, r, c);
      }
    }
  }
  printf("\n");
  fflush(stdout);
}

/* The scale given as first argument, or 1. */
static inline double
bench_scale(int argc, char **argv)
{
  if (argc < 2) {
    {
      return 1.0;
    }
  }
  char *end = NULL;
  double scale = strtod(argv[1], &end);
  if (end == argv[1] || *end != '\0' || !(scale > 0) || scale > 100) {
    fprintf(stderr, "usage: %s [scale, default 1]\n", argv[0]);
    exit(2);
  }
  return scale;
}

static inline size_t
bench_scaled(double scale, size_t count, size_t least)
{
  size_t scaled = (size_t)(scale * (double)count);
  return scaled < least ? least : scaled;
}

/* Zeroed heap memory; free() releases it. */
static inline void *
bench_alloc(size_t count, size_t size)
{
  void *memory = calloc(count, size);
  BENCH_REQUIRE(memory != NULL);
  return memory;
}

/* Zeroed, faulted-in memory of its own mapping on a 2 MiB boundary, on 4 KiB
 * pages or on huge pages where the system grants them.  `bytes` is rounded up
 * to 2 MiB; bench_unmap with the same `bytes` releases it. */
static inline size_t
bench_map_bytes(size_t bytes)
{
  size_t huge = (size_t)2 << 20;
  return (bytes + huge - 1) / huge * huge;
}

static inline uint8_t *
bench_map(size_t bytes, bool is_huge)
{
  size_t huge = (size_t)2 << 20;
  size_t wanted = bench_map_bytes(bytes);
  uint8_t *raw = mmap(NULL, wanted + huge, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  BENCH_REQUIRE(raw != MAP_FAILED);
  size_t skip = (huge - (uintptr_t)raw % huge) % huge;
  uint8_t *base = raw + skip;
  if (skip > 0) {
    {
      munmap(raw, skip);
    }
  }
  munmap(base + wanted, huge - skip);
  madvise(base, wanted, is_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  for (size_t at = 0; at < wanted; at += 4096) {
    {
      *(volatile uint8_t *)(base + at) = 0;
    }
  }
  return base;
}

static inline void
bench_unmap(uint8_t *base, size_t bytes)
{
  munmap(base, bench_map_bytes(bytes));
}

/* Creates an empty file in $TMPDIR, or in build/ below the working directory.
 */
static inline void
bench_file_open(bench_file *file, const char *name, int more_flags)
{
  const char *folder = getenv("TMPDIR");
  if (folder == NULL || folder[0] == '\0') {
    folder = "build";
    BENCH_REQUIRE(mkdir(folder, 0777) == 0 || errno == EEXIST);
  }
  int length = snprintf(file->path, sizeof file->path, "%s/%s.%ld.tmp", folder,
                        name, (long)getpid());
  BENCH_REQUIRE(length > 0 && (size_t)length < sizeof file->path);
  file->fd = open(file->path,
                  O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | more_flags, 0600);
  BENCH_REQUIRE(file->fd >= 0);
  memcpy(bench_open_path, file->path, sizeof bench_open_path);
}

static inline void
bench_file_close(bench_file *file)
{
  close(file->fd);
  unlink(file->path);
  bench_open_path[0] = '\0';
  file->fd = -1;
}

/* Writes zeros over [0, bytes), `chunk_bytes` per call, and makes them durable.
 * The length of a call matters: kernels with large page-cache folios make one
 * folio per call, and later treat it as one page. */
static inline void
bench_file_zero(int fd, size_t bytes, size_t chunk_bytes)
{
  void *zeros = NULL;
  BENCH_REQUIRE(posix_memalign(&zeros, 4096, chunk_bytes) == 0);
  memset(zeros, 0, chunk_bytes);
  for (size_t at = 0; at < bytes; at += chunk_bytes) {
    size_t length = bytes - at < chunk_bytes ? bytes - at : chunk_bytes;
    BENCH_REQUIRE(pwrite(fd, zeros, length, (off_t)at) == (ssize_t)length);
  }
  BENCH_REQUIRE(fsync(fd) == 0);
  free(zeros);
}

#endif
