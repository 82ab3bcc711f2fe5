/*
 * notation: text that a person reads and a test compares.
 */
#include "tree/notation.h"

#include <inttypes.h>

static bool
is_plain(uint8_t byte)
{
  return byte > ' ' && byte < 0x7f && byte != '\\';
}

void
gs_notation_key(gs_slice key, gs_buffer *out)
{
  for (size_t i = 0; i < key.size; i++) {
    if (is_plain(key.data[i])) {
      gs_buffer_append(out, &key.data[i], 1);
    } else {
      gs_buffer_printf(out, "\\x%02x", key.data[i]);
    }
  }
}

void
gs_notation_table(const gs_table_meta *meta, gs_buffer *out)
{
  gs_buffer_printf(out, "%" PRIu64 "[", meta->id);
  gs_notation_key(meta->min_key, out);
  gs_buffer_append(out, "..", 2);
  gs_notation_key(meta->max_key, out);
  gs_buffer_printf(out, "]#%" PRIu64 "-%" PRIu64, meta->min_seq, meta->max_seq);
}

gs_status
gs_version_dump(const gs_version *version, gs_buffer *out, gs_error *err)
{
  for (size_t i = 0; i < version->run_count; i++) {
    const gs_run *run = version->runs[i];
    gs_buffer_printf(out, "run %" PRIu64 " L%" PRIu32 ":", run->id, run->level);
    for (size_t t = 0; t < run->table_count; t++) {
      gs_buffer_append(out, " ", 1);
      gs_notation_table(&run->tables[t]->meta, out);
    }
    gs_buffer_append(out, "\n", 1);
  }
  return gs_buffer_status(out, err);
}
