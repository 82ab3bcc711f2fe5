/*
 * spare: whoever swaps the pointer has the block for himself. Under a sanitizer
 * that knows how, a block that waits must not be touched: a reader that holds on
 * to a memtable without a reference shows as it did when blocks were freed.
 */
#include "mem/spare.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size)   ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

static void
close_off(uint64_t *words)
{
  ASAN_POISON_MEMORY_REGION(words + 1, (size_t)(words[0] - 1) * sizeof *words);
}

static void
open_up(uint64_t *words)
{
  ASAN_UNPOISON_MEMORY_REGION(words, (size_t)words[0] * sizeof *words);
}

static uint64_t *
swap(gs_spare *spare, uint64_t *words)
{
  uint64_t *other =
      atomic_exchange_explicit(&spare->words, words, memory_order_acq_rel);
  if (other != NULL) {
    open_up(other);
  }
  return other;
}

static void
give_back(gs_spare *spare, uint64_t *words)
{
  if (words != NULL) {
    gs_alloc_free(spare->alloc, words, (size_t)words[0] * sizeof *words);
  }
}

void
gs_spare_init(gs_spare *spare, gs_alloc *alloc)
{
  spare->alloc = alloc;
  atomic_init(&spare->words, NULL);
}

void
gs_spare_deinit(gs_spare *spare)
{
  give_back(spare, swap(spare, NULL));
}

uint64_t *
gs_spare_take(gs_spare *spare, size_t word_count)
{
  uint64_t *words = swap(spare, NULL);
  if (words != NULL && words[0] != word_count) {
    give_back(spare, words);
    return NULL;
  }
  return words;
}

void
gs_spare_give(gs_spare *spare, uint64_t *words, size_t word_count)
{
  words[0] = word_count;
  close_off(words);
  give_back(spare, swap(spare, words));
}
