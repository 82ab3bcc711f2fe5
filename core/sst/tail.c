/*
 * tail: each part is appended, then described by offset, size and checksum;
 * the footer, which holds the descriptions, comes last.
 */
#include "sst/tail.h"

#include "code/hash.h"
#include "sst/footer.h"
#include "sst/point_index.h"

uint64_t
gs_table_tail_index_bytes(bool has_point_index, uint64_t key_count)
{
  return has_point_index ? gs_point_index_buckets(key_count) * GS_BUCKET_BYTES
                         : 0;
}

static gs_status
append_index(const gs_table_tail *tail, const gs_table_meta *meta,
             gs_buffer *out, gs_error *err)
{
  uint64_t size =
      gs_table_tail_index_bytes(tail->has_point_index, meta->key_count);
  gs_buffer_append_zeros(out, (size_t)size);
  gs_status status = gs_buffer_status(out, err);
  if (status != GS_OK || size == 0) {
    return status;
  }
  size_t count = (size_t)meta->key_count;
  gs_point_index index = {out->data, size / GS_BUCKET_BYTES};
  gs_point_index_build(out->data, index.bucket_count, tail->hashes,
                       tail->locators, count);
  if (!gs_point_index_holds_all(&index, tail->hashes, tail->locators, count)) {
    return GS_FAIL(err, GS_CORRUPT,
                   "the point index just made does not give all keys");
  }
  return GS_OK;
}

/* Describes the bytes appended since out's size was `from`. */
static gs_table_part
part_since(const gs_table_tail *tail, uint64_t id, const gs_buffer *out,
           size_t from)
{
  gs_table_part part = {.offset = tail->offset + from,
                        .size = out->size - from};
  if (part.size > 0 && !out->failed) {
    part.checksum = gs_checksum(out->data + from, (size_t)part.size,
                                gs_checksum_seed(tail->salt, id, part.offset));
  }
  return part;
}

static void
append_footer(const gs_table_tail *tail, gs_table_footer *footer, uint64_t id,
              gs_buffer *out)
{
  footer->block_count = tail->fences->count;
  footer->block_bytes = tail->block_bytes;
  footer->locator_shift = gs_locator_shift(tail->block_bytes);
  footer->features = (tail->has_point_index ? GS_FEATURE_POINT_INDEX : 0) |
                     gs_codec_feature(tail->codec);
  uint64_t seed = gs_checksum_seed(tail->salt, id, tail->offset + out->size);
  uint8_t bytes[GS_TABLE_FOOTER_BYTES];
  gs_table_footer_encode(footer, seed, bytes);
  gs_buffer_append(out, bytes, sizeof bytes);
}

gs_status
gs_table_tail_append(const gs_table_tail *tail, gs_table_meta *meta,
                     gs_buffer *out, gs_error *err)
{
  gs_status status = append_index(tail, meta, out, err);
  if (status != GS_OK) {
    return status;
  }
  gs_table_footer footer = {.index = part_since(tail, meta->id, out, 0)};
  size_t from = out->size;
  gs_fence_list_encode(tail->fences, out);
  footer.fences = part_since(tail, meta->id, out, from);
  from = out->size;
  meta->file_bytes = tail->offset + from + gs_table_meta_encoded_bytes(meta) +
                     GS_TABLE_FOOTER_BYTES;
  gs_table_meta_encode(meta, out);
  footer.properties = part_since(tail, meta->id, out, from);
  append_footer(tail, &footer, meta->id, out);
  meta->footer_checksum = footer.checksum;
  return gs_buffer_status(out, err);
}
