/*
 * stall: how long a put may take at a rate that the engine can just keep.
 *
 *   load ─▶ as fast as it goes (a fifth of the time) ─▶ at 95 % of that
 *
 * Puts replace entries of a loaded database, so that its size stays and its
 * merges go on. In the second part each put is due at a moment, and two things
 * are measured: from that moment until its end, which is what someone waits who
 * asks at an even pace; and the put alone, whose longest is the longest gap.
 */
#include "bench/peers/group.h"

enum { STEPS = 64 }; /* puts between two looks at the clock */

typedef struct pace {
  meter waited; /* from when a put was due */
  meter alone;
  double ticks; /* between two puts; 0: none is due at a moment */
} pace;

/* Until the put is due, if it is not yet. */
static void
wait_until(double due)
{
  while ((double)meter_counter() < due) {
  }
}

static void
put_one(work *w, pace *p, double *due)
{
  if (p->ticks > 0) {
    *due += p->ticks;
    wait_until(*due);
    p->waited.last = (uint64_t)*due;
  }
  p->alone.last = meter_counter();
  work_put(w, peer_below(&w->random, w->setup->entries), 0);
  meter_tick(&p->alone);
  meter_tick(&p->waited);
}

/* Puts a second. */
static double
put_for(work *w, pace *p, double seconds)
{
  meter_start(&p->waited);
  p->alone = p->waited;
  double due = (double)p->waited.last;
  double passed = 0;
  while (passed < seconds) {
    for (int i = 0; i < STEPS; i++) {
      put_one(w, p, &due);
    }
    passed = (double)(meter_now_ns() - p->waited.start_ns) / 1e9;
  }
  return (double)p->waited.count / passed;
}

void
work_run_stall(const peer_engine *engine, const work_setup *setup,
               work_sink sink, void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  work_open(&w);
  for (uint64_t i = 0; i < setup->entries; i++) {
    work_put(&w, w.order[i], 0);
  }
  pace p = {.ticks = 0};
  double most = put_for(&w, &p, setup->stall_s / 5);
  work_emit_meter(&w, "put at full speed", &p.alone, 1);
  p.ticks = 1e9 / (0.95 * most) / meter_pace();
  put_for(&w, &p, setup->stall_s);
  work_emit_meter(&w, "put at 95 %, from when it was due", &p.waited, 1);
  work_emit_meter(&w, "put at 95 %, alone", &p.alone, 1);
  work_emit(&w, "put at 95 %: longest gap, ms",
            (double)p.alone.longest * meter_pace() / 1e6);
  work_verify(&w, setup->entries, 1 << 0);
  work_end(&w);
}
