/*
 * event_format: an event as bytes.
 *
 *   event := head field*
 *
 * Head (little-endian):
 *   0  number 8   8 time in ms 8   16 count 8   24 took us 8   32 longest us 8
 *   40 job 8   48 kind 4   52 zeros 4
 *
 * Fields, tag:u16 0:u16 size:u32 body, tags rising, none of them empty:
 *   1 why, 2 code, 3 text
 *   4 plan: op:u32 target:u32 run:u64 level:i32 0:u32
 *   5 inputs: id:u64 each
 *   6 outputs: how many there were:u64, then the metadata of those that fit
 *   7 bytes: read:u64 written:u64
 *   8 dropped: covered:u64 tombstones:u64 expired:u64
 *   9 recovered: batches:u64 torn bytes:u64 bits:u64
 *   10 runs: id:u64 level:u32 tables:u32 bytes:u64 entries:u64 each
 * Fields 7 to 9 are left out where all is zero. There is one encoding of each
 * event, and decode accepts no other.
 *
 * Threads: pure.
 */
#ifndef GS_STORE_EVENT_FORMAT_H
#define GS_STORE_EVENT_FORMAT_H

#include "base/buffer.h"
#include "store/event.h"

enum {
  GS_EVENT_HEAD_BYTES = 56,
  GS_EVENT_ID_BYTES = 8,
  GS_EVENT_RUN_BYTES = 32,
  GS_EVENT_COUNT_BYTES = 8, /* before the outputs */
};

void gs_event_encode(const gs_event *event, gs_buffer *out);

/* Slices view the bytes. GS_CORRUPT for what encode does not write, GS_VERSION
 * for kinds and fields of a later library. */
GS_MUST_CHECK gs_status gs_event_decode(gs_slice bytes, gs_event *out,
                                        gs_error *err);

/* Of an encoded event: its number can be changed in place, … */
uint64_t gs_event_get_number(const uint8_t *bytes);
void gs_event_set_number(uint8_t *bytes, uint64_t number);

/* … and an equal one, where number, job, time and duration do not matter, be
 * counted in with it. False where they differ; both are as they were then. */
bool gs_event_fold(uint8_t *into, size_t into_size, const uint8_t *from,
                   size_t from_size);

/* Appends a run to what an event's `runs` will view. */
void gs_event_add_run(gs_buffer *runs, const gs_event_run *run);

#endif
