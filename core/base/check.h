/*
 * check: assertions of invariants.
 *
 * GS_ASSERT stops the process in debug builds and vanishes in release builds;
 * it states what the code relies on, never what the outside world may break.
 */
#ifndef GS_BASE_CHECK_H
#define GS_BASE_CHECK_H

#ifdef GS_DEBUG
#define GS_ASSERT(condition) \
  ((condition) ? (void)0 : gs_check_failed(#condition, __FILE__, __LINE__))
#else
#define GS_ASSERT(condition) ((void)sizeof(condition))
#endif

/* Prints one line to the standard error stream and aborts. */
void gs_check_failed(const char *condition, const char *file, int line)
    __attribute__((noreturn));

#endif
