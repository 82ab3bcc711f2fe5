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
  work_verify(&w, w.count, 1 << 0);
  work_end(&w);
}

static void
run_fillbatch(const peer_engine *engine, const work_setup *setup,
              work_sink sink, void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  work_fill_in_batches(&w, "fillbatch (1000)", false);
  work_verify(&w, w.count, 1 << 0);
  work_end(&w);
}

static void
run_fillrandbatch(const peer_engine *engine, const work_setup *setup,
                  work_sink sink, void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  work_fill_in_batches(&w, "fillrandbatch (1000)", true);
  work_verify(&w, w.count, 1 << 0);
  engine->settle(w.db);
  work_close(&w);
  work_emit_space(&w, "bytes on disk / user bytes, closed");
  work_open(&w);
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
  work_verify(w, w->count - count, 1 << 0); /* what YCSB inserted is left */
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
  work_emit_meter(w, "opens per second", &w->meter, 1);
  work_open(w);
}

/* ---- groups ----------------------------------------------------------------*/

static void
run_main(const peer_engine *engine, const work_setup *setup, work_sink sink,
         void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_begin_costs(&w);
  work_open(&w);
  work_fill(&w, "fillrandom", true, 0);
  peer_allow(1 << 0);
  work_read_random(&w, "readrandom, just loaded", w.count);
  engine->settle(w.db);
  work_emit_space(&w, "bytes on disk / user bytes");
  work_emit_written(&w);
  work_read_random(&w, "readrandom, settled", w.count);
  work_read_missing(&w);
  work_read_hot(&w);
  work_read_seq(&w);
  work_read_all(&w, "readreverse", true);
  work_seek_random(&w);
  work_read_while_writing(&w);
  work_fill(&w, "overwrite", true, 1);
  work_verify(&w, w.count, 1 << 1);
  engine->settle(w.db);
  work_ycsb(&w);
  engine->settle(w.db);
  open_often(&w);
  delete_random(&w);
  work_emit_memory(&w);
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
  work_verify(&w,
              setup->sync_entries < setup->entries ? setup->sync_entries
                                                   : setup->entries,
              1 << 0);
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
  peer_data_end_thread();
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
  work_emit(&w, "recovered entries per second",
            (double)count / ((double)(meter_now_ns() - start) / 1e9));
  for (uint64_t i = 0; i < count; i++) {
    work_get_present(&w, w.order[i]);
  }
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
    {.name = "stall", .kind = WORK_STALL, .run = work_run_stall},
    {.name = "growth", .kind = WORK_GROWTH, .run = work_run_growth},
};
const size_t work_group_count = sizeof work_groups / sizeof work_groups[0];
