/*
 * table_dump: a table in words, for people and for tests that compare text.
 */
#include <inttypes.h>

#include "sst/table_impl.h"

/* Bytes that are not printable ASCII, blanks, @ and backslashes are written
 * \xNN. */
static void
append_key(gs_buffer *out, gs_slice key)
{
  for (size_t i = 0; i < key.size; i++) {
    uint8_t byte = key.data[i];
    if (byte > ' ' && byte <= '~' && byte != '@' && byte != '\\') {
      gs_buffer_append(out, &byte, 1);
    } else {
      gs_buffer_printf(out, "\\x%02x", byte);
    }
  }
}

static void
dump_meta(const gs_table *table, gs_buffer *out)
{
  const gs_table_meta *meta = &table->meta;
  const gs_table_footer *footer = &table->footer;
  gs_buffer_printf(out, "table %" PRIu64 ": %" PRIu64 " bytes\n", meta->id,
                   meta->file_bytes);
  gs_buffer_printf(out,
                   "entries %" PRIu64 " keys %" PRIu64 " tombstones %" PRIu64
                   " expiring %" PRIu64 " data %" PRIu64 "\n",
                   meta->entry_count, meta->key_count, meta->tombstone_count,
                   meta->expiring_count, meta->data_bytes);
  gs_buffer_printf(out, "seq %" PRIu64 "..%" PRIu64 "\nkeys ", meta->min_seq,
                   meta->max_seq);
  append_key(out, meta->min_key);
  gs_buffer_append(out, "..", 2);
  append_key(out, meta->max_key);
  gs_codec codec = gs_table_codec(table);
  gs_buffer_printf(out, "\nblocks %" PRIu32 " of %" PRIu32 "%s%s\n",
                   footer->block_count, footer->block_bytes,
                   codec == GS_CODEC_NONE ? "" : " packed by ",
                   codec == GS_CODEC_NONE ? "" : gs_codec_name(codec));
  gs_buffer_printf(
      out,
      "index at %" PRIu64 " size %" PRIu64 "\nfences at %" PRIu64
      " size %" PRIu64 "\nproperties at %" PRIu64 " size %" PRIu64 "\n",
      footer->index.offset, footer->index.size, footer->fences.offset,
      footer->fences.size, footer->properties.offset, footer->properties.size);
}

static void
dump_fences(const gs_table *table, gs_buffer *scratch, gs_buffer *out)
{
  for (uint32_t i = 0; i < table->fences.count; i++) {
    const gs_fence *fence = &table->fences.list[i];
    gs_buffer_clear(scratch);
    gs_fences_append_key(&table->fences, i, scratch);
    gs_buffer_printf(out, "block %" PRIu32 " at %" PRIu64 " size %" PRIu32 " ",
                     i, fence->offset, fence->size);
    append_key(out, gs_buffer_slice(scratch));
    gs_buffer_append(out, "\n", 1);
  }
}

static void
dump_entry(const gs_entry *entry, gs_buffer *out)
{
  append_key(out, entry->key);
  gs_buffer_printf(out, "@%" PRIu64 ":%s\n", entry->seq,
                   entry->kind == GS_KIND_PUT ? "put" : "del");
}

static gs_status
dump_entries(gs_table *table, gs_buffer *out, gs_error *err)
{
  gs_cursor *cursor = NULL;
  gs_status status = gs_table_cursor_new(table, false, &cursor, err);
  if (status != GS_OK) {
    return status;
  }
  cursor->error = err;
  for (gs_cursor_first(cursor); cursor->valid; gs_cursor_next(cursor)) {
    do {
      dump_entry(&cursor->entry, out);
    } while (gs_cursor_older(cursor));
    if (!cursor->valid) {
      break;
    }
  }
  status = cursor->status;
  gs_table_cursor_free(cursor);
  return status;
}

gs_status
gs_table_dump(gs_table *table, bool with_entries, gs_buffer *out, gs_error *err)
{
  gs_buffer scratch;
  gs_buffer_init(&scratch, table->env->alloc);
  dump_meta(table, out);
  dump_fences(table, &scratch, out);
  gs_status status = gs_buffer_status(&scratch, err);
  gs_buffer_deinit(&scratch);
  if (status == GS_OK && with_entries) {
    status = dump_entries(table, out, err);
  }
  return status == GS_OK ? gs_buffer_status(out, err) : status;
}
