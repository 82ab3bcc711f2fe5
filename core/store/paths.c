/*
 * paths: names to numbers and back. Only names that print back to themselves
 * count, so "7.sst" or "0000007.wal" are foreign.
 */
#include "store/paths.h"

#include <string.h>

#include "tree/manifest.h"

#define JOURNAL "JOURNAL-"

static const char *
finish(gs_buffer *out)
{
  gs_buffer_append_zeros(out, 1);
  return out->failed ? NULL : (const char *)out->data;
}

const char *
gs_path_join(gs_buffer *out, const char *dir, const char *name)
{
  gs_buffer_clear(out);
  gs_buffer_printf(out, "%s/%s", dir, name);
  return finish(out);
}

const char *
gs_path_lock(gs_buffer *out, const char *dir)
{
  return gs_path_join(out, dir, "LOCK");
}

const char *
gs_path_ballast(gs_buffer *out, const char *dir)
{
  return gs_path_join(out, dir, "BALLAST");
}

static const char *
numbered(gs_buffer *out, const char *dir, const char *prefix, uint64_t number,
         const char *ending)
{
  gs_buffer_clear(out);
  gs_buffer_printf(out, "%s/%s%06llu%s", dir, prefix,
                   (unsigned long long)number, ending);
  return finish(out);
}

const char *
gs_path_table(gs_buffer *out, const char *dir, uint64_t number)
{
  return numbered(out, dir, "", number, ".sst");
}

const char *
gs_path_segment(gs_buffer *out, const char *dir, uint64_t number)
{
  return numbered(out, dir, "", number, ".wal");
}

const char *
gs_path_journal(gs_buffer *out, const char *dir, uint64_t number)
{
  return numbered(out, dir, JOURNAL, number, "");
}

const char *
gs_path_parent(gs_buffer *out, const char *dir)
{
  size_t size = strlen(dir);
  while (size > 1 && dir[size - 1] == '/') {
    size--;
  }
  while (size > 0 && dir[size - 1] != '/') {
    size--;
  }
  while (size > 1 && dir[size - 1] == '/') {
    size--;
  }
  gs_buffer_clear(out);
  gs_buffer_append(out, size == 0 ? "." : dir, size == 0 ? 1 : size);
  return finish(out);
}

/* Digits from the start of name; returns how many. */
static size_t
parse_number(const char *name, uint64_t *number)
{
  size_t digits = 0;
  uint64_t value = 0;
  while (name[digits] >= '0' && name[digits] <= '9' && digits < 19) {
    value = value * 10 + (uint64_t)(name[digits] - '0');
    digits++;
  }
  *number = value;
  return digits;
}

gs_file_kind
gs_path_kind(const char *name, uint64_t *number)
{
  *number = 0;
  if (strcmp(name, "LOCK") == 0) {
    return GS_FILE_LOCK;
  }
  if (strcmp(name, "BALLAST") == 0) {
    return GS_FILE_BALLAST;
  }
  if (gs_manifest_parse_name(name, number)) {
    return GS_FILE_MANIFEST;
  }
  bool is_journal = strncmp(name, JOURNAL, sizeof JOURNAL - 1) == 0;
  name += is_journal ? sizeof JOURNAL - 1 : 0;
  size_t digits = parse_number(name, number);
  bool is_canonical = digits == 6 || (digits > 6 && name[0] != '0');
  if (!is_canonical) {
    return GS_FILE_FOREIGN;
  }
  if (is_journal) {
    bool is_whole = name[digits] == '\0' && *number > 0;
    return is_whole ? GS_FILE_JOURNAL : GS_FILE_FOREIGN;
  }
  if (strcmp(name + digits, ".wal") == 0) {
    return GS_FILE_SEGMENT;
  }
  return strcmp(name + digits, ".sst") == 0 ? GS_FILE_TABLE : GS_FILE_FOREIGN;
}
