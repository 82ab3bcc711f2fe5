/*
 * group: measuring, drawing and single operations.
 */
#include "bench/peers/group.h"

#include <math.h>

/* ---- measuring -------------------------------------------------------------*/

/* "100 k", "1 M"; in full where that would round. */
static void
put_count(char *text, size_t size, uint64_t count)
{
  bool is_million = count >= 1000000 && count % 1000000 == 0;
  bool is_thousand = count >= 1000 && count % 1000 == 0;
  uint64_t shown = is_million    ? count / 1000000
                   : is_thousand ? count / 1000
                                 : count;
  snprintf(text, size, "%llu%s", (unsigned long long)shown,
           is_million    ? " M"
           : is_thousand ? " k"
                         : "");
}

static void
send(const work *w, const char *name, work_result *r)
{
  char count[32];
  uint64_t size = w->setup->peer.value_bytes;
  r->growth_entries = w->growth;
  if (w->growth == 0) {
    snprintf(r->name, sizeof r->name, "%s", name);
  } else {
    put_count(count, sizeof count, w->growth);
    snprintf(r->name, sizeof r->name,
             size % 1024 == 0 ? "%s, %s entries of %llu KiB" : "%s, %s entries",
             name, count, (unsigned long long)(size / 1024));
  }
  w->sink(w->context, r);
}

void
work_emit(const work *w, const char *name, double value)
{
  work_result r = {.value = value};
  send(w, name, &r);
}

void
work_emit_meter(const work *w, const char *name, const meter *m,
                double per_tick)
{
  double seconds = (double)(meter_now_ns() - m->start_ns) / 1e9;
  work_result r = {
      .value = (double)m->count * per_tick / seconds,
      .p50_us = meter_quantile_us(m, 0.5),
      .p99_us = meter_quantile_us(m, 0.99),
      .p999_us = meter_quantile_us(m, 0.999),
      .p9999_us = meter_quantile_us(m, 0.9999),
      .longest_us = (double)m->longest * meter_pace() / 1000,
  };
  send(w, name, &r);
}

bool
work_is_over(const work *w)
{
  return w->meter.count % 1024 == 0 &&
         (double)(meter_now_ns() - w->meter.start_ns) / 1e9 > w->setup->limit_s;
}

/* ---- drawing ---------------------------------------------------------------*/

void *
work_memory(void *memory)
{
  if (memory == NULL) {
    peer_die("bench", "memory", "there is not enough");
  }
  return memory;
}

static uint32_t *
shuffled(uint64_t count, uint64_t *state)
{
  uint32_t *order = work_memory(malloc(count * sizeof *order));
  for (uint64_t i = 0; i < count; i++) {
    order[i] = (uint32_t)i;
  }
  for (uint64_t i = count; i > 1; i--) {
    uint64_t j = peer_below(state, i);
    uint32_t kept = order[i - 1];
    order[i - 1] = order[j];
    order[j] = kept;
  }
  return order;
}

/* Ranks below count with the frequencies of YCSB's zipfian law, theta 0.99,
 * after Gray et al., "Quickly generating billion-record synthetic databases".
 */
uint32_t *
work_zipf_ranks(uint64_t count, uint64_t draws, uint64_t *state)
{
  const double theta = 0.99;
  double zeta = 0;
  for (uint64_t i = 1; i <= count; i++) {
    zeta += pow(1.0 / (double)i, theta);
  }
  double half = 1 + pow(0.5, theta);
  double eta = (1 - pow(2.0 / (double)count, 1 - theta)) / (1 - half / zeta);
  uint32_t *ranks = work_memory(malloc(draws * sizeof *ranks));
  for (uint64_t i = 0; i < draws; i++) {
    double u = (double)(peer_random(state) >> 11) / 9007199254740992.0;
    double uz = u * zeta;
    double rank = uz < 1 ? 0
                  : uz < half
                      ? 1
                      : (double)count * pow(eta * u - eta + 1, 1 / (1 - theta));
    ranks[i] = rank < (double)count ? (uint32_t)rank : (uint32_t)(count - 1);
  }
  return ranks;
}

/* Popular ranks are spread over all numbers. */
uint64_t
work_spread(uint64_t rank, uint64_t count)
{
  uint64_t mixed = (rank + 1) * UINT64_C(0x9E3779B97F4A7C15);
  mixed ^= mixed >> 32;
  mixed *= UINT64_C(0xD6E8FEB86659FD93);
  return ((mixed >> 32) * count) >> 32;
}

/* ---- databases -------------------------------------------------------------*/

void
work_begin(work *w, const peer_engine *engine, const work_setup *setup,
           work_sink sink, void *context)
{
  *w = (work){.engine = engine,
              .setup = setup,
              .sink = sink,
              .context = context,
              .random = setup->seed};
  peer_data_init(setup->peer.value_bytes);
  w->order = shuffled(setup->entries, &w->random);
  meter_pace();
}

void
work_open(work *w)
{
  w->db = w->engine->open(&w->setup->peer);
  w->session = w->engine->session == NULL ? w->db : w->engine->session(w->db);
}

void
work_close(work *w)
{
  if (w->engine->session != NULL) {
    w->engine->session_end(w->session);
  }
  w->engine->close(w->db);
}

void
work_end(work *w)
{
  work_close(w);
  free(w->order);
  peer_data_deinit();
}

/* ---- single operations -----------------------------------------------------*/

void
work_put(work *w, uint64_t number, uint32_t version)
{
  char key[PEER_KEY_BYTES];
  peer_key(number, key);
  w->engine->put(w->session, key, peer_value(number, version));
}

bool
work_get(work *w, uint64_t number)
{
  char key[PEER_KEY_BYTES];
  peer_bytes value;
  peer_key(number, key);
  if (!w->engine->get(w->session, key, &value)) {
    return false;
  }
  peer_check(w->engine->name, number, value);
  return true;
}

void
work_get_present(work *w, uint64_t number)
{
  if (!work_get(w, number)) {
    peer_die(w->engine->name, "read", "an entry that was written is absent");
  }
}

typedef struct scan_check {
  const peer_engine *engine;
  uint64_t count;
  uint64_t last;
  bool is_reverse;
} scan_check;

static void
visit(void *context, peer_bytes key, peer_bytes value)
{
  scan_check *check = context;
  uint64_t number = peer_key_number(key.data);
  if (check->count > 0 &&
      (check->is_reverse ? number >= check->last : number <= check->last)) {
    peer_die(check->engine->name, "scan", "entries out of order");
  }
  peer_check(check->engine->name, number, value);
  check->last = number;
  check->count++;
}

size_t
work_scan(work *w, const uint64_t *from, size_t limit, bool is_reverse)
{
  char key[PEER_KEY_BYTES];
  scan_check check = {.engine = w->engine, .is_reverse = is_reverse};
  if (from != NULL) {
    peer_key(*from, key);
  }
  peer_scan want = {.from = from == NULL ? NULL : key,
                    .is_reverse = is_reverse,
                    .limit = limit,
                    .visit = visit,
                    .context = &check};
  return w->engine->scan(w->session, &want);
}

void
work_verify(work *w, uint64_t count, uint32_t versions)
{
  uint64_t first = 0;
  peer_allow(versions);
  if (work_scan(w, &first, SIZE_MAX, false) != count) {
    peer_die(w->engine->name, "verify", "not as many entries as were written");
  }
}
