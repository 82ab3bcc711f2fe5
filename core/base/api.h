/*
 * api: marks what the shared library shows.
 */
#ifndef GS_BASE_API_H
#define GS_BASE_API_H

#if defined(__GNUC__)
#define GS_API __attribute__((visibility("default")))
#else
#define GS_API
#endif

#endif
