/*
 * growth: the same few workloads at one size; the comparison runs it at several.
 * Single reads are measured twice, since the first of them also fill caches.
 */
#include "bench/peers/group.h"

void
work_run_growth(const peer_engine *engine, const work_setup *setup,
                work_sink sink, void *context)
{
  work w;
  work_begin(&w, engine, setup, sink, context);
  w.growth = setup->entries;
  work_begin_costs(&w);
  work_open(&w);
  work_fill(&w, "fillrandom", true, 0);
  engine->settle(w.db);
  work_emit_space(&w, "bytes on disk / user bytes");
  work_emit_written(&w);
  peer_allow(1 << 0);
  work_read_random(&w, "readrandom", w.count);
  work_read_random(&w, "readrandom (warm)", w.count);
  work_read_missing(&w);
  work_read_seq(&w);
  work_fill(&w, "overwrite", true, 1);
  work_verify(&w, w.count, 1 << 1);
  work_emit_memory(&w);
  work_end(&w);
}
