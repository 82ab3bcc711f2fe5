/*
 * writer: everything that can fail for lack of memory or disk happens in add
 * and finish; sizes are exact at any time because every part's size is known
 * from counts. Locators are made when a block ends, since only then row
 * offsets are known.
 */
#include "sst/writer.h"

#include <inttypes.h>

#include "code/fixed.h"
#include "code/hash.h"
#include "sst/block_builder.h"
#include "sst/fences.h"
#include "sst/footer.h"
#include "sst/packed.h"
#include "sst/sink.h"
#include "sst/tail.h"
#include "sst/tally.h"

struct gs_table_writer {
  gs_alloc *alloc;
  gs_table_writer_options options; /* its path is NULL */
  gs_sink sink;
  gs_table_meta meta; /* gathered so far; its keys view the two below */
  gs_buffer first_key;
  gs_buffer last_key;
  uint64_t last_seq;
  gs_block_builder block; /* the one being filled */
  gs_fence_list fences;   /* of finished blocks */
  gs_buffer hashes;       /* u64 per key */
  gs_buffer locators;     /* u32 per key whose block is finished */
  gs_encoder encoder;
  gs_buffer packed; /* the encoder's room */
  uint32_t locator_shift;
};

/* ---- birth and death ---------------------------------------------------- */

/* All but the sink, which ends on its own. */
static void
free_writer(gs_table_writer *writer)
{
  gs_buffer_deinit(&writer->first_key);
  gs_buffer_deinit(&writer->last_key);
  gs_block_builder_deinit(&writer->block);
  gs_fence_list_deinit(&writer->fences);
  gs_buffer_deinit(&writer->hashes);
  gs_buffer_deinit(&writer->locators);
  gs_encoder_deinit(&writer->encoder);
  gs_buffer_deinit(&writer->packed);
  GS_DELETE(writer->alloc, writer);
}

static gs_table_writer *
make_writer(gs_alloc *alloc, const gs_table_writer_options *options)
{
  gs_table_writer *writer = GS_NEW(alloc, gs_table_writer);
  if (writer == NULL) {
    return NULL;
  }
  writer->alloc = alloc;
  writer->options = *options;
  writer->options.path = NULL;
  if (options->block_bytes == 0) {
    writer->options.block_bytes = GS_BLOCK_DEFAULT_BYTES;
  }
  writer->locator_shift = gs_locator_shift(writer->options.block_bytes);
  writer->meta =
      (gs_table_meta){.id = options->id, .created_ms = options->created_ms};
  gs_buffer_init(&writer->first_key, alloc);
  gs_buffer_init(&writer->last_key, alloc);
  gs_block_builder_init(&writer->block, alloc);
  gs_fence_list_init(&writer->fences, alloc);
  gs_buffer_init(&writer->hashes, alloc);
  gs_buffer_init(&writer->locators, alloc);
  gs_encoder_init(&writer->encoder, alloc, options->codec);
  gs_buffer_init(&writer->packed, alloc);
  return writer;
}

static void
append_header(gs_table_writer *writer)
{
  bool has_index = writer->options.has_point_index;
  gs_table_header header = {.features =
                                (has_index ? GS_FEATURE_POINT_INDEX : 0) |
                                gs_codec_feature(writer->options.codec),
                            .id = writer->options.id,
                            .salt = writer->options.salt};
  uint8_t bytes[GS_TABLE_HEADER_BYTES];
  gs_table_header_encode(&header, bytes);
  gs_buffer_append(&writer->sink.bytes, bytes, sizeof bytes);
}

gs_status
gs_table_writer_new(gs_env *env, const gs_table_writer_options *options,
                    gs_table_writer **out, gs_error *err)
{
  *out = NULL;
  uint32_t block_bytes = options->block_bytes;
  if (block_bytes != 0 &&
      (block_bytes < GS_BLOCK_MIN_BYTES || block_bytes > GS_BLOCK_MAX_BYTES)) {
    return GS_FAIL(err, GS_MISUSE,
                   "block_bytes is %" PRIu32 "; it may be %d to %d",
                   block_bytes, GS_BLOCK_MIN_BYTES, GS_BLOCK_MAX_BYTES);
  }
  gs_table_writer *writer = make_writer(env->alloc, options);
  if (writer == NULL) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = gs_sink_open(&writer->sink, env, options->path, err);
  if (status != GS_OK) {
    free_writer(writer);
    return status;
  }
  append_header(writer); /* sticky: the first add tells */
  *out = writer;
  return GS_OK;
}

void
gs_table_writer_abandon(gs_table_writer *writer)
{
  if (writer != NULL) {
    gs_sink_abandon(&writer->sink);
    free_writer(writer);
  }
}

/* ---- adding ------------------------------------------------------------- */

static uint64_t
seed_at(const gs_table_writer *writer, uint64_t offset)
{
  return gs_checksum_seed(writer->options.salt, writer->options.id, offset);
}

/* Locators of the keys whose newest version stands in the finished block. */
static void
append_locators(gs_table_writer *writer)
{
  for (uint32_t i = 0; i < writer->block.row_count; i++) {
    if (!gs_block_builder_is_older(&writer->block, i)) {
      uint32_t units =
          gs_block_builder_row_at(&writer->block, i) / GS_BLOCK_UNIT_BYTES;
      uint8_t locator[4];
      gs_put_u32(locator,
                 writer->fences.count << writer->locator_shift | units);
      gs_buffer_append(&writer->locators, locator, sizeof locator);
    }
  }
}

static gs_status
finish_block(gs_table_writer *writer, gs_error *err)
{
  gs_status status = gs_block_builder_status(&writer->block, err);
  if (status != GS_OK || writer->block.row_count == 0) {
    return status;
  }
  size_t at = writer->sink.bytes.size;
  uint64_t seed = seed_at(writer, gs_sink_end(&writer->sink));
  gs_block_builder_finish(&writer->block, seed, &writer->sink.bytes);
  if (writer->options.codec != GS_CODEC_NONE) {
    status = gs_packed_pack(&writer->encoder, &writer->packed,
                            &writer->sink.bytes, at, seed, err);
  }
  if (status != GS_OK) {
    return status;
  }
  if (writer->options.has_point_index) {
    append_locators(writer);
  }
  gs_fence_list_add(&writer->fences, gs_block_builder_first_key(&writer->block),
                    (uint32_t)(writer->sink.bytes.size - at));
  gs_block_builder_clear(&writer->block);
  return gs_sink_flush(&writer->sink, true, err);
}

/* order: of the key before and the entry's. */
static gs_status
check_entry(const gs_table_writer *writer, const gs_entry *entry, int order,
            gs_error *err)
{
  if (entry->key.size > GS_KEY_MAX_BYTES ||
      entry->value.size > GS_VALUE_MAX_BYTES) {
    return GS_FAIL(err, GS_TOOLARGE,
                   "a key of %zu or a value of %zu bytes is too large",
                   entry->key.size, entry->value.size);
  }
  if ((entry->kind != GS_KIND_PUT && entry->kind != GS_KIND_DELETE) ||
      (entry->kind == GS_KIND_DELETE &&
       (entry->value.size > 0 || entry->expires_at_ms != 0)) ||
      entry->seq > GS_SEQ_MAX) {
    return GS_FAIL(err, GS_MISUSE,
                   "this is no entry: kind %d, sequence %" PRIu64,
                   (int)entry->kind, entry->seq);
  }
  if (order > 0 || (order == 0 && entry->seq >= writer->last_seq)) {
    return GS_FAIL(err, GS_MISUSE, "entries come out of order");
  }
  if (order < 0 && gs_table_writer_is_full(writer)) {
    return GS_FAIL(err, GS_LIMIT, "the table can take no more blocks");
  }
  return GS_OK;
}

static void
note_entry(gs_table_writer *writer, const gs_entry *entry, bool is_older)
{
  if (writer->meta.entry_count == 0) {
    gs_buffer_append_slice(&writer->first_key, entry->key);
    writer->meta.min_key = gs_buffer_slice(&writer->first_key);
  }
  if (!is_older) {
    gs_buffer_clear(&writer->last_key);
    gs_buffer_append_slice(&writer->last_key, entry->key);
    writer->meta.max_key = gs_buffer_slice(&writer->last_key);
  }
  if (entry->kind == GS_KIND_DELETE) {
    writer->meta.oldest_tombstone_ms = writer->options.oldest_tombstone_ms;
  }
  writer->last_seq = entry->seq;
  gs_tally_add(&writer->meta, entry, is_older);
}

/* Puts the entry into the block where it belongs. */
static gs_status
place_entry(gs_table_writer *writer, const gs_entry *entry, bool is_older,
            gs_error *err)
{
  uint32_t target = writer->options.block_bytes;
  bool is_alone = gs_block_builder_row_bytes(entry) > target / 2;
  gs_status status = GS_OK;
  if (is_alone || gs_block_builder_bytes_with(&writer->block, entry) > target) {
    status = finish_block(writer, err);
  }
  if (status == GS_OK) {
    gs_block_builder_add(&writer->block, entry, is_older);
  }
  if (status == GS_OK && is_alone) {
    status = finish_block(writer, err);
  }
  return status;
}

/* Appends go on after a failed growth; this tells of all at once. */
static gs_status
check_memory(const gs_table_writer *writer, gs_error *err)
{
  bool has_failed = writer->first_key.failed || writer->last_key.failed ||
                    writer->hashes.failed || writer->locators.failed ||
                    writer->fences.bytes.failed || writer->sink.bytes.failed;
  if (has_failed) {
    return GS_FAIL_NOMEM(err);
  }
  return gs_block_builder_status(&writer->block, err);
}

gs_status
gs_table_writer_add(gs_table_writer *writer, const gs_entry *entry,
                    gs_error *err)
{
  int order = -1;
  if (writer->meta.entry_count > 0) {
    order = gs_slice_compare(gs_buffer_slice(&writer->last_key), entry->key);
  }
  gs_status status = check_entry(writer, entry, order, err);
  if (status != GS_OK) {
    return status;
  }
  bool is_older = order == 0;
  if (!is_older && writer->options.has_point_index) {
    uint8_t hash[8];
    gs_put_u64(hash, gs_hash_key(entry->key));
    gs_buffer_append(&writer->hashes, hash, sizeof hash);
  }
  status = place_entry(writer, entry, is_older, err);
  if (status != GS_OK) {
    return status;
  }
  note_entry(writer, entry, is_older);
  return check_memory(writer, err);
}

bool
gs_table_writer_is_full(const gs_table_writer *writer)
{
  uint64_t limit = UINT32_MAX;
  if (writer->options.has_point_index) {
    limit = UINT64_C(1) << (GS_LOCATOR_BITS - writer->locator_shift);
  }
  /* The key may end the open block and begin the next. */
  return (uint64_t)writer->fences.count + 2 > limit;
}

/* ---- sizes -------------------------------------------------------------- */

uint64_t
gs_table_writer_bytes(const gs_table_writer *writer)
{
  const gs_table_meta *meta = &writer->meta;
  uint64_t bytes = gs_sink_end(&writer->sink) +
                   gs_table_tail_index_bytes(writer->options.has_point_index,
                                             meta->key_count) +
                   gs_table_meta_encoded_bytes(meta) + GS_TABLE_FOOTER_BYTES;
  if (writer->block.row_count == 0) {
    return bytes + gs_fence_list_bytes(&writer->fences);
  }
  return bytes + gs_block_builder_bytes(&writer->block) +
         gs_fence_list_bytes_with(&writer->fences,
                                  gs_block_builder_first_key(&writer->block));
}

uint64_t
gs_table_writer_entry_count(const gs_table_writer *writer)
{
  return writer->meta.entry_count;
}

/* ---- the end ------------------------------------------------------------ */

/* Everything behind the blocks. Requires: the sink was just flushed. */
static gs_status
append_tail(gs_table_writer *writer, gs_table_meta *meta, gs_error *err)
{
  const void *hashes = writer->hashes.data;
  const void *locators = writer->locators.data;
  gs_table_tail tail = {
      .fences = &writer->fences,
      .hashes = hashes,
      .locators = locators,
      .salt = writer->options.salt,
      .offset = gs_sink_end(&writer->sink),
      .block_bytes = writer->options.block_bytes,
      .codec = writer->options.codec,
      .has_point_index = writer->options.has_point_index,
  };
  return gs_table_tail_append(&tail, meta, &writer->sink.bytes, err);
}

/* Points the keys of meta at copies in the caller's buffer, which has room. */
static void
give_keys(gs_table_meta *meta, gs_buffer *keys)
{
  size_t at = keys->size;
  gs_buffer_append_slice(keys, meta->min_key);
  gs_buffer_append_slice(keys, meta->max_key);
  meta->min_key.data = keys->data + at;
  meta->max_key.data = keys->data + at + meta->min_key.size;
}

gs_status
gs_table_writer_finish(gs_table_writer *writer, gs_table_meta *meta,
                       gs_buffer *keys, gs_error *err)
{
  if (writer->meta.entry_count == 0) {
    return GS_FAIL(err, GS_MISUSE, "a table needs at least one entry");
  }
  /* One byte more, so that empty keys have an address too. */
  if (!gs_buffer_reserve(keys,
                         writer->first_key.size + writer->last_key.size + 1)) {
    return GS_FAIL_NOMEM(err);
  }
  gs_status status = finish_block(writer, err);
  if (status == GS_OK) {
    status = check_memory(writer, err);
  }
  if (status == GS_OK) {
    status = gs_sink_flush(&writer->sink, false, err);
  }
  gs_table_meta made = writer->meta;
  if (status == GS_OK) {
    status = append_tail(writer, &made, err);
  }
  if (status == GS_OK) {
    status = gs_sink_finish(&writer->sink, err);
  }
  if (status != GS_OK) {
    return status;
  }
  give_keys(&made, keys);
  *meta = made;
  free_writer(writer);
  return GS_OK;
}
