/*
 * work: the groups, each on a database of its own.
 */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peers/group.h"

enum { SYNC_THREADS = 8, RECOVERED_ENTRIES = 300000 };

static void
run_fillseq(const peer_engine *engine, const work_setup *setup, work_sink sink,
            void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  work_fill(&w, "fillseq", false, 0);
  work_end(&w);
}

static void
run_fillbatch(const peer_engine *engine, const work_setup *setup,
              work_sink sink, void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  work_fill_in_batches(&w, "fillbatch", false);
  work_end(&w);
}

static void
run_fillrandbatch(const peer_engine *engine, const work_setup *setup,
                  work_sink sink, void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  work_fill_in_batches(&w, "fillrandbatch", true);
  work_end(&w);
}

/* ---- deleting, opening -----------------------------------------------------*/

static void
delete_random(work *w)
{
  uint64_t count = w->setup->entries;
  meter_start(&w->meter);
  for (uint64_t i = 0; i < count; i++) {
    char key[PEER_KEY_BYTES];
    peer_key(w->order[i], key);
    w->engine->remove(w->session, key);
    meter_tick(&w->meter);
  }
  work_emit_meter(w, "deleterandom", &w->meter, 1);
  if (work_get(w, w->order[count / 2])) {
    peer_die(w->engine->name, "delete", "a deleted entry is still there");
  }
}

/* Opens, reads one entry, closes; for a second. */
static void
open_often(work *w)
{
  work_close(w);
  meter_start(&w->meter);
  while (meter_now_ns() - w->meter.start_ns < 1000000000) {
    work_open(w);
    work_get_present(w, peer_below(&w->random, w->setup->entries));
    work_close(w);
    meter_tick(&w->meter);
  }
  work_emit_meter(w, "opens", &w->meter, 1);
  work_open(w);
}

/* Kilobytes of a line of /proc/self/status. */
static double
status_kb(const char *name)
{
  char line[256];
  double found = 0;
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, strlen(name)) == 0) {
      found = strtod(line + strlen(name) + 1, NULL);
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  return found;
}

static double
written_bytes(void)
{
  char line[256];
  double found = 0;
  FILE *file = fopen("/proc/self/io", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "write_bytes:", 12) == 0) {
      found = strtod(line + 12, NULL);
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  return found;
}

static double
bytes_on_disk(const char *dir)
{
  char command[600];
  double bytes = 0;
  snprintf(command, sizeof command, "du -sB1 '%s'", dir);
  FILE *pipe = popen(command, "r");
  if (pipe == NULL || fscanf(pipe, "%lf", &bytes) != 1) {
    peer_die("bench", "du", "does not run");
  }
  pclose(pipe);
  return bytes;
}

/* ---- groups ----------------------------------------------------------------*/

static void
run_main(const peer_engine *engine, const work_setup *setup, work_sink sink,
         void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  double user =
      (double)(setup->entries * (PEER_KEY_BYTES + setup->peer.value_bytes));
  double memory = status_kb("VmRSS:");
  work_open(&w);
  double before = written_bytes();
  work_fill(&w, "fillrandom", true, 0);
  work_read_random(&w, "readrandom, just loaded", w.count);
  engine->settle(w.db);
  work_emit(&w, "bytes on disk / user bytes",
            bytes_on_disk(setup->peer.dir) / user);
  work_emit(&w, "bytes written / user bytes",
            (written_bytes() - before) / user);
  work_read_random(&w, "readrandom, settled", w.count);
  work_read_missing(&w);
  work_read_hot(&w);
  work_read_seq(&w);
  work_read_all(&w, "readreverse", true);
  work_seek_random(&w);
  work_read_while_writing(&w);
  work_fill(&w, "overwrite", true, 1);
  engine->settle(w.db);
  work_ycsb(&w);
  engine->settle(w.db);
  open_often(&w);
  delete_random(&w);
  work_emit(&w, "peak memory, MiB", (status_kb("VmHWM:") - memory) / 1024);
  work_end(&w);
}

static void
run_fillsync(const peer_engine *engine, const work_setup *setup, work_sink sink,
             void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  meter_start(&w.meter);
  for (uint64_t i = 0; i < setup->sync_entries; i++) {
    work_put(&w, w.order[i % setup->entries], 0);
    meter_tick(&w.meter);
  }
  work_emit_meter(&w, "fillsync, 1 thread", &w.meter, 1);
  work_end(&w);
}

static void *
sync_one(void *opaque)
{
  work *w = opaque;
  w->session = w->engine->session == NULL ? w->db : w->engine->session(w->db);
  for (uint64_t i = 0; i < w->setup->sync_entries; i++) {
    work_put(w, peer_below(&w->random, w->setup->entries), 0);
    meter_tick(&w->meter);
  }
  if (w->engine->session != NULL) {
    w->engine->session_end(w->session);
  }
  return NULL;
}

static void
run_fillsync8(const peer_engine *engine, const work_setup *setup,
              work_sink sink, void *context)
{
  work w;
  pthread_t threads[SYNC_THREADS];
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  work *each = work_memory(calloc(SYNC_THREADS, sizeof *each));
  meter_start(&w.meter);
  for (int i = 0; i < SYNC_THREADS; i++) {
    each[i] = w;
    each[i].random += (uint64_t)i * 77 + 1;
    if (pthread_create(&threads[i], NULL, sync_one, &each[i]) != 0) {
      peer_die("bench", "thread", "cannot be started");
    }
  }
  for (int i = 0; i < SYNC_THREADS; i++) {
    pthread_join(threads[i], NULL);
    w.meter.count += each[i].meter.count;
    for (size_t b = 0; b < METER_BUCKETS; b++) {
      w.meter.buckets[b] += each[i].meter.buckets[b];
    }
    if (each[i].meter.longest > w.meter.longest) {
      w.meter.longest = each[i].meter.longest;
    }
  }
  work_emit_meter(&w, "fillsync, 8 threads", &w.meter, 1);
  free(each);
  work_end(&w);
}

/* A writer that ends without closing, and what its log costs to read. */
static void
run_recovery(const peer_engine *engine, const work_setup *setup, work_sink sink,
             void *context)
{
  work w;
  work_setup lasting = *setup;
  uint64_t count =
      setup->entries < RECOVERED_ENTRIES ? setup->entries : RECOVERED_ENTRIES;
  lasting.peer.write_buffer_bytes = UINT64_C(512) << 20;
  work_begin(&w, engine, &lasting, sink, context);
  pid_t child = fork();
  if (child == 0) {
    work_open(&w);
    for (uint64_t i = 0; i < count; i++) {
      work_put(&w, w.order[i], 0);
    }
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    peer_die(engine->name, "recovery", "the writer failed");
  }
  uint64_t start = meter_now_ns();
  work_open(&w);
  work_get_present(&w, w.order[0]);
  work_emit(&w, "recovered entries",
            (double)count / ((double)(meter_now_ns() - start) / 1e9));
  for (uint64_t i = 0; i < count; i++) {
    work_get_present(&w, w.order[i]);
  }
  work_end(&w);
}

/* ---- stalls ----------------------------------------------------------------*/

/* Puts for so long; at a pace where one is given (entries a second). A put
 * that comes late is counted from when it was due. */
static double
put_for(work *w, double seconds, double pace)
{
  double ticks_per_put = pace > 0 ? 1e9 / pace / meter_pace() : 0;
  meter_start(&w->meter);
  double due = (double)w->meter.last;
  while ((double)(meter_now_ns() - w->meter.start_ns) / 1e9 < seconds) {
    for (int i = 0; i < 64; i++) {
      if (pace > 0) {
        due += ticks_per_put;
        while ((double)meter_counter() < due) {
        }
        w->meter.last = (uint64_t)due;
      }
      work_put(w, peer_below(&w->random, w->setup->entries), 0);
      meter_tick(&w->meter);
    }
  }
  return (double)w->meter.count /
         ((double)(meter_now_ns() - w->meter.start_ns) / 1e9);
}

static void
run_stall(const peer_engine *engine, const work_setup *setup, work_sink sink,
          void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  double most = put_for(&w, setup->stall_max_s, 0);
  work_emit_meter(&w, "put at full speed", &w.meter, 1);
  put_for(&w, setup->stall_paced_s, most * 0.95);
  work_emit_meter(&w, "put at 95 %", &w.meter, 1);
  work_end(&w);
}

const work_group work_groups[] = {
    {.name = "fillseq", .run = run_fillseq},
    {.name = "fillbatch", .run = run_fillbatch},
    {.name = "fillrandbatch", .run = run_fillrandbatch},
    {.name = "main", .run = run_main},
    {.name = "fillsync", .is_durable = true, .run = run_fillsync},
    {.name = "fillsync8", .is_durable = true, .run = run_fillsync8},
    {.name = "recovery", .needs_log = true, .run = run_recovery},
    {.name = "stall", .is_stall = true, .run = run_stall},
};
const size_t work_group_count = sizeof work_groups / sizeof work_groups[0];
