/*
 * reads: single reads, scans, and the mixtures of the Yahoo! Cloud Serving
 * Benchmark (Cooper et al., 2010).
 */
#include "bench/peers/group.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SCAN_ENTRIES = 10 };

/* ---- reading ---------------------------------------------------------------*/

static uint64_t
work_reads(const work *w)
{
  return w->setup->entries < 1000000 ? w->setup->entries : 1000000;
}

void
work_read_random(work *w, const char *name, uint64_t below)
{
  meter_start(&w->meter);
  for (uint64_t i = work_reads(w); i > 0 && !work_is_over(w); i--) {
    work_get_present(w, peer_below(&w->random, below));
    meter_tick(&w->meter);
  }
  work_emit_meter(w, name, &w->meter, 1);
}

/* One in a hundred entries, spread over all keys. */
void
work_read_hot(work *w)
{
  uint64_t hot = w->count / 100 + 1;
  meter_start(&w->meter);
  for (uint64_t i = work_reads(w); i > 0 && !work_is_over(w); i--) {
    work_get_present(w, peer_below(&w->random, hot) * (w->count / hot));
    meter_tick(&w->meter);
  }
  work_emit_meter(w, "readhot (1 % of keys)", &w->meter, 1);
}

/* Keys between those that exist: one more character of another kind. */
void
work_read_missing(work *w)
{
  meter_start(&w->meter);
  for (uint64_t i = work_reads(w); i > 0 && !work_is_over(w); i--) {
    char key[PEER_KEY_BYTES];
    peer_bytes value;
    peer_key(peer_below(&w->random, w->count), key);
    key[PEER_KEY_BYTES - 1] = '.';
    if (w->engine->get(w->session, key, &value)) {
      peer_die(w->engine->name, "read", "an entry that was never written");
    }
    meter_tick(&w->meter);
  }
  work_emit_meter(w, "readmissing", &w->meter, 1);
}

void
work_read_all(work *w, const char *name, bool is_reverse)
{
  uint64_t start = meter_now_ns();
  size_t count = work_scan(w, NULL, SIZE_MAX, is_reverse);
  if (count != w->count) {
    peer_die(w->engine->name, "scan", "not as many entries as were written");
  }
  work_emit(w, name, (double)count / ((double)(meter_now_ns() - start) / 1e9));
}

/* A forward scan from the first key has none below it. */
void
work_read_seq(work *w)
{
  uint64_t first = 0;
  uint64_t start = meter_now_ns();
  size_t count = work_scan(w, &first, SIZE_MAX, false);
  if (count != w->count) {
    peer_die(w->engine->name, "scan", "not as many entries as were written");
  }
  work_emit(w, "readseq",
            (double)count / ((double)(meter_now_ns() - start) / 1e9));
}

void
work_seek_random(work *w)
{
  meter_start(&w->meter);
  for (uint64_t i = work_reads(w) / 4; i > 0 && !work_is_over(w); i--) {
    uint64_t from = peer_below(&w->random, w->count - SCAN_ENTRIES - 1);
    if (work_scan(w, &from, SCAN_ENTRIES + 1, false) != SCAN_ENTRIES + 1) {
      peer_die(w->engine->name, "seek", "fewer entries than there are");
    }
    meter_tick(&w->meter);
  }
  work_emit_meter(w, "seekrandom (+10 next)", &w->meter, 1);
}

/* ---- reading while writing -------------------------------------------------*/

typedef struct beside {
  work writer;
  atomic_bool is_ended;
} beside;

static void *
write_beside(void *opaque)
{
  beside *b = opaque;
  work *w = &b->writer;
  w->session = w->engine->session == NULL ? w->db : w->engine->session(w->db);
  meter_start(&w->meter);
  while (!atomic_load_explicit(&b->is_ended, memory_order_relaxed)) {
    work_put(w, peer_below(&w->random, w->count), 7);
    meter_tick(&w->meter);
  }
  work_emit_meter(w, "read while writing: writes", &w->meter, 1);
  if (w->engine->session != NULL) {
    w->engine->session_end(w->session);
  }
  peer_data_end_thread();
  return NULL;
}

void
work_read_while_writing(work *w)
{
  beside b = {.writer = *w};
  pthread_t thread;
  b.writer.random ^= 0x5555;
  atomic_init(&b.is_ended, false);
  if (pthread_create(&thread, NULL, write_beside, &b) != 0) {
    peer_die("bench", "thread", "cannot be started");
  }
  peer_allow(1 << 0 | 1 << 7);
  work_read_random(w, "read while writing: reads", w->count);
  atomic_store(&b.is_ended, true);
  pthread_join(thread, NULL);
}

/* ---- YCSB ------------------------------------------------------------------*/

typedef struct ycsb {
  const char *name;
  int reads; /* of a hundred */
  int updates;
  int inserts;
  int changes; /* read, then written */
  int scans;
  bool is_latest;
} ycsb;

static void
ycsb_step(work *w, const ycsb *y, uint32_t rank)
{
  int dice = (int)peer_below(&w->random, 100);
  uint64_t number =
      y->is_latest ? w->count - 1 - rank : work_spread(rank, w->setup->entries);
  if (dice < y->reads) {
    work_get_present(w, number);
  } else if ((dice -= y->reads) < y->updates) {
    work_put(w, number, 3);
  } else if ((dice -= y->updates) < y->inserts) {
    work_put(w, w->count++, 0);
  } else if (dice - y->inserts < y->changes) {
    work_get_present(w, number);
    work_put(w, number, 4);
  } else {
    work_scan(w, &number, 1 + peer_below(&w->random, 100), false);
  }
}

static void
run_ycsb(work *w, const ycsb *y)
{
  uint64_t draws = y->scans > 0 ? work_reads(w) / 5 : work_reads(w);
  uint32_t *ranks = work_zipf_ranks(w->setup->entries, draws, &w->random);
  meter_start(&w->meter);
  for (uint64_t i = 0; i < draws && !work_is_over(w); i++) {
    ycsb_step(w, y, ranks[i]);
    meter_tick(&w->meter);
  }
  work_emit_meter(w, y->name, &w->meter, 1);
  free(ranks);
}

void
work_ycsb(work *w)
{
  static const ycsb all[] = {
      {.name = "YCSB C", .reads = 100},
      {.name = "YCSB B", .reads = 95, .updates = 5},
      {.name = "YCSB D", .reads = 95, .inserts = 5, .is_latest = true},
      {.name = "YCSB F", .reads = 50, .changes = 50},
      {.name = "YCSB A", .reads = 50, .updates = 50},
      {.name = "YCSB E", .scans = 95, .inserts = 5},
  };
  peer_allow(1 << 0 | 1 << 1 | 1 << 3 | 1 << 4); /* 0: inserted */
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    run_ycsb(w, &all[i]);
  }
}
