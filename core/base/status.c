/*
 * status: looks rows of the list up. The switch makes a duplicate number a
 * compile error.
 */
#include "base/status.h"

const char *
gs_status_code(gs_status status)
{
  switch (status) {
#define GS_STATUS_CODE(name, number, code, text) \
  case name:                                     \
    return code;
    GS_STATUS_LIST(GS_STATUS_CODE)
#undef GS_STATUS_CODE
  }
  return "unknown";
}

const char *
gs_status_text(gs_status status)
{
  switch (status) {
#define GS_STATUS_TEXT(name, number, code, text) \
  case name:                                     \
    return text;
    GS_STATUS_LIST(GS_STATUS_TEXT)
#undef GS_STATUS_TEXT
  }
  return "unknown status";
}
