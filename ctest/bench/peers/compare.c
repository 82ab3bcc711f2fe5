/*
 * GrainStore beside its peers: the same workloads, one process for each engine
 * and group, engines taking turns.
 */
#include "bench/peers/report.h"

#include <argp.h>
#include <sys/utsname.h>
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

typedef struct choices {
  work_setup work;
  int repeats;
  const char *dir;
  const char *engines; /* names, any separator; NULL: all */
  const char *groups;
  const char *csv;
} choices;

static report results; /* the engines that were chosen are its columns */

/* ---- options ---------------------------------------------------------------*/

static const struct argp_option options[] = {
    {"entries", 'n', "COUNT", 0, "Entries (1000000)", 0},
    {"value-bytes", 'v', "BYTES", 0, "Size of values (100)", 0},
    {"sync-entries", 's', "COUNT", 0, "Durable writes a thread (2000)", 0},
    {"repeat", 'r', "COUNT", 0, "Runs of everything (3)", 0},
    {"limit", 'l', "SECONDS", 0, "Reads stop after that long (10)", 0},
    {"engines", 'e', "NAMES", 0, "Only these: GrainStore,LMDB", 0},
    {"groups", 'g', "NAMES", 0,
     "Only these of: fillseq fillbatch fillrandbatch main fillsync fillsync8 "
     "recovery stall",
     0},
    {"stall", 't', "SECONDS", 0,
     "Stall test: at full speed for a fifth of that, at 95 % for all of it", 0},
    {"dir", 'd', "PATH", 0, "Where databases are made (peers)", 0},
    {"csv", 'c', "FILE", 0, "Write the results there too", 0},
    {0}};

static error_t
take_option(int key, char *text, struct argp_state *state)
{
  choices *c = state->input;
  switch (key) {
  case 'n':
    c->work.entries = strtoull(text, NULL, 10);
    break;
  case 'v':
    c->work.peer.value_bytes = strtoull(text, NULL, 10);
    break;
  case 's':
    c->work.sync_entries = strtoull(text, NULL, 10);
    break;
  case 'r':
    c->repeats = (int)strtol(text, NULL, 10);
    break;
  case 'l':
    c->work.limit_s = strtod(text, NULL);
    break;
  case 'e':
    c->engines = text;
    break;
  case 'g':
    c->groups = text;
    break;
  case 't':
    c->work.stall_paced_s = strtod(text, NULL);
    c->work.stall_max_s = c->work.stall_paced_s / 5;
    break;
  case 'd':
    c->dir = text;
    break;
  case 'c':
    c->csv = text;
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
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
run_one(const choices *c, int engine, const work_group *group)
{
  char dir[512];
  int ends[2];
  work_setup setup = c->work;
  snprintf(dir, sizeof dir, "%s/%s", c->dir, results.engines[engine]->name);
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
    fprintf(stderr, "  %-11s %-26s %14.1f\n", results.engines[engine]->name,
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
    if (is_named(c->engines, all_engines[i]->name)) {
      results.engines[results.engine_count++] = all_engines[i];
    }
  }
}

static bool
is_wanted(const choices *c, int engine, const work_group *group)
{
  return is_named(c->groups, group->name) &&
         (!group->needs_log || results.engines[engine]->has_log) &&
         (!group->is_stall || c->work.stall_paced_s > 0);
}

static void
run_all(const choices *c)
{
  for (int repeat = 0; repeat < c->repeats; repeat++) {
    fprintf(stderr, "run %d of %d\n", repeat + 1, c->repeats);
    for (size_t g = 0; g < work_group_count; g++) {
      for (int i = 0; i < results.engine_count; i++) {
        int engine = (i + repeat) % results.engine_count;
        if (is_wanted(c, engine, &work_groups[g])) {
          run_one(c, engine, &work_groups[g]);
        }
      }
    }
  }
}

/* ---- saying ----------------------------------------------------------------*/

static void
say_machine(const choices *c)
{
  struct utsname name;
  char text[64];
  char line[256];
  uname(&name);
  printf("%s %s, %ld processors\n", name.sysname, name.release,
         sysconf(_SC_NPROCESSORS_ONLN));
  FILE *file = fopen("/proc/cpuinfo", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "model name", 10) == 0) {
      printf("%s", strchr(line, ':') + 2);
      break;
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  printf("%llu entries, values of %llu bytes, write buffer %llu MiB, cache "
         "%llu MiB, %d runs\n",
         (unsigned long long)c->work.entries,
         (unsigned long long)c->work.peer.value_bytes,
         (unsigned long long)(c->work.peer.write_buffer_bytes >> 20),
         (unsigned long long)(c->work.peer.cache_bytes >> 20), c->repeats);
  printf("Durability: a killed process loses nothing; fillsync: nor does a "
         "power cut.\n");
  for (int i = 0; i < results.engine_count; i++) {
    results.engines[i]->version(text);
    printf("%s %s: %s\n", results.engines[i]->name, text,
           results.engines[i]->settings);
  }
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
      .repeats = 3,
      .dir = "peers",
  };
  argp_parse(&parser, argc, argv, 0, NULL, &c);
  if (c.work.entries < 1000 || c.work.entries > UINT32_MAX / 2 ||
      c.repeats < 1 || c.repeats > REPORT_REPEATS) {
    fprintf(stderr, "entries: 1000 to 2147483647; runs: 1 to %d\n",
            REPORT_REPEATS);
    return 2;
  }
  char command[600];
  snprintf(command, sizeof command, "mkdir -p '%s'", c.dir);
  if (system(command) != 0) {
    return 1;
  }
  choose_engines(&c);
  if (results.engine_count == 0) {
    fprintf(stderr, "no engine of that name was built in\n");
    return 2;
  }
  run_all(&c);
  say_machine(&c);
  report_print(&results, stdout);
  if (c.csv != NULL) {
    FILE *file = fopen(c.csv, "w");
    if (file == NULL) {
      peer_die("bench", c.csv, "cannot be written");
    }
    report_csv(&results, file);
    fclose(file);
  }
  return 0;
}
