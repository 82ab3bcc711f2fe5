/*
 * refusal: the names are an interface to Lua code and never change.
 */
#include "tree/refusal.h"

#include <string.h>

const char *
gs_refusal_name(gs_refusal_code code)
{
  static const char *const names[] = {
      [GS_REFUSAL_NONE] = "none",
      [GS_REFUSAL_BAD_PLAN] = "bad_plan",
      [GS_REFUSAL_UNKNOWN_TABLE] = "unknown_table",
      [GS_REFUSAL_BUSY_TABLE] = "busy_table",
      [GS_REFUSAL_UPWARD] = "upward",
      [GS_REFUSAL_PATH_BLOCKED] = "path_blocked",
      [GS_REFUSAL_CLAIMED] = "claimed",
      [GS_REFUSAL_NO_SPACE] = "no_space",
      [GS_REFUSAL_TOO_MANY] = "too_many",
      [GS_REFUSAL_BAD_CUT] = "bad_cut",
      [GS_REFUSAL_NEEDS_REWRITE] = "needs_rewrite",
      [GS_REFUSAL_NOT_DEAD] = "not_dead",
  };
  size_t index = (size_t)code;
  return index < sizeof names / sizeof names[0] ? names[index] : "unknown";
}

void
gs_refusal_set(gs_refusal *refusal, gs_refusal_code code, const char *text)
{
  *refusal = (gs_refusal){.code = code};
  size_t size = strlen(text);
  if (size >= sizeof refusal->text) {
    size = sizeof refusal->text - 1;
  }
  memcpy(refusal->text, text, size);
}

void
gs_refusal_add_table(gs_refusal *refusal, uint64_t table_id)
{
  if (refusal->table_count < GS_REFUSAL_TABLES) {
    refusal->tables[refusal->table_count++] = table_id;
  }
}
