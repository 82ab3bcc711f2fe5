/*
 * load: all entries, one by one or in batches, in order or not.
 */
#include "bench/peers/group.h"

enum { BATCH_ENTRIES = 1000 };

/* ---- loading ---------------------------------------------------------------*/

void
work_fill(work *w, const char *name, bool is_random, uint32_t version)
{
  uint64_t count = w->setup->entries;
  meter_start(&w->meter);
  for (uint64_t i = 0; i < count; i++) {
    work_put(w, is_random ? w->order[i] : i, version);
    meter_tick(&w->meter);
  }
  work_emit_meter(w, name, &w->meter, 1);
  w->count = count;
}

void
work_fill_in_batches(work *w, const char *name, bool is_random)
{
  uint64_t count = w->setup->entries;
  size_t size = w->setup->peer.value_bytes;
  char(*keys)[PEER_KEY_BYTES] =
      work_memory(malloc(BATCH_ENTRIES * sizeof *keys));
  uint8_t *values = work_memory(malloc(BATCH_ENTRIES * size));
  peer_pair *pairs = work_memory(calloc(BATCH_ENTRIES, sizeof *pairs));
  meter_start(&w->meter);
  for (uint64_t at = 0; at < count;) {
    size_t n = 0;
    for (; n < BATCH_ENTRIES && at < count; n++, at++) {
      uint64_t number = is_random ? w->order[at] : at;
      peer_bytes value = peer_value(number, 0);
      peer_key(number, keys[n]);
      memcpy(values + n * size, value.data, size);
      pairs[n] =
          (peer_pair){{keys[n], PEER_KEY_BYTES}, {values + n * size, size}};
    }
    w->engine->batch(w->session, pairs, n);
    meter_tick(&w->meter);
  }
  work_emit_meter(w, name, &w->meter, BATCH_ENTRIES);
  free(pairs);
  free(values);
  free(keys);
  w->count = count;
}
