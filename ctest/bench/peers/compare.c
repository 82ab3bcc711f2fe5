/*
 * GrainStore beside its peers: the same workloads, one process for each engine
 * and group, engines taking turns.
 */
#include "bench/peers/head.h"

#include <argp.h>
#include <sys/wait.h>
#include <unistd.h>

static const peer_engine *const all_engines[] = {
    &peer_grainstore,
#ifdef PEER_rocksdb
    &peer_rocksdb,
#endif
#ifdef PEER_leveldb
    &peer_leveldb,
#endif
#ifdef PEER_lmdb
    &peer_lmdb,
#endif
#ifdef PEER_wiredtiger
    &peer_wiredtiger,
#endif
#ifdef PEER_sqlite
    &peer_sqlite,
#endif
};

enum { ALL_ENGINES = sizeof all_engines / sizeof all_engines[0] };

/* Names of those that this program was built without. */
static const char absent_engines[] = ""
#ifndef PEER_rocksdb
                                     "RocksDB "
#endif
#ifndef PEER_leveldb
                                     "LevelDB "
#endif
#ifndef PEER_lmdb
                                     "LMDB "
#endif
#ifndef PEER_wiredtiger
                                     "WiredTiger "
#endif
#ifndef PEER_sqlite
                                     "SQLite "
#endif
    ;

enum { SIZES_AT_MOST = 8, LARGE_VALUE_BYTES = 4096 };

typedef struct choices {
  work_setup work;
  int runs;
  const char *dir;
  const char *engines; /* names, any separator; NULL: all */
  const char *codecs;  /* names with commas between; NULL: no compression */
  const char *groups;
  const char *csv;
  const char *svg;
  uint64_t sizes[SIZES_AT_MOST]; /* of the growth of cost */
  int size_count;                /* 0: not measured */
} choices;

static report results; /* the engines that were chosen are its columns */

/* ---- options ---------------------------------------------------------------*/

static const struct argp_option options[] = {
    {"entries", 'n', "COUNT", 0, "Entries (1000000)", 0},
    {"value-bytes", 'v', "BYTES", 0, "Size of values (100)", 0},
    {"cache", 'b', "MIB", 0, "Memory for blocks that were read (256)", 0},
    {"sync-entries", 's', "COUNT", 0, "Durable writes a thread (2000)", 0},
    {"repeat", 'r', "COUNT", 0, "Runs of everything (3)", 0},
    {"limit", 'l', "SECONDS", 0, "Reads stop after that long (10)", 0},
    {"engines", 'e', "NAMES", 0, "Only these: GrainStore,LMDB", 0},
    {"groups", 'g', "NAMES", 0,
     "Only these of: fillseq fillbatch fillrandbatch main fillsync fillsync8 "
     "recovery; none: only what --stall and --growth ask for",
     0},
    {"stall", 't', "MINUTES", OPTION_ARG_OPTIONAL,
     "Also how long a put takes at 95 % of the highest rate, for so long (5)",
     0},
    {"growth", 'o', "COUNTS", OPTION_ARG_OPTIONAL,
     "Also how cost grows with entries (100000,1000000,10000000), and with "
     "values of 4 KiB at the first of these",
     0},
    {"compression", 'z', "NAMES", 0,
     "Blocks are compressed: each engine takes the first of these that it has "
     "(lz4,zstd,snappy), and one that has none is left out",
     0},
    {"dir", 'd', "PATH", 0, "Where databases are made (peers)", 0},
    {"csv", 'c', "FILE", 0, "Write the results there too", 0},
    {"svg", 'p', "FILE", 0, "Draw the results there", 0},
    {0}};

static void
take_sizes(choices *c, const char *text)
{
  c->size_count = 0;
  for (const char *at = text; *at != '\0' && c->size_count < SIZES_AT_MOST;) {
    char *end = NULL;
    c->sizes[c->size_count++] = strtoull(at, &end, 10);
    at = *end == ',' ? end + 1 : end;
    if (at == end && *end != '\0') {
      peer_die("bench", "growth", "wants numbers with commas between");
    }
  }
}

static error_t
take_number(int key, const char *text, choices *c)
{
  switch (key) {
  case 'n':
    c->work.entries = strtoull(text, NULL, 10);
    return 0;
  case 'v':
    c->work.peer.value_bytes = strtoull(text, NULL, 10);
    return 0;
  case 'b':
    c->work.peer.cache_bytes = strtoull(text, NULL, 10) << 20;
    return 0;
  case 's':
    c->work.sync_entries = strtoull(text, NULL, 10);
    return 0;
  case 'r':
    c->runs = (int)strtol(text, NULL, 10);
    return 0;
  case 'l':
    c->work.limit_s = strtod(text, NULL);
    return 0;
  case 't':
    c->work.stall_s = text == NULL ? 300 : strtod(text, NULL) * 60;
    return 0;
  case 'o':
    take_sizes(c, text == NULL ? "100000,1000000,10000000" : text);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t
take_option(int key, char *text, struct argp_state *state)
{
  choices *c = state->input;
  switch (key) {
  case 'e':
    c->engines = text;
    return 0;
  case 'g':
    c->groups = text;
    return 0;
  case 'z':
    c->codecs = text;
    return 0;
  case 'd':
    c->dir = text;
    return 0;
  case 'c':
    c->csv = text;
    return 0;
  case 'p':
    c->svg = text;
    return 0;
  default:
    return take_number(key, text, c);
  }
}

static const struct argp parser = {
    .options = options,
    .parser = take_option,
    .doc = "Compares GrainStore with the engines it was built with.",
};

/* ---- running ---------------------------------------------------------------*/

static bool
is_named(const char *names, const char *name)
{
  const char *at = names == NULL ? NULL : strstr(names, name);
  size_t size = strlen(name);
  for (; at != NULL; at = strstr(at + 1, name)) {
    char after = at[size];
    if ((at == names || at[-1] == ',' || at[-1] == ' ') &&
        (after == '\0' || after == ',' || after == ' ')) {
      return true;
    }
  }
  return names == NULL;
}

static void
send_result(void *context, const work_result *result)
{
  const int *fd = context;
  if (write(*fd, result, sizeof *result) != (ssize_t)sizeof *result) {
    peer_die("bench", "pipe", "closed");
  }
}

static void
remove_dir(const char *dir)
{
  char command[600];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  if (system(command) != 0) {
    peer_die("bench", "rm", command);
  }
}

/* A file system busy with the last engine's pages would slow the next. */
static void
run_one(const char *parent, int engine, const work_group *group,
        work_setup setup)
{
  char dir[512];
  int ends[2];
  snprintf(dir, sizeof dir, "%s/%s", parent, results.engines[engine]->name);
  remove_dir(dir);
  sync();
  setup.peer.dir = dir;
  setup.peer.is_durable = group->is_durable;
  setup.peer.entry_count = setup.entries;
  if (pipe(ends) != 0) {
    peer_die("bench", "pipe", "cannot be made");
  }
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    group->run(results.engines[engine], &setup, send_result, &ends[1]);
    _exit(0);
  }
  close(ends[1]);
  work_result result;
  while (read(ends[0], &result, sizeof result) == (ssize_t)sizeof result) {
    fprintf(stderr, "  %-11s %-42s %14.1f\n", results.engines[engine]->name,
            result.name, result.value);
    report_add(&results, engine, &result);
  }
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "%s: %s failed (status %d)\n",
            results.engines[engine]->name, group->name, status);
    exit(1);
  }
  remove_dir(dir);
}

static void
choose_engines(const choices *c)
{
  for (size_t i = 0; i < ALL_ENGINES; i++) {
    if (is_named(c->engines, all_engines[i]->name) &&
        (c->codecs == NULL || peer_codec(all_engines[i], c->codecs) != NULL)) {
      results.engines[results.engine_count++] = all_engines[i];
    }
  }
}

static bool
is_wanted(const choices *c, int engine, const work_group *group)
{
  switch (group->kind) {
  case WORK_PLAIN:
    return is_named(c->groups, group->name) &&
           (!group->needs_log || results.engines[engine]->has_log);
  case WORK_STALL:
    return c->work.stall_s > 0;
  case WORK_GROWTH:
    return c->size_count > 0;
  }
  return false;
}

/* All engines, beginning with another one in each run. */
static void
run_group(const choices *c, int run, const work_group *group,
          const work_setup *setup)
{
  for (int i = 0; i < results.engine_count; i++) {
    int engine = (i + run) % results.engine_count;
    if (is_wanted(c, engine, group)) {
      work_setup its = *setup;
      its.peer.codec = peer_codec(results.engines[engine], c->codecs);
      run_one(c->dir, engine, group, its);
    }
  }
}

static void
run_sizes(const choices *c, int run, const work_group *group)
{
  work_setup setup = c->work;
  for (int i = 0; i < c->size_count; i++) {
    setup.entries = c->sizes[i];
    run_group(c, run, group, &setup);
  }
  setup.entries = c->sizes[0];
  setup.peer.value_bytes = LARGE_VALUE_BYTES;
  run_group(c, run, group, &setup);
}

static void
run_all(const choices *c)
{
  for (int run = 0; run < c->runs; run++) {
    fprintf(stderr, "run %d of %d\n", run + 1, c->runs);
    for (size_t g = 0; g < work_group_count; g++) {
      if (work_groups[g].kind == WORK_GROWTH) {
        run_sizes(c, run, &work_groups[g]);
      } else {
        run_group(c, run, &work_groups[g], &c->work);
      }
    }
  }
}

/* ---- saying ----------------------------------------------------------------*/

static void
write_file(const char *path, void (*write)(const report *r, FILE *out))
{
  if (path == NULL) {
    return;
  }
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    peer_die("bench", path, "cannot be written");
  }
  write(&results, file);
  if (fclose(file) != 0) {
    peer_die("bench", path, "cannot be written");
  }
}

static bool
are_sensible(const choices *c)
{
  bool is_good = c->work.entries >= 1000 && c->work.entries <= UINT32_MAX / 2 &&
                 c->runs >= 1 && c->runs <= REPORT_RUNS;
  for (int i = 0; i < c->size_count; i++) {
    is_good &= c->sizes[i] >= 1000 && c->sizes[i] <= UINT32_MAX / 2;
  }
  if (!is_good) {
    fprintf(stderr, "entries: 1000 to 2147483647; runs: 1 to %d\n",
            REPORT_RUNS);
  }
  return is_good;
}

int
main(int argc, char **argv)
{
  choices c = {
      .work = {.peer = {.write_buffer_bytes = UINT64_C(64) << 20,
                        .cache_bytes = UINT64_C(256) << 20,
                        .value_bytes = 100},
               .entries = 1000000,
               .sync_entries = 2000,
               .seed = 4711,
               .limit_s = 10},
      .runs = 3,
      .dir = "peers",
  };
  argp_parse(&parser, argc, argv, 0, NULL, &c);
  if (!are_sensible(&c)) {
    return 2;
  }
  char command[600];
  snprintf(command, sizeof command, "mkdir -p '%s'", c.dir);
  if (system(command) != 0) {
    return 1;
  }
  choose_engines(&c);
  if (results.engine_count == 0) {
    fprintf(stderr, "no engine of that name and codec was built in\n");
    return 2;
  }
  run_all(&c);
  results.head = head_text(&results, &(head_facts){&c.work, c.runs, c.dir,
                                                   absent_engines, c.codecs});
  report_print(&results, stdout);
  write_file(c.csv, report_csv);
  write_file(c.svg, report_svg);
  return 0;
}
