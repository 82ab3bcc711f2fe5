/*
 * layout: trees written as text, the way gs_version_dump writes them.
 *
 *   run 7 L0: 12[a..f]#10-20 13[g..k]
 *   run 5 L1: 9[a..z]
 *
 * Newest run first. Without #min-max the sequence numbers are 1-1. Each table
 * has one entry of one byte in a file of 100 bytes, which tests change where
 * they need to. Text that does not parse fails the test.
 *
 * Requires: cmocka.h, included before.
 */
#ifndef GS_CTEST_TREE_LAYOUT_H
#define GS_CTEST_TREE_LAYOUT_H

#include <stdio.h>
#include <string.h>

#include "tree/version.h"

enum { LAYOUT_RUNS = 80, LAYOUT_TABLES = 80 };

/* The key up to the text `end`; the position behind it. */
static inline const char *
layout_key(const char *text, const char *end, gs_slice *key)
{
  size_t size = 0;
  while (strncmp(text + size, end, strlen(end)) != 0) {
    assert_int_not_equal(text[size], '\0');
    size++;
  }
  *key = gs_slice_of(text, size);
  return text + size + strlen(end);
}

static inline const char *
layout_table(gs_alloc *alloc, const char *text, gs_tree_table **out)
{
  gs_table_meta meta = {.file_bytes = 100,
                        .entry_count = 1,
                        .key_count = 1,
                        .data_bytes = 1,
                        .min_seq = 1,
                        .max_seq = 1};
  int used = 0;
  assert_int_equal(sscanf(text, " %lu[%n", &meta.id, &used), 1);
  text = layout_key(text + used, "..", &meta.min_key);
  text = layout_key(text, "]", &meta.max_key);
  used = 0;
  if (sscanf(text, "#%lu-%lu%n", &meta.min_seq, &meta.max_seq, &used) == 2) {
    text += used;
  }
  *out = gs_tree_table_new(alloc, &meta);
  assert_non_null(*out);
  return text;
}

static inline const char *
layout_run(gs_alloc *alloc, const char *text, gs_run **out)
{
  gs_tree_table *tables[LAYOUT_TABLES];
  uint64_t id;
  uint32_t level;
  size_t count = 0;
  int used = 0;
  assert_int_equal(sscanf(text, " run %lu L%u:%n", &id, &level, &used), 2);
  text += used;
  while (*text == ' ') {
    assert_true(count < LAYOUT_TABLES);
    text = layout_table(alloc, text, &tables[count++]);
  }
  *out = gs_run_new(alloc, id, level, tables, count);
  assert_non_null(*out);
  for (size_t i = 0; i < count; i++) {
    gs_tree_table_unref(tables[i]);
  }
  return text + strspn(text, "\n");
}

/* One reference. */
static inline gs_version *
layout_version(gs_alloc *alloc, const char *text)
{
  gs_run *runs[LAYOUT_RUNS];
  size_t count = 0;
  while (*text != '\0') {
    assert_true(count < LAYOUT_RUNS);
    text = layout_run(alloc, text, &runs[count++]);
  }
  gs_version *version = gs_version_new(alloc, 1, runs, count);
  assert_non_null(version);
  for (size_t i = 0; i < count; i++) {
    gs_run_unref(runs[i]);
  }
  return version;
}

/* The table, which the test may change. */
static inline gs_tree_table *
layout_find(const gs_version *version, uint64_t id)
{
  size_t run;
  gs_tree_table *table = gs_version_find_table(version, id, &run);
  assert_non_null(table);
  return table;
}

static inline void
layout_expect(const gs_version *version, gs_alloc *alloc, const char *text)
{
  gs_buffer out;
  gs_buffer_init(&out, alloc);
  assert_int_equal(gs_version_dump(version, &out, NULL), GS_OK);
  gs_buffer_append(&out, "", 1);
  assert_string_equal((const char *)out.data, text);
  gs_buffer_deinit(&out);
}

#endif
