/*
 * pattern: shell patterns over whole paths. "*" stands for any text, "/" among
 * it, "?" for one byte; everything else for itself. After a "*" only the last
 * one needs to be tried again, so a match costs at most the product of the two
 * lengths.
 */
#include "env/sim/state.h"

bool
gs_sim_pattern_matches(const char *pattern, const char *text)
{
  const char *star = NULL;  /* behind the last "*" */
  const char *tried = text; /* where the text behind it was last tried */
  while (*text != '\0') {
    if (*pattern == '*') {
      star = ++pattern;
      tried = text;
    } else if (*pattern != '\0' && (*pattern == '?' || *pattern == *text)) {
      pattern++;
      text++;
    } else if (star != NULL) {
      pattern = star;
      text = ++tried;
    } else {
      return false;
    }
  }
  while (*pattern == '*') {
    pattern++;
  }
  return *pattern == '\0';
}
