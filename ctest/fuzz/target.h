/*
 * target: what every fuzz target has: its entry, claims that end the process,
 * and an input that is taken from the front.
 *
 * The entry is the one of libFuzzer, which AFL++ knows too; replay.c calls it
 * for the files of the corpus, without either.
 */
#ifndef GS_CTEST_FUZZ_TARGET_H
#define GS_CTEST_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

/* The name is libFuzzer's: NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(claim) \
  ((claim) ? (void)0 : fuzz_fail(#claim, __FILE__, __LINE__))

static inline _Noreturn void
fuzz_fail(const char *claim, const char *file, int line)
{
  (void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, claim);
  abort();
}

/* What is left of the input. An input that has ended goes on in zeros. */
typedef struct fuzz_input {
  const uint8_t *at;
  const uint8_t *end;
} fuzz_input;

static inline fuzz_input
fuzz_input_of(const uint8_t *data, size_t size)
{
  return (fuzz_input){data, data + size};
}

static inline bool
fuzz_is_over(const fuzz_input *in)
{
  return in->at == in->end;
}

/* A number of up to 8 bytes, the high one first. */
static inline uint64_t
fuzz_take(fuzz_input *in, int bytes)
{
  uint64_t value = 0;
  for (; bytes > 0; bytes--) {
    value = value << 8 | (in->at < in->end ? *in->at++ : 0);
  }
  return value;
}

/* A number below the limit, which is at least 1. */
static inline uint64_t
fuzz_below(fuzz_input *in, uint64_t limit)
{
  return fuzz_take(in, limit > 256 ? limit > 65536 ? 4 : 2 : 1) % limit;
}

/* Up to so many bytes; a view. */
static inline gs_slice
fuzz_slice(fuzz_input *in, size_t size)
{
  size_t left = (size_t)(in->end - in->at);
  gs_slice slice = gs_slice_of(in->at, size < left ? size : left);
  in->at += slice.size;
  return slice;
}

#endif
