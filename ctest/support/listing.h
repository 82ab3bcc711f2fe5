/*
 * listing: the names in a directory as gs_env_list gives them, to be compared.
 *
 * Model: up to LISTING_NAMES names; all bytes behind a name are zero, so that
 * two listings of the same names are the same bytes. Starts zeroed.
 */
#ifndef GS_CTEST_SUPPORT_LISTING_H
#define GS_CTEST_SUPPORT_LISTING_H

#include <stddef.h>

enum { LISTING_NAMES = 32, LISTING_NAME_BYTES = 256 };

typedef struct listing {
  char names[LISTING_NAMES][LISTING_NAME_BYTES];
  size_t count;
} listing;

/* A visitor for gs_env_list; context: a listing. Fails the running test when
 * there are more names, or longer ones, than it has room for. */
void listing_note(void *context, const char *name);

/* By the bytes of the names. */
void listing_sort(listing *list);

#endif
