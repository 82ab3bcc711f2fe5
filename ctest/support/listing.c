#include "support/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void
listing_note(void *context, const char *name)
{
  listing *list = context;
  size_t size = strlen(name);
  assert_true(list->count < LISTING_NAMES);
  assert_true(size < LISTING_NAME_BYTES);
  memcpy(list->names[list->count++], name, size);
}

static int
compare_names(const void *a, const void *b)
{
  return strcmp(a, b);
}

void
listing_sort(listing *list)
{
  qsort(list->names, list->count, LISTING_NAME_BYTES, compare_names);
}
