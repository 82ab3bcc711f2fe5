/*
 * The log by itself: batches of 130 bytes in one segment of 64 MiB, on the
 * real machine, one thread, nothing synced.
 *
 * Rows: a segment written through a mapping, and one written with a system
 * call for each frame. Columns:
 *   append  ns per frame
 *   walk    ns per frame, over a log in memory
 *   search  ms for the whole segment: looking for a header that says more had
 *           been durable than any does, past every frame
 *   bait    the same where every eight bytes look like the end of a header
 *
 *   wal [scale]        1 is a whole segment
 */
#include "bench/bench.h"

#include "code/fixed.h"
#include "env/env.h"
#include "wal/frame.h"
#include "wal/reader.h"
#include "wal/writer.h"

enum {
  PAYLOAD_BYTES = 130,
  SEGMENT_BYTES = 64 << 20,
  REPEATS = 5,
};

typedef enum row { MAPPED, UNMAPPED, ROWS } row;
typedef enum column { APPEND, WALK, SEARCH, BAIT, COLUMNS } column;

static const char *const row_names[] = {"mapped", "unmapped"};
static const char *const column_names[] = {"append ns", "walk ns", "search ms",
                                           "bait ms"};

static int
refuse_map(gs_file *file, uint64_t size)
{
  (void)file;
  (void)size;
  return ENOTSUP;
}

static void
bench_appends(bench_grid *grid, row r, gs_env *env, const char *path,
              size_t frames)
{
  uint8_t payload[PAYLOAD_BYTES];
  gs_log_header header = {.kind = GS_LOG_WAL, .number = 1, .salt = 7};
  gs_log_writer *writer = NULL;
  memset(payload, 0x55, sizeof payload);
  BENCH_REQUIRE(gs_log_reserve(env, path, SEGMENT_BYTES, &writer, NULL) ==
                GS_OK);
  BENCH_REQUIRE(gs_log_start(writer, &header, NULL) == GS_OK);
  uint64_t start = bench_now_ns();
  for (uint64_t seq = 1; seq <= frames; seq++) {
    gs_put_u64(payload, seq);
    BENCH_REQUIRE(gs_log_append(writer, GS_FRAME_BATCH, seq, 1,
                                gs_slice_of(payload, sizeof payload),
                                NULL) == GS_OK);
  }
  bench_grid_add(grid, (int)r, APPEND, bench_per_op(start, frames));
  gs_log_close(writer);
}

static void
bench_reads(bench_grid *grid, row r, gs_env *env, const char *path,
            size_t frames)
{
  gs_log_reader *reader = NULL;
  gs_frame_info info;
  gs_slice payload;
  uint64_t at = 0;
  size_t count = 0;
  BENCH_REQUIRE(gs_log_open(env, path, NULL, &reader, NULL) == GS_OK);
  uint64_t start = bench_now_ns();
  while (gs_log_next(reader, &info, &payload)) {
    count++;
  }
  bench_grid_add(grid, (int)r, WALK, bench_per_op(start, count));
  BENCH_REQUIRE(count == frames);
  start = bench_now_ns();
  BENCH_REQUIRE(!gs_log_find_durable(reader, GS_LOG_HEADER_BYTES, &at));
  bench_grid_add(grid, (int)r, SEARCH, bench_per_op(start, 1000000));
  gs_log_reader_close(reader);
}

/* Every word is a type and speaks of bytes before it. */
static void
bench_bait(bench_grid *grid, row r)
{
  gs_log_identity identity = {.salt = 7, .number = 1};
  uint64_t at = 0;
  uint8_t *log = bench_map(SEGMENT_BYTES, false);
  for (size_t i = 0; i < SEGMENT_BYTES; i += 8) {
    gs_put_u64(log + i, 1 + i / 8 % 4);
  }
  uint64_t start = bench_now_ns();
  BENCH_REQUIRE(!gs_frame_find_durable(gs_slice_of(log, SEGMENT_BYTES),
                                       identity, 0, &at));
  bench_grid_add(grid, (int)r, BAIT, bench_per_op(start, 1000000));
  bench_unmap(log, SEGMENT_BYTES);
}

int
main(int argc, char **argv)
{
  static bench_grid grid;
  const char *folder = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "build";
  size_t whole = (SEGMENT_BYTES - GS_LOG_HEADER_BYTES) /
                 (size_t)gs_frame_bytes(PAYLOAD_BYTES);
  size_t frames = bench_scaled(bench_scale(argc, argv), whole, 1000);
  char path[512];
  gs_env *posix = gs_env_posix();
  gs_env_ops unmapped_ops = *posix->ops;
  gs_env unmapped = *posix;
  unmapped_ops.map = refuse_map;
  unmapped.ops = &unmapped_ops;
  frames = frames < whole ? frames : whole;
  snprintf(path, sizeof path, "%s/wal_bench.%ld.wal", folder, (long)getpid());
  bench_grid_init(&grid, "One log, batches of 130 bytes", row_names, ROWS,
                  column_names, COLUMNS);
  for (int i = 0; i < REPEATS; i++) {
    for (int r = 0; r < ROWS; r++) {
      gs_env *env = r == MAPPED ? posix : &unmapped;
      bench_appends(&grid, (row)r, env, path, frames);
      bench_reads(&grid, (row)r, env, path, frames);
      bench_bait(&grid, (row)r);
      BENCH_REQUIRE(gs_env_remove(env, path, NULL) == GS_OK);
    }
  }
  bench_grid_print(&grid);
  return 0;
}
