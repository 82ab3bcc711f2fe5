/*
 * meter: how long operations took, one by one.
 *
 * Model: each tick ends an operation that began at the tick before, so an
 * operation costs one reading of the clock. Durations are counted in buckets,
 * 16 to a doubling, in units of the processor's counter, whose pace is measured
 * once.
 */
#ifndef GS_BENCH_METER_H
#define GS_BENCH_METER_H

#include <stdint.h>
#include <string.h>
#include <time.h>

enum { METER_BUCKETS = 64 * 16 };

typedef struct meter {
  uint64_t last;
  uint64_t longest;
  uint64_t count;
  uint64_t start_ns;
  uint32_t buckets[METER_BUCKETS];
} meter;

static inline uint64_t
meter_now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t
meter_counter(void)
{
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return meter_now_ns();
#endif
}

/* Nanoseconds for one step of the counter. */
static inline double
meter_pace(void)
{
  static double pace;
  if (pace == 0) {
    uint64_t ns = meter_now_ns();
    uint64_t count = meter_counter();
    while (meter_now_ns() - ns < 20000000) {
    }
    pace = (double)(meter_now_ns() - ns) / (double)(meter_counter() - count);
  }
  return pace;
}

static inline void
meter_start(meter *m)
{
  memset(m, 0, sizeof *m);
  m->start_ns = meter_now_ns();
  m->last = meter_counter();
}

static inline size_t
meter_bucket(uint64_t d)
{
  if (d < 16) {
    return (size_t)d;
  }
  int top = 63 - __builtin_clzll(d);
  return (size_t)(top - 3) * 16 + (size_t)((d >> (top - 4)) & 15);
}

static inline void
meter_tick(meter *m)
{
  uint64_t now = meter_counter();
  uint64_t d = now - m->last;
  m->last = now;
  m->count++;
  m->buckets[meter_bucket(d)]++;
  if (d > m->longest) {
    m->longest = d;
  }
}

/* Lower bound of a bucket, in microseconds. */
static inline double
meter_bound_us(size_t bucket)
{
  double counts = bucket < 16 ? (double)bucket
                              : (double)(16 + bucket % 16) *
                                    (double)(UINT64_C(1) << (bucket / 16 - 1));
  return counts * meter_pace() / 1000;
}

/* The duration that this share of the operations did not exceed, us. */
static inline double
meter_quantile_us(const meter *m, double share)
{
  double wanted = share * (double)m->count;
  double seen = 0;
  for (size_t i = 0; i < METER_BUCKETS; i++) {
    seen += m->buckets[i];
    if (m->buckets[i] > 0 && seen >= wanted) {
      return meter_bound_us(i);
    }
  }
  return 0;
}

#endif
