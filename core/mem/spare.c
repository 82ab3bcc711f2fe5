/*
 * spare: whoever swaps the pointer has the block for himself.
 *
 * Where we look for mistakes, what was used of a block that waits is filled with
 * what no memtable holds, and under a sanitizer that knows how none of it must be
 * touched: a reader that holds on to a memtable without a reference shows as if
 * it were freed.
 */
#include "mem/spare.h"

#include "base/check.h"

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
close_off(uint64_t *words, size_t word_count, size_t used_words)
{
#ifdef GS_DEBUG
  enum { OVER = 0x5a };
  memset(words, OVER, used_words * sizeof *words);
#else
  (void)used_words;
#endif
  words[0] = word_count;
  ASAN_POISON_MEMORY_REGION(words + 1, (word_count - 1) * sizeof *words);
}

static uint64_t *
swap(gs_spare *spare, uint64_t *words)
{
  uint64_t *other =
      atomic_exchange_explicit(&spare->waiting, words, memory_order_acq_rel);
  if (other != NULL) {
    ASAN_UNPOISON_MEMORY_REGION(other, (size_t)other[0] * sizeof *other);
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
gs_spare_init(gs_spare *spare, gs_alloc *alloc, uint32_t most)
{
  spare->alloc = alloc;
  spare->most = most;
  atomic_init(&spare->in_use, 0);
  atomic_init(&spare->usual, 0);
  atomic_init(&spare->waiting, NULL);
}

void
gs_spare_deinit(gs_spare *spare)
{
  GS_ASSERT(atomic_load(&spare->in_use) == 0);
  give_back(spare, swap(spare, NULL));
}

uint64_t *
gs_spare_take(gs_spare *spare, size_t word_count, bool *is_used)
{
  atomic_store_explicit(&spare->usual, word_count, memory_order_relaxed);
  uint64_t *words = swap(spare, NULL);
  if (words != NULL && words[0] != word_count) {
    give_back(spare, words);
    words = NULL;
  }
  *is_used = words != NULL;
  if (words == NULL) {
    words = gs_alloc_array(spare->alloc, word_count, sizeof *words);
  }
  if (words != NULL) {
    atomic_fetch_add_explicit(&spare->in_use, 1, memory_order_relaxed);
  }
  return words;
}

void
gs_spare_give(gs_spare *spare, uint64_t *words, size_t word_count,
              size_t used_words, bool has_pages)
{
  uint32_t before =
      atomic_fetch_sub_explicit(&spare->in_use, 1, memory_order_relaxed);
  size_t usual = atomic_load_explicit(&spare->usual, memory_order_relaxed);
  GS_ASSERT(before > 0 && used_words <= word_count);
  if (has_pages && word_count == usual && before <= spare->most) {
    close_off(words, word_count, used_words);
    give_back(spare, swap(spare, words));
  } else {
    gs_alloc_free(spare->alloc, words, word_count * sizeof *words);
  }
}

void
gs_spare_rest(gs_spare *spare)
{
  atomic_store_explicit(&spare->usual, 0, memory_order_relaxed);
  give_back(spare, swap(spare, NULL));
}
